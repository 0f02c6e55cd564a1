"""Decoding pictures from strangers: in a child process that has little memory, little time and no files.

The parent looks only at magic bytes and at the size a header announces; everything else, decoding,
digests, re-encoding, happens in `kyodaku._decode_child`. A child that dies, hangs or runs out of
memory is replaced, and its picture is an error with a reason, never a guess.
"""

from __future__ import annotations

import json
import os
import queue
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from kyodaku.errors import DecodeError, KyodakuError
from kyodaku.fingerprint import Pixels
from kyodaku.imagehead import DECODABLE, header_size, sniff
from kyodaku.reasons import FailReason

__all__ = [
    "DECODABLE",
    "DecodeLimits",
    "Decoded",
    "Encoded",
    "ImageFacts",
    "PixelDigest",
    "SafeDecoder",
    "check_header",
    "header_size",
    "sniff",
]

_MAX_REPLY = 1 << 20
_PIPE_BYTES = 1 << 20
_START_SECONDS = 120.0
_ENVIRONMENT = ("LD_LIBRARY_PATH",)  # where some Pythons find their own libraries; nothing else goes along


@dataclass(frozen=True)
class DecodeLimits:
    """What one picture may cost.

    `max_pixels` counts width x height, `max_frames` an animation's frames (only the first is decoded),
    `cpu_seconds` whole seconds of the child's processor time, `wall_seconds` the parent's patience,
    `memory_bytes` what the child may allocate beyond its own code, by default what decoding, turning
    and sending `max_pixels` takes.
    """

    max_bytes: int = 20_000_000
    max_pixels: int = 50_000_000
    max_frames: int = 1000
    cpu_seconds: int = 20
    wall_seconds: float = 60.0
    memory_bytes: int | None = None
    formats: frozenset[str] = frozenset({"jpeg", "png", "webp", "gif"})

    def __post_init__(self) -> None:
        if not self.formats <= DECODABLE:
            raise ValueError(f"cannot decode {', '.join(sorted(self.formats - DECODABLE))}")

    @property
    def memory(self) -> int:
        """The memory limit in bytes."""
        return (1 << 28) + 20 * self.max_pixels if self.memory_bytes is None else self.memory_bytes


@dataclass(frozen=True)
class ImageFacts:
    """What is in a picture, once decoded.

    `format` as `sniff` names it; `mode` Pillow's name for the stored samples; `width` and `height` in
    pixels after `orientation` (EXIF, 1 to 8) was applied; `frames` 1 for a still; `has_alpha` True if
    any pixel is not opaque; `icc` the embedded profile's description, "" without one;
    `pixel_sha256` over the upright sRGB pixels, with alpha if `has_alpha`; `pdq` as 64 hex digits.
    """

    format: str
    mode: str
    width: int
    height: int
    frames: int
    orientation: int
    has_alpha: bool
    icc: str
    pixel_sha256: str
    pdq: str
    pdq_quality: int


@dataclass(frozen=True, eq=False)
class Decoded(ImageFacts):
    """Facts and `pixels`: uint8 (height, width, 3), sRGB, upright, transparency over white."""

    pixels: Pixels


@dataclass(frozen=True)
class PixelDigest:
    """What two files of the same picture share: upright size and `pixel_sha256`, as in ImageFacts."""

    width: int
    height: int
    pixel_sha256: str


@dataclass(frozen=True)
class Encoded:
    """A picture encoded anew as JPEG: quality 95, 4:4:4, sRGB, upright, no metadata."""

    body: bytes
    width: int
    height: int


def check_header(body: bytes, limits: DecodeLimits) -> str:
    """The format of `body`, if its size, format and announced pixels are within `limits`. No decoding.

    Raises DecodeError.
    """
    if len(body) > limits.max_bytes:
        raise DecodeError(f"{len(body)} bytes, {limits.max_bytes} are allowed", FailReason.TOO_LARGE)
    kind = sniff(body)
    if kind is None:
        raise DecodeError("the bytes are not an image", FailReason.NOT_AN_IMAGE)
    if kind not in limits.formats:
        raise DecodeError(f"format {kind} is not allowed", FailReason.FORMAT_NOT_ALLOWED)
    size = header_size(body)
    if size is not None and size[0] * size[1] > limits.max_pixels:
        raise DecodeError(f"the header announces {size[0]} x {size[1]} pixels", FailReason.PIXEL_BOMB)
    return kind


# --- the pool ---------------------------------------------------------------------------------------


class SafeDecoder:
    """A pool of decoding children; a context manager. Its methods may be called from any thread.

    A call blocks until one of `workers` children is free. Children start when first needed; one that
    cannot start at all (a missing library) is a KyodakuError, since no picture is to blame.
    """

    def __init__(self, limits: DecodeLimits | None = None, workers: int = 1) -> None:
        self.limits = limits or DecodeLimits()
        # A child asks to be killed when the thread that started it ends (PR_SET_PDEATHSIG goes by
        # thread), so all of them are started by one thread that lives as long as the pool.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kyodaku-decode")
        self._idle: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        self._workers = workers
        self._closed = False
        for _ in range(workers):
            self._idle.put(None)

    def inspect(self, body: bytes) -> ImageFacts:
        """Decode `body` in a child and return the facts only. Raises DecodeError."""
        reply, _ = self._ask("inspect", body, {}, 0)
        return ImageFacts(**_typed(reply, ImageFacts))

    def decode(self, body: bytes) -> Decoded:
        """Decode `body` in a child: facts and pixels. Raises DecodeError."""
        reply, raw = self._ask("decode", body, {}, 3 * self.limits.max_pixels)
        facts = _typed(reply, ImageFacts)
        shape = (facts["height"], facts["width"], 3)
        if min(shape) < 1 or len(raw) != shape[0] * shape[1] * 3:
            raise DecodeError("the decoder sent no whole picture", FailReason.UNDECODABLE)
        return Decoded(**facts, pixels=np.frombuffer(raw, np.uint8).reshape(shape))

    def pixel_digest(self, body: bytes) -> PixelDigest:
        """Decode `body` in a child and return only what identifies its pixels: quicker than `inspect`.

        Raises DecodeError.
        """
        reply, _ = self._ask("digest", body, {}, 0)
        return PixelDigest(**_typed(reply, PixelDigest))

    def encode_jpeg(self, body: bytes, max_side: int | None = None) -> Encoded:
        """Decode `body` and encode it anew, Lanczos-resized if a side exceeds `max_side` pixels.

        The same bytes and decoder give the same bytes. Raises DecodeError.
        """
        options = {"max_side": max_side}
        reply, raw = self._ask("encode", body, options, 6 * self.limits.max_pixels + (1 << 20))
        return Encoded(bytes(raw), int(reply["width"]), int(reply["height"]))

    def close(self) -> None:
        """End all children, once calls that are still running have returned. The pool is then of no use."""
        self._closed = True
        for _ in range(self._workers):
            child = self._idle.get()
            if child is not None:
                child.kill()
        self._starter.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(
        self, task: str, body: bytes, options: Mapping[str, object], max_payload: int
    ) -> tuple[dict[str, Any], bytearray]:
        """One question to one child. A child that dies on its first picture condemns the picture; one
        that had served before may have died of its past, so the picture gets a fresh one."""
        if self._closed:
            raise RuntimeError("the decoder is closed")
        kind = check_header(body, self.limits)
        head = {"task": task, "format": kind, "body": len(body), **options}
        child = self._idle.get()
        try:
            while True:
                if child is None:
                    child = self._starter.submit(_Child, self.limits).result()
                try:
                    reply, payload = child.ask(head, body, max_payload)
                    break
                except _ChildGone as gone:
                    last_word = child.served == 0 or gone.final
                    child.kill()
                    child = None
                    if last_word:
                        raise DecodeError(str(gone), FailReason.UNDECODABLE) from gone
        except BaseException as error:
            if child is not None and not isinstance(error, DecodeError):
                child.kill()  # interrupted in the middle of an answer
                child = None
            raise
        finally:
            self._idle.put(child)
        if "error" in reply:
            raise _decode_error(reply)
        return reply, payload


class _ChildGone(Exception):
    """The child died, hung or talked nonsense. `final`: a fresh child would fare no better."""

    def __init__(self, message: str, final: bool = False) -> None:
        self.final = final
        super().__init__(message)


class _Child:
    """One child process and the two pipes to it."""

    def __init__(self, limits: DecodeLimits) -> None:
        options = {
            "parent": os.getpid(),
            "max_pixels": limits.max_pixels,
            "max_frames": limits.max_frames,
            "cpu_seconds": limits.cpu_seconds,
            "memory": limits.memory,
        }
        root = str(Path(__file__).resolve().parent.parent)
        self._wall_seconds = limits.wall_seconds
        self.served = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "kyodaku._decode_child", json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,  # until it is ready; then the child closes it
            env={
                **{name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                "PYTHONPATH": root,
                "OPENBLAS_NUM_THREADS": "1",
                "LC_ALL": "C.UTF-8",
            },
        )
        pipes = self._process.stdin, self._process.stdout
        self._to, self._from = (pipe.fileno() for pipe in pipes if pipe is not None)
        for descriptor in (self._to, self._from):
            os.set_blocking(descriptor, False)
            _widen_pipe(descriptor)
        self._await_ready()

    def ask(
        self, head: Mapping[str, object], body: bytes, max_payload: int
    ) -> tuple[dict[str, Any], bytearray]:
        """Send one request and wait for its reply and payload. Raises _ChildGone."""
        deadline = time.monotonic() + self._wall_seconds
        encoded = json.dumps(head).encode()
        try:
            self._send(struct.pack(">I", len(encoded)) + encoded, deadline)
            self._send(body, deadline)
            reply, payload = self._reply(deadline, max_payload)
        except TimeoutError as error:
            raise _ChildGone("decoding took too long", final=True) from error
        except (BrokenPipeError, EOFError) as error:
            raise self._obituary() from error
        except ValueError as error:
            raise _ChildGone("the decoder sent nonsense") from error
        if reply.get("error") == "memory":
            raise _ChildGone("decoding needs more memory than is allowed")
        self.served += 1
        return reply, payload

    def _await_ready(self) -> None:
        """Wait until the child has loaded its libraries and locked itself in. If it cannot, no picture is
        to blame: raises KyodakuError with its last words."""
        try:
            ready, _ = self._reply(time.monotonic() + _START_SECONDS, 0)
        except (TimeoutError, EOFError, ValueError, _ChildGone):
            ready = {}
        if ready.get("ready") is not True:
            self._process.kill()
            words = self._process.communicate()[1].decode("utf-8", "replace").strip().splitlines()
            raise KyodakuError(
                f"the decoding child cannot start: {words[-1] if words else 'no word from it'}"
            )

    def _reply(self, deadline: float, max_payload: int) -> tuple[dict[str, Any], bytearray]:
        reply_size, payload_size = struct.unpack(">IQ", self._receive(12, deadline))
        if reply_size > _MAX_REPLY or payload_size > max_payload:
            raise _ChildGone("the decoder sent more than it may")
        reply = json.loads(self._receive(reply_size, deadline))
        if not isinstance(reply, dict):
            raise ValueError("not an object")
        return reply, self._receive(payload_size, deadline)

    def kill(self) -> None:
        """End the child and collect it. Does nothing the second time."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _obituary(self) -> _ChildGone:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return _ChildGone("the decoder closed its pipe")
        if status == -signal.SIGXCPU:
            return _ChildGone("decoding takes more processor time than is allowed", final=True)
        return _ChildGone(f"the decoder died (status {status})")

    def _send(self, content: bytes, deadline: float) -> None:
        view = memoryview(content)
        while view:
            _wait(self._to, select.POLLOUT, deadline)
            with suppress(BlockingIOError):
                view = view[os.write(self._to, view) :]

    def _receive(self, size: int, deadline: float) -> bytearray:
        content = bytearray(size)
        view = memoryview(content)
        while view:
            _wait(self._from, select.POLLIN, deadline)
            with suppress(BlockingIOError):
                got = os.readv(self._from, [view])
                if got == 0:
                    raise EOFError
                view = view[got:]
        return content


def _wait(descriptor: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError


def _widen_pipe(descriptor: int) -> None:
    """Pixels are megabytes; a pipe holds 64 kB unless asked. Best effort, Linux only."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _typed(reply: Mapping[str, Any], kind: type[ImageFacts] | type[PixelDigest]) -> dict[str, Any]:
    """The fields of `kind` in a reply, each of its declared type: the child is not trusted.

    Raises DecodeError.
    """
    types = {"str": str, "int": int, "bool": bool}
    found: dict[str, Any] = {}
    for field in fields(kind):
        value = reply.get(field.name)
        if type(value) is not types[str(field.type)]:
            raise DecodeError("the decoder sent no facts", FailReason.UNDECODABLE)
        found[field.name] = value
    return found


def _decode_error(reply: Mapping[str, Any]) -> DecodeError:
    known = {reason.value: reason for reason in FailReason}
    reason = known.get(reply["error"], FailReason.UNDECODABLE)
    return DecodeError(str(reply.get("message", ""))[:300], reason)
