"""The part of the private report that shows what was allowed and set aside: with the mask, the text that was
read, or the cluster; never a pixel of anything refused, held or purged, nor what was seen in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kyodaku.reasons import Outcome
from kyodaku.report import parts
from kyodaku.report.data import Row, RunFacts
from kyodaku.report.findings import finding_line, mask_of, rests_on
from kyodaku.report.html import Html, join, say, tag
from kyodaku.report.summary import SET_ASIDE, Summary
from kyodaku.report.texts import outcome_text, reason_text
from kyodaku.report.thumbnails import Thumbnail

#: How many pictures are shown of each reason, and of each cluster.
SHOWN, CLUSTER = 12, 6


@dataclass(frozen=True)
class Beside:
    """What is shown beside pictures that were set aside: by uid, findings and rows of other pictures of their
    clusters; `kept` by candidate_id or uid, the one that stands for a duplicate."""

    findings: Mapping[str, list[dict[str, Any]]]
    cluster: Mapping[str, list[Row]]
    kept: Mapping[str, Row]

    @classmethod
    def of(cls, facts: RunFacts, summary: Summary) -> Beside:
        rows = [
            row
            for (outcome, _), chosen in summary.chosen.items()
            if outcome in SET_ASIDE
            for row in chosen.rows[:SHOWN]
        ]
        uids = {row.uid for row in rows if row.uid}
        neighbours = facts.neighbours(uids)
        named = facts.named(
            {uid for others in neighbours.values() for uid in others[:CLUSTER]}
            | {row.because_of for row in rows if row.outcome == Outcome.DUPLICATE and row.because_of}
        )
        cluster = {uid: [named[o] for o in others if o in named] for uid, others in neighbours.items()}
        return cls(facts.findings(uids), cluster, named)

    def rows(self) -> list[Row]:
        """Every further row that may be shown."""
        return [*self.kept.values(), *(row for rows in self.cluster.values() for row in rows)]


def set_aside(summary: Summary, shown: Mapping[str, Thumbnail], beside: Beside) -> Html | None:
    groups: list[Html] = []
    for outcome in SET_ASIDE:
        for (kind, reason), chosen in sorted(summary.chosen.items()):
            if kind != outcome:
                continue
            title = join((outcome_text(outcome), reason_text(outcome, reason)), ": ")
            rows = chosen.rows[:SHOWN]
            figures = [_aside_figure(row, shown, beside) for row in rows]
            groups.append(
                join((tag("h3", title), parts.gallery(figures), parts.more(len(figures), chosen.total)))
            )
    return join(groups) if groups else None


def _aside_figure(row: Row, shown: Mapping[str, Thumbnail], beside: Beside) -> Html:
    """A picture with what its reason rests on; of one that may not be shown, nothing that was seen in it."""
    thumbnail = shown.get(row.uid)
    if thumbnail is None:
        return parts.figure(None, row.text, *picture_lines(row))
    findings = beside.findings.get(row.uid, [])
    seen = [finding_line(found) for found in rests_on(findings, row.outcome_reason)]
    mask = mask_of(findings, row.outcome_reason)
    return parts.figure(
        thumbnail, row.text, *picture_lines(row), *seen, _cluster(row, shown, beside), mask=mask
    )


def _cluster(row: Row, shown: Mapping[str, Thumbnail], beside: Beside) -> Html | None:
    """The other pictures of its clusters, and for a duplicate the one that is kept."""
    kept = beside.kept.get(row.because_of) if row.outcome == Outcome.DUPLICATE else None
    others = [other for other in beside.cluster.get(row.uid, []) if kept is None or other.uid != kept.uid]
    lines: list[Html | None] = []
    if kept is not None:
        lines.append(parts.strip(say("kept in its place:"), [shown.get(kept.uid)]))
    if others:
        lines.append(
            parts.strip(say("in its cluster:"), [shown.get(other.uid) for other in others[:CLUSTER]])
        )
        lines.append(parts.more(min(CLUSTER, len(others)), len(others)))
    return join(lines) if lines else None


def picture_lines(row: Row) -> tuple[Html | None, ...]:
    facts = f"{row.width} × {row.height}" + (f" · {row.licence}" if row.licence else "")
    return tag("span", facts), parts.page_link(row.page_url or row.image_url)
