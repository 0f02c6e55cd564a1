"""reviews.jsonl: only appended, whole or not at all, taken back by lines of its own."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kyodaku.errors import RecordError
from kyodaku.reviews import (
    Drawn,
    Entry,
    Judged,
    Review,
    ReviewVerdict,
    SampleVerdict,
    Undo,
    append_reviews,
    new_group,
    read_reviews,
)


def review(
    uid: str, verdict: str = "allow", group: str = "g1", who: str = "ann", when: float = 1.5
) -> Review:
    return Review(
        group, who, when, uid, ReviewVerdict(verdict), ("odd:repost",), "ab" * 32, "偽陽性 ok", "one"
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reviews.jsonl"


def test_what_is_written_is_read(path: Path) -> None:
    assert read_reviews(path).entries == ()
    entries: list[Entry] = [
        review("u1"),
        Drawn("g2", "ann", 2.0, "s1", "d1", 900, 7, ("u1", "u2")),
        Judged("g3", "bob", 3.0, "s1", "u2", SampleVerdict.BAD, "cd", ""),
    ]
    append_reviews(path, entries[:1])
    append_reviews(path, entries[1:])
    found = read_reviews(path)
    assert list(found.entries) == entries
    assert found.by_uid()["u1"] == entries[0]
    assert found.samples() == [entries[1]]
    assert found.judged("s1") == {"u2": entries[2]}
    assert found.judged("s2") == {}


def test_the_last_word_counts_and_an_undo_gives_the_one_before_back(path: Path) -> None:
    append_reviews(path, [review("u1", "allow", "g1"), review("u2", "allow", "g1")])
    append_reviews(path, [review("u1", "drop", "g2")])
    found = read_reviews(path)
    assert found.by_uid()["u1"].verdict is ReviewVerdict.DROP
    assert found.last_group("ann") == "g2"
    assert found.last_group("bob") == ""
    append_reviews(path, [Undo("g3", "ann", 2.0, "g2")])
    found = read_reviews(path)
    assert found.by_uid()["u1"].verdict is ReviewVerdict.ALLOW
    assert found.last_group("ann") == "g1"
    append_reviews(path, [Undo("g4", "ann", 2.0, "g1")])
    assert read_reviews(path).by_uid() == {}
    assert len(path.read_text("utf-8").splitlines()) == 5


def test_decisions_rest_on_verdicts_only(path: Path) -> None:
    append_reviews(path, [review("u1"), review("u2", "unsure")])
    before = read_reviews(path).effective()
    assert [line[0] for line in before] == ["u1"]
    append_reviews(path, [review("u1", who="bob", when=9.0, group="g9")])
    append_reviews(path, [judged("good"), judged("unsure", sample="s2")])
    assert read_reviews(path).effective() == before


def judged(verdict: str, sample: str = "s1", group: str = "g3") -> Judged:
    return Judged(group, "bob", 3.0, sample, "u2", SampleVerdict(verdict), "cd", "a logo")


def verdict_on_u2(path: Path, *entries: Entry) -> str:
    path.unlink(missing_ok=True)
    append_reviews(path, entries)
    found = read_reviews(path).by_uid().get("u2")
    return found.verdict.value if found is not None else ""


def test_what_a_sample_found_bad_is_dropped_until_the_same_sample_or_an_allow_says_otherwise(
    path: Path,
) -> None:
    assert verdict_on_u2(path, judged("bad")) == "drop"
    assert verdict_on_u2(path, review("u2", "allow"), judged("bad")) == "drop"
    assert verdict_on_u2(path, judged("bad"), judged("good", sample="s2")) == "drop"
    assert verdict_on_u2(path, judged("bad"), review("u2", "unsure")) == "drop"
    assert verdict_on_u2(path, judged("bad"), judged("good")) == ""
    assert verdict_on_u2(path, review("u2", "drop"), judged("bad"), judged("good")) == "drop"
    assert verdict_on_u2(path, judged("bad"), review("u2", "allow")) == "allow"
    assert verdict_on_u2(path, judged("bad"), Undo("g4", "bob", 4.0, "g3")) == ""


@pytest.mark.parametrize("kept", range(0, 60, 7))
def test_a_torn_last_line_counts_for_nothing_and_is_cut_off(path: Path, kept: int) -> None:
    append_reviews(path, [review("u1")])
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:kept])
    assert set(read_reviews(path).by_uid()) == {"u1"}
    append_reviews(path, [review("u2")])
    assert set(read_reviews(path).by_uid()) == {"u1", "u2"}
    assert path.read_bytes().startswith(whole)


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.replace(b'"allow"', b'"always"'),
        lambda line: line.replace(b'"version":1', b'"version":2'),
        lambda line: line.replace(b'"kind":"review"', b'"kind":"order"'),
        lambda line: line.replace(b'"why":', b'"because":'),
        lambda line: line.replace(b'"when":1.5', b'"when":"now"'),
        lambda line: line.replace(b'["odd:repost"]', b'"odd:repost"'),
        lambda line: b"[]\n",
        lambda line: b"\n",
        lambda line: b"{\xff}\n",
    ],
)
def test_a_line_that_cannot_be_read_decides_nothing(path: Path, damage: object) -> None:
    append_reviews(path, [review("u1")])
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(RecordError, match=r"reviews\.jsonl:1: not a line of this version"):
        read_reviews(path)


def test_two_reviewers_at_once_lose_nothing(path: Path) -> None:
    def say(name: str) -> None:
        for number in range(20):
            append_reviews(path, [review(f"{name}{number}", group=new_group(), who=name)])

    people = [threading.Thread(target=say, args=(name,)) for name in ("a", "b")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert len(read_reviews(path).by_uid()) == 40


def test_a_link_in_its_place_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("precious")
    path.symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="symbolic"):
        append_reviews(path, [review("u1")])
    assert (tmp_path / "other").read_text() == "precious"
