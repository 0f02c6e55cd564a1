"""The user-agent tokens of AI crawlers, by what their operators do with what they fetch.

`tokens.json` holds the names of the ai.robots.txt list (MIT License) and our class for each.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from kyodaku.errors import UsageError

#: Tokens without a crawler: they exist only to say yes or no to training.
CONTROL_TOKENS = ("Google-Extended", "Applebot-Extended")

#: Classes a recipe may name. `search_assistant_agent`, `other_ai_or_unclear` and `generic_exclude`
#: (words of libraries and products) say nothing about training.
PURPOSE_CLASSES = ("train_core", "train_or_dataset_extended")


@cache
def token_classes() -> dict[str, str]:
    """Token -> class, as listed."""
    text = files("kyodaku.signals").joinpath("tokens.json").read_text(encoding="utf-8")
    tokens: dict[str, str] = json.loads(text)["tokens"]
    return tokens


def purpose_tokens(classes: Sequence[str] = ("train_core",), extra: Sequence[str] = ()) -> tuple[str, ...]:
    """The tokens of `classes` and those of `extra`, each once whatever its case, in the list's order.

    Raises UsageError for a class that is not one of PURPOSE_CLASSES.
    """
    for name in classes:
        if name not in PURPOSE_CLASSES:
            raise UsageError(f"{name} is no class of purpose agents; there are {', '.join(PURPOSE_CLASSES)}")
    wanted = [token for token, kind in token_classes().items() if kind in classes]
    return tuple({token.lower(): token for token in reversed([*wanted, *extra])}.values())[::-1]
