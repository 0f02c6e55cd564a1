"""`kyodaku run`, `crawl`, `curate`, `release`: a recipe in, a run folder out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kyodaku.cli import output
from kyodaku.cli.runs import RunArgument

if TYPE_CHECKING:
    from kyodaku.recipe import Recipe
    from kyodaku.runs import RunFolder
    from kyodaku.stages import Stage, StageContext, StageSummary

RecipeArgument = Annotated[Path, typer.Argument(help="A recipe.toml, or the folder that holds it.")]
RunsOption = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where runs are kept.")]
NewOption = Annotated[
    bool, typer.Option("--new", help="Start another run instead of going on with the latest.")
]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=0, help="Processes a stage may use; 0: one for each CPU.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress; the result is still printed.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
ClockOption = Annotated[
    float | None, typer.Option("--recorded-clock", hidden=True, help="Unix time to record (tests).")
]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command(epilog="Example:  kyodaku run datasets/demo --workers 2", rich_help_panel="Make a dataset")(
        run
    )
    app.command(epilog="Example:  kyodaku crawl datasets/demo --new", rich_help_panel="Make a dataset")(crawl)
    app.command(epilog="Example:  kyodaku curate datasets/demo", rich_help_panel="Make a dataset")(curate)
    app.command(epilog="Example:  kyodaku recheck datasets/demo", rich_help_panel="Make a dataset")(recheck)
    app.command(epilog="Example:  kyodaku release datasets/demo", rich_help_panel="Make a dataset")(release)


def run(
    recipe: RecipeArgument,
    runs: RunsOption = Path("runs"),
    new: NewOption = False,
    workers: WorkersOption = 0,
    quiet: QuietOption = False,
    json: JsonOption = False,
    recorded_clock: ClockOption = None,
) -> None:
    """Crawl, curate and release: from a recipe to shards in one go.

    Answers older than release.recheck_after are asked for again before the release.
    An unfinished run is resumed where it stopped. A changed crawl section of the recipe needs --new;
    a changed curation section recomputes only what it touches.
    """
    options = Options(runs, workers, quiet, json, recorded_clock, new)
    _work(("crawl", "curate", "recheck-stale", "release"), recipe, options)


def crawl(
    recipe: RecipeArgument,
    runs: RunsOption = Path("runs"),
    new: NewOption = False,
    workers: WorkersOption = 0,
    quiet: QuietOption = False,
    json: JsonOption = False,
    recorded_clock: ClockOption = None,
) -> None:
    """Only crawl: pages and images with every gate asked, into raw shards and facts.

    Ctrl-C stops cleanly; the same command goes on later.
    """
    _work(("crawl",), recipe, Options(runs, workers, quiet, json, recorded_clock, new))


def curate(
    recipe: RecipeArgument,
    runs: RunsOption = Path("runs"),
    workers: WorkersOption = 0,
    quiet: QuietOption = False,
    json: JsonOption = False,
    recorded_clock: ClockOption = None,
) -> None:
    """Only curate the latest run: annotate, match, decide again over all facts, caption."""
    _work(("curate",), recipe, Options(runs, workers, quiet, json, recorded_clock))


def recheck(
    run: RunArgument,
    runs: RunsOption = Path("runs"),
    quiet: QuietOption = False,
    json: JsonOption = False,
    recorded_clock: ClockOption = None,
) -> None:
    """Ask again about every kept image of a run, before a release.

    Host files are read anew, pages if they changed, images if they changed; what has become a no is a fact
    that the next curate decides by. Polite as the crawl, and taken up again where it was stopped.
    """
    options = Options(runs, 1, quiet, json, recorded_clock)
    if (run / "recipe.lock.toml").is_file():
        _work_in("recheck", run, options)
    else:
        _work(("recheck",), run, options)


def release(
    recipe: RecipeArgument,
    runs: RunsOption = Path("runs"),
    workers: WorkersOption = 0,
    quiet: QuietOption = False,
    json: JsonOption = False,
    recorded_clock: ClockOption = None,
) -> None:
    """Only pack the curated run into shards with manifest, card and report."""
    _work(("release",), recipe, Options(runs, workers, quiet, json, recorded_clock))


@dataclass(frozen=True)
class Options:
    """What the four commands are told besides the recipe; as their options say."""

    runs: Path
    workers: int
    quiet: bool
    json: bool
    recorded_clock: float | None
    new: bool = False

    def clock(self) -> float:
        """Unix time to record."""
        return time.time() if self.recorded_clock is None else self.recorded_clock


def _work(names: tuple[str, ...], recipe_path: Path, options: Options) -> None:
    from kyodaku.errors import RecipeError
    from kyodaku.lock import open_run
    from kyodaku.recipe import check_recipe, load_recipe, placeholders, recipe_file
    from kyodaku.stages import find_stage

    file = recipe_file(recipe_path)
    crawling = "crawl" in names
    recipe = check_recipe(file) if crawling else load_recipe(file)
    if crawling and (problems := placeholders(recipe)):
        raise RecipeError(str(file), problems)
    stages = [find_stage(name) for name in names]  # a missing extra is told before anything starts
    with open_run(
        recipe, file, options.runs, new=options.new, crawling=crawling, clock=options.clock
    ) as folder:
        summaries = _in_turn(stages, _context(recipe, file, folder, options), silent=options.json)
    _end(folder, summaries, names[-1], options)


def _work_in(name: str, target: Path, options: Options) -> None:
    """One stage in a run that is named by its folder, under the recipe of its lock."""
    from kyodaku.lock import reopen_run
    from kyodaku.runs import find_run
    from kyodaku.stages import find_stage

    folder, stage = find_run(target), find_stage(name)
    with reopen_run(folder) as lock:
        context = _context(lock.recipe, lock.recipe_path(), folder, options)
        summaries = _in_turn([stage], context, silent=options.json)
    _end(folder, summaries, name, options)


def _context(recipe: Recipe, file: Path, folder: RunFolder, options: Options) -> StageContext:
    from kyodaku.stages import StageContext, available_cpus

    return StageContext(
        recipe=recipe,
        recipe_path=file.resolve(),
        run=folder,
        console=output.progress_console(quiet=options.quiet),
        clock=options.clock,
        workers=options.workers or available_cpus(),
        quiet=options.quiet,
    )


def _end(folder: RunFolder, summaries: list[StageSummary], last: str, options: Options) -> None:
    """Say what was done and how far it came; exit accordingly."""
    complete = all(summary.complete for summary in summaries)
    if options.json:
        output.print_json(_as_json(folder, complete, summaries))
    else:
        _tell_where(folder, complete, last)
    output.finish(well=complete)


def _in_turn(stages: list[Stage], context: StageContext, *, silent: bool) -> list[StageSummary]:
    """Run stages until one stops before its end."""
    from kyodaku.stages import find_stage

    summaries: list[StageSummary] = []
    waiting = list(stages)
    while waiting:
        summary = waiting.pop(0)(context)
        summaries.append(summary)
        if not silent:
            _tell(summary)
        if not summary.complete:
            break
        if summary.stage == "recheck" and summary.counts.get("asked") and waiting:
            waiting.insert(0, find_stage("curate"))  # it decides again over what was answered
    return summaries


def _tell(summary: StageSummary) -> None:
    output.say(f"{summary.stage}: {'done' if summary.complete else 'stopped before its end'}")
    for line in filter(None, summary.lines):
        output.say(f"  {line}")


def _tell_where(folder: RunFolder, complete: bool, last: str) -> None:
    shown = _short(folder.path)
    output.say(f"run: {shown}")
    if complete and last == "release":
        output.say(f"check the release with: kyodaku verify {shown}")
    elif not complete:
        output.say("everything written so far is whole; the same command goes on")


def _short(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _as_json(folder: RunFolder, complete: bool, summaries: list[StageSummary]) -> dict[str, object]:
    return {
        "run": str(folder.path),
        "complete": complete,
        "stages": [
            {"stage": s.stage, "complete": s.complete, "counts": dict(s.counts), "lines": list(s.lines)}
            for s in summaries
        ],
    }
