"""Hugging Face datasets, in an environment of its own, reads the shards of a release."""

from __future__ import annotations

import json
import subprocess
import venv
from pathlib import Path

import pytest

from curation.stage import curate, release
from tests.curation.fixtures import Found, context, jpeg, make_run

pytestmark = pytest.mark.deep

READ = """
import glob, json, sys
from datasets import load_dataset

folder, cache = sys.argv[1:]
files = sorted(glob.glob(folder + "/*.tar"))
found = {}
for streaming in (False, True):
    data = load_dataset("webdataset", data_files=files, split="train", streaming=streaming, cache_dir=cache)
    for sample in data:
        members = sorted(name for name in sample if name[0] != "_")
        seen = [sample["txt"], sample["jpg"].size, sample["json"]["sha256"], members]
        found.setdefault(sample["__key__"], []).append(seen)
print(json.dumps(found))
"""


def test_datasets_reads_the_shards(tmp_path: Path) -> None:
    pictures = [Found(f"p{number}", jpeg(number)) for number in range(7)]
    run = make_run(tmp_path / "run", pictures)
    curate(context(run))
    release(context(run))
    room = tmp_path / "venv"
    venv.create(room, with_pip=True)
    python = str(room / "bin" / "python")
    install = subprocess.run(
        [python, "-m", "pip", "install", "-q", "datasets", "pillow"], capture_output=True, text=True
    )
    assert install.returncode == 0, install.stderr[-2000:]
    read = subprocess.run(
        [python, "-c", READ, str(run.release()), str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"HF_HUB_OFFLINE": "1", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert read.returncode == 0, read.stderr[-2000:]
    found = json.loads(read.stdout.splitlines()[-1])
    assert set(found) == {item.uid for item in pictures}
    for samples in found.values():
        plain, streamed = samples
        assert plain == streamed
        assert plain[1] == [320, 280]
        assert plain[3] == ["jpg", "json", "txt"]
