"""What every limited child does: lock itself in, then answer requests until its input ends.

Reads requests from standard input, writes replies to standard output:

    request   u32 size, JSON {body, ...}, `body` bytes
    reply     u32 size, u64 size, JSON, payload

The first reply, {ready: true}, comes unasked once the limits stand. The other side is `kyodaku.children`.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38

Reply = tuple[dict[str, Any], bytes | memoryview]


def serve(
    options: dict[str, Any],
    answer: Callable[[dict[str, Any], bytes], Reply],
    prepare: Callable[[], None] | None = None,
    *,
    may_open: bool = True,
) -> None:
    """Say that we are ready, then let `answer` reply to (request, body) until standard input ends.

    `options` holds parent (its process id), cpu_seconds (of one request) and memory (bytes beyond the code).
    `prepare` runs before the limits stand. A child that may not `may_open` can open neither files nor
    sockets. `answer` may raise MemoryError; the child is of no use then.
    """
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    _follow(options["parent"])
    if prepare is not None:
        prepare()
    _mute()
    _limit(options["memory"], may_open)
    _send(sink, {"ready": True}, b"")
    while size := source.read(4):
        head = json.loads(source.read(struct.unpack(">I", size)[0]))
        body = source.read(head["body"])
        _limit_cpu(options["cpu_seconds"])
        try:
            reply, payload = answer(head, body)
        except MemoryError:
            reply, payload = {"error": "memory"}, b""
        _send(sink, reply, payload)


def _send(sink: BinaryIO, reply: dict[str, Any], payload: bytes | memoryview) -> None:
    encoded = json.dumps(reply).encode()
    sink.write(struct.pack(">IQ", len(encoded), len(payload)) + encoded)
    sink.write(payload)
    sink.flush()


def _mute() -> None:
    """Whatever a C library prints must not end up among the replies."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _follow(parent: int) -> None:
    """End when the parent ends; leave Ctrl-C to it."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:  # it died before we could ask to follow it
        sys.exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _limit(memory: int, may_open: bool) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    memory += _address_space()
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if not may_open:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _address_space() -> int:
    """Bytes of address space that the interpreter and its libraries take before any request came."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _limit_cpu(seconds: int) -> None:
    """The limit counts a process's whole life, so it moves on before every request."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = math.ceil(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
