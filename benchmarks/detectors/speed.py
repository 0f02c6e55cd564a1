"""python -m benchmarks.detectors.speed: what a look costs, by annotator, beside cleanvision; and memory.

    python -m benchmarks.detectors.speed [--quick] [--pool DIR] [--images 300] [--long 10000]

Pictures of 1,024 pixels (JPEG 90, test split), every tenth with text laid over, one process, one thread, one
picture at a time: the worst case. Time is the processor's, so that a busy machine changes it little; a
picture's cost is that of decoding it in the child and of every annotator. cleanvision's checks that have a
counterpart here run on the same files in the same run, in an environment of its own below `.peers/` that is
made with pip. Then pictures of 256 pixels, so that it ends, again and again, `--long` times, resident memory
noted: its slope is what a picture leaves behind (`--memory` does only this and keeps the times of before;
`--long 0` does only the rest).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from benchmarks.detectors import tables, written
from benchmarks.detectors.looks import built
from benchmarks.detectors.sets import studio_of
from benchmarks.detectors.sources import Grounds
from benchmarks.detectors.views import Pixels, as_jpeg
from benchmarks.machine import describe
from curation.annotators.base import Finding, Picture, look_at_all
from curation.train.pictures import DEFAULT_POOL
from kyodaku.safedecode import DecodeLimits, SafeDecoder

ROOT = Path(__file__).parents[2]
RESULT = tables.SPEED
PEER, PIN = ROOT / ".peers" / "cleanvision", "cleanvision==0.3.7"
SIDE, SMALL, TEXT_EVERY = 1024, 256, 10

#: Annotators that read: what a recipe cannot do without, but the dearest.
READERS = ("text", "notices", "brands")


def main() -> int:
    """Measure; write speed.json and the page, or print with --quick."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="40 pictures, 200 looks; a minute or two")
    parser.add_argument("--pool", type=Path, default=DEFAULT_POOL)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--long", type=int, default=10_000)
    parser.add_argument("--memory", action="store_true", help="only memory")
    parser.add_argument("--no-peer", action="store_true", help="without cleanvision")
    asked = parser.parse_args()
    images, long = (40, 200) if asked.quick else (asked.images, asked.long)
    import torch

    torch.set_num_threads(1)
    result = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}
    result |= {"machine": describe()}
    with tempfile.TemporaryDirectory(prefix="bench-speed-") as folder:
        if not asked.memory:
            result |= _speed(asked.pool, images, Path(folder), peer=not asked.no_peer)
        if long:
            small = list(_files(Grounds(asked.pool), 200, Path(folder), SMALL))
            result["memory"] = _memory(small, long)
    if asked.quick:
        print(json.dumps(result, indent=1))
    else:
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        tables.write()
    return 0


def _speed(pool: Path, images: int, folder: Path, peer: bool) -> dict[str, Any]:
    """Times of so many pictures, and the peer's."""
    files = list(_files(Grounds(pool), images, folder, SIDE))
    return {
        "command": f"python -m benchmarks.detectors.speed --images {images}",
        "images": images,
        **_timed(files),
        "cleanvision": _cleanvision(folder) if peer else None,
    }


def _files(grounds: Grounds, count: int, folder: Path, side: int) -> Iterator[Path]:
    """JPEG files, `side` pixels long; every tenth carries text."""
    for number in range(count):
        rng = np.random.default_rng([31, number])
        if number % TEXT_EVERY == 0:
            pixels = written.scene(studio_of(grounds), rng).pixels
        else:
            pixels = grounds.ordinary(rng)
        path = folder / f"{side}-{number:05}.jpg"
        path.write_bytes(as_jpeg(_sized(pixels, side), 90))
        yield path


def _sized(pixels: Pixels, side: int) -> Pixels:
    image = Image.fromarray(pixels)
    scale = side / max(image.size)
    size = (max(64, round(image.width * scale)), max(64, round(image.height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))


def _timed(files: Sequence[Path]) -> dict[str, Any]:
    """Milliseconds of processor time a picture: mean and 95th percentile, by annotator and in all."""
    spent: dict[str, list[float]] = defaultdict(list)
    annotators = list(built().values())
    with SafeDecoder(DecodeLimits()) as decoder:
        for number, path in enumerate([files[0], *files]):  # the first one loads the models
            body = path.read_bytes()
            began = _children_s()
            picture = Picture(body, decoder.decode(body))
            took = {"decode": 1000 * (_children_s() - began)}
            found: dict[str, Finding] = {}
            for annotator in annotators:
                began = time.process_time()
                found.update(look_at_all([annotator], [picture], [found])[0])
                took[annotator.name] = 1000 * (time.process_time() - began)
            took["all"] = sum(took.values())
            took["all but reading"] = took["all"] - sum(took.get(name, 0.0) for name in READERS)
            if number:
                for name, value in took.items():
                    spent[name].append(value)
    return {
        "ms": {
            name: {
                "mean": round(float(np.mean(values)), 2),
                "p95": round(float(np.quantile(values, 0.95)), 2),
            }
            for name, values in spent.items()
        },
        "versions": {one.name: one.version for one in annotators},
    }


def _memory(files: Sequence[Path], looks: int) -> dict[str, Any]:
    """Resident megabytes while `looks` pictures are looked at, and the slope over the last four fifths."""
    annotators = list(built().values())
    every = max(1, looks // 100)
    counts, resident = [], []
    with SafeDecoder(DecodeLimits()) as decoder:
        for number in range(looks):
            body = files[number % len(files)].read_bytes()
            look_at_all(annotators, [Picture(body, decoder.decode(body))])
            if number % every == 0:
                counts.append(number)
                resident.append(_resident_mb())
    late = len(counts) // 5
    slope = float(np.polyfit(counts[late:], resident[late:], 1)[0]) if len(counts) - late > 2 else 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "looks": looks,
        "after_warming_mb": round(resident[late], 1),
        "at_the_end_mb": round(resident[-1], 1),
        "peak_mb": round(peak, 1),
        "kb_a_picture": round(1024 * slope, 3),
    }


def _children_s() -> float:
    """Processor seconds of the children so far, in steps of a hundredth: right in the mean."""
    spent = [child.cpu_times() for child in psutil.Process().children()]
    return float(sum(times.user + times.system for times in spent))


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def _cleanvision(folder: Path) -> Mapping[str, Any]:
    """Its milliseconds a picture by check. The environment is made on the first run."""
    python = PEER / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEER)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", PIN], check=True)
    script = Path(__file__).with_name("ask_cleanvision.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [str(python), str(script), str(folder)], capture_output=True, text=True, check=True, env=environment
    )
    said = json.loads(done.stdout[done.stdout.rindex('{"images"') :])
    each = {check: round(1000 * seconds / said["images"], 2) for check, seconds in said["cpu_s"].items()}
    return {"version": PIN, "ms": each}


if __name__ == "__main__":
    sys.exit(main())
