"""`kyodaku review` on the command line: names that nobody can write down, and what it says when it ends."""

from __future__ import annotations

import getpass
from typing import Any

import pytest

from curation.review.samples import draw
from curation.review.serve import Reviewed
from kyodaku.release.signoff import sign_off
from kyodaku.reviews import append_reviews
from kyodaku.runs import RunFolder
from tests.core.test_cli import kyodaku
from tests.curation.reviewed import curated_once, decide, run
from tests.curation.test_review import desk, say

__all__ = ["curated_once", "run"]  # fixtures


def test_a_name_that_is_no_text_is_said_at_once(run: RunFolder) -> None:
    """A shell's bytes that are no UTF-8 reach us as surrogates, which no file can hold."""
    done = kyodaku("review", str(run.path), "--who", "Ann\udcff")
    assert done.returncode == 2
    assert "Ann\\udcff" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not run.reviews.exists()


def test_an_account_without_a_name_in_utf8_has_to_give_one(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "\udce9ve")
    done = kyodaku("review", str(run.path))
    assert done.returncode == 2
    assert "--who" in done.stderr


def test_a_sign_off_promises_no_more_than_the_card_will_say(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, _ = draw(run, 400, 7, "ann", 1000.0)
    append_reviews(run.reviews, [drawn])
    one = desk(run, sample=drawn)
    say(one, "clean", "good", "")
    say(one, "clean2", "good", "")
    say(desk(run), "odd", "allow")

    def ended(folder: RunFolder, who: str, **_: Any) -> Reviewed:
        return Reviewed({"good": 2}, sign_off(folder))

    monkeypatch.setattr("kyodaku.stages.find_command", lambda name: ended)
    done = kyodaku("review", str(run.path), "--sample", "400", "--who", "ann")
    assert done.returncode == 0, done.stderr
    assert "signed off: 0 bad of 2" in done.stdout
    assert "if nothing else changes" in done.stdout
    decide(run)
    assert sign_off(run) is None, "the other review changed what would be released"
    assert "not finished" not in done.stdout
