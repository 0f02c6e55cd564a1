"""Who says hello: the User-Agent of everything that Kyodaku sends."""

from __future__ import annotations

from kyodaku import __version__
from kyodaku.recipe import Recipe


def user_agent(recipe: Recipe) -> str:
    """`Operator/1.0 (+contact) Kyodaku/x.y`; both names are the robots product tokens that bind us."""
    operator = recipe.operator
    contact = f" (+{operator.contact})" if operator.contact else ""
    return f"{operator.crawler}/1.0{contact} Kyodaku/{'.'.join(__version__.split('.')[:2])}"
