"""Results rest on code: what a step or an annotator imports stands in the list that its digest is made of."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from curation import annotate, caption, match, pack, select, stage, steps
from curation.annotators.registry import BUILT
from curation.steps import code_digest, modules_of
from kyodaku.recipe import Annotators

ROOT = Path(steps.__file__).parents[1]

#: By module or package: why it changes no result, whoever imports it. Imports are not followed into these.
NOWHERE = {
    "curation.steps": "digests and markers",
    "curation.torchvision_shim": "makes an import possible",
    "curation.weights": "finds files, whose digests stand beside the code's",
    "kyodaku.candidate": "one row of a table",
    "kyodaku.durable": "writes files",
    "kyodaku.errors": "words",
    "kyodaku.reasons": "words",
    "kyodaku.recipe": "its values are settings, which stand beside the code's",
    "kyodaku.records": "columns of tables",
    "kyodaku.release.markers": "reads digests",
    "kyodaku.release.tables": "reads tables as they are",
    "kyodaku.runs": "names files",
}
#: Whoever looks is handed a decoded picture (decoded otherwise, `basics` makes all look again), and asks no
#: signals.
HANDED = (
    "kyodaku.fingerprint",
    "kyodaku.safedecode",
    "kyodaku.signals.model",
    "kyodaku.signals.protocols.base",
)
#: Signals were read with these while the web was crawled, and stand in the records that select reads.
READ_BEFORE = (
    "kyodaku.fingerprint",
    "kyodaku.safedecode",
    "kyodaku.shards",
    "kyodaku.signals.carriers",
    "kyodaku.signals.ai_txt_car",
    "kyodaku.signals.institutions",
    "kyodaku.signals.letters",
    "kyodaku.signals.licence_urls",
    "kyodaku.signals.licensed_objects",
    "kyodaku.signals.policy_files",
    "kyodaku.signals.robots_groups",
    "kyodaku.signals.robots_licences",
    "kyodaku.signals.robots_names",
    "kyodaku.signals.tokens",
    "kyodaku.signals.vector_images",
    "kyodaku.signals.vectors",
)
#: Fingerprints and vectors were made with these before match compares them.
PRINTED_BEFORE = (
    "curation.annotators.adapter",
    "kyodaku.fingerprint",
    "kyodaku.registry_client",
    "kyodaku.safedecode",
    "kyodaku.shards",
    "kyodaku.signals.model",
    "kyodaku.urls",
)
#: A caption stays true of a picture that is decoded otherwise; which are kept stands in its inputs.
CAPTIONED = (
    "curation.annotate",
    "curation.select",
    "kyodaku.fingerprint",
    "kyodaku.safedecode",
    "kyodaku.shards",
)
#: What a release tells of its permission was read and decided before, and stands in its facts.
DECIDED_BEFORE = (
    "curation.annotate",
    "kyodaku.copies",
    "kyodaku.decision",
    "kyodaku.lock",
    "kyodaku.recheck.overlay",
    "kyodaku.registry_client",
    "kyodaku.reviews",
    "kyodaku.signals",
    "kyodaku.stages",
    "kyodaku.urls",
)
STEPS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "annotate": (annotate._BASICS, ("kyodaku.signals.model",)),
    "match": (match._CODE, PRINTED_BEFORE),
    "select": (select._CODE, READ_BEFORE),
    "caption": ([name for name in caption._CODE if name != "curation.select"], CAPTIONED),
    "pack": (pack.CODE, ("curation.annotate",)),
    "release": (stage._RELEASE_CODE, DECIDED_BEFORE),
}


def test_select_rests_on_the_tables_that_protocols_and_cloak_words_are_read_by() -> None:
    named = {name for module in modules_of(select._CODE) for name in steps.tables_of(module)}
    assert {"platforms.json", "notices.toml", "about.toml"} <= named


def source(name: str) -> Path | None:
    place = ROOT.joinpath(*name.split("."))
    return next((p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()), None)


@cache
def imported(name: str) -> frozenset[str]:
    """Modules of this project that one imports, wherever in its source, or starts as a child."""
    path = source(name)
    assert path is not None
    return frozenset(found for found in _named(path) if found.partition(".")[0] in ("curation", "kyodaku"))


def _named(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if source(inner) else node.module
        elif isinstance(node, ast.keyword) and node.arg == "module" and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def behind(roots: Iterable[str], nowhere: Collection[str]) -> set[str]:
    """All modules that the roots import, at any remove."""
    found: set[str] = set()
    left = list(roots)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [one for one in imported(name) if not _is_in(one, nowhere)]
    return found


def _is_in(name: str, places: Iterable[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_names_all_code_that_its_result_rests_on(step: str) -> None:
    code, nowhere = STEPS[step]
    named = tuple(modules_of(code))
    assert behind(named, {*NOWHERE, *nowhere}) - set(named) == set()


@pytest.mark.parametrize("name", BUILT)
def test_an_annotator_names_all_code_that_its_findings_rest_on(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named: set[str] = set()

    def noted(*modules: str) -> str:
        named.update(modules)
        return code_digest(*modules)

    monkeypatch.setattr(steps, "code_digest", noted)
    annotator = BUILT[name](Annotators())
    root = type(annotator).__module__
    assert behind((root,), {*NOWHERE, *HANDED}) - named == set()


def test_a_package_stands_for_its_modules_and_a_table_that_one_names_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "somewhere"
    folder.mkdir()
    for name in ("__init__", "one", "two"):
        (folder / f"{name}.py").write_text('TABLE = "words.json"' if name == "two" else "")
    monkeypatch.syspath_prepend(tmp_path)
    assert list(modules_of(["somewhere.*"])) == ["somewhere", "somewhere.one", "somewhere.two"]
    before = code_digest("somewhere.*")
    (folder / "words.json").write_text("{}")
    with_table = code_digest("somewhere.*")
    assert with_table != before
    (folder / "words.json").write_text("[]")
    assert code_digest("somewhere.*") != with_table
    (folder / "three.py").write_text("")
    assert len(list(modules_of(["somewhere.*"]))) == 4
