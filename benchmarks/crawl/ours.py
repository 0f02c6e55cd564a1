"""`kyodaku crawl` in this process, so that one layer of it can be taken away and its cost seen.

python -m benchmarks.crawl.ours RECIPE RUNS [--without-evidence]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console

import crawler.stage
from crawler.store.evidence import EvidenceWriter, WarcPlace
from kyodaku.lock import open_run
from kyodaku.recipe import load_recipe
from kyodaku.stages import StageContext


def _nothing_kept(writer: EvidenceWriter, *answer: Any, **details: Any) -> WarcPlace:
    return WarcPlace(writer.name, 0)


def main() -> None:
    """Crawl, then print one JSON object with the number of images stored."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--without-evidence", action="store_true")
    given = parser.parse_args()
    if given.without_evidence:
        EvidenceWriter.write = _nothing_kept  # type: ignore[method-assign]
        crawler.stage.export = lambda run, store: 0  # type: ignore[assignment]
    recipe = load_recipe(given.recipe)
    with open_run(recipe, given.recipe, given.runs, new=True) as run:
        context = StageContext(recipe, given.recipe, run, Console(stderr=True), quiet=True)
        summary = crawler.stage.crawl(context)
    print(json.dumps({"images": summary.counts["images_stored"]}))


if __name__ == "__main__":
    main()
