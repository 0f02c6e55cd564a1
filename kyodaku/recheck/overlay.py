"""What asking again before a release brought, laid over what the crawl found.

A no is never taken back, nor are words beside a picture. A yes holds while it is said: what hosts, pages
and headers granted at the crawl and do not grant now is gone, and so is what a page that changed, or a
header, said about a licence; what stands in the stored bytes stays. A gate that closed this time is the
candidate's last gate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from kyodaku.records import CANDIDATES, DECISIONS, PAGES, RECHECKS
from kyodaku.release.tables import iter_rows, read_rows, read_table, shard_names
from kyodaku.runs import RunFolder
from kyodaku.signals.model import Binding, Effect, LicenceBinding, Where

CHANGED = "changed"
SAME = "same"

#: Outcomes of candidates that stand in a release, or for a picture that does.
KEPT = ("released", "duplicate")

#: Seconds by which a clock may be set back without making answers of a moment ago look like those to come.
_CLOCK_STEP = 300.0

#: Columns of a candidate with the words beside its picture, and what stands between several in one.
_WORDS = (
    "alt", "title", "caption", "link_text", "page_title", "schema_name", "schema_description",
    "schema_creator", "schema_credit",
)  # fmt: skip
_BETWEEN = " / "

#: Evidence that does not come from the page a candidate was found on.
_NOT_OF_THE_PAGE = frozenset({LicenceBinding.XMP, LicenceBinding.URL_LIST})


def candidate_rows(run: RunFolder, shard: str) -> list[dict[str, Any]]:
    """The candidates of one shard as plain rows, rechecks laid over them. Raises RecordError."""
    rows = read_rows(run.candidates / f"{shard}.parquet", CANDIDATES)
    return laid_over(rows, recheck_rows(run, shard))


def iter_candidate_rows(run: RunFolder) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every shard of candidates in order: its number and its rows, rechecks laid over them."""
    for shard in shard_names(run.candidates):
        yield shard, candidate_rows(run, shard)


def recheck_rows(run: RunFolder, shard: str) -> dict[str, dict[str, Any]]:
    """The rechecks of one shard by candidate_id; none where nothing was rechecked."""
    path = run.rechecks / f"{shard}.parquet"
    return {row["candidate_id"]: row for row in read_rows(path, RECHECKS)} if path.is_file() else {}


def laid_over(rows: Sequence[dict[str, Any]], checks: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Candidate rows with the facts of their rechecks."""
    return [_one(row, checks[row["candidate_id"]]) if row["candidate_id"] in checks else row for row in rows]


def _one(row: dict[str, Any], check: Mapping[str, Any]) -> dict[str, Any]:
    evidence = [item for item in row["evidence"] if item["binding"] != LicenceBinding.LINK_HEADER]
    if check["page"] == CHANGED:
        evidence = [item for item in evidence if item["binding"] in _NOT_OF_THE_PAGE]
    merged = {
        **row,
        "signals": _together(lasting(row["signals"]), check["signals"]),
        "evidence": _together(evidence, check["evidence"]),
        "link_text": _with_words(row, check["words"]),
    }
    if check["gate_verdict"] != "proceed":
        merged |= {name: check[name] for name in ("gate", "gate_verdict", "gate_reason")}
        merged["failure"] = ""
    return merged


def _with_words(row: Mapping[str, Any], words: Sequence[str]) -> str:
    """The words of the link, and those that came beside the picture since the crawl: no caption is taken
    from here, and whoever asks what stands beside a picture reads it."""
    parts = row["link_text"].split(_BETWEEN) if row["link_text"] else []
    known = {*parts, *(row[column] for column in _WORDS)}
    return _BETWEEN.join([*parts, *(text for text in words if text not in known)])


def lasting(signals: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Signals that outlive the answer they came with: every one but a grant outside the image's bytes, which
    is asked for again each time."""
    return [
        signal
        for signal in signals
        if signal["effect"] != Effect.PERMITTED
        or (signal["where"] == Where.FILE and signal["binding"] == Binding.IMAGE)
    ]


def _together(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*old, *(item for item in new if item not in old)]


def unchecked(
    run: RunFolder, outcomes: Collection[str], before: float, now: float
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Candidates with one of `outcomes` whose last answer came before `before` (Unix seconds): shard and
    row, rechecks laid over it. Their pages count too: a crawl that was stopped for long has old ones. An
    answer from after `now` was dated by a clock that was wrong, and counts for nothing."""
    old_pages: set[str] | None = None
    for shard, decisions in iter_rows(run.decisions, DECISIONS):
        kept = {row["candidate_id"] for row in decisions if row["outcome"] in outcomes}
        if kept and old_pages is None:
            old_pages = _pages_read_before(run, before)
        checks = recheck_rows(run, shard) if kept else {}
        for row in candidate_rows(run, shard) if kept else ():
            key = row["candidate_id"]
            crawled = 0.0 if row["page_url"] in (old_pages or ()) else row["fetched_at"]
            times = (crawled, checks[key]["checked_at"] if key in checks else 0.0)
            asked_at = max((time for time in times if time <= now + _CLOCK_STEP), default=0.0)
            if key in kept and asked_at < before:
                yield shard, row


def _pages_read_before(run: RunFolder, before: float) -> set[str]:
    if not run.pages.is_file():
        return set()
    rows = read_table(run.pages, PAGES, ["url", "fetched_at"]).to_pylist()
    return {row["url"] for row in rows if 0 < row["fetched_at"] < before}
