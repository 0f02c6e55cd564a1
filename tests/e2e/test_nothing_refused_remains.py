"""After the purge: bytes, pixels, thumbnails and hashes of refused pictures, looked for everywhere."""

from __future__ import annotations

import io
from functools import lru_cache
from hashlib import sha256

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from kyodaku.reasons import Outcome
from tests.e2e.conftest import DemoRun
from tests.e2e.sweep import Blob, pictures, sweep
from tests.e2e.test_demo_outcomes import rows
from tests.web.model import Reply

#: The only tables in which the hash of a refused picture may stand.
MAY_HOLD_HASHES = ("candidates/", "decisions/", "annotations/", "unstored/", "matches.parquet")


#: Outcomes whose bytes stay in the raw shards.
STAYING = (Outcome.RELEASED, Outcome.FILTERED, Outcome.DUPLICATE, Outcome.QUARANTINED)


@pytest.fixture(scope="module")
def bodies(demo: DemoRun) -> dict[str, bytes]:
    """What the small web serves at each address of a picture that has a plain answer."""
    addresses = {url for url, _ in (*rows(demo), *demo.web.expected)}
    found = ((url, body_of(demo, url)) for url in sorted(addresses))
    return {url: body for url, body in found if body}


def body_of(demo: DemoRun, url: str) -> bytes:
    """What the small web serves at an address; nothing where it has no plain answer."""
    try:
        answer = demo.web.answer(url)
    except LookupError:
        return b""
    if not isinstance(answer, Reply):
        return b""
    return answer.body() if callable(answer.body) else answer.body


def _is_picture(body: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(body)) as opened:
            opened.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning):
        return False
    return True


@pytest.fixture(scope="module")
def refused(demo: DemoRun, bodies: dict[str, bytes]) -> dict[str, bytes]:
    """URL -> bytes of every picture that the sites say must be refused and that can be decoded."""
    kept_bytes = {bodies.get(url) for (url, _), row in rows(demo).items() if row["outcome"] in STAYING}
    found = {}
    for (url, _), item in demo.web.expected.items():
        if item.expect.outcome not in (Outcome.REFUSED, Outcome.HELD):
            continue
        body = bodies.get(url)
        if body is not None and body not in kept_bytes and _is_picture(body):
            found[url] = body
    assert len(found) >= 8, sorted(found)
    return found


@pytest.fixture(scope="module")
def blobs(demo: DemoRun) -> list[Blob]:
    """Every blob of the run."""
    return list(sweep(demo.run.path))


def test_no_bytes_of_a_refused_picture_are_on_the_disk(refused: dict[str, bytes], blobs: list[Blob]) -> None:
    for url, body in refused.items():
        middle = body[len(body) // 3 : len(body) // 3 + 48]
        holders = [f"{blob.file} {blob.inside}" for blob in blobs if middle in blob.data]
        assert not holders, f"{url} lies in {holders}"


@lru_cache(maxsize=4096)
def _small(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as opened:
        return opened.convert("L").resize((16, 16), Image.Resampling.BOX).tobytes()


def _alike(one: bytes, other: bytes) -> float:
    a = np.frombuffer(one, np.uint8).astype(float)
    b = np.frombuffer(other, np.uint8).astype(float)
    return float(np.abs(a - b).mean())


@pytest.fixture(scope="module")
def staying(demo: DemoRun, bodies: dict[str, bytes]) -> list[bytes]:
    """How every file looks that may lie on the disk, kept or set aside."""
    there = (bodies.get(url) for (url, _), row in rows(demo).items() if row["outcome"] in STAYING)
    return [_small(body) for body in there if body and _is_picture(body)]


def test_no_pixels_or_thumbnails_of_a_refused_picture_are_on_the_disk(
    refused: dict[str, bytes], staying: list[bytes], blobs: list[Blob]
) -> None:
    seen = [
        (blob, image.convert("L").resize((16, 16), Image.Resampling.BOX).tobytes())
        for blob, image in pictures(blobs)
    ]
    assert seen, "the sweep decodes pictures at all"
    alone = {
        url: body
        for url, body in refused.items()
        if all(_alike(_small(body), small) >= 3.0 for small in staying)  # a near copy may be set aside
    }
    assert len(alone) >= 8, sorted(alone)
    for url, body in alone.items():
        near = [f"{blob.file} {blob.inside}" for blob, small in seen if _alike(_small(body), small) < 3.0]
        assert not near, f"{url} is shown in {near}"


def test_hashes_of_refused_pictures_stand_only_where_facts_stand(
    refused: dict[str, bytes], blobs: list[Blob]
) -> None:
    for url, body in refused.items():
        digest = sha256(body).hexdigest().encode()
        for blob in blobs:
            if digest in blob.data or digest[:32] in blob.data:
                assert blob.file.startswith(MAY_HOLD_HASHES), f"{url}: hash in {blob.file} {blob.inside}"


def test_nothing_of_refused_candidates_is_in_the_release(demo: DemoRun, blobs: list[Blob]) -> None:
    released = {row["uid"] for row in rows(demo).values() if row["outcome"] == Outcome.RELEASED}
    for row in rows(demo).values():
        if row["uid"] and row["uid"] not in released:
            for blob in blobs:
                if blob.file.startswith("release/"):
                    assert row["uid"].encode() not in blob.data, f"{row['image_url']} in {blob.file}"


def test_purged_rows_stay_in_raw_without_bytes(demo: DemoRun) -> None:
    purged = [
        row
        for path in sorted(demo.run.raw.glob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
        if row["status"] == "purged"
    ]
    assert purged, "the demo has a late no"
    assert all(row["offset"] == -1 and not row["sha256"] for row in purged)
