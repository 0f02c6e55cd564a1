"""`make bench-peers`: X-Robots-Tag vectors through img2dataset, datadiligence and Kyodaku; docs/peers.md.

Each peer runs in a virtual environment of its own below `.peers/`, made here with pip. Nothing is fetched but
packages; the vectors are given to the peers' own functions.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from kyodaku.signals.model import Effect
from kyodaku.signals.vectors import read_vectors, run_vector

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".peers"
PEERS = {
    "img2dataset": ("img2dataset==1.47.0", "ask_img2dataset.py"),
    "datadiligence": ("datadiligence==0.1.7", "ask_datadiligence.py"),
}
VECTORS = ("published.jsonl", "x-robots-tag.jsonl")
PAGE = ROOT / "docs/peers.md"
RESULT = Path(__file__).with_name("result.json")


def main() -> int:
    """Run everything; write the result and the page."""
    vectors = header_vectors()
    said = {name: ask(name, vectors) for name in PEERS}
    said["kyodaku"] = {v["id"]: run_vector(v["vector"]) is Effect.RESERVED for v in vectors}
    rows = [
        {
            "id": v["id"],
            "mode": v["vector"]["mode"],
            "headers": v["headers"],
            "refuse": v["vector"]["expect"] == "reserved",
            **{name: answers[v["id"]] for name, answers in said.items()},
        }
        for v in vectors
    ]
    result = {
        "command": "make bench-peers",
        "machine": describe(),
        "python": platform.python_version(),
        "versions": {name: pin for name, (pin, _) in PEERS.items()},
        "vectors": rows,
    }
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(result), encoding="utf-8")
    print(summary(rows))
    return 0


def header_vectors() -> list[dict[str, Any]]:
    """The X-Robots-Tag vectors whose only input is one response head."""
    found = []
    for name in VECTORS:
        for vector in read_vectors(ROOT / "tests/vectors" / name):
            ours = vector["signal"] == "x-robots-tag" and set(vector["input"]) == {"headers"}
            if ours and "x-robots-tag" in vector["input"]["headers"].lower():
                found.append(
                    {
                        "id": vector["id"],
                        "agent": vector["agent"],
                        "headers": vector["input"]["headers"],
                        "vector": vector,
                    }
                )
    return found


def ask(name: str, vectors: list[dict[str, Any]]) -> dict[str, bool]:
    """What a peer says, by vector id. Its environment is made on the first run."""
    pin, script = PEERS[name]
    python = FOLDER / name / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER / name)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", pin], check=True)
    given = json.dumps([{key: v[key] for key in ("id", "agent", "headers")} for v in vectors])
    done = subprocess.run(
        [str(python), "-W", "ignore", str(Path(__file__).with_name(script))],
        input=given,
        capture_output=True,
        text=True,
        check=True,
        env={"NO_ALBUMENTATIONS_UPDATE": "1", "PATH": "/usr/bin:/bin", "HOME": str(FOLDER)},
    )
    answers: dict[str, bool] = json.loads(done.stdout[done.stdout.index("{") :])
    return answers


def counts(rows: list[dict[str, Any]], name: str) -> tuple[int, int, int]:
    """(refusals there are, refusals let through, refused without need) of one reader."""
    refusals = [row for row in rows if row["refuse"]]
    missed = sum(not row[name] for row in refusals)
    return len(refusals), missed, sum(row[name] and not row["refuse"] for row in rows)


def summary(rows: list[dict[str, Any]]) -> str:
    """One line a reader."""
    lines = []
    for name in (*PEERS, "kyodaku"):
        of, missed, extra = counts(rows, name)
        lines.append(f"{name}: lets {missed} of {of} refusals through, refuses {extra} that are none")
    return "\n".join(lines)


def page(result: dict[str, Any]) -> str:
    """docs/peers.md."""
    rows = result["vectors"]
    table = "".join(_line(name, rows) for name in (*PEERS, "kyodaku"))
    let_through = "".join(
        f"| `{row['id']}` | {row['mode']} | {_shown(row['headers'])} "
        f"| {'yes' if not row['img2dataset'] else ''} | {'yes' if not row['datadiligence'] else ''} |\n"
        for row in rows
        if row["refuse"] and not (row["img2dataset"] and row["datadiligence"])
    )
    pins = " and ".join(f"`{pin}`" for pin in result["versions"].values())
    return f"""\
# Peers, side by side

What other tools' own functions make of the X-Robots-Tag vectors in `tests/vectors/`: {pins}, each in an
environment of its own on Python {result["python"]}, told our crawler's name where they take one (img2dataset
with its default directives, datadiligence with `respect_noindex=True`). This page is written by
`make bench-peers`; each answer stands in `benchmarks/peers/result.json`.

Refusals that are let through, of all that there are. Vectors in policy mode are our stricter reading: a peer
that differs there is not wrong by the letter. `own-` vectors are ours, many of them odd on purpose, and
Kyodaku passes because these vectors are its tests: the figures tell what others do, not how good we are.

| reader | published, spec | published, policy | own, spec | own, policy | refused without need |
|---|---|---|---|---|---|
{table}
## Refusals that a peer lets through

| vector | mode | header | img2dataset takes it | datadiligence takes it |
|---|---|---|---|---|
{let_through}"""


def _line(name: str, rows: list[dict[str, Any]]) -> str:
    cells = []
    for own in (False, True):
        for mode in ("spec", "policy"):
            part = [row for row in rows if row["mode"] == mode and row["id"].startswith("own-") is own]
            of, missed, _ = counts(part, name)
            cells.append(f"{missed} of {of}")
    of, _, extra = counts(rows, name)
    return f"| {name} | {' | '.join(cells)} | {extra} of {len(rows) - of} |\n"


def _shown(headers: str) -> str:
    lines = [line for line in headers.split("\r\n") if line.lower().startswith("x-robots-tag")]
    return "<br>".join(f"`{line}`" for line in lines).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
