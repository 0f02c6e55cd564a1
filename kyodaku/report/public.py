"""report.html of a release: counts, reasons, licences and released samples. For everyone.

Names nothing that is not in the set: no address, digest or picture of anything refused, held, filtered
or purged. The same release gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kyodaku.durable import write_bytes
from kyodaku.reasons import Outcome
from kyodaku.recipe import Recipe
from kyodaku.report import parts
from kyodaku.report.data import RunFacts, released_rows
from kyodaku.report.html import Html, document, join, link, say, tag
from kyodaku.report.parts import number
from kyodaku.report.plaintext import plain
from kyodaku.report.summary import Summary, summarise
from kyodaku.report.texts import allow_text
from kyodaku.report.thumbnails import Thumbnail, Thumbnailer
from kyodaku.runs import RunFolder
from kyodaku.shards import iter_tar, read_member

SAMPLES = 24
_BATCH = 10_000


def write_report(release_dir: Path, run: RunFolder, recipe: Recipe) -> Path:
    """Write `report.html` into a release whose shards and Parquet files are there, and return its path.

    Raises RecordError for a file of another schema and DiskFullError.
    """
    facts = RunFacts(run)
    summary = summarise(facts, per_reason=0)
    released = list(released_rows(release_dir))
    sections = [
        (
            "funnel",
            say("From found to released"),
            parts.funnel([*summary.funnel, ("released", len(released))]),
        ),
        ("why", say("Why each image may be here"), _grounds(released)),
    ]
    institutions = _institutions(facts, recipe, {row["candidate_id"] for row in released})
    if institutions is not None:
        sections.append(("institutions", say("Institutions"), institutions))
    sections += [
        ("samples", say("Samples"), _samples(release_dir, released, recipe)),
        ("left-out", say("What was left out"), _left_out(summary)),
        ("requests", say("What was asked for"), parts.addresses_table(summary)),
        ("object", say("How to object"), _objecting(recipe)),
        ("verify", say("How to verify"), _verifying()),
    ]
    body = parts.page(_head(recipe, summary), sections, Html(""))
    path = release_dir / "report.html"
    write_bytes(path, document(f"{recipe.release.title or recipe.name} · Kyodaku", body).encode("utf-8"))
    return path


def _head(recipe: Recipe, summary: Summary) -> Html:
    lead = say(
        "What is in this set, what was left out, and why. Pictures shown here are samples of the release."
    )
    days = tuple(parts.moment(t).partition(" ")[0] for t in (summary.first, summary.last))
    chips = [
        parts.local_network_chip(recipe),
        parts.chip(say("dataset {name}", name=recipe.name)),
        parts.chip(say("basis: {basis}", basis=recipe.permission.basis)),
        parts.chip(say("collected {period}", period=" – ".join(dict.fromkeys(days)))),
    ]
    return parts.heading(say("public report"), recipe.release.title or recipe.name, lead, chips)


def _grounds(released: list[dict[str, Any]]) -> Html:
    reasons = Counter(row["reason"] for row in released)
    licences = Counter((row["licence"], row["licence_url"]) for row in released)
    return join(
        (
            _table(((allow_text(reason), count) for reason, count in _sorted(reasons)), None),
            tag("h3", say("Licences")),
            _table(((_licence(*key), count) for key, count in _sorted(licences)), say("licence")),
        )
    )


def _licence(name: str, url: str) -> Html:
    if not name:
        return say("no licence statement")
    shown = say("an institution's own statement") if name == "institution" else tag("span", plain(name, 80))
    return link(url, shown) if url.startswith("http") else shown


def _institutions(facts: RunFacts, recipe: Recipe, released: set[str]) -> Html | None:
    """Released images by the institution of the recipe whose statement they rest on."""
    if not recipe.institutions:
        return None
    counts = _institution_counts(facts, released)
    entries = {entry.host: entry for entry in recipe.institutions}
    head = parts.head_row((say("institution"), False), (say("its statement"), False), (say("images"), True))
    rows = [
        tag(
            "tr",
            tag("th", host, scope="row"),
            tag("td", tag("bdi", plain(entry.statement, 300)), " ", link(entry.evidence_url)),
            number(counts[host]),
        )
        for host, entry in sorted(entries.items(), key=lambda item: (-counts[item[0]], item[0]))
    ]
    return tag("table", head, tag("tbody", *rows))


def _institution_counts(facts: RunFacts, released: set[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    rows = [row for row in facts.rows() if row.candidate_id in released]
    givers = facts.named({row.because_of for row in rows if row.because_of and not row.grounds})
    for start in range(0, len(rows), _BATCH):
        chosen = [givers.get(row.because_of, row) for row in rows[start : start + _BATCH]]
        records = facts.candidates({row.candidate_id: row for row in chosen}.values())
        for row in chosen:
            evidence = records[row.candidate_id].evidence
            grounds = [evidence[index] for index in row.grounds if 0 <= index < len(evidence)]
            counts.update({item.institution for item in grounds if item.institution})
    return counts


def _samples(release_dir: Path, released: list[dict[str, Any]], recipe: Recipe) -> Html:
    chosen = sorted(released, key=lambda row: str(row["uid"]))[:SAMPLES]
    pictures = _thumbnails(release_dir, chosen, recipe)
    figures = [
        parts.figure(
            pictures.get(row["key"]),
            row["caption"],
            tag("span", plain(row["credit"] or row["creator"], 120))
            if row["credit"] or row["creator"]
            else None,
            _licence(row["licence"], row["licence_url"]),
            parts.page_link(row["page_url"] or row["url"]),
            join((say("key"), tag("code", row["key"])), " "),
        )
        for row in chosen
    ]
    return join((parts.gallery(figures), parts.more(len(chosen), len(released))))


def _thumbnails(release_dir: Path, rows: list[dict[str, Any]], recipe: Recipe) -> dict[str, Thumbnail]:
    made: dict[str, Thumbnail] = {}
    if not rows:
        return made
    wanted = {(row["shard"], row["key"]) for row in rows}
    with Thumbnailer(recipe) as maker:
        for shard in sorted({shard for shard, _ in wanted}):
            path = release_dir / f"{shard}.tar"
            for span in iter_tar(path):
                if (shard, span.key) in wanted and span.ext not in ("json", "txt"):
                    thumbnail = maker.make(read_member(path, span.offset_data, span.size))
                    if thumbnail is not None:
                        made[span.key] = thumbnail
    return made


def _left_out(summary: Summary) -> Html:
    note = tag(
        "p",
        say("Counts and reasons only: nothing here names a picture that is not in the set."),
        class_="note",
    )
    return join((note, parts.reasons_table(summary.outcomes, frozenset({Outcome.RELEASED}))))


def _objecting(recipe: Recipe) -> Html:
    contact = recipe.operator.contact
    if contact:
        first = say(
            "If a picture of yours is here and should not be, write to {contact} and name the picture: "
            "its key, its address, or the page that shows it.",
            contact=link(contact.removeprefix("mailto:")),
        )
    else:
        first = say(
            "This set comes from a demonstration on one machine. There is nobody to write to, and no "
            "picture of yours in it."
        )
    second = say(
        "A refusal is honoured wherever the same picture was found, and the next version leaves it out."
    )
    lines = "User-agent: Kyodaku\nDisallow: /"
    return join(
        (
            tag("p", first),
            tag("p", second),
            tag("p", say("To keep our crawler out from the start, these lines in robots.txt are enough:")),
            tag("pre", Html(lines)),
        )
    )


def _verifying() -> Html:
    command = "pip install kyodaku\nkyodaku verify FOLDER"
    return join(
        (
            tag("p", say("Anyone can check that the files are those that were published, byte for byte:")),
            tag("pre", Html(command)),
        )
    )


def _table(rows: Iterable[tuple[Html, int]], title: Html | None) -> Html:
    body = tag("tbody", *(tag("tr", tag("td", name), number(count)) for name, count in rows))
    head = parts.head_row((title or say("outcome and reason"), False), (say("images"), True))
    return tag("table", head if title else None, body)


def _sorted(counts: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
