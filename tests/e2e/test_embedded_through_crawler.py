"""Metadata that another program wrote into image files, served by a real server and read by a real crawl.

One crawl for all files: `CASES` names them, and what the crawl has to make of each. A file that refuses is
refused by its own words and its bytes are nowhere on the disk; a harmless one is stored with its facts.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.core.strategies import VOCABULARY, xmp_packet
from tests.tools import need_tool

ROOT = Path(__file__).parents[2]
KINDS = ("jpeg", "png", "webp", "tiff", "avif", "gif")
DST = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
RECIPE = """
version = 1
name = "embedded"
[operator]
crawler = "EmbeddedCrawler"
[seeds]
sites = ["http://embedded.example/"]
[network]
host_table = "{table}"
formats = ["jpeg", "png", "webp", "gif", "avif", "tiff"]
[politeness]
delay = 0
jitter = 0
[budgets.per_host]
images = 1000
[permission]
basis = "not-opted-out"
"""


@dataclass(frozen=True)
class Case:
    """A file, how it is made, and what has to come of it: `reason` "" is a picture that is stored.

    `make` gets a folder to work in and returns the file's bytes. `fact` is a rule that must stand among the
    candidate's signals, with `parsed` inside what was read.
    """

    name: str
    make: Callable[[Path], bytes]
    reason: str
    fact: str = ""
    parsed: str = ""


def picture(kind: str, seed: str) -> bytes:
    """A small picture of its own: no two cases share bytes."""
    colour = tuple(sha256(seed.encode()).digest()[:3])
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, kind.upper())
    return out.getvalue()


def written(
    kind: str, seed: str, *options: str, files: dict[str, str | bytes] | None = None
) -> Callable[[Path], bytes]:
    """What makes a picture of `kind` and lets exiftool write `options`; `@NAME` in one is a file's path."""

    def make(folder: Path) -> bytes:
        path = folder / f"{sha256(seed.encode()).hexdigest()[:12]}.{kind}"
        path.write_bytes(picture(kind, seed))
        for name, content in (files or {}).items():
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        arguments = [option.replace("@", f"{folder}/") for option in options]
        command = [need_tool("exiftool"), "-q", "-m", "-overwrite_original", *arguments, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return path.read_bytes()

    return make


def mining(value: str) -> bytes:
    return xmp_packet(f'plus:DataMining="{VOCABULARY}{value}"')


def cases_of_metadata() -> list[Case]:
    """Every field that exiftool writes, in every container that can hold it."""
    cases = []

    def add(kind: str, name: str, reason: str, fact: str, parsed: str, *options: str, **files: Any) -> None:
        label = f"{name}.{kind}"
        named = {f"{key}.dat": value for key, value in files.items()}
        cases.append(Case(label, written(kind, label, *options, files=named), reason, fact, parsed))

    for kind in KINDS:
        no = mining("DMI-PROHIBITED-GENAIMLTRAINING")
        add(kind, "plus", "plus_data_mining", "plus-datamining:", "GENAIMLTRAINING", "-xmp<=@no.dat", no=no)
        add(
            kind,
            "plus-yes",
            "",
            "plus-datamining:",
            "DMI-ALLOWED",
            "-xmp<=@yes.dat",
            yes=mining("DMI-ALLOWED"),
        )
        words = "-XMP-xmpRights:UsageTerms=No AI training"
        add(kind, "usage-terms", "rights_text", "rights-text:xmp:", "no ai training", words)
        rights = ("-XMP-dc:Rights=(c) A. Artist", "-XMP-dc:Rights-ja=AI学習禁止")
        add(kind, "rights-ja", "rights_text", "rights-text:xmp:", "ai学習禁止", *rights)
        add(kind, "plain", "", "", "", "-XMP-dc:Rights=(c) A. Artist. All rights reserved")
        source = f"-XMP-iptcExt:DigitalSourceType={DST}"
        add(kind, "made", "", "ai-made:digital-source-type", "trainedAlgorithmicMedia", source)
    for kind in ("jpeg", "png", "webp", "tiff", "avif"):
        exif = "-EXIF:Copyright=(c) A. Artist. NoAI: not for AI training"
        add(kind, "exif", "rights_text", "rights-text:", "noai", exif)
        add(kind, "exif-plain", "", "", "", "-EXIF:Copyright=(c) A. Artist. All rights reserved")
        add(kind, "comment", "rights_text", "rights-text:", "no ai", "-EXIF:UserComment=No AI, bitte")
    for kind in ("jpeg", "png", "tiff"):
        notice = "-IPTC:CopyrightNotice=Text und Data Mining vorbehalten"
        add(kind, "iim", "rights_text", "rights-text:iim:CopyrightNotice", "text und data mining", notice)
        order = ("-IPTC:CodedCharacterSet=UTF8", "-IPTC:SpecialInstructions=禁止AI训练")
        add(kind, "iim-zh", "rights_text", "rights-text:iim:SpecialInstructions", "禁止ai", *order)
    for kind in ("jpeg", "gif"):
        add(kind, "com", "rights_text", f"rights-text:{kind}:", "ai 학습 금지", "-Comment=AI 학습 금지")
        add(kind, "com-plain", "", "", "", "-Comment=Casino airport")
    add("png", "text", "rights_text", "rights-text:png:", "no data mining", "-PNG:Copyright=No data mining")
    add("png", "software", "", "ai-made:software", "generator", "-PNG:Software=NovelAI")
    long = "a long text " * 6000
    extended = ("-XMP-dc:Description<=@long.dat", "-XMP-xmpRights:UsageTerms<=@terms.dat")
    terms = "terms and conditions " * 2900 + "No AI training."
    add(
        "jpeg",
        "extended",
        "rights_text",
        "rights-text:xmp:",
        "no ai",
        *extended,
        long=long[:60000],
        terms=terms,
    )
    add("jpeg", "extended-plain", "", "", "", *extended, long=long[:60000], terms=terms[:60000])
    return cases


#: All files of the one crawl. Further kinds of metadata are further cases.
CASES: list[Case] = [*cases_of_metadata()]


@dataclass(frozen=True)
class Crawled:
    """What came of every case, by its name."""

    run: Path
    bodies: dict[str, bytes]
    candidates: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    need_tool("exiftool")
    folder = tmp_path_factory.mktemp("embedded")
    bodies = {case.name: case.make(folder) for case in CASES}
    with serving(bodies) as port:
        (folder / "hosts.toml").write_text(f'[hosts]\n"embedded.example:80" = "127.0.0.1:{port}"\n')
        recipe, run = folder / "recipe.toml", folder / "run"
        recipe.write_text(RECIPE.format(table=folder / "hosts.toml"))
        command = [sys.executable, "-m", "tests.crawler.child", str(recipe), str(run)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["complete"]
    rows = [row for path in (run / "candidates").glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    return Crawled(run, bodies, {row["image_url"].rpartition("/")[2]: row for row in rows})


class serving:
    """A server of this machine that shows all `bodies` on one page; the value is its port."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        shown = "".join(f'<img src="/art/{name}" alt="{name}">' for name in bodies)
        files = {f"/art/{name}": body for name, body in bodies.items()}
        files["/robots.txt"] = b"User-agent: *\nDisallow:\n"
        files["/"] = f"<!doctype html><title>Art</title>{shown}".encode()

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "text/html" if self.path == "/" else "image/jpeg")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._server.server_address[1])

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_file_says_about_itself_decides(crawled: Crawled, case: Case) -> None:
    found = crawled.candidates[case.name]
    told = [(s["rule"], s["parsed"], s["effect"]) for s in found["signals"]]
    assert found["sha256"] == sha256(crawled.bodies[case.name]).hexdigest()
    assert (found["gate"], found["gate_reason"]) == ("g5", case.reason), told
    assert (found["gate_verdict"] == "refuse") is (case.reason != "")
    assert (found["raw_shard"] == "") is (case.reason != "")
    if case.fact:
        assert any(rule.startswith(case.fact) and case.parsed in parsed for rule, parsed, _ in told), told
    if not case.reason:
        assert {effect for _, _, effect in told} <= {"silent", "permitted"}


def test_refused_bytes_are_nowhere_and_stored_ones_are(crawled: Crawled) -> None:
    stored = b"".join(path.read_bytes() for path in (crawled.run / "raw").glob("*.tar"))
    assert {case.name: crawled.bodies[case.name] in stored for case in CASES} == {
        case.name: case.reason == "" for case in CASES
    }
    kept = b"".join(
        path.read_bytes() for path in crawled.run.rglob("*") if path.is_file() and path.suffix != ".tar"
    )
    assert not any(crawled.bodies[case.name] in kept for case in CASES)
