"""A missing tool is named: a skip on a developer's machine, a failure in continuous integration."""

from __future__ import annotations

import shutil

import pytest

from tests.tools import need_path, need_tool


def test_a_tool_that_is_there() -> None:
    assert need_tool("sh") == shutil.which("sh")
    assert need_path("/", "the system").is_dir()


def test_a_missing_tool_skips_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KYODAKU_REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="crystal-ball"):
        need_tool("crystal-ball")


def test_a_missing_tool_fails_where_all_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KYODAKU_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match=r"crystal-ball .*make system"):
        need_tool("crystal-ball")
    with pytest.raises(pytest.fail.Exception, match="/no/such/place"):
        need_path("/no/such/place", "nobody")
