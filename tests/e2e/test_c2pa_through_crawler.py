"""Files with Content Credentials, served by real servers, through a real crawl, read back from its tables.

One crawl under each basis: what silence and a grant mean differs, what a refusal means does not.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests import credentials
from tests.credentials import Signatory, mining, plain
from tests.web.model import Reply, Site, markup
from tests.web.small_web import SmallWeb

ROOT = Path(__file__).parents[2]
KINDS = sorted(credentials.MEDIA_TYPES)
HOST = "credentials.example"
RECIPE = """
version = 1
name = "credentials"
[operator]
crawler = "CredentialsCrawler"
[seeds]
sites = ["http://{host}/"]
[network]
host_table = "{table}"
timeout = "5 s"
formats = ["jpeg", "png", "webp", "gif", "avif", "tiff"]
[politeness]
delay = 0
jitter = 0
hold_retries = []
[permission]
basis = "{basis}"
"""
NO, YES = mining(ai_generative_training="notAllowed"), mining(ai_generative_training="allowed")


@dataclass(frozen=True)
class Case:
    """A file and what comes of it: the gate's reason under not-opted-out and under opt-in ("": stored)."""

    body: bytes
    reason: str
    opt_in: str
    facts: tuple[tuple[str, str], ...]  # (use, effect) of every signal of this protocol that is not silent
    state: str = "Valid"


def cases(signatory: Signatory, remote: str) -> dict[str, Case]:
    """Every case in every container; the pictures differ, so that none shares another's fate."""
    found: dict[str, Case] = {}
    training, inference = (("training", "reserved"),), (("inference", "reserved"),)
    for kind in KINDS:

        def picture(name: str, kind: str = kind) -> bytes:
            digest = sha256(f"{name}.{kind}".encode()).hexdigest()
            return plain(kind, f"#{digest[:6]}", (64 + int(digest[6:8], 16) % 32, 48))

        def add(name: str, body: bytes, *rest: Any, kind: str = kind) -> None:
            found[f"{name}.{kind}"] = Case(body, *rest)

        add("not-allowed", signatory.sign(picture("a"), kind, NO), "c2pa", "c2pa", training)
        constrained = mining(ai_generative_training="constrained")
        add("constrained", signatory.sign(picture("b"), kind, constrained), "c2pa", "c2pa", training)
        no_inference, no_training = mining(ai_inference="notAllowed"), mining(ai_training="notAllowed")
        add("inference", signatory.sign(picture("c"), kind, no_inference), "c2pa", "c2pa", inference)
        add("other-training", signatory.sign(picture("d"), kind, no_training), "c2pa", "c2pa", training)
        legacy = mining("c2pa.training-mining", "c2pa.", ai_generative_training="notAllowed")
        add("legacy", signatory.sign(picture("e"), kind, legacy), "c2pa", "c2pa", training)
        granted = signatory.sign(picture("f"), kind, YES)
        add("allowed", granted, "", "", (("training", "permitted"),))
        add("unsaid", signatory.sign(picture("g"), kind), "", "no_grant", ())
        add("none", picture("h"), "", "no_grant", (), "")
        refused = signatory.sign(picture("i"), kind, NO)
        add("tampered-no", _tampered(refused), "c2pa", "c2pa", training, "Invalid")
        tampered_yes = _tampered(signatory.sign(picture("j"), kind, YES))
        add("tampered-yes", tampered_yes, "", "no_grant", (), "Invalid")
        part = signatory.sign(picture("k"), kind, NO)
        composite = signatory.sign(picture("l"), kind, YES, ingredient=part)
        add("ingredient-no", composite, "c2pa", "c2pa", training)
        part = signatory.sign(picture("m"), kind, YES)
        add("ingredient-yes", signatory.sign(picture("n"), kind, ingredient=part), "", "no_grant", ())
        broken = signatory.sign(picture("o"), kind, YES)
        at = broken.index(b"jumb")
        broken = broken[: at + 40] + bytes(300) + broken[at + 340 :]
        held = (("training", "error"),)
        add("unreadable", broken, "metadata_unreadable", "metadata_unreadable", held, "")
    remote_only = signatory.sign(plain("jpeg", "navy"), "jpeg", NO, remote=remote, embed=False)
    found["remote.jpeg"] = Case(remote_only, "", "no_grant", (), "")
    return found


def _tampered(body: bytes) -> bytes:
    changed = body.replace(b"kyodaku tests", b"kyodaku tEsts")
    assert changed != body
    return changed


@dataclass(frozen=True)
class Crawled:
    """The cases, and what the crawl under one basis made of them."""

    basis: str
    run: Path
    cases: dict[str, Case]
    candidates: dict[str, dict[str, Any]]
    asked: frozenset[str]


@pytest.fixture(scope="module", params=["not-opted-out", "opt-in"])
def crawled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    folder = tmp_path_factory.mktemp("c2pa")
    routes = {"/robots.txt": Reply(b"User-agent: *\nDisallow:\n")}
    with SmallWeb([Site(HOST, "pictures with credentials", routes=routes)], folder=folder / "web") as web:
        remote = f"http://{web.hosts[f'{HOST}:80']}/m.c2pa"
        made = cases(Signatory(), remote)
        web.set(f"http://{HOST}/", markup("".join(f'<img src="/art/{name}">' for name in made)))
        for name, case in made.items():
            web.set(f"http://{HOST}/art/{name}", Reply(case.body, headers=(("Content-Type", "image/jpeg"),)))
        recipe, run = folder / "recipe.toml", folder / "run"
        recipe.write_text(RECIPE.format(host=HOST, table=web.host_table_path, basis=request.param))
        command = [sys.executable, "-W", "error", "-m", "tests.crawler.child", str(recipe), str(run)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout.splitlines()[-1])["complete"]
        asked = frozenset(entry.path for entry in web.log)
    rows = [row for path in (run / "candidates").glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    candidates = {row["image_url"].rpartition("/")[2]: row for row in rows}
    return Crawled(request.param, run, made, candidates, asked)


def test_every_file_ends_as_its_credentials_say(crawled: Crawled) -> None:
    wrong = []
    for name, case in crawled.cases.items():
        row = crawled.candidates[name]
        told = [signal for signal in row["signals"] if signal["protocol"] == "c2pa"]
        loud = tuple((s["use"], s["effect"]) for s in told if s["effect"] != "silent")
        reason = case.reason if crawled.basis == "not-opted-out" else case.opt_in
        if (row["gate"], row["gate_reason"], loud) != ("g5", reason, case.facts):
            wrong.append(f"{name}: {row['gate']} {row['gate_reason']} {loud}, not {reason} {case.facts}")
        facts = [signal["parsed"] for signal in told if signal["rule"] == "c2pa:store"]
        state = [text.partition(";")[0].removeprefix("validation state: ") for text in facts]
        if state != ([case.state] if case.state else []):
            wrong.append(f"{name}: state {state}, not {case.state}")
    assert not wrong, "\n".join(wrong)
    assert len(crawled.cases) == 13 * len(KINDS) + 1


def test_only_what_was_let_in_is_on_the_disk(crawled: Crawled) -> None:
    kept = b"".join(path.read_bytes() for path in crawled.run.rglob("*") if path.is_file())
    for name, case in crawled.cases.items():
        stored = (case.reason if crawled.basis == "not-opted-out" else case.opt_in) == ""
        assert (case.body in kept) is stored, name


def test_a_remote_manifest_is_recorded_and_never_asked_for(crawled: Crawled) -> None:
    row = crawled.candidates["remote.jpeg"]
    told = [(s["effect"], s["rule"]) for s in row["signals"] if s["protocol"] == "c2pa"]
    assert told == [("silent", "c2pa:remote")]
    assert "/art/remote.jpeg" in crawled.asked
    assert "/m.c2pa" not in crawled.asked
