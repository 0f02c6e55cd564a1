"""select: a decision and an outcome for every candidate, over all facts, in `decisions/NNNNN.parquet`.

Runs twice in a curation: before captions, so that only kept pictures are captioned, and after, when a
picture without text may be dropped. Both give the same rows for the same facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import pyarrow as pa

from curation.findings import iter_annotations
from curation.likeness import Likeness
from curation.outcomes import Facts, Ruling, SelectRules, pictures_of, settle, verdicts
from curation.shown import Neighbours, by_uid, facts_shown, shown_digest, uids_shown
from curation.spread import PictureFacts
from curation.steps import code_digest, digest, digest_files, is_as_written, table_digests
from kyodaku.errors import RecordError, RunStateError
from kyodaku.reasons import FilterReason, Outcome
from kyodaku.recheck.overlay import candidate_rows
from kyodaku.recipe import Recipe
from kyodaku.records import CAPTIONS, DECISIONS, MATCHES, RAW, Candidate
from kyodaku.registry_client import RegistrySnapshot
from kyodaku.release.markers import read_marker
from kyodaku.release.tables import iter_rows, read_rows, read_table, shard_names
from kyodaku.reviews import Review, ReviewVerdict, read_reviews
from kyodaku.runs import RunFolder
from kyodaku.shards import write_parquet, write_stats

_CODE = (
    "curation.select",
    "curation.outcomes",
    "curation.filters",
    "curation.findings",
    "curation.annotators.base",
    "curation.objections",
    "curation.cloak_words",
    "curation.phrases.notices",
    "curation.phrases.folding",
    "curation.phrases.fuzzy",
    "curation.shown",
    "curation.clusters",
    "curation.likeness",
    "curation.reposts",
    "curation.spread",
    "kyodaku.candidate",
    "kyodaku.copies",
    "kyodaku.decision",
    "kyodaku.optouts",
    "kyodaku.recheck.overlay",
    "kyodaku.reasons",
    "kyodaku.records",
    "kyodaku.registry_client",
    "kyodaku.reviews",
    "kyodaku.signals.keywords",
    "kyodaku.signals.model",
    "kyodaku.signals.platforms",
    "kyodaku.signals.protocols.*",
    "kyodaku.urls",
)


def select(run: RunFolder, recipe: Recipe, snapshot: RegistrySnapshot) -> bool:
    """Decide every candidate unless the decisions on disk rest on the same facts; True if written.

    Raises RecordError for facts with a value that this version does not know, RunStateError if `gc` dropped
    the raw shards and the recipe, or more pictures than before, would need them.
    """
    rules = SelectRules.from_recipe(recipe)
    wanted = _facts_digests(run, rules, snapshot)
    if _all_marked(run, wanted):
        return False
    dropped = _raw_is_dropped(run)
    if dropped and any(config != wanted["config"] for config in _configs(run)):
        raise RunStateError(f"{run.path}: the recipe changed, but {_DROPPED}")
    per_shard = {shard: _candidates(run, shard) for shard in shard_names(run.candidates)}
    matches = read_rows(run.matches, MATCHES)
    facts = _facts(run, [candidate for found in per_shard.values() for candidate in found], matches)
    decisions = verdicts(facts, rules, snapshot)
    reviewed = replace(facts, reviews=read_reviews(run.reviews).by_uid())
    reviews = standing(reviewed, pictures_of(reviewed, decisions, rules.filters), Neighbours.of(matches))
    ruled = settle(replace(facts, reviews=reviews), rules, decisions)
    if dropped and not _served(facts.candidates, ruled) <= _served_before(run):
        raise RunStateError(f"{run.path}: other pictures would be kept, but {_DROPPED}")
    rulings = iter(ruled)
    for shard, found in per_shard.items():
        rows = [_row(candidate, next(rulings)) for candidate in found]
        _write(run, shard, rows, {**wanted, "captions": ""})
    for stale in set(shard_names(run.decisions)) - set(per_shard):
        (run.decisions / f"{stale}.parquet").unlink()
    return True


def is_current(run: RunFolder, recipe: Recipe, snapshot: RegistrySnapshot) -> bool:
    """True if the decisions on disk, captions applied, are those of the facts on disk and this recipe."""
    wanted = _facts_digests(run, SelectRules.from_recipe(recipe), snapshot)
    return _all_marked(run, {**wanted, "captions": _captions_digest(run, recipe.captions.required)})


def apply_captions(run: RunFolder, required: bool) -> bool:
    """Drop kept pictures without text where `required`; True if any decision was rewritten."""
    wanted = _captions_digest(run, required)
    texts = {row["uid"]: row["text"] for _, rows in iter_rows(run.captions, CAPTIONS) for row in rows}
    changed = False
    for shard, rows in iter_rows(run.decisions, DECISIONS):
        marker = read_marker(run.decisions / f"{shard}_stats.json")
        if marker is None:
            raise RecordError(f"{run.decisions}/{shard}_stats.json: missing; run kyodaku curate again")
        if marker["digests"].get("captions") == wanted:
            continue
        for row in rows:
            if awaits_caption(row):
                _settle(row, bool(texts.get(row["uid"])) or not required)
        _write(run, shard, rows, {**marker["digests"], "captions": wanted})
        changed = True
    return changed


def mark_unreleasable(run: RunFolder, failures: Mapping[str, str]) -> None:
    """Write `failed` for candidates whose picture could not be rewritten: {candidate_id: FailReason}."""
    for shard, rows in iter_rows(run.decisions, DECISIONS):
        marker = read_marker(run.decisions / f"{shard}_stats.json") or {"digests": {}}
        if any(row["candidate_id"] in failures for row in rows):
            for row in rows:
                if row["candidate_id"] in failures:
                    row["outcome"] = Outcome.FAILED.value
                    row["outcome_reason"] = failures[row["candidate_id"]]
            _write(run, shard, rows, marker["digests"])


def awaits_caption(row: Mapping[str, Any]) -> bool:
    """True for a decision that stands or falls with a caption, whether or not that is settled."""
    return bool(row["outcome"] == Outcome.RELEASED or row["outcome_reason"] == FilterReason.NO_CAPTION)


def _settle(row: dict[str, Any], kept: bool) -> None:
    row["outcome"] = (Outcome.RELEASED if kept else Outcome.FILTERED).value
    row["outcome_reason"] = row["reason"] if kept else FilterReason.NO_CAPTION.value


_DROPPED = "raw was dropped by gc; start a new run with --new"


def _raw_is_dropped(run: RunFolder) -> bool:
    """True if a tar is gone whose pictures were stored and not purged."""
    return any(
        "success" in read_table(run.raw / f"{shard}.parquet", RAW, ["status"])["status"].to_pylist()
        for shard in shard_names(run.raw)
        if not (run.raw / f"{shard}.tar").is_file()
    )


def _configs(run: RunFolder) -> list[str]:
    """Digests of the rules that the decisions on disk were made by."""
    markers = [read_marker(run.decisions / f"{shard}_stats.json") for shard in shard_names(run.decisions)]
    return [str(marker["digests"].get("config")) for marker in markers if marker is not None]


def _served(candidates: Sequence[Candidate], rulings: Sequence[Ruling]) -> set[str]:
    """Uids that rulings release."""
    pairs = zip(candidates, rulings, strict=True)
    return {candidate.uid for candidate, ruling in pairs if ruling.outcome is Outcome.RELEASED}


def _served_before(run: RunFolder) -> set[str]:
    """Uids that the decisions on disk release, or would with a caption."""
    return {
        row["uid"] for _, rows in iter_rows(run.decisions, DECISIONS) for row in rows if awaits_caption(row)
    }


def _facts_digests(run: RunFolder, rules: SelectRules, snapshot: RegistrySnapshot) -> dict[str, str]:
    files = [
        folder / f"{shard}.parquet"
        for folder in (run.candidates, run.rechecks, run.annotations)
        for shard in shard_names(folder)
    ]
    config = {
        "policy": asdict(rules.policy),
        "filters": rules.filters.model_dump(mode="json"),
        "same_image": rules.same_image,
        "registry": snapshot.described(),
    }
    return {
        "inputs": digest([digest_files([*files, run.matches]), read_reviews(run.reviews).effective()]),
        "config": digest(config),
        "code": code_digest(*_CODE),
        "models": "",
    }


def _captions_digest(run: RunFolder, required: bool) -> str:
    captions = [run.captions / f"{shard}.parquet" for shard in shard_names(run.captions)]
    return digest([required, digest_files(captions)])


def _all_marked(run: RunFolder, wanted: Mapping[str, str]) -> bool:
    """True if every shard of candidates has its decisions, with these digests, and no other shard has any."""
    shards = shard_names(run.candidates)
    return shard_names(run.decisions) == shards and all(_marked(run, shard, wanted) for shard in shards)


def _marked(run: RunFolder, shard: str, wanted: Mapping[str, str]) -> bool:
    marker = read_marker(run.decisions / f"{shard}_stats.json")
    path = run.decisions / f"{shard}.parquet"
    if marker is None or not path.is_file() or not is_as_written(path, marker):
        return False
    return all(marker["digests"].get(name) == value for name, value in wanted.items())


def _candidates(run: RunFolder, shard: str) -> list[Candidate]:
    try:
        return [Candidate.from_row(row) for row in candidate_rows(run, shard)]
    except (ValueError, TypeError) as error:
        path = run.candidates / f"{shard}.parquet"
        raise RecordError(f"{path}: {error}; nothing is decided on facts that cannot be read") from error


def _facts(run: RunFolder, candidates: Sequence[Candidate], matches: Sequence[Mapping[str, Any]]) -> Facts:
    annotations = {row["uid"]: row for row in iter_annotations(run)}
    likeness = Likeness.of(matches)
    available = {
        row["uid"] for _, rows in iter_rows(run.raw, RAW) for row in rows if row["status"] == "success"
    }
    return Facts(candidates, annotations, likeness.pixels, available, likeness=likeness)


def standing(facts: Facts, pictures: PictureFacts, neighbours: Neighbours) -> dict[str, Review]:
    """Of the reviews of `facts`: drops, and the allows that rest on the facts as they are."""
    allowed = {uid for uid, review in facts.reviews.items() if review.verdict is ReviewVerdict.ALLOW}
    found = by_uid(facts.candidates, uids_shown(allowed, neighbours))

    def counts(uid: str, review: Review) -> bool:
        if review.verdict is ReviewVerdict.ALLOW and uid in facts.annotations:
            shown = facts_shown(uid, facts.annotations[uid], found, neighbours, pictures)
            return review.shown == shown_digest(shown)
        return review.verdict is ReviewVerdict.DROP

    return {uid: review for uid, review in facts.reviews.items() if counts(uid, review)}


def _row(candidate: Candidate, ruling: Ruling) -> dict[str, Any]:
    decision = ruling.decision
    return {
        "candidate_id": candidate.candidate_id,
        "uid": candidate.uid,
        "verdict": decision.verdict.value,
        "reason": decision.reason.value,
        "outcome": ruling.outcome.value,
        "outcome_reason": ruling.reason.value,
        "licence": decision.licence,
        "signals": list(decision.signals),
        "evidence": list(decision.evidence),
        "because_of": ruling.because_of,
        "purged": ruling.purged,
    }


def _write(run: RunFolder, shard: str, rows: Sequence[Mapping[str, Any]], digests: Mapping[str, str]) -> None:
    run.decisions.mkdir(exist_ok=True)
    marker = run.decisions / f"{shard}_stats.json"
    marker.unlink(missing_ok=True)
    path = run.decisions / f"{shard}.parquet"
    write_parquet(pa.Table.from_pylist(list(rows), DECISIONS), path)
    outcomes = Counter(row["outcome"] for row in rows)
    write_stats(
        marker,
        {
            "count": len(rows),
            "outcomes": dict(outcomes),
            "digests": dict(digests),
            "sha256": table_digests(path),
        },
    )
