"""A web for benchmarks: many open hosts, each on an address of its own, pages of equal JPEGs.

    python -m tests.web.bench --dir DIR --hosts 200 --images-per-host 50

Every host listens on one port at its own 127.77.x.y, so a client without a host table reaches it as
`http://127.77.0.1:PORT/`, and one with the table as `http://h0001.example/`: the pages are the same
bytes, since all links are relative. DIR receives `hosts.toml`, `seeds.txt` (names), `seeds-direct.txt`
(addresses) and, last, `ready`. It serves until SIGTERM arrives or the pipe at standard input closes.

The server must not be the bottleneck: answers are rendered before the first request and written by a
bare asyncio protocol, with `--processes` in several processes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.web import art
from tests.web.html import render_page
from tests.web.lifetime import when_input_closes
from tests.web.model import Figure, Page
from tests.web.pictures import encode
from tests.web.small_web import host_table

#: Bytes of every image: what peers' figures were measured with.
IMAGE_BYTES = 137_000
#: Different drawings; every image is one of them under a comment of its own, so all bytes differ.
DRAWINGS = 16
IMAGES_PER_PAGE = 10
ROBOTS = b"User-agent: *\nDisallow: /private/\n"


@dataclass(frozen=True)
class Plan:
    """How many hosts and images."""

    hosts: int
    images_per_host: int

    def name(self, host: int) -> str:
        """A name of its own registrable domain, so that no two hosts share a connection budget."""
        return f"h{host:04d}.example"

    def address(self, host: int) -> str:
        """A loopback address of its own."""
        return f"127.77.{host // 250}.{host % 250 + 1}"


# --------------------------------------------------------------------------- what is served


def drawing(number: int) -> bytes:
    """A JPEG of just under IMAGE_BYTES, at the best quality that fits."""
    image = art.MOTIFS[number % len(art.MOTIFS)](9_000 + number, (1024, 768))
    low, high = 30, 97
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if len(encode(image, quality=middle)) < IMAGE_BYTES - 64 else (low, middle - 1)
        )
    return encode(image, quality=low)


def signed(base: bytes, label: str) -> tuple[bytes, bytes]:
    """`base` with a comment that makes its bytes unique and IMAGE_BYTES long, as (beginning, shared rest)."""
    first = 2 + 2 + int.from_bytes(base[4:6], "big")  # SOI and the JFIF segment
    comment = label.encode().ljust(IMAGE_BYTES - len(base) - 4, b" ")
    if len(comment) > 65_533:
        comment = comment[:65_533]
    return base[:first] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment, base[first:]


def answer(kind: bytes, length: int) -> bytes:
    """The head of a 200."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, length)


@dataclass
class Content:
    """Every answer, by path. Paths are unique over all hosts, so one table serves them all."""

    plan: Plan
    texts: dict[bytes, bytes] = field(default_factory=dict)
    drawings: list[bytes] = field(default_factory=list)

    @classmethod
    def render(cls, plan: Plan) -> Content:
        """Draw and write everything."""
        content = cls(plan, drawings=[drawing(number) for number in range(DRAWINGS)])
        content.texts[b"/robots.txt"] = answer(b"text/plain", len(ROBOTS)) + ROBOTS
        return content

    def page(self, host: int, number: int) -> bytes:
        """Page `number` of a host; page 0 is the home page and links to the others."""
        first = number * IMAGES_PER_PAGE
        images = range(first, min(first + IMAGES_PER_PAGE, self.plan.images_per_host))
        figures = [Figure(f"/i/{host}-{n}.jpg", f"Print {n} of series {host}") for n in images]
        pages = -(-self.plan.images_per_host // IMAGES_PER_PAGE)
        links = [f"/p/{host}-{n}" for n in range(1, pages)] if number == 0 else []
        body = render_page(Page("", f"Series {host}, page {number}", figures, links)).encode()
        return answer(b"text/html; charset=utf-8", len(body)) + body

    def of(self, host: int, path: bytes) -> tuple[bytes, ...]:
        """The answer of a host at a path, in pieces."""
        text = self.texts.get(path)
        if text is not None:
            return (text,)
        kind, _, rest = path[1:].partition(b"/")
        if path == b"/":
            return (self.page(host, 0),)
        numbers = rest.removesuffix(b".jpg").split(b"-")
        if kind == b"p":
            return (self.page(int(numbers[0]), int(numbers[1])),)
        if kind == b"i":
            base = self.drawings[(int(numbers[0]) + int(numbers[1])) % DRAWINGS]
            begin, shared = signed(base, rest.decode())
            return answer(b"image/jpeg", len(begin) + len(shared)) + begin, shared
        return (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",)


class Talk(asyncio.Protocol):
    """One connection: finds the ends of request heads, answers, keeps the connection."""

    def __init__(self, content: Content, host: int) -> None:
        self.content, self.host, self.waiting = content, host, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *heads, self.waiting = (self.waiting + data).split(b"\r\n\r\n")
        for head in heads:
            self.transport.writelines(self.content.of(self.host, head.split(b" ", 2)[1]))
            if b"connection: close" in head.lower():
                self.transport.close()


# --------------------------------------------------------------------------- serving


def listen(plan: Plan) -> tuple[list[socket.socket], int]:
    """One listening socket a host, all on one free port."""
    for _ in range(20):
        opened: list[socket.socket] = []
        port = 0
        try:
            for host in range(plan.hosts):
                opened.append(socket.create_server((plan.address(host), port), backlog=512))
                port = opened[0].getsockname()[1]
        except OSError:  # somebody has this port on one of the addresses: take another
            for sock in opened:
                sock.close()
            continue
        return opened, port
    raise OSError("no port is free on every address")


async def _serve(sockets: dict[int, socket.socket], content: Content, stopped: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    servers = [
        await loop.create_server(lambda host=host: Talk(content, host), sock=sock)  # type: ignore[misc]
        for host, sock in sockets.items()
    ]
    await stopped.wait()
    for server in servers:
        server.close()


def main() -> None:
    """Parse the command line, render, listen, serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.web.bench", description="Serve a benchmark web.")
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--images-per-host", type=int, default=50)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    plan = Plan(given.hosts, given.images_per_host)
    content = Content.render(plan)
    sockets, port = listen(plan)
    shares = [dict(list(enumerate(sockets))[k :: given.processes]) for k in range(given.processes)]
    children = [_fork(share, content) for share in shares[1:]]
    _write(given.dir, plan, port)
    try:
        asyncio.run(_main_process(shares[0], content))
    finally:
        for child in children:
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)


def _fork(share: dict[int, socket.socket], content: Content) -> int:
    child = os.fork()
    if child == 0:
        asyncio.run(_serve(share, content, asyncio.Event()))
        os._exit(0)
    return child


async def _main_process(share: dict[int, socket.socket], content: Content) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    when_input_closes(lambda: loop.call_soon_threadsafe(stopped.set))
    await _serve(share, content, stopped)


def _write(folder: Path, plan: Plan, port: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    hosts = range(plan.hosts)
    table = {f"{plan.name(host)}:80": f"{plan.address(host)}:{port}" for host in hosts}
    (folder / "hosts.toml").write_text(host_table(table), "utf-8")
    (folder / "seeds.txt").write_text("".join(f"http://{plan.name(host)}/\n" for host in hosts))
    (folder / "seeds-direct.txt").write_text(
        "".join(f"http://{plan.address(host)}:{port}/\n" for host in hosts)
    )
    (folder / "ready").write_text("ready\n")


class BenchWeb:
    """The benchmark web in a process of its own, as a context manager."""

    def __init__(self, folder: Path, hosts: int, images_per_host: int, processes: int = 1) -> None:
        self.folder = folder
        self.host_table_path = folder / "hosts.toml"
        self._command = [sys.executable, "-m", "tests.web.bench", "--dir", str(folder)]
        self._command += ["--hosts", str(hosts), "--images-per-host", str(images_per_host)]
        self._command += ["--processes", str(processes)]

    @property
    def seeds(self) -> list[str]:
        """Home pages by name, for a client with the host table."""
        return (self.folder / "seeds.txt").read_text().split()

    @property
    def direct_seeds(self) -> list[str]:
        """The same home pages by address and port."""
        return (self.folder / "seeds-direct.txt").read_text().split()

    def __enter__(self) -> Self:
        (self.folder / "ready").unlink(missing_ok=True)
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen(self._command, stdin=subprocess.PIPE, cwd=root)
        deadline = time.monotonic() + 60
        while not (self.folder / "ready").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__(None, None, None)
                raise RuntimeError("the benchmark web did not start")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)


if __name__ == "__main__":
    main()
