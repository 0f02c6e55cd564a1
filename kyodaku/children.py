"""Children that read what strangers made: processes with little memory, little time and no secrets.

A child (see `kyodaku._child`) is sent a request and some bytes, and answers with JSON and perhaps a payload.
One that dies, hangs, runs out of memory or talks nonsense is killed and replaced; what it was reading is an
error, never a guess.
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
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kyodaku.errors import KyodakuError

_PIPE_BYTES = 1 << 20
_START_SECONDS = 120.0
_ENVIRONMENT = ("LD_LIBRARY_PATH",)  # where some Pythons find their own libraries; nothing else goes along


@dataclass(frozen=True)
class Trade:
    """What the children of one pool do, and what one request may cost.

    `module` is run by Python; `name` and `doing` are for messages (`decoder`, `decoding`). `cpu_seconds` is
    processor time, `wall_seconds` the parent's patience, `memory_bytes` what a child may allocate beyond its
    own code, `max_reply` the bytes of a reply's JSON. `options` go to the module's `main`.
    """

    module: str
    name: str
    doing: str
    cpu_seconds: int
    wall_seconds: float
    memory_bytes: int
    max_reply: int = 1 << 20
    options: Mapping[str, object] = field(default_factory=dict)


class ChildPool:
    """A pool of children of one trade; a context manager. May be asked from any thread.

    A question blocks until one of `workers` children is free. Children start when first needed; one that
    cannot start at all (a missing library) is a KyodakuError, since nothing it was to read is to blame.
    """

    def __init__(self, trade: Trade, workers: int = 1) -> None:
        self._trade = trade
        # A child asks to be killed when the thread that started it ends (PR_SET_PDEATHSIG goes by
        # thread), so all of them are started by one thread that lives as long as the pool.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kyodaku-child")
        self._idle: queue.LifoQueue[Child | None] = queue.LifoQueue()
        self._workers = workers
        self._closed = False
        for _ in range(workers):
            self._idle.put(None)

    def close(self) -> None:
        """End all children, once questions that are still open are answered. The pool is then of no use."""
        if self._closed:
            return
        self._closed = True
        for _ in range(self._workers):
            child = self._idle.get()
            if child is not None:
                child.kill()
        self._starter.shutdown()
        for _ in range(self._workers):
            self._idle.put(None)  # whoever still waits is told that the pool is closed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(
        self, head: Mapping[str, object], body: bytes, max_payload: int = 0
    ) -> tuple[dict[str, Any], bytearray]:
        """One question to one child: its reply and payload. Raises ChildGone.

        A child that dies on its first question condemns what it was to read; one that had served before may
        have died of its past, so the question goes to a fresh one.
        """
        if self._closed:
            raise RuntimeError(f"the {self._trade.name} is closed")
        child = self._idle.get()
        try:
            while True:
                if self._closed:  # while we waited
                    raise RuntimeError(f"the {self._trade.name} is closed")
                if child is None:
                    child = self._starter.submit(Child, self._trade).result()
                try:
                    return child.ask({**head, "body": len(body)}, body, max_payload)
                except ChildGone as gone:
                    last_word = child.served == 0 or gone.final
                    child.kill()
                    child = None
                    if last_word:
                        raise
        except BaseException:
            if child is not None:
                child.kill()  # interrupted in the middle of an answer
                child = None
            raise
        finally:
            self._idle.put(child)


class ChildGone(Exception):
    """The child died, hung or talked nonsense. `final`: a fresh child would fare no better."""

    def __init__(self, message: str, final: bool = False) -> None:
        self.final = final
        super().__init__(message)


class Child:
    """One child process and the two pipes to it."""

    def __init__(self, trade: Trade) -> None:
        options = {
            "parent": os.getpid(),
            "cpu_seconds": trade.cpu_seconds,
            "memory": trade.memory_bytes,
            **trade.options,
        }
        root = str(Path(__file__).resolve().parent.parent)
        self._trade = trade
        self.served = 0
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", trade.module, json.dumps(options)],  # nothing from where we stand
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
        """Send one request and wait for its reply and payload. Raises ChildGone."""
        deadline = time.monotonic() + self._trade.wall_seconds
        encoded = json.dumps(head).encode()
        try:
            self._send(struct.pack(">I", len(encoded)) + encoded, deadline)
            self._send(body, deadline)
            reply, payload = self._reply(deadline, max_payload)
        except TimeoutError as error:
            raise ChildGone(f"{self._trade.doing} took too long", final=True) from error
        except (BrokenPipeError, EOFError) as error:
            raise self._obituary() from error
        except ValueError as error:
            raise ChildGone(f"the {self._trade.name} sent nonsense") from error
        if reply.get("error") == "memory":
            raise ChildGone(f"{self._trade.doing} needs more memory than is allowed")
        self.served += 1
        return reply, payload

    def _await_ready(self) -> None:
        """Wait until the child has loaded its libraries and locked itself in. If it cannot, no picture is
        to blame: raises KyodakuError with its last words."""
        try:
            ready, _ = self._reply(time.monotonic() + _START_SECONDS, 0)
        except (TimeoutError, EOFError, ValueError, ChildGone):
            ready = {}
        if ready.get("ready") is not True:
            self._process.kill()
            words = self._process.communicate()[1].decode("utf-8", "replace").strip().splitlines()
            raise KyodakuError(
                f"the {self._trade.name} cannot start: {words[-1] if words else 'no word from it'}"
            )

    def _reply(self, deadline: float, max_payload: int) -> tuple[dict[str, Any], bytearray]:
        reply_size, payload_size = struct.unpack(">IQ", self._receive(12, deadline))
        if reply_size > self._trade.max_reply or payload_size > max_payload:
            raise ChildGone(f"the {self._trade.name} sent more than it may")
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

    def _obituary(self) -> ChildGone:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return ChildGone(f"the {self._trade.name} closed its pipe")
        if status == -signal.SIGXCPU:
            return ChildGone(f"{self._trade.doing} takes more processor time than is allowed", final=True)
        return ChildGone(f"the {self._trade.name} died (status {status})")

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
