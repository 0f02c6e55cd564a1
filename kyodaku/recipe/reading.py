"""From a file to a Recipe, or to everything that is wrong with it."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from kyodaku.errors import RecipeError, RecipeProblem
from kyodaku.recipe.around import problems_around
from kyodaku.recipe.location import line_of, lines_of_keys
from kyodaku.recipe.recipe import Recipe, problems_between


def recipe_file(path: Path) -> Path:
    """The file that a recipe's name on the command line means: a file, or `recipe.toml` in a folder."""
    return path / "recipe.toml" if path.is_dir() else path


def load_recipe(path: Path) -> Recipe:
    """Read and check a recipe file or the recipe of a dataset folder. Touches neither network nor run.

    Raises:
        RecipeError: with every problem found, each located by its dotted path and line.
    """
    file = recipe_file(path)
    return read_recipe(_text(file), str(file))


def check_recipe(path: Path) -> Recipe:
    """As `load_recipe`, and also look at the files and the host table that the recipe names: what a crawl
    needs to begin."""
    file = recipe_file(path)
    return read_recipe(_text(file), str(file), file.parent)


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise _unreadable(file, "no such recipe; name a recipe.toml or the folder that holds it") from None
    except OSError as error:
        raise _unreadable(file, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise _unreadable(file, f"not UTF-8: byte {error.start} is {error.reason}") from error


def read_recipe(text: str, source: str, folder: Path | None = None) -> Recipe:
    """Check the TOML text of a recipe, and with its `folder` the files it names. Raises RecipeError as
    `load_recipe`."""
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise _unreadable(source, "not TOML that we read: nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, and integers of thousands of digits
        where = re.search(r"at line (\d+)", str(error))
        raise _unreadable(source, f"not TOML: {error}", int(where[1]) if where else 0) from error
    try:
        return parse_recipe(data, source, folder)
    except RecipeError as error:
        lines = lines_of_keys(text)
        located = [
            RecipeProblem(p.where, p.message, line_of(lines, p.where.split("."))) for p in error.problems
        ]
        raise RecipeError(source, sorted(located, key=lambda problem: problem.line)) from None


def parse_recipe(data: dict[str, Any], source: str, folder: Path | None = None) -> Recipe:
    """Check already parsed TOML. Raises RecipeError as `read_recipe`, without lines."""
    try:
        recipe = Recipe.model_validate(data)
    except ValidationError as error:
        raise RecipeError(source, _problems(data, error, folder)) from None
    if folder is not None and (problems := list(problems_around(dict(recipe), folder))):
        raise RecipeError(source, problems)
    return recipe


def schema_text() -> str:
    """The JSON Schema of recipes, as committed in `datasets/recipe.schema.json`."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Recipe.model_json_schema()}
    schema["title"] = "Kyodaku recipe"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _unreadable(source: Path | str, message: str, line: int = 0) -> RecipeError:
    return RecipeError(str(source), [RecipeProblem("file", message, line)])


def _problems(data: dict[str, Any], error: ValidationError, folder: Path | None) -> list[RecipeProblem]:
    items = [item for item in error.errors(include_url=False) if item["loc"]]
    found = [RecipeProblem(_dotted(item["loc"]), _message(item)) for item in items]
    sound = _sound_sections(data, {item["loc"][0] for item in items})
    found += problems_between(sound)
    if folder is not None:
        found += problems_around(sound, folder)
    return found


def _dotted(location: Sequence[int | str]) -> str:
    """A location as TOML writes it: odd keys quoted, so that it stays one line."""
    parts = (str(part) for part in location)
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part) for part in parts)


def _sound_sections(data: dict[str, Any], wrong: set[int | str]) -> dict[str, Any]:
    """The sections without a problem of their own, as models."""
    sound: dict[str, Any] = {}
    for name, field in Recipe.model_fields.items():
        if name in data and name not in wrong:
            sound[name] = TypeAdapter(field.rebuild_annotation()).validate_python(data[name])
        elif name not in data and not field.is_required():
            sound[name] = field.default
    return sound


def _message(item: Any) -> str:
    """pydantic's message in our words where ours help more; always one line."""
    location = item["loc"]
    match item["type"]:
        case "extra_forbidden":
            message = _no_such_key(location)
        case "missing":
            message = "is missing"
        case "model_type":
            message = "must be a table"
        case "value_error":
            message = str(item["ctx"]["error"])
        case "string_pattern_mismatch":
            message = f"{item['input']!r} must match {item['ctx']['pattern']}"
        case _:
            message = f"{item['msg']}, not {_shown(item['input'])}"
    return " ".join(message.split())


def _no_such_key(location: Sequence[int | str]) -> str:
    name = _dotted(location[-1:])
    model = _model_at(location[:-1])
    keys = sorted(model.model_fields)
    if list(location[:-1]) == ["filters"]:
        return f"no filter named {name} yet; filters: {', '.join(keys)}"
    close = difflib.get_close_matches(name, keys, n=1)
    return f"no such key; did you mean {close[0]}?" if close else f"no such key; keys here: {', '.join(keys)}"


def _model_at(location: Sequence[int | str]) -> type[BaseModel]:
    model: type[BaseModel] = Recipe
    for part in location:
        if isinstance(part, str):
            annotation: Any = model.model_fields[part].annotation
            model = next((arg for arg in get_args(annotation) if arg is not Ellipsis), annotation)
    return model


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
