"""Recipes: one TOML file that says what a dataset is and what may be in it.

`load_recipe` reads TOML into frozen models that forbid unknown keys, and reports every problem at
once, each with its line. Nothing here touches the network or the run folder.
"""

from __future__ import annotations

from kyodaku.recipe.around import missing_host_table, start_web
from kyodaku.recipe.base import Section
from kyodaku.recipe.filters import Annotators, Filters, Resolution
from kyodaku.recipe.reading import (
    check_recipe,
    load_recipe,
    parse_recipe,
    read_recipe,
    recipe_file,
    schema_text,
)
from kyodaku.recipe.recipe import CURATION_SECTIONS, PERMISSION_FACTS, Recipe, placeholders
from kyodaku.recipe.sections import (
    Budgets,
    Captions,
    Deny,
    HostBudget,
    InstitutionEntry,
    Network,
    Operator,
    PermissionSection,
    Politeness,
    PublicDomain,
    Purpose,
    Release,
    Scope,
    Seeds,
    Shards,
)

__all__ = [
    "CURATION_SECTIONS",
    "PERMISSION_FACTS",
    "Annotators",
    "Budgets",
    "Captions",
    "Deny",
    "Filters",
    "HostBudget",
    "InstitutionEntry",
    "Network",
    "Operator",
    "PermissionSection",
    "Politeness",
    "PublicDomain",
    "Purpose",
    "Recipe",
    "Release",
    "Resolution",
    "Scope",
    "Section",
    "Seeds",
    "Shards",
    "check_recipe",
    "load_recipe",
    "missing_host_table",
    "parse_recipe",
    "placeholders",
    "read_recipe",
    "recipe_file",
    "schema_text",
    "start_web",
]
