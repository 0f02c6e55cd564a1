"""Lines of opt-out files that came after a crawl: no gate saw them, so no signal of the facts shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from kyodaku.decision import addresses, page_addresses
from kyodaku.errors import KyodakuError
from kyodaku.lock import read_lock
from kyodaku.reasons import RefuseReason
from kyodaku.records import Candidate
from kyodaku.registry_client import EMPTY_SNAPSHOT, RegistrySnapshot, load_registries
from kyodaku.report.data import Row
from kyodaku.runs import RunFolder


def with_lines(
    run: RunFolder, rows: Iterable[Row], candidates: Mapping[str, Candidate]
) -> dict[str, Candidate]:
    """`candidates`; those that a registry refuses although none of their own signals says so have the lines
    that do, of the files as they are now."""
    reason = RefuseReason.REGISTRY_OPT_OUT.value
    late = {
        row.candidate_id
        for row in rows
        if row.reason == reason
        and not any(said.reason == reason for said in candidates[row.candidate_id].signals)
    }
    lists = _lists_of(run) if late else EMPTY_SNAPSHOT
    return {key: _with(found, lists) if key in late else found for key, found in candidates.items()}


def _lists_of(run: RunFolder) -> RegistrySnapshot:
    """The opt-out files of the recipe in a run's lock; none where they cannot be read any more."""
    with suppress(KyodakuError):
        lock = read_lock(run)
        return load_registries(lock.recipe, lock.recipe_path())
    return EMPTY_SNAPSHOT


def _with(candidate: Candidate, lists: RegistrySnapshot) -> Candidate:
    urls = [*page_addresses(candidate), *addresses(candidate)]
    hashes = [candidate.sha256] if candidate.sha256 else []
    found = lists.lookup(urls=urls, hashes=hashes, services=False)
    return replace(candidate, signals=(*candidate.signals, *dict.fromkeys(found)))
