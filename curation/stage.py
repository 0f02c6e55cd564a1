"""The stages `curate` and `release`, as the command line calls them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from curation.annotate import annotate_jobs
from curation.blip import BlipSettings, weights_folder
from curation.caption import caption_jobs
from curation.jobs import run_jobs
from curation.match import is_matched, match
from curation.pack import CODE as PACK_CODE
from curation.pack import pack_jobs
from curation.plan import plan_rows, write_plan
from curation.purge import purge, sweep
from curation.select import apply_captions, is_current, mark_unreleasable, select
from curation.sound import check_facts, check_purged_are_known, forget_damaged
from curation.steps import ShardJob, code_digest, digest
from kyodaku.errors import DiskFullError, RecordError, RunStateError
from kyodaku.lock import read_lock
from kyodaku.recheck.overlay import KEPT, unchecked
from kyodaku.records import DECISIONS
from kyodaku.registry_client import RegistrySnapshot, load_registries
from kyodaku.release.build import (
    ReleaseFacts,
    count_outcomes,
    gather_facts,
    latest_release,
    publish,
)
from kyodaku.release.manifest import read_manifest, release_damage
from kyodaku.release.markers import read_marker
from kyodaku.release.plan import lasting
from kyodaku.release.tables import iter_rows, shard_names
from kyodaku.release.withdrawn import warnings
from kyodaku.stages import StageContext, StageSummary, counted

Advance = Callable[[int], None]

_RELEASE_CODE = (
    *PACK_CODE,
    "curation.annotators.base",
    "curation.plan",
    "kyodaku.release.build",
    "kyodaku.release.card",
    "kyodaku.release.keep",
    "kyodaku.release.manifest",
    "kyodaku.release.signoff",
)


def curate(context: StageContext) -> StageSummary:
    """annotate, match, select with purge, caption, select: facts, then decisions, for a crawled run.

    Raises RunStateError if nothing was crawled.
    """
    if not shard_names(context.run.candidates):
        raise RunStateError(f"{context.run.path} has no candidates yet; run kyodaku crawl first")
    return _stoppable("curate", lambda: _curate(context))


def release(context: StageContext) -> StageSummary:
    """plan, pack and publish what curate kept, as the next version unless the latest is the same.

    Raises RunStateError if the run was not curated.
    """
    return _stoppable("release", lambda: _release(context))


def _stoppable(stage: str, work: Callable[[], StageSummary]) -> StageSummary:
    try:
        return work()
    except KeyboardInterrupt:
        return StageSummary(stage, False, ("stopped; run again to go on where it stopped",))
    except DiskFullError as error:
        return StageSummary(stage, False, (str(error),))


def _curate(context: StageContext) -> StageSummary:
    run, recipe = context.run, context.recipe
    captioner = BlipSettings.from_recipe(recipe)
    if captioner is not None:
        weights_folder(captioner)  # missing weights are told now, not after an hour of annotating
    sweep(run)
    check_facts(run)
    forget_damaged(run)
    check_purged_are_known(run)
    taken_out = purge(run)
    with _steps(context) as step:
        _run(context, step, "annotate", annotate_jobs(run, recipe))
        snapshot = load_registries(recipe, context.recipe_path)
        match(run, recipe, context.recipe_path, snapshot)
        select(run, recipe, snapshot)
        taken_out += purge(run)
        _run(context, step, "caption", caption_jobs(run, recipe))
        apply_captions(run, recipe.captions.required)
    untold = _private_report(context)
    counts = count_outcomes(row for _, rows in iter_rows(run.decisions, DECISIONS) for row in rows)
    totals = {outcome: sum(reasons.values()) for outcome, reasons in counts.items()}
    lines = [", ".join(f"{number:,} {outcome}" for outcome, number in totals.items())]
    if taken_out:
        were = "stored picture was" if taken_out == 1 else "stored pictures were"
        lines.append(f"{taken_out:,} {were} refused and taken out of the raw shards")
    lines += [*warnings(run), *untold]
    return StageSummary("curate", True, tuple(lines), {**totals, "purged": taken_out})


def _private_report(context: StageContext) -> list[str]:
    """Write it; a line that says so if an older release is too damaged to be counted in it."""
    from kyodaku.report.private import write_report

    try:
        write_report(context.run, context.recipe)
    except RecordError as error:
        return [f"report.html was not written: {error}"]
    return []


def _release(context: StageContext) -> StageSummary:
    run, recipe = context.run, context.recipe
    sweep(run)
    check_facts(run)
    lock = read_lock(run)
    registries = load_registries(recipe, context.recipe_path)
    _require_current(context, registries)
    _require_fresh(context)
    while True:
        rows = plan_rows(run, recipe.local_network)
        if not rows:
            raise RunStateError(f"{run.path}: nothing was kept, so there is nothing to release")
        facts = gather_facts(run, recipe, lock, registries)
        build = _build_digest(context, rows, facts)
        latest = latest_release(run)
        damage = release_damage(latest) if latest is not None else ""
        if latest is not None and not damage and read_manifest(latest).build_sha256 == build:
            return _summary(latest, "is up to date")
        building = run.release().parent / ".release.building"
        failures = _pack(context, building, rows)
        if not failures:
            break
        mark_unreleasable(run, failures)
    before = latest
    _require_listed(context, registries)
    done = publish(run, recipe, building, facts, build, _public_report(context))
    untold = _private_report(context)  # now it can count what was released
    summary = _summary(done, "holds the same files and stays" if done == before else "is written")
    if damage:
        untold.append(f"{latest} is damaged ({damage}); kyodaku verify {latest} tells all of it")
    return replace(summary, lines=(*summary.lines, *untold))


def _require_current(context: StageContext, registries: RegistrySnapshot) -> None:
    """A release rests on the facts and the recipe as they are now, not on what curate once saw."""
    run, recipe = context.run, context.recipe
    if not shard_names(run.decisions):
        raise RunStateError(f"{run.path} has no decisions yet; run kyodaku curate first")
    jobs = [*annotate_jobs(run, recipe), *caption_jobs(run, recipe)]
    if not (
        all(job.done() for job in jobs)
        and is_matched(run, recipe, context.recipe_path, registries)
        and is_current(run, recipe, registries)
    ):
        raise RunStateError(f"{run.path}: facts or recipe changed since it was curated; run kyodaku curate")


def _require_listed(context: StageContext, registries: RegistrySnapshot) -> None:
    """What came into an opt-out file while the shards were packed is in no release that names that file."""
    if load_registries(context.recipe, context.recipe_path).described() != registries.described():
        raise RunStateError(
            f"{context.run.path}: an opt-out file changed while the release was made; "
            "run kyodaku curate and release again"
        )


def _require_fresh(context: StageContext) -> None:
    """Nothing is released on answers that are older than the recipe allows."""
    limit = context.recipe.release.recheck_after
    now = context.clock()
    stale = sum(1 for _ in unchecked(context.run, KEPT, now - limit, now))
    if stale:
        raise RunStateError(
            f"{context.run.path}: {counted(stale, 'kept image')} last asked about more than "
            f"{_span(limit)} ago (release.recheck_after); run kyodaku recheck "
            f"{context.recipe_path.parent}, then curate and release"
        )


def _span(seconds: float) -> str:
    """In the largest unit that stays above one: `7 d`, `90 s`."""
    for size, unit in ((86400, "d"), (3600, "h")):
        if seconds >= size:
            return f"{seconds / size:,.4g} {unit}"
    return f"{seconds:,.4g} s"


def _pack(context: StageContext, building: Path, rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Pack every shard of the plan into `building`; candidates whose picture could not be rewritten."""
    shards = write_plan(list(rows), context.recipe.shards.samples, building / "plan")
    _forget_others(building, shards)
    jobs = pack_jobs(context.run, context.recipe, building, shards)
    with _steps(context) as step:
        _run(context, step, "pack", jobs)
    failures: dict[str, str] = {}
    for job in jobs:
        failures.update((read_marker(job.marker) or {}).get("unreleasable", {}))
    return failures


def _forget_others(building: Path, shards: Sequence[str]) -> None:
    """Remove what an earlier attempt left that this plan does not hold."""
    for path in building.iterdir():
        if path.is_file() and path.name[:5] not in shards:
            path.unlink()
        elif path.is_dir() and path.name != "plan":
            shutil.rmtree(path)


def _build_digest(context: StageContext, rows: Sequence[Mapping[str, Any]], facts: ReleaseFacts) -> str:
    recipe = context.recipe
    return digest(
        {
            "plan": lasting(rows),
            "facts": asdict(facts),
            "shards": recipe.shards.model_dump(mode="json"),
            "release": recipe.release.model_dump(mode="json"),
            "code": code_digest(*_RELEASE_CODE),
        }
    )


def _public_report(context: StageContext) -> Callable[[Path], None]:
    from kyodaku.report.public import write_report

    def write(folder: Path) -> None:
        write_report(folder, context.run, context.recipe)

    return write


def _summary(folder: Path, what: str) -> StageSummary:
    manifest = read_manifest(folder)
    line = f"{folder} {what}: {counted(manifest.samples, 'sample')} in {counted(manifest.shards, 'shard')}"
    return StageSummary("release", True, (line,), {"samples": manifest.samples, "shards": manifest.shards})


@contextmanager
def _steps(context: StageContext) -> Iterator[Callable[[str, int], Advance]]:
    """A progress display: call it with a step's name and number of shards, then tell how many are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=context.console, disable=context.quiet) as progress:

        def begin(name: str, total: int) -> Advance:
            task = progress.add_task(name, total=total)
            return lambda done: progress.update(task, completed=done)

        yield begin


def _run(
    context: StageContext, step: Callable[[str, int], Advance], name: str, jobs: Sequence[ShardJob]
) -> None:
    # Web text takes no time, and a captioner uses every core or the GPU from one process.
    workers = 1 if name == "caption" else context.workers
    run_jobs(jobs, workers, context.run.path / "logs" / name, step(name, len(jobs)))
