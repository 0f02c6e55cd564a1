"""A crawl in a process of its own: `python -m tests.crawler.child RECIPE RUN [--clock SECONDS]`.

Dies with its parent, so that no test leaves one behind.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import signal
import sys
import time
from pathlib import Path

from rich.console import Console

from crawler.stage import crawl
from kyodaku.errors import KyodakuError
from kyodaku.recipe import load_recipe
from kyodaku.runs import RunFolder
from kyodaku.stages import StageContext

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Crawl; prints the summary as one JSON line."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--clock", type=float, help="the recorded clock stands still here")
    arguments = parser.parse_args()
    clock = time.time if arguments.clock is None else lambda: arguments.clock
    context = StageContext(
        recipe=load_recipe(arguments.recipe),
        recipe_path=arguments.recipe,
        run=RunFolder(arguments.run),
        console=Console(file=sys.stderr),
        clock=clock,
        quiet=True,
    )
    try:
        summary = crawl(context)
    except KyodakuError as error:
        print(json.dumps({"error": type(error).__name__, "message": str(error)}))
        return error.exit_code
    print(json.dumps({"complete": summary.complete, "lines": summary.lines, **summary.counts}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
