"""Real files with Content Credentials, and hostile ones, through the limited readers and the gate."""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from PIL import Image

from kyodaku.c2pareader import MEDIA_TYPES, C2paLimits, C2paReader
from kyodaku.decision import Policy
from kyodaku.errors import CarrierError
from kyodaku.gate import GateResult, GateVerdict
from kyodaku.permission import Permission
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.signals.carriers.embedded import EmbeddedMetadata, read_embedded
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Effect, Signal, Use
from kyodaku.signals.protocols.c2pa import PROTOCOL
from tests import credentials
from tests.core.strategies import jpeg, reading, webp
from tests.core.test_permission import NOW, permission, rules
from tests.credentials import Signatory, mining, plain

GENERATIVE_NO = mining(ai_generative_training="notAllowed")
GENERATIVE_YES = mining(ai_generative_training="allowed")
KINDS = sorted(credentials.MEDIA_TYPES)
HEAD = ResponseHead("https://cdn.example.org/a.jpg", 200, (), NOW)


@pytest.fixture(scope="module")
def signatory() -> Signatory:
    return Signatory()


@pytest.fixture(scope="module")
def reader() -> Iterator[C2paReader]:
    with C2paReader() as pool:
        yield pool


def said(embedded: EmbeddedMetadata, mode: str = "policy") -> list[Signal]:
    return PROTOCOL.read_image(embedded, reading(mode))  # type: ignore[arg-type]


def effects(body: bytes, reader: C2paReader | None, mode: str = "policy") -> set[tuple[str, str]]:
    """What a file says, without its facts."""
    found = said(read_embedded(body, c2pa=reader), mode)
    return {(s.use.value, s.effect.value) for s in found if s.effect is not Effect.SILENT}


def pid(pool: C2paReader) -> int:
    child = pool._idle.queue[-1]
    assert child is not None
    return child._process.pid


# --- real files


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("assertion", "expected"),
    [
        (GENERATIVE_NO, {("training", "reserved")}),
        (mining(ai_generative_training="constrained"), {("training", "reserved")}),
        (GENERATIVE_YES, {("training", "permitted")}),
        (mining(ai_inference="notAllowed"), {("inference", "reserved")}),
        (mining(ai_training="notAllowed"), {("training", "reserved")}),
        (mining("c2pa.training-mining", "c2pa.", data_mining="notAllowed"), {("training", "reserved")}),
        ({"label": "org.example.note", "data": {"entries": {}}}, set()),
    ],
)
def test_every_container_says_what_was_signed_into_it(
    signatory: Signatory,
    reader: C2paReader,
    kind: str,
    assertion: dict[str, object],
    expected: set[tuple[str, str]],
) -> None:
    embedded = read_embedded(signatory.sign(plain(kind), kind, assertion), c2pa=reader)
    assert embedded.format == kind
    assert embedded.jumbf_present
    assert embedded.complete, (embedded.problems, embedded.unreadable)
    found = said(embedded)
    assert {(s.use.value, s.effect.value) for s in found if s.effect is not Effect.SILENT} == expected
    facts = next(s for s in found if s.rule == "c2pa:store")
    assert facts.parsed == (
        "validation state: Valid; signer: leaf, Kyodaku tests; claim generator: kyodaku tests 1; manifests: 1"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_signature_keeps_the_no_and_loses_the_yes(
    signatory: Signatory, reader: C2paReader, kind: str
) -> None:
    for assertion, expected in ((GENERATIVE_NO, {("training", "reserved")}), (GENERATIVE_YES, set())):
        whole = signatory.sign(plain(kind), kind, assertion)
        changed = whole.replace(b"kyodaku tests", b"kyodaku tEsts")
        assert changed != whole
        embedded = read_embedded(changed, c2pa=reader)
        assert embedded.c2pa is not None, embedded.unreadable
        assert embedded.c2pa.state == "Invalid"
        assert effects(changed, reader) == expected


def test_a_yes_pasted_over_another_picture_is_none(signatory: Signatory, reader: C2paReader) -> None:
    """The manifest is whole, the pixels are not those it was made for."""
    granted = signatory.sign(plain("png", "red"), "png", GENERATIVE_YES)
    at = granted.index(b"caBX") - 4
    size = 12 + int.from_bytes(granted[at : at + 4], "big")
    other = plain("png", "blue")
    pasted = other[:33] + granted[at : at + size] + other[33:]
    assert Image.open(io.BytesIO(pasted)).getpixel((0, 0)) == (0, 0, 255)
    assert effects(pasted, reader) == set()
    assert effects(granted, reader) == {("training", "permitted")}


def test_an_ingredients_no_refuses_and_its_yes_grants_nothing(
    signatory: Signatory, reader: C2paReader
) -> None:
    refused = signatory.sign(plain("jpeg"), "jpeg", GENERATIVE_NO)
    granted = signatory.sign(plain("jpeg"), "jpeg", GENERATIVE_YES)
    silent = plain("jpeg", "blue")
    both = signatory.sign(silent, "jpeg", GENERATIVE_YES, ingredient=refused)
    assert effects(both, reader) == {("training", "reserved")}
    assert effects(both, reader, "spec") == set()
    assert effects(signatory.sign(silent, "jpeg", ingredient=granted), reader) == set()


def test_two_assertions_the_stricter_counts(signatory: Signatory, reader: C2paReader) -> None:
    body = signatory.sign(plain("png"), "png", GENERATIVE_YES, GENERATIVE_NO)
    assert effects(body, reader) == {("training", "reserved")}


def test_beside_an_identity_that_nobody_checked_no_grant_counts(
    signatory: Signatory, reader: C2paReader
) -> None:
    identity = {"label": "cawg.identity", "data": {"signer_payload": {}, "signature": "x", "pad1": ""}}
    assert effects(signatory.sign(plain("jpeg"), "jpeg", identity, GENERATIVE_YES), reader) == set()
    refused = signatory.sign(plain("jpeg"), "jpeg", identity, GENERATIVE_NO)
    assert effects(refused, reader) == {("training", "reserved")}


# --- nothing is fetched


@pytest.fixture
def web() -> Iterator[tuple[str, list[str]]]:
    """A server that gives nothing and remembers who came."""
    asked: list[str] = []

    class Silent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/m.c2pa", asked
        server.shutdown()
        thread.join()


def test_a_remote_manifest_is_a_fact_and_nobody_asks_for_it(
    signatory: Signatory, reader: C2paReader, web: tuple[str, list[str]]
) -> None:
    url, asked = web
    body = signatory.sign(plain("jpeg"), "jpeg", GENERATIVE_NO, remote=url, embed=False)
    embedded = read_embedded(body, c2pa=reader)
    assert not embedded.jumbf_present
    assert [(s.effect, s.rule, s.raw) for s in said(embedded)] == [(Effect.SILENT, "c2pa:remote", url)]
    with pytest.raises(CarrierError, match="emote"):  # asked all the same, the library will not go there
        reader.read(body, "jpeg")
    embedded = read_embedded(signatory.sign(plain("jpeg"), "jpeg", GENERATIVE_NO, remote=url), c2pa=reader)
    assert any(s.effect is Effect.RESERVED for s in said(embedded))
    assert asked == []


def test_a_child_can_open_nothing(reader: C2paReader, signatory: Signatory) -> None:
    reader.read(signatory.sign(plain("png"), "png"), "png")
    process = psutil.Process(pid(reader))
    assert process.rlimit(psutil.RLIMIT_NOFILE) == (0, 0)
    assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert process.rlimit(psutil.RLIMIT_AS)[0] < 4 << 30
    names = {"LD_LIBRARY_PATH", "PYTHONPATH", "OPENBLAS_NUM_THREADS", "LC_ALL", "LC_CTYPE"}
    assert set(process.environ()) <= names


# --- what cannot be read is held


def unreadable(body: bytes, reader: C2paReader | None) -> str:
    found = said(read_embedded(body, c2pa=reader))
    assert [(s.effect, s.reason) for s in found] == [(Effect.ERROR, "metadata_unreadable")]
    return found[0].raw


def test_jumbf_that_nobody_reads_is_an_error(signatory: Signatory) -> None:
    assert "nobody" in unreadable(signatory.sign(plain("png"), "png"), None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_is_cut_or_overwritten_is_an_error_or_invalid(
    signatory: Signatory, reader: C2paReader, kind: str
) -> None:
    whole = signatory.sign(plain(kind), kind, GENERATIVE_YES)
    at = whole.index(b"jumb")
    for broken in (
        whole[: at + 700],
        whole[: at + 40] + bytes(300) + whole[at + 340 :],
        whole[:at] + b"jumb\0\0\0\x10jumd" + bytes(40) + whole[at + 52 :],
    ):
        embedded = read_embedded(broken, c2pa=reader)
        assert embedded.jumbf_present
        found = {s.effect for s in said(embedded)}
        assert Effect.PERMITTED not in found
        assert Effect.ERROR in found or (embedded.c2pa is not None and embedded.c2pa.state == "Invalid")


@pytest.mark.parametrize(
    "body",
    [
        jpeg(
            (0xEB, b"JP\0\1\0\0\0\1" + struct.pack(">I", 60) + b"jumb" + struct.pack(">I", 52) + b"jumdxxxx")
        ),
        webp((b"C2PA", b"\0\0\0\x10jumb\0\0\0\x08jumd")),
        b"BM" + bytes(4) + bytes(4) + struct.pack("<II", 54, 40) + bytes(40) + b"jumb....jumd",
        b"8BPS\0\1" + b"jumb....jumd",
        plain("jpeg") + b"jumb....jumdc2pa",
        plain("gif") + b"C2PA_GIF",
    ],
    ids=["jpeg", "webp", "bmp", "psd", "behind the end", "gif"],
)
def test_jumbf_without_a_manifest_that_can_be_had_is_an_error(reader: C2paReader, body: bytes) -> None:
    assert unreadable(body, reader)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_jumbf_is_silent_and_starts_no_child(kind: str) -> None:
    with C2paReader() as pool:
        assert said(read_embedded(plain(kind), c2pa=pool)) == []
        assert pool._idle.queue == [None]


# --- children that die, hang and lie


def test_a_killed_child_is_replaced_and_a_hanging_one_is_an_error(signatory: Signatory) -> None:
    body = signatory.sign(plain("png"), "png", GENERATIVE_NO)
    with C2paReader(C2paLimits(wall_seconds=1.5)) as pool:
        pool.read(body, "png")
        first = pid(pool)
        os.kill(first, signal.SIGSEGV)
        assert pool.read(body, "png").state == "Valid"
        second = pid(pool)
        assert second != first
        os.kill(second, signal.SIGSTOP)
        assert "too long" in unreadable(body, pool)
        assert not psutil.pid_exists(second)
        assert pool.read(body, "png").state == "Valid"


def test_a_file_that_crashes_every_reader_is_an_error(
    signatory: Signatory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A parser that falls over, needs too much, floods or lies: each time the file is unread, not silent."""
    body = signatory.sign(plain("png"), "png", GENERATIVE_NO)
    start: Callable[..., subprocess.Popen[bytes]] = subprocess.Popen
    ready = "import os, struct, sys\ndef send(reply, size=0, payload=b''):\n"
    ready += " sys.stdout.buffer.write(struct.pack('>IQ', len(reply), size) + reply + payload)\n"
    ready += " sys.stdout.flush()\nsend(b'{\"ready\":true}')\nsys.stdin.buffer.read(4)\n"
    endings = {
        "os.kill(os.getpid(), 11)": "died",
        "sys.exit(0)": "died",
        'send(b\'{"error":"memory"}\')': "memory",
        'send(b\'{"error":"broken box"}\')': "broken box",
        "send(b'{\"found\":false}')": "without a manifest",
        "send(b'{\"found\":1}', 2, b'{}')": "without a manifest",
        "send(b'{\"found\":true}', 2, b'{}')": "no manifests",
        "send(b'{\"found\":true}', 3, b'\\xff\\xff[')": "not JSON",
        "send(b'{\"found\":true}', 1 << 40)": "more than it may",
        "send(b'[]')": "nonsense",
        "send(b'{}' * 600000)": "more than it may",
    }
    for ending, word in endings.items():
        script = tmp_path / "child.py"
        script.write_text(ready + ending + "\nsys.stdin.read()\n")

        def instead(command: list[str], **options: object) -> object:
            return start([sys.executable, str(script)], **options)  # noqa: B023 - used at once

        with monkeypatch.context() as patched:
            patched.setattr(subprocess, "Popen", instead)
            with C2paReader(C2paLimits(wall_seconds=10)) as pool:
                assert word in unreadable(body, pool), ending


def test_a_reader_that_cannot_start_holds(signatory: Signatory, monkeypatch: pytest.MonkeyPatch) -> None:
    start: Callable[..., subprocess.Popen[bytes]] = subprocess.Popen

    def broken(command: list[str], **options: object) -> object:
        return start([sys.executable, "-c", "raise ImportError('no module named c2pa')"], **options)

    body = signatory.sign(plain("png"), "png")
    with C2paReader() as pool, monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", broken)
        assert "cannot start" in unreadable(body, pool)


def test_a_file_too_large_for_a_readers_memory_is_an_error(signatory: Signatory) -> None:
    body = signatory.sign(plain("jpeg", size=(64, 64)), "jpeg", GENERATIVE_NO)
    huge = body + bytes(48 << 20)
    with C2paReader(C2paLimits(memory_bytes=32 << 20)) as pool:
        assert "memory" in unreadable(huge, pool) or "died" in unreadable(huge, pool)
        assert pool.read(body, "jpeg").state == "Valid"


def test_many_threads_share_a_reader(signatory: Signatory) -> None:
    body = signatory.sign(plain("webp"), "webp", GENERATIVE_NO)
    with C2paReader(workers=2) as pool, ThreadPoolExecutor(8) as threads:
        stores = list(threads.map(lambda _: pool.read(body, "webp"), range(40)))
        assert stores == [stores[0]] * 40
        assert pool._idle.qsize() == 2


def test_a_closed_reader_reads_nothing_and_closes_twice(signatory: Signatory) -> None:
    pool = C2paReader()
    body = signatory.sign(plain("webp"), "webp")
    assert pool.read(body, "webp").state == "Valid"
    child = psutil.Process(pid(pool))
    pool.close()
    pool.close()
    assert not child.is_running()
    with pytest.raises(CarrierError, match="closed"):
        pool.read(body, "webp")


def test_every_format_is_one_that_the_library_reads() -> None:
    from c2pa import Reader

    assert set(MEDIA_TYPES.values()) <= set(Reader.get_supported_mime_types())


# --- through the gate


def g5(gates: Permission, body: bytes) -> GateResult:
    return gates.g5(HEAD, body)


def test_the_gate_reads_credentials_and_close_ends_its_reader(signatory: Signatory) -> None:
    gates = permission()
    refused = g5(gates, signatory.sign(plain("jpeg"), "jpeg", GENERATIVE_NO))
    assert (refused.verdict, refused.reason) == (GateVerdict.REFUSE, "c2pa")
    inference = g5(gates, signatory.sign(plain("jpeg"), "jpeg", mining(ai_inference="notAllowed")))
    assert (inference.verdict, inference.reason) == (GateVerdict.REFUSE, "c2pa")
    assert [s.use for s in inference.signals if s.effect is Effect.RESERVED] == [Use.INFERENCE]
    assert g5(gates, signatory.sign(plain("jpeg"), "jpeg")).open
    gates.close()
    gates.close()
    held = g5(gates, signatory.sign(plain("jpeg"), "jpeg"))
    assert (held.verdict, held.reason) == (GateVerdict.HOLD, "metadata_unreadable")
    assert g5(gates, plain("jpeg")).open


def test_a_reader_handed_in_is_not_the_gates_to_close(signatory: Signatory, reader: C2paReader) -> None:
    gates = Permission(rules(), EMPTY_SNAPSHOT, lambda: NOW, c2pa=reader)
    gates.close()
    assert g5(gates, signatory.sign(plain("jpeg"), "jpeg")).open


def test_a_grant_opens_an_opt_in_recipe_only_while_it_holds(signatory: Signatory, reader: C2paReader) -> None:
    policy = Policy("opt-in", frozenset(), frozenset(), frozenset({"c2pa"}))
    gates = Permission(rules(policy=policy), EMPTY_SNAPSHOT, lambda: NOW, c2pa=reader)
    granted = signatory.sign(plain("jpeg"), "jpeg", GENERATIVE_YES)
    assert g5(gates, granted).open
    for taken_back in (
        granted.replace(b"kyodaku tests", b"kyodaku tEsts"),
        granted + b"<!-- noise -->",
        signatory.sign(plain("jpeg"), "jpeg"),
        signatory.sign(plain("jpeg"), "jpeg", ingredient=granted),
        signatory.sign(plain("jpeg"), "jpeg", GENERATIVE_YES, mining(ai_training="constrained")),
    ):
        assert not g5(gates, taken_back).open
