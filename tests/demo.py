"""`make demo`: starts the small web, makes a dataset of it, verifies it, and says where to look."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from kyodaku.errors import KyodakuError, RecipeChangedError
from kyodaku.lock import open_run
from kyodaku.recipe import load_recipe
from kyodaku.release.build import latest_release
from kyodaku.runs import RunFolder
from tests.web.small_web import SmallWeb

ROOT = Path(__file__).resolve().parent.parent
RECIPE = Path("datasets/demo/recipe.toml")
RUNS = Path("runs")
#: Where the demo recipe's `network.host_table` points.
WEB = RUNS / "demo-web"

WHERE_TO_LOOK = """
Look at
  {run}/report.html              what was taken, what was not, and why (private: thumbnails)
  {run}/release/{version}/report.html   the public report, inside the release
  {run}/release/{version}/              shards, manifest, card, attribution

Try next ({seconds:.0f} s so far)
  {kyodaku} status {run}
  {kyodaku} explain {run} https://museum.example/media/101.jpg     why it was taken
  {kyodaku} explain {run} https://artist.example/art/1.jpg         why it was not
  {kyodaku} explain {run} http://listed.example/art/mine.jpg       which line of the opt-out file
  {kyodaku} recipe check datasets/clean-diffusion
  change filters.resolution.min_side in {recipe}, then: {kyodaku} run datasets/demo   (no second crawl)
  another crawl: start the small web in another terminal: {python} -m tests.web --dir {web}
                 then: {kyodaku} run datasets/demo --new
"""


def main() -> int:
    """Run the demo from the repository's root; the exit code is that of the first command that fails."""
    began = time.monotonic()
    with SmallWeb(folder=ROOT / WEB) as web:
        print(f"the small web is up: {len(web.sites)} sites on this machine", flush=True)
        try:
            again = ["--new"] if _belongs_to_another_web() else []
        except KyodakuError as error:
            print(f"error: {error}", file=sys.stderr)
            return error.exit_code
        code = _kyodaku("run", str(RECIPE.parent), *again)
    if code == 0:
        code = _kyodaku("verify", "runs/demo/latest")
    if code == 0:
        _tell_where_to_look(time.monotonic() - began)
    return code


def _tell_where_to_look(seconds: float) -> None:
    run = RUNS / "demo/latest"
    release = latest_release(RunFolder(ROOT / run))
    assert release is not None, "a run that ended well has a release"
    programs = Path(sys.executable).parent
    shown = programs.relative_to(ROOT) if programs.is_relative_to(ROOT) else programs
    print(
        WHERE_TO_LOOK.format(
            kyodaku=shown / "kyodaku",
            python=shown / "python",
            recipe=RECIPE,
            run=run,
            version=release.name,
            web=WEB,
            seconds=seconds,
        )
    )


def _belongs_to_another_web() -> bool:
    """Whether the latest run began with other sites, seeds or protocols, so that a new one is needed."""
    try:
        with open_run(load_recipe(ROOT / RECIPE), ROOT / RECIPE, ROOT / RUNS):
            return False
    except RecipeChangedError:
        return True


def _kyodaku(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "kyodaku", *arguments], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
