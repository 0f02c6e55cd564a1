"""`kyodaku inspect`: every annotator on given files, and what the filters of a recipe would say.

About pictures only: whether anybody permits their use is `kyodaku check`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from curation.annotate import BATCH, BATCH_PIXELS, one_thread
from curation.annotators.base import Annotator, Finding, Picture, Status, look_at_all
from curation.annotators.basics import basic_facts, failed_image
from curation.annotators.registry import annotators
from curation.contact_sheet import Sheet, small_jpeg
from curation.files import Body, check_page, check_paths, count_files, pictures
from curation.filters import Objected, first_reason, objections, with_pages
from curation.objections import objection
from kyodaku.errors import DecodeError, UsageError
from kyodaku.fingerprint import sha256_bytes, uid_of
from kyodaku.reasons import FailReason, Outcome, QuarantineReason, RefuseReason
from kyodaku.recipe import Annotators, Filters, Network, Recipe
from kyodaku.records import Candidate
from kyodaku.report.plaintext import plain
from kyodaku.report.texts import reason_english
from kyodaku.safedecode import DecodeLimits, SafeDecoder

#: What `outcome` says of a picture that nothing is held against.
KEPT = "kept"


@dataclass(frozen=True)
class Looking:
    """How pictures are looked at and what is asked of them: of a recipe, or the defaults."""

    network: Network = field(default_factory=Network)
    section: Annotators = field(default_factory=Annotators)
    filters: Filters = field(default_factory=Filters)

    @classmethod
    def of(cls, recipe: Recipe | None) -> Looking:
        return cls() if recipe is None else cls(recipe.network, recipe.annotators, recipe.filters)

    def limits(self) -> DecodeLimits:
        network = self.network
        return DecodeLimits(
            max_bytes=network.max_image,
            max_pixels=network.max_pixels,
            max_frames=network.max_frames,
            formats=frozenset(network.formats),
        )


@dataclass(frozen=True)
class Inspected:
    """What is known of one file. `row` as in ANNOTATIONS, its findings by annotator; `message` says more
    about a failure; `refusal` is what is written in the picture, `objected` what filters hold against it.
    """

    path: Path
    row: Mapping[str, Any]
    message: str = ""
    refusal: RefuseReason | None = None
    objected: tuple[Objected, ...] = ()

    @property
    def ok(self) -> bool:
        """True if the file is a picture that could be decoded."""
        return bool(self.row["status"] == "ok")

    @property
    def looked(self) -> bool:
        """True if the file is a picture and no annotator broke on it."""
        return self.ok and all(found.status is not Status.FAILED for found in self.findings.values())

    @property
    def outcome(self) -> str:
        """Where the picture would end, were its use permitted: kept, or as `Outcome`."""
        if not self.ok:
            return Outcome.FAILED.value
        if self.refusal is not None:
            return Outcome.REFUSED.value
        first = first_reason(self.objected)
        if first is None:
            return KEPT
        aside = isinstance(first, QuarantineReason)
        return (Outcome.QUARANTINED if aside else Outcome.FILTERED).value

    @property
    def reason(self) -> str:
        """The reason of that outcome; "" for kept."""
        if not self.ok:
            return str(self.row["failure"])
        if self.refusal is not None:
            return self.refusal.value
        first = first_reason(self.objected)
        return first.value if first is not None else ""

    @property
    def findings(self) -> dict[str, Finding]:
        """By annotator, in their order."""
        return dict(self.row.get("findings") or {})

    def to_json(self) -> dict[str, Any]:
        """One line of `--json`."""
        hidden = ("findings", "decoder")
        row = {
            name: value
            for name, value in self.row.items()
            if name not in hidden and not isinstance(value, bytes)
        }
        return {
            "file": str(self.path),
            **row,
            "message": self.message,
            "annotators": {name: _plain_finding(found) for name, found in self.findings.items()},
            "outcome": self.outcome,
            "reason": self.reason,
            "objections": [one.name for one in self.objected],
        }

    def render(self) -> Group:
        """For a terminal, below the name of the file."""
        lines: list[Text | Table] = []
        if self.ok:
            facts = [self.row["format"], self.row["mode"], f"{self.row['width']} × {self.row['height']}"]
            facts += [f"{self.row['frames']} frames"] if self.row["frames"] > 1 else []
            facts += ["GPS position"] if self.row["has_gps"] else []
            lines.append(Text("  " + ", ".join(facts)))
        if self.findings:
            lines.append(self._table())
        return Group(*lines, Text(f"  {self._verdict()}\n"))

    def _table(self) -> Table:
        table = Table(box=SIMPLE_HEAD)
        for name in ("looked for", "says", "score", "read"):
            table.add_column(name, justify="right" if name == "score" else "left", overflow="fold")
        for name, found in self.findings.items():
            says = found.level if found.status is Status.OK else found.status.value
            score = f"{found.score:.3f}" if found.status is Status.OK else ""
            table.add_row(*(Text(cell) for cell in (name, plain(says, 60), score, plain(found.text, 300))))
        return table

    def _verdict(self) -> str:
        if self.outcome == KEPT:
            return "kept: nothing is held against it"
        told = f"{self.outcome}: {reason_english(self.outcome, self.reason)} ({self.reason})"
        return f"{told}: {plain(self.message, 200)}" if self.message else told


def inspect(
    paths: Sequence[Path], recipe: Recipe | None, sheet: Path | None, console: Console
) -> Iterator[Inspected]:
    """Look at every file, in order; progress goes to `console`, a page to `sheet` if one is named.

    Not more than a batch of pictures is in memory at once. Raises UsageError for a path that is not there,
    for a sheet that cannot be written or would replace something else, and where there is no picture.
    """
    check_paths(paths)
    if sheet is not None:
        check_page(sheet, paths)
    looking = Looking.of(recipe)
    total = count_files(paths)
    with ExitStack() as stack:
        advance = _progress(stack, console, total)
        page = stack.enter_context(Sheet(sheet)) if sheet is not None else None
        none_yet = True
        for inspected, picture in _look(pictures(paths, looking.network.max_image), looking):
            if page is not None:
                page.add(inspected, small_jpeg(picture) if picture is not None else None)
            none_yet = False
            yield inspected
            advance()
        if none_yet:
            raise UsageError(f"no picture in {', '.join(map(str, paths))}")


def _progress(stack: ExitStack, console: Console, total: int) -> Any:
    if total < 2:
        return lambda: None
    columns = (TextColumn("inspect"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = stack.enter_context(Progress(*columns, console=console, transient=True))
    task = bar.add_task("inspect", total=total)
    return lambda: bar.advance(task)


def _look(bodies: Iterator[Body], looking: Looking) -> Iterator[tuple[Inspected, Picture | None]]:
    """Decode and look, a batch at a time."""
    looks = annotators(looking.section)
    with SafeDecoder(looking.limits()) as decoder:
        batch: list[tuple[Body, Picture | None]] = []
        pixels = 0
        for body in bodies:
            opened = _decode(body, decoder)
            batch.append(opened)
            pixels += opened[1].decoded.held if opened[1] else 0
            if len(batch) >= BATCH or pixels >= BATCH_PIXELS:
                yield from _batch(batch, looks, looking.filters)
                batch, pixels = [], 0
        yield from _batch(batch, looks, looking.filters)


def _decode(body: Body, decoder: SafeDecoder) -> tuple[Body, Picture | None]:
    if body.error is not None:
        return body, None
    try:
        return body, Picture(body.body, decoder.decode(body.body))
    except DecodeError as error:
        return Body(body.path, body.body, error), None


def _batch(
    batch: Sequence[tuple[Body, Picture | None]], looks: Sequence[Annotator], filters: Filters
) -> Iterator[tuple[Inspected, Picture | None]]:
    with one_thread():
        found = iter(look_at_all(looks, [picture for _, picture in batch if picture is not None]))
    for body, picture in batch:
        yield _inspected(body, picture, next(found) if picture is not None else {}, filters), picture


def _inspected(
    body: Body, picture: Picture | None, findings: Mapping[str, Finding], filters: Filters
) -> Inspected:
    sha256 = sha256_bytes(body.body) if body.body else ""
    names = {"sha256": sha256, "uid": uid_of(sha256) if sha256 else "", "bytes": len(body.body)}
    if picture is None:
        error = body.error or DecodeError("it could not be decoded", FailReason.UNDECODABLE)
        return Inspected(body.path, {**names, **failed_image(error)}, str(error))
    row = {**names, **basic_facts(body.body, picture.decoded), "findings": findings}
    seen = with_pages(row, rated=False, protected=False)
    nowhere = Candidate(candidate_id="", image_url="", page_url="", host="")
    return Inspected(body.path, row, "", objection(nowhere, row), tuple(objections(seen, filters)))


def _plain_finding(found: Finding) -> dict[str, Any]:
    row = found.to_row()
    values = {item["name"]: item["value"] for item in row["values"]}
    return {name: row[name] for name in ("status", "score", "level", "text", "version")} | {"values": values}
