"""What an audit makes of how a live site answers for its files."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from kyodaku.audit.asking import SiteAnswers
from kyodaku.audit.live import audit_site, bodies, unknown_files
from kyodaku.gate import OriginFacts
from kyodaku.netguard import NetPolicy
from kyodaku.permission import Permission
from kyodaku.recipe import Recipe, parse_recipe
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.rules import Rules
from kyodaku.signals.model import Fetched, FetchError

ORIGIN = "https://museum.example"
NOW = 1_790_000_000.0


def _recipe() -> Recipe:
    return parse_recipe(
        {
            "version": 1,
            "name": "audit",
            "operator": {"crawler": "KyodakuAudit"},
            "seeds": {"sites": ["https://a.example/"]},
            "network": {"host_table": "none"},
            "permission": {"basis": "not-opted-out"},
        },
        "",
    )


def _answer(path: str, **changes: Any) -> Fetched:
    url = ORIGIN + path
    return replace(Fetched(url, url, 200, (), b"", True, None, NOW), **changes)


@pytest.mark.parametrize(
    ("path", "changes", "kind"),
    [
        ("/ai.txt", {"status": 404}, ""),
        ("/ai.txt", {"status": 410}, ""),
        ("/ai.txt", {"status": 204}, ""),
        ("/ai.txt", {"status": 403}, "file-forbidden"),
        ("/ai.txt", {"status": 500}, "file-error"),
        ("/ai.txt", {"status": 429}, "file-error"),
        ("/ai.txt", {"complete": False}, "file-error"),
        ("/ai.txt", {"status": None, "error": FetchError.TIMEOUT}, "file-error"),
        ("/ai.txt", {"status": 302, "error": FetchError.REDIRECTS}, "file-forbidden"),
        ("/ai.txt", {"body": b"<html><p>Hello"}, "soft-404"),
        ("/ai.txt", {"status": None, "error": FetchError.BARRED}, "file-barred"),
        ("/robots.txt", {"status": 404}, ""),
        ("/robots.txt", {"status": 403}, "file-error"),
        ("/robots.txt", {"final_url": "https://cdn.example/robots.txt"}, "robots-elsewhere"),
        ("/robots.txt", {"final_url": f"{ORIGIN}/r.txt"}, ""),
    ],
)
def test_how_a_live_file_is_answered(path: str, changes: dict[str, Any], kind: str) -> None:
    files = {"/robots.txt": _answer("/robots.txt", status=404), path: _answer(path, **changes)}
    facts = OriginFacts(ORIGIN, files, NOW)
    site = SiteAnswers(f"{ORIGIN}/", f"{ORIGIN}/", {ORIGIN: facts}, (), (), 0, None)
    rules = Rules.from_recipe(_recipe(), NetPolicy())
    with closing(Permission(rules, EMPTY_SNAPSHOT, lambda: NOW)) as own:
        found = audit_site(site, own, NOW)
    kinds = {finding.kind for finding in found if finding.where == path}
    assert kinds == ({kind} if kind else set())
    missing = {"/ai.txt", "/robots.txt"} - bodies(facts).keys()
    assert (path in missing) is (kind not in ("", "robots-elsewhere") or changes.get("status") in (404, 410))
    assert "/license.xml" in dict(unknown_files(facts))  # never asked for, so it may be there
    assert (path in dict(unknown_files(facts))) is (kind in ("file-error", "file-barred"))


@pytest.mark.parametrize(
    ("status", "body", "known"),
    [(200, b"<rsl/>", True), (404, b"", True), (200, b"<html>", True), (403, b"", False), (500, b"", False)],
)
def test_a_licence_file_is_known_or_not(status: int, body: bytes, known: bool) -> None:
    facts = OriginFacts(ORIGIN, {"/license.xml": _answer("/license.xml", status=status, body=body)}, NOW)
    assert (unknown_files(facts) == []) is known
    assert ("/license.xml" in bodies(facts)) is (body == b"<rsl/>")
