"""What the answer to a request for a policy file says before anybody reads it."""

from __future__ import annotations

import pytest

from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.model import Effect, Fetched, FetchError
from kyodaku.signals.policy_files import MAX_BYTES, answer_signals, fetch_outcome, is_web_page

URL = "https://example.com/.well-known/tdmrep.json"
HOUR = 3600.0


def file(
    status: int | None = 200,
    body: bytes = b"text",
    *,
    error: FetchError | None = None,
    complete: bool = True,
    cached_age: float | None = None,
) -> Fetched:
    return Fetched(URL, URL, status, (), body, complete, error, 1.0, (), cached_age)


SILENT = (401, 403, 404, 410, 451)
READ = (200, 203, 204)


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_has_a_meaning_and_only_an_answer_is_read(status: int) -> None:
    answer = fetch_outcome(file(status))
    if status in READ:
        assert answer is None
    elif status in SILENT:
        assert answer is not None
        assert answer.effect is Effect.SILENT
    elif status == 402:
        assert answer is not None
        assert (answer.effect, answer.reason) == (Effect.RESERVED, RefuseReason.PAYMENT_REQUIRED)
    else:
        assert answer is not None
        assert (answer.effect, answer.reason) == (Effect.ERROR, HoldReason.POLICY_FILE_UNREACHABLE)


@pytest.mark.parametrize("error", FetchError)
@pytest.mark.parametrize("status", [None, 200, 404])
def test_no_error_is_ever_read_or_overlooked(error: FetchError, status: int | None) -> None:
    answer = fetch_outcome(file(status, error=error, complete=False))
    assert answer is not None
    if error is FetchError.REDIRECTS:
        assert answer.effect is Effect.SILENT
        return
    assert answer.effect is Effect.ERROR
    expected = {
        FetchError.BARRED: HoldReason.POLICY_FILE_BARRED,
        FetchError.TOO_LARGE: HoldReason.POLICY_FILE_UNREADABLE,
        FetchError.BOMB: HoldReason.POLICY_FILE_UNREADABLE,
    }
    assert answer.reason is expected.get(error, HoldReason.POLICY_FILE_UNREACHABLE)


@pytest.mark.parametrize(
    ("fetched", "reason"),
    [
        (file(None), HoldReason.POLICY_FILE_UNREACHABLE),
        (file(complete=False), HoldReason.POLICY_FILE_UNREACHABLE),
        (file(body=b"a" * (MAX_BYTES + 1)), HoldReason.POLICY_FILE_UNREADABLE),
        (file(cached_age=48 * HOUR + 1), HoldReason.POLICY_FILE_UNREACHABLE),
        (file(cached_age=-1.0), HoldReason.POLICY_FILE_UNREACHABLE),
    ],
)
def test_what_is_not_whole_or_not_fresh_leaves_it_open(fetched: Fetched, reason: HoldReason) -> None:
    answer = fetch_outcome(fetched)
    assert answer is not None
    assert (answer.effect, answer.reason) == (Effect.ERROR, reason)
    (signal,) = answer_signals("tdmrep", fetched, answer)
    assert (signal.effect, signal.reason, signal.rule) == (Effect.ERROR, reason.value, "tdmrep:fetch")
    assert signal.source_url == URL


def test_at_the_limits_a_file_is_read() -> None:
    assert fetch_outcome(file(body=b"a" * MAX_BYTES)) is None
    assert fetch_outcome(file(cached_age=48 * HOUR)) is None


def test_silence_leaves_no_signal() -> None:
    missing = file(404)
    answer = fetch_outcome(missing)
    assert answer is not None
    assert answer_signals("tdmrep", missing, answer) == []


@pytest.mark.parametrize(
    ("body", "page"),
    [
        (b"<!DOCTYPE html><p>", True),
        (b"\xef\xbb\xbf \r\n<HTML>", True),
        (b"<!-- x --><html>", True),
        (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">', True),
        (b"<script>location='/'</script>", True),
        (b"[]", False),
        (b"User-agent: *\nDisallow: /\n# <html>", False),
        (b"<rules>no</rules>", False),
        (b"", False),
    ],
)
def test_a_web_page_is_told_by_its_beginning(body: bytes, page: bool) -> None:
    assert is_web_page(body) is page
    assert (fetch_outcome(file(body=body)) is not None) is page
