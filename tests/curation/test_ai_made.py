"""Marks of generators in pixels and metadata: found in real files, not in pictures without any."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from skimage import data

from curation.annotators.ai_made import LIMIT, AiMade
from curation.annotators.base import Finding, Status
from curation.dwt_dct import MARKS, correlations
from curation.train.dwt_dct import write_mark
from kyodaku.fingerprint import Pixels
from kyodaku.reasons import FilterReason, QuarantineReason
from kyodaku.recipe import Filters
from tests.credentials import Signatory
from tests.curation.fixtures import encoded, picture
from tests.curation.looking import opened, ruled

MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
ACTIONS = {
    "label": "c2pa.actions.v2",
    "data": {"actions": [{"action": "c2pa.edited", "digitalSourceType": MADE}]},
}


def photo(side: int = 384) -> Pixels:
    """A CC0 photograph."""
    return np.ascontiguousarray(data.chelsea()[:300, :side])


def look(body: bytes) -> Finding:
    (found,) = AiMade().look([opened(body)], [{}])
    return found


@pytest.mark.parametrize("mark", MARKS, ids=lambda mark: mark.name)
def test_every_mark_is_found_in_a_png(mark: object) -> None:
    assert correlations(photo())[mark.name] < LIMIT  # type: ignore[attr-defined]
    found = look(encoded(Image.fromarray(write_mark(photo(), mark)), "PNG"))  # type: ignore[arg-type]
    assert found.level == "ai"
    assert f"dwt:{mark.name}" in found.text.split()  # type: ignore[attr-defined]


def test_a_mark_survives_a_jpeg_of_full_colour_but_no_crop() -> None:
    marked = write_mark(photo(448), MARKS[0])
    body = encoded(Image.fromarray(marked), "JPEG", quality=95, subsampling=0)
    assert look(body).text == "dwt:sd1"
    assert max(correlations(marked[:, 3:]).values()) < LIMIT, "a crop shifts the blocks"


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket", "chelsea", "hubble_deep_field"])
def test_photographs_carry_none(name: str) -> None:
    pixels = getattr(data, name)()
    assert max(correlations(pixels).values()) < LIMIT
    assert max(correlations(np.ascontiguousarray(pixels[::-1, :, ::-1])).values()) < LIMIT


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_picture_carries_none(value: int) -> None:
    assert max(correlations(np.full((300, 300, 3), value, np.uint8)).values()) == 0.0


def test_a_small_picture_is_not_asked() -> None:
    assert set(correlations(photo()[:200, :200]).values()) == {0.0}


def test_what_generators_write_into_a_png() -> None:
    info = PngInfo()
    info.add_text("parameters", "a cat\nSteps: 20, Sampler: Euler a, Seed: 1")
    found = look(encoded(picture(1), "PNG", pnginfo=info))
    assert (found.score, found.level, found.text) == (1.0, "ai", "text:parameters")


def test_content_credentials_of_a_generator() -> None:
    body = Signatory().sign(encoded(picture(2)), "jpeg", ACTIONS)
    assert look(body).text == "c2pa-action:trainedAlgorithmicMedia"


def test_credentials_that_nobody_can_read_are_unknown() -> None:
    body = Signatory().sign(encoded(picture(2)), "jpeg", ACTIONS)
    at = body.index(b"jumdc2ma")
    found = look(body[:at] + b"jumdXXXX" + body[at + 8 :])
    assert found.status is Status.UNKNOWN


def test_the_filter_drops_what_says_so() -> None:
    plain = look(encoded(picture(1), "PNG"))
    info = PngInfo()
    info.add_text("workflow", "{}")
    said = look(encoded(picture(1), "PNG", pnginfo=info))
    unread = Finding(plain.annotator, plain.version, Status.UNKNOWN)
    keep = Filters.model_validate({"ai_made": {"drop": False}})
    for found, filters, reason in [
        (plain, Filters(), None),
        (said, Filters(), FilterReason.AI_MADE),
        (said, keep, None),
        (unread, Filters(), QuarantineReason.NOT_LOOKED_AT),
        (unread, keep, None),
    ]:
        assert ruled(filters, found) is reason
