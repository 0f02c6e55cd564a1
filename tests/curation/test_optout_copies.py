"""What an opt-out file lists is known again from its line alone: cut, mirrored, without its border."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curation.near import Pictures, registry_rows
from kyodaku import lookup
from kyodaku.fingerprint import Pixels
from kyodaku.optouts import load_optouts
from tests.curation.test_match import frames, pixels, row


def part(left: float, top: float, right: float, bottom: float) -> Callable[[Pixels], Pixels]:
    """Cuts those shares off the edges."""

    def cut_off(seen: Pixels) -> Pixels:
        height, width = seen.shape[:2]
        rows = slice(round(top * height), height - round(bottom * height))
        return np.ascontiguousarray(seen[rows, round(left * width) : width - round(right * width)])

    return cut_off


@pytest.mark.parametrize("border", [0, 50])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_copy_that_was_cut_is_known_from_the_line_of_an_opt_out_file_alone(
    tmp_path: Path, seed: int, border: int
) -> None:
    own, stranger = pixels(seed), row("stranger", pixels(3 - seed))
    listed_as = np.pad(own, ((border, border), (border, border), (0, 0)), constant_values=255)
    Image.fromarray(listed_as).save(tmp_path / "mine.png")
    with lookup.reader() as decoder:
        line = lookup.opt_out_line(lookup.read(tmp_path / "mine.png", decoder))
    (tmp_path / "o.jsonl").write_text(json.dumps(line))
    optouts = load_optouts([tmp_path / "o.jsonl"])
    for share in (0.05, 0.075, 0.1):
        edges = [tuple(share * (edge == at) for edge in range(4)) for at in range(4)]
        for shares in (*edges, (share, 0, share, 0), (share,) * 4):
            copy = part(*shares)(own)
            rows = [row("copy", copy if border else np.ascontiguousarray(copy[:, ::-1])), stranger]
            found = registry_rows(Pictures.of(rows), frames(rows), optouts)
            assert [one["uid"] for one in found] == [rows[0]["uid"]], shares
