"""Content codings within their bound, and the bytes that all bodies under way may take together."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.decoding import DecodingError, codings, decoded
from kyodaku.integrations.scrapy.guard import Flight
from kyodaku.signals.model import FetchError

# ------------------------------------------------------------------ decoding


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "deflate", "x-gzip"]))
def test_what_was_packed_is_unpacked(body: bytes, name: str) -> None:
    packed = zlib.compress(body) if name == "deflate" else gzip.compress(body)
    assert decoded(packed, [name], 2000) == body


@given(st.binary(max_size=300), st.lists(st.sampled_from(["gzip", "deflate", "br", "x"]), max_size=4))
def test_unpacking_any_bytes_ends_in_bytes_or_a_decoding_error(body: bytes, names: list[str]) -> None:
    try:
        out = decoded(body, names, 1000)
    except DecodingError:
        return
    assert len(out) <= max(1000, len(body))


def test_a_bare_deflate_stream_and_several_members() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    assert decoded(packer.compress(b"abc" * 50) + packer.flush(), ["deflate"], 1000) == b"abc" * 50
    assert decoded(gzip.compress(b"a") + gzip.compress(b"b"), ["gzip"], 10) == b"ab"


@pytest.mark.parametrize("members", [1, 50])
def test_a_bomb_is_stopped_at_the_cap(members: int) -> None:
    with pytest.raises(DecodingError) as caught:
        decoded(gzip.compress(bytes(1_000_000)) * members, ["gzip"], 999_999 if members == 1 else 2_000_000)
    assert caught.value.error is FetchError.BOMB


def test_codings_in_any_spelling() -> None:
    assert codings(["GZIP , identity", "br"]) == ["gzip", "br"]


# ------------------------------------------------------------------ bytes in flight


def test_who_finds_no_room_waits_in_turn() -> None:
    async def scene() -> list[str]:
        flight, said = Flight(100), []

        async def body(name: str, size: int, wait: float) -> None:
            async with flight.room(size):
                said.append(f"{name} in")
                await asyncio.sleep(wait)
            said.append(f"{name} out")

        await asyncio.gather(body("a", 80, 0.02), body("b", 500, 0.01), body("c", 20, 0.01))
        return said

    assert asyncio.run(scene()) == ["a in", "a out", "b in", "b out", "c in", "c out"]


def test_who_gives_up_waiting_takes_no_room() -> None:
    async def scene() -> bool:
        flight = Flight(100)
        async with flight.room(100):
            tired = asyncio.ensure_future(flight.room(60).__aenter__())
            await asyncio.sleep(0)
            tired.cancel()
            await asyncio.sleep(0)
        async with asyncio.timeout(1), flight.room(100):
            return tired.cancelled()

    assert asyncio.run(scene())


def test_an_announced_length_frees_the_rest() -> None:
    async def scene() -> bool:
        flight = Flight(100)
        async with flight.room(100) as first:
            waiting = asyncio.ensure_future(flight.room(60).__aenter__())
            await asyncio.sleep(0)
            assert not waiting.done()
            first.shrink(40)
            await asyncio.sleep(0)
            return waiting.done()

    assert asyncio.run(scene())
