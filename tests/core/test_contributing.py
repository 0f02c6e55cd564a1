"""CONTRIBUTING.md shows how to add a protocol and a filter. This follows it, in a copy of the project."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = {
    label: body
    for _, label, body in re.findall(
        r"^```(python|json) (\w+)\n(.*?)^```$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M | re.S
    )
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The rooms, free to be changed."""
    for room in ("kyodaku", "curation"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def python(copy: Path, code: str) -> str:
    """What `code` prints when the changed copy is what it imports."""
    program = f"import sys; sys.path.insert(0, {str(copy)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def insert(path: Path, before: str, text: str) -> None:
    """Put `text` before the only line that begins with `before`."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    (at,) = [number for number, line in enumerate(lines) if line.startswith(before)]
    path.write_text("".join([*lines[:at], text, *lines[at:]]), "utf-8")


def test_a_protocol_is_one_file(copy: Path) -> None:
    vector = json.loads(BLOCKS["vector"])
    (copy / "vectors.jsonl").write_text(json.dumps(vector) + "\n")
    check = (
        "from kyodaku.signals.vectors import run_vectors\n"
        "import json; print(json.dumps(run_vectors('vectors.jsonl').to_json()))"
    )
    assert json.loads(python(copy, check))["unsupported"] == 1
    (copy / "kyodaku/signals/protocols/no_training.py").write_text(BLOCKS["protocol"])
    counted = json.loads(python(copy, check))
    assert (counted["passed"], counted["failed"], counted["unsupported"]) == (1, 0, 0), counted["failures"]


def test_a_new_protocol_refuses_at_its_gate_and_nobody_else_changed(copy: Path) -> None:
    (copy / "kyodaku/signals/protocols/no_training.py").write_text(BLOCKS["protocol"])
    code = """
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.decision import resolve_protocols
from kyodaku.signals.protocols import all_protocols
from datetime import UTC, datetime
from kyodaku.signals.model import Reading
reading = Reading("policy", ("Kyodaku",), (), "any", datetime.now(UTC))
head = ResponseHead("https://a.example/x.png", 200, (("X-No-Training", "1"),), 0.0)
signals = [s for p in all_protocols() for s in p.read_image_head(head, reading)]
print(dict(resolve_protocols(signals)))
"""
    assert "RESERVED" in python(copy, code)


def test_a_filter_is_a_reason_a_table_and_a_function(copy: Path) -> None:
    sections, filters = copy / "kyodaku/recipe/filters.py", copy / "curation/filters.py"
    insert(copy / "kyodaku/reasons.py", "    NO_CAPTION = ", BLOCKS["reason"])
    insert(sections, "class Filters(Section):", BLOCKS["section"] + "\n\n")
    insert(sections, "    resolution: Resolution = ", BLOCKS["place"])
    insert(filters, "#: Named as the tables", BLOCKS["function"] + "\n\n")
    text = filters.read_text("utf-8")
    assert text.count('    "resolution": resolution,') == 1
    filters.write_text(text.replace('    "resolution"', '    "animation": animation,\n    "resolution"'))
    code = """
from curation.filters import FILTERS
from kyodaku.recipe import Filters
still = {"width": 800, "height": 600, "frames": 1, "findings": {}}
moving = {**still, "frames": 12}
loose = Filters.model_validate({"animation": {"max_frames": 20}})
ask = FILTERS["animation"]
print(ask(still, Filters()), ask(moving, Filters()), ask(moving, loose))
"""
    assert python(copy, code).split() == ["None", "moving", "None"]
    assert "| `moving` |" in python(
        copy, "from kyodaku.reasons_doc import reasons_text; print(reasons_text())"
    )
