"""Commands that look at a run or a release: `status`, `explain`, `report`, `verify`, `gc`."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from kyodaku.cli import output
from kyodaku.errors import RunStateError

RunArgument = Annotated[
    Path, typer.Argument(help="A run folder, or a recipe (file or folder), whose latest run is meant.")
]
RunsOption = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where runs are kept.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]

#: Seconds between two looks of `status --watch`.
_WATCH_EVERY = 2.0


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    look, check = "Look at a run", "Check and tidy"
    app.command(epilog="Example:  kyodaku status datasets/demo --watch", rich_help_panel=look)(status)
    app.command(
        epilog="Example:  kyodaku explain datasets/demo https://museum.example/media/101.jpg",
        rich_help_panel=look,
    )(explain)
    app.command(epilog="Example:  kyodaku report datasets/demo", rich_help_panel=look)(report)
    app.command(
        epilog="Example:  kyodaku verify runs/demo/latest/release/v1 --sample 1000", rich_help_panel=check
    )(verify)
    app.command(epilog="Example:  kyodaku gc datasets/demo", rich_help_panel=check)(gc)


def status(
    run: RunArgument,
    runs: RunsOption = Path("runs"),
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds.")] = False,
    json: JsonOption = False,
) -> None:
    """How a crawl is doing: rates, funnel, slow and failing hosts, holds and their next retry."""
    from kyodaku.runs import find_run
    from kyodaku.stages import find_command

    folder, resume = find_run(run, runs), _resume(run, runs)
    read_status = find_command("status")
    if json:
        output.print_json(dataclasses.asdict(read_status(folder, resume)))
    elif watch:
        _watch(lambda: read_status(folder, resume))
    else:
        output.show(read_status(folder, resume).render())


def _resume(target: Path, runs: Path) -> str:
    """The command that goes on with the run that `target` names."""
    recipe = "RECIPE" if (target / "recipe.lock.toml").is_file() else str(target)
    return f"kyodaku run {recipe}" + ("" if runs == Path("runs") else f" --runs {runs}")


def _watch(look: Callable[[], Any]) -> None:
    """Redraw until the crawl is finished or Ctrl-C."""
    from rich.live import Live

    with suppress(KeyboardInterrupt), Live(auto_refresh=False) as screen:
        found = look()
        screen.update(found.render(), refresh=True)
        while not found.finished:
            time.sleep(_WATCH_EVERY)
            found = look()
            screen.update(found.render(), refresh=True)


def explain(
    run: RunArgument,
    what: Annotated[
        str,
        typer.Argument(help="An image or page URL, a host, a uid or a candidate_id.", metavar="URL|HOST|UID"),
    ],
    runs: RunsOption = Path("runs"),
    json: JsonOption = False,
) -> None:
    """The whole story of one image or page: signals with raw lines, gates, decision, where it is now."""
    from kyodaku.runs import find_run
    from kyodaku.stages import import_for

    module = import_for("explain", "kyodaku.report.explain", "match")
    story = module.explain(find_run(run, runs), what)
    if json:
        output.print_json(story.to_json())
    else:
        output.show(module.render(story))


def report(run: RunArgument, runs: RunsOption = Path("runs")) -> None:
    """Write the private report of a run again: funnel, reasons, hosts, what filters dropped."""
    from kyodaku.lock import read_lock
    from kyodaku.runs import find_run
    from kyodaku.stages import import_for

    folder = find_run(run, runs)
    import_for("report", "kyodaku.report.private", "match").write_report(folder, read_lock(folder).recipe)
    output.say(f"report: {folder.report}")


def verify(
    release: Annotated[
        Path, typer.Argument(help="A release folder, or a run or recipe, whose latest release is meant.")
    ],
    runs: RunsOption = Path("runs"),
    sample: Annotated[
        int, typer.Option("--sample", min=0, help="Re-hash only this many samples; 0: every one.")
    ] = 0,
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="Processes to use; 0: one for each CPU.")
    ] = 0,
    json: JsonOption = False,
) -> None:
    """Re-hash a release and check every file against its manifest. One flipped byte fails."""
    from kyodaku.stages import available_cpus, import_for

    folder = release_folder(release, runs)
    module = import_for("verify", "kyodaku.release.verify", "match")
    console = None if json else output.progress_console()
    found = module.verify_release(folder, sample, workers or available_cpus(), console)
    if json:
        output.print_json(dataclasses.asdict(found))
    else:
        output.show(found.render())
    output.finish(well=found.ok)


def gc(run: RunArgument, runs: RunsOption = Path("runs"), json: JsonOption = False) -> None:
    """Drop a run's raw shards once its release is verified. Facts and evidence stay."""
    from kyodaku.release.withdrawn import warnings
    from kyodaku.runs import find_run
    from kyodaku.stages import find_command

    folder = find_run(run, runs)
    freed = find_command("gc")(folder)
    warned = warnings(folder)
    if json:
        output.print_json({"bytes_freed": freed, "warnings": warned})
    else:
        output.say(f"freed {freed:,} bytes")
        for line in warned:
            output.say(line)


def release_folder(target: Path, runs: Path) -> Path:
    """The release that `target` names: its own folder, or the latest of a run or recipe.

    Raises RunStateError where there is none.
    """
    if (target / "manifest.json").is_file():
        return target
    if target.is_dir() and target.resolve().parent.name == "release":
        raise RunStateError(f"{target} has no manifest.json: it is no release, or a broken one")
    from kyodaku.release.build import latest_release
    from kyodaku.runs import find_run

    folder = latest_release(find_run(target, runs))
    if folder is None:
        raise RunStateError(f"{target} has no release yet; make one with: {_resume(target, runs)}")
    return folder
