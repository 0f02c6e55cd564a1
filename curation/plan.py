"""plan: which sample goes to which release shard. Ordered by uid, so that crawl order never shows."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.annotators.base import Status
from kyodaku.copies import listed
from kyodaku.errors import RecordError, RunStateError
from kyodaku.reasons import Outcome, Verdict
from kyodaku.recheck.overlay import iter_candidate_rows
from kyodaku.records import ANNOTATIONS, CAPTIONS, DECISIONS
from kyodaku.release.plan import PLAN
from kyodaku.release.tables import iter_rows, shard_names
from kyodaku.runs import RunFolder
from kyodaku.shards import write_parquet

_NO_EVIDENCE: Mapping[str, str] = {"licence_url": "", "source_url": "", "binding": "", "institution": ""}


def plan_rows(run: RunFolder, local_network: bool) -> list[dict[str, Any]]:
    """Every sample of the release: allowed, kept by select, with its caption and credit.

    Raises RunStateError if captions or decisions are missing, or if pictures come from this machine or a
    private network and the run is not stamped `local_network`.
    """
    if not shard_names(run.decisions):
        raise RunStateError(f"{run.path} has no decisions yet; run kyodaku curate first")
    captions = {row["uid"]: row for _, rows in iter_rows(run.captions, CAPTIONS) for row in rows}
    annotations = {row["uid"]: row for _, rows in iter_rows(run.annotations, ANNOTATIONS) for row in rows}
    decisions = {row["candidate_id"]: row for _, rows in iter_rows(run.decisions, DECISIONS) for row in rows}
    kept = {name for name, row in decisions.items() if row["outcome"] == Outcome.RELEASED}
    givers = {decisions[name]["because_of"] for name in kept if decisions[name]["because_of"]}
    candidates: dict[str, dict[str, Any]] = {}
    places: dict[str, tuple[str, str]] = {}
    for _, rows in iter_candidate_rows(run):
        for row in rows:
            if row["candidate_id"] in kept or row["candidate_id"] in givers:
                candidates[row["candidate_id"]] = row
            if row["uid"] and row["raw_key"]:
                places.setdefault(row["uid"], (row["raw_shard"], row["raw_key"]))
    planned = []
    for name in kept:
        candidate, decision = candidates[name], decisions[name]
        _check_allowed(decision)
        if not local_network:
            _check_public(candidate)
        uid = candidate["uid"]
        if uid not in captions:
            raise RunStateError(f"{run.path} has kept pictures without a caption row; run kyodaku curate")
        giver = decision["because_of"] or name
        evidence = _evidence(candidates[giver], decisions[giver])
        planned.append(
            _row(candidate, decision, annotations[uid], captions[uid], places[uid])
            | {
                "credit": _credit(candidate, evidence),
                "licence_url": evidence["licence_url"],
                "evidence_url": evidence["source_url"],
                "evidence_binding": evidence["binding"],
            }
        )
    return sorted(planned, key=lambda row: str(row["uid"]))


def write_plan(rows: list[dict[str, Any]], samples: int, folder: Path) -> list[str]:
    """Write `NNNNN.parquet` with `samples` rows each (the last may have fewer); the shards' numbers.

    Plans of shards that no longer exist are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for number, start in enumerate(range(0, len(rows), samples)):
        names.append(f"{number:05d}")
        table = pa.Table.from_pylist(rows[start : start + samples], PLAN)
        write_parquet(table, folder / f"{names[-1]}.parquet")
    for path in folder.glob("*.parquet"):
        if path.stem not in names:
            path.unlink()
    return names


def _row(
    candidate: Mapping[str, Any],
    decision: Mapping[str, Any],
    annotation: Mapping[str, Any],
    caption: Mapping[str, Any],
    place: tuple[str, str],
) -> dict[str, Any]:
    return {
        "uid": candidate["uid"],
        "candidate_id": candidate["candidate_id"],
        "raw_shard": place[0],
        "raw_key": place[1],
        "format": annotation["format"],
        "sha256_source": candidate["sha256"],
        "pixel_sha256": annotation["pixel_sha256"],
        "pdq": annotation["pdq"],
        "pdq_quality": annotation["pdq_quality"],
        "pdq_trimmed": annotation["pdq_trimmed"],
        "pdq_cuts": listed(annotation["pdq_frames"]),
        "original_width": annotation["width"],
        "original_height": annotation["height"],
        "url": candidate["image_url"],
        "page_url": candidate["page_url"],
        "caption": caption["text"],
        "caption_source": caption["source"],
        "reason": decision["reason"],
        "licence": decision["licence"],
        "creator": candidate["schema_creator"],
        "fetched_at": candidate["fetched_at"],
        "pwatermark": pwatermark(annotation),
    }


def pwatermark(annotation: Mapping[str, Any]) -> float | None:
    """The score of `overlay` in a row of ANNOTATIONS, never exactly 0 (readers take that for 1.0); None if it
    did not look."""
    for found in annotation["findings"]:
        if found["annotator"] == "overlay" and found["status"] == Status.OK:
            return max(1e-6, float(found["score"]))
    return None


def _evidence(candidate: Mapping[str, Any], decision: Mapping[str, Any]) -> Mapping[str, str]:
    """The statement a licence rests on: of the candidate itself, or of the one that lent it."""
    found = [candidate["evidence"][index] for index in decision["evidence"]]
    return next((item for item in found if item["licence"] == decision["licence"]), _NO_EVIDENCE)


def _credit(candidate: Mapping[str, Any], evidence: Mapping[str, str]) -> str:
    """The line to print: the page's own, else the maker it names, else the institution whose page it is."""
    return str(candidate["schema_credit"] or candidate["schema_creator"] or evidence["institution"])


def _check_allowed(decision: Mapping[str, Any]) -> None:
    """The last door: whatever the outcome column says, only an `allow` is packed."""
    if decision["verdict"] != Verdict.ALLOW or decision["purged"] or not decision["uid"]:
        raise RecordError(f"decisions/: {decision['candidate_id']} is released but not allowed")


def _check_public(candidate: Mapping[str, Any]) -> None:
    for hop in candidate["hops"]:
        if hop["ip"] and not ip_address(hop["ip"]).is_global:
            raise RunStateError(
                f"{candidate['image_url']} came from {hop['ip']}; such a run is released only "
                "with the local_network stamp of a host table"
            )
