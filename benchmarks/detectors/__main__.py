"""make bench-detectors: what the annotators and the drop filters find, and what they take for something.

    python -m benchmarks.detectors [--quick] [--share 1.0] [--pool DIR] [--jobs 2] [set ...]

The pictures come from free Debian packages (`python -m curation.train.pictures --pool DIR` fetches them) and
are of the split that no trainer reads; marks, notices, cloaks and everything that looks like them are drawn
by code of this package. Findings are kept in `.bench/detectors`, so that a run that was cut off goes on, and
only what changed is looked at again. Thresholds are those that are shipped. A full run writes
benchmarks/detectors/result.json and the tables made from it; `--quick` prints them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.detectors import copies, looks, protections, tables
from benchmarks.detectors.figures import DETECTORS, false_alarms, figures, furniture, kinds
from benchmarks.detectors.sets import SETS
from benchmarks.detectors.sources import Grounds
from benchmarks.detectors.views import VIEWS
from benchmarks.machine import describe
from curation.annotators.furniture import SEEN
from curation.train.pictures import DEFAULT_POOL

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".bench" / "detectors"
COPIES = "copies"
RESULT = tables.RESULT


def main() -> int:
    """Look at everything that is asked for; write or print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sets", nargs="*", choices=[*SETS, COPIES, []], help="these only; all without any")
    parser.add_argument("--quick", action="store_true", help="a twelfth of the pictures; minutes")
    parser.add_argument("--share", type=float, default=1.0, help="of all pictures")
    parser.add_argument(
        "--annotators", nargs="+", default=[], help="ask these only; others wait for another run"
    )
    parser.add_argument("--views", nargs="+", choices=[*VIEWS], default=[*VIEWS], help="these columns only")
    parser.add_argument("--pool", type=Path, default=DEFAULT_POOL)
    parser.add_argument("--jobs", type=int, default=2, help="processes that look")
    parser.add_argument("--figures", action="store_true", help="look at nothing; figures of what is there")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the figures there, not to the package"
    )
    parser.add_argument("--earlier", action="store_true", help="count earlier versions too; they are named")
    asked = parser.parse_args()
    share = 1 / 12 if asked.quick else asked.share
    began = time.monotonic()
    with looks.workers_of(asked.jobs) as workers:
        for name in () if asked.figures else asked.sets or (*SETS, COPIES):
            if name == COPIES:
                found = copies.measure(asked.pool, count=round(copies.PICTURES * share))
                (WORK / "copies.json").write_text(json.dumps(found), encoding="utf-8")
                continue
            for done, of in looks.look(
                WORK, asked.pool, SETS[name], share, workers, asked.views, asked.annotators
            ):
                if done % 20 == 0 or done == of:
                    spent = time.monotonic() - began
                    print(f"{name}: {done} of {of}, {spent:.0f} s", file=sys.stderr, flush=True)
    result = measured(asked.pool, asked.earlier)
    if asked.quick and not asked.json:
        print(tables.page(result))
        return 0
    (asked.json or RESULT).write_text(
        json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    if not asked.json:
        tables.write()
        protections.write(result)
    return 0


def measured(pool: Path, earlier: bool = False) -> dict[str, Any]:
    """The figures of everything that was looked at. A detector whose annotators are missing has none."""
    seen = {name: looks.looked(WORK, pool, test, earlier) for name, test in SETS.items()}
    there = looks.built()
    detectors = {
        name: {
            "title": one.title,
            "versions": {needed: _versions(needed, seen.values()) for needed in one.needs},
            **figures(one, seen[one.positives], seen["clean"]),
            "false_alarms": false_alarms(one, [*seen["hard"], *seen["texts"]]),
        }
        for name, one in DETECTORS.items()
        if all(needed in there and _versions(needed, seen.values()) for needed in one.needs)
    }
    grounds = Grounds(pool)
    others: dict[str, Any] = {}
    if "kind" in there:
        others["kinds"] = kinds([one for one in seen["kinds"] if "kind" in one.findings])
    if "furniture" in there:
        clean = [one for one in seen["clean"] if "furniture" in one.findings]
        there_are = [one for one in seen["furnished"] if "furniture" in one.findings]
        others["furniture"] = furniture(there_are, clean, SEEN)
    if (WORK / "copies.json").is_file():
        found = json.loads((WORK / "copies.json").read_text(encoding="utf-8"))
        found["names"] = [" = ".join(pair[:2]) for pair in found["names"]]
        others["copies"] = found
    return {
        "command": "make bench-detectors",
        "looked_at": {
            name: [len({one.case for one in some}), sum(SETS[name].families.values())]
            for name, some in seen.items()
        },
        "machine": describe(),
        "date": datetime.now(UTC).date().isoformat(),
        "sources": {
            **{kind: len(found) for kind, found in grounds.by_kind.items()},
            "real paintings and prints": len(grounds.paintings),
            "fonts": {script: len(paths) for script, paths in grounds.fonts.items()},
        },
        "protections": protections.measured_here(),
        "detectors": detectors,
        **others,
    }


def _versions(annotator: str, sets: Iterable[Sequence[looks.Looked]]) -> str:
    """Every version of an annotator whose findings are counted."""
    found = {one.findings[annotator].version for some in sets for one in some if annotator in one.findings}
    return ", ".join(sorted(found))


if __name__ == "__main__":
    sys.exit(main())
