"""What a verdict rests on is on record: every answer, and for every refusal the line, its source and digest,
equal to what the small web served."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pyarrow.parquet as pq
import pytest
from warcio.archiveiterator import ArchiveIterator

from kyodaku.evidencefile import read_body
from kyodaku.gate import Need, NeedKind
from kyodaku.netguard import load_host_table
from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.report.asked import asking_for_permission
from kyodaku.report.data import Row, RunFacts
from kyodaku.report.explain import explain
from kyodaku.report.story import EvidenceLine, ImageStory, SignalLine
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Fetched
from tests.e2e.conftest import DemoRun
from tests.e2e.driver import Driver

#: Reasons that the address, the status of the answer or another candidate gives: no line was read.
WITHOUT_LINES = {
    RefuseReason.ADDRESS_BLOCKED: "address",
    RefuseReason.DENY_LIST: "address",
    RefuseReason.REGISTRY_OPT_OUT: "address",
    RefuseReason.NO_LICENCE_EVIDENCE: "nothing",
    RefuseReason.LEGAL_BLOCK: "status",
    RefuseReason.PAYMENT_REQUIRED: "status",
    RefuseReason.SAME_BYTES_REFUSED: "copy",
    RefuseReason.SAME_URL_REFUSED: "copy",
    RefuseReason.WRITTEN_NOTICE: "pixels",
    RefuseReason.CLOAKED: "pixels",
    RefuseReason.REGISTRY_NEAR: "near copy",
    HoldReason.REGISTRY_UNREACHABLE: "address",
    HoldReason.IMAGE_FORBIDDEN: "status",
    HoldReason.IMAGE_RATE_LIMITED: "status",
    HoldReason.IMAGE_UNREACHABLE: "status",
}
ON_LICENCES = {RefuseReason.LICENCE_NOT_ACCEPTED, RefuseReason.LICENCE_AMBIGUOUS}
#: What stands for a line where none could be read: how asking for a file failed.
FAILURES = re.compile(r"HTTP \d{3}$|reset$|timeout$|\w+-failure$|more than five|redirected to a place")


def crawled(demo: DemoRun) -> list[str]:
    """The addresses that the crawl asked for; other tests ask the same web later."""
    ended = time.monotonic() - (time.time() - demo.run.hosts.stat().st_mtime)
    return [f"{entry.scheme}://{entry.host}{entry.path}" for entry in demo.web.log if entry.time <= ended]


def asked_by(table: Any) -> set[str]:
    return {hop["url"] for row in table.to_pylist() for hop in row["hops"]}


def test_every_request_of_the_crawl_is_on_record(demo: DemoRun) -> None:
    log = Counter(crawled(demo))
    files = RunFacts(demo.run).hosts()
    others = asked_by(pq.read_table(demo.run.pages, columns=["hops"]))
    others |= asked_by(pq.read_table(demo.run.candidates, columns=["hops"]))
    hops = {url: status for file in files for url, status in file.hops}
    assert set(log) <= set(hops) | others
    counted = asking_for_permission(files)
    assert {purpose for _, purpose in counted} == {"robots", "files", "documents"}
    answered = {url for url, status in hops.items() if status and url not in others}
    lost = {file.origin for file in files for _, status in file.hops if not status}
    for origin in {origin for origin, _ in counted} - lost:
        sent = sum(count for url, count in log.items() if url in answered and url.startswith(origin + "/"))
        assert sum(count for (name, _), count in counted.items() if name == origin) == sent, origin


def heads(demo: DemoRun) -> Iterator[ResponseHead]:
    """The heads of all responses in the evidence."""
    for path in sorted(demo.run.evidence.glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file):
                if record.rec_type == "response":
                    url, answer = record.rec_headers["WARC-Target-URI"], record.http_headers
                    yield ResponseHead(url, int(answer.get_statuscode()), tuple(answer.headers), 0.0)


def test_every_answer_of_a_host_file_or_document_is_in_the_evidence(demo: DemoRun) -> None:
    kept = {(head.url, head.status) for head in heads(demo)}
    bodies = 0
    for row in pq.read_table(demo.run.hosts).to_pylist():
        for hop in row["hops"]:
            assert hop["status"] == 0 or (hop["url"], hop["status"]) in kept, hop
        assert bool(row["warc_file"]) == (row["status"] != 0), row["path"]
        if row["warc_file"] and row["bytes"]:
            body = read_body(demo.run.evidence, row["warc_file"], row["warc_offset"])
            assert body == b"" or sha256(body).hexdigest() == row["sha256"], row["path"]
            bodies += bool(body)
    assert bodies > 50


class Served:
    """What the small web serves, asked by a driver that shares nothing with the crawl."""

    def __init__(self, demo: DemoRun) -> None:
        self._driver = Driver(load_host_table(demo.web.host_table_path), timeout=10)
        self._folder = demo.recipe_path.parent
        self._known: dict[str, Fetched] = {}
        self._heads = {(head.url, head.digest()) for head in heads(demo)}

    def get(self, url: str) -> Fetched:
        if url.startswith("file:"):  # an opt-out file of the recipe
            body = (self._folder / url.removeprefix("file:")).read_bytes()
            return Fetched(url, url, 200, (), body, True, None, 0.0)
        if url not in self._known:
            self._known[url] = self._driver.fetch(Need(url, NeedKind.PAGE, 2**20))
        return self._known[url]

    def line(self, line: SignalLine) -> None:
        """A line is what was served, and its digest that of what held it."""
        served = self.get(line.source_url)
        head = {(name.lower(), value.strip()) for name, value in served.headers}
        name, _, value = line.raw.partition(": ")
        if (name.lower(), value) in head:
            assert (line.source_url, line.digest) in self._heads, line  # with its Date: as it was kept
            return
        assert line.digest == sha256(served.body).hexdigest(), line
        if not (FAILURES.match(line.raw) or line.rule.endswith((":unreadable", ":raw"))):
            assert words(line.raw) <= words(served.body.decode("utf-8", "replace")) or _is_packed(line), line

    def statement(self, line: EvidenceLine) -> None:
        """A licence statement is what was served."""
        served = self.get(line.source_url)
        assert line.digest == sha256(served.body).hexdigest(), line
        assert words(line.element) <= words(served.body.decode("utf-8", "replace")), line


def words(text: str) -> set[str]:
    """The words of a line, however its markup is written."""
    return set(re.findall(r"[\w.:/-]+", text.lower()))


def _is_packed(line: SignalLine) -> bool:
    """C2PA is CBOR inside of the file; its digest is compared all the same."""
    return line.protocol == "c2pa"


def stories(demo: DemoRun) -> Iterator[tuple[Row, ImageStory]]:
    """Every refused or held candidate with its story."""
    for row in RunFacts(demo.run).rows():
        if row.outcome in ("refused", "held"):
            [story] = explain(demo.run, row.candidate_id).images
            yield row, story


@pytest.fixture(scope="module")
def told(demo: DemoRun) -> list[tuple[Row, ImageStory]]:
    return list(stories(demo))


def test_explain_shows_every_line_that_refused_as_it_was_served(
    demo: DemoRun, told: list[tuple[Row, ImageStory]]
) -> None:
    served, protocols = Served(demo), set()
    for row, story in told:
        lines = [line for gate in story.gates for line in gate.signals if line.decisive]
        for line in lines:
            assert line.raw, row.image_url
            assert line.source_url, row.image_url
            served.line(line)
            protocols.add(line.protocol)
        known = RefuseReason.parse(row.outcome_reason) or HoldReason.parse(row.outcome_reason)
        if not lines:
            assert known in WITHOUT_LINES or known in ON_LICENCES, (row.image_url, row.outcome_reason)
    assert len(protocols) >= 14


def test_explain_shows_what_refuses_where_no_line_does(
    demo: DemoRun, told: list[tuple[Row, ImageStory]]
) -> None:
    served, met = Served(demo), set()
    for row, story in told:
        reason = RefuseReason.parse(row.outcome_reason) or HoldReason.parse(row.outcome_reason)
        if reason in ON_LICENCES:
            rests_on = [item for item in story.evidence if item.decisive]
            assert rests_on, row.image_url
            assert all(item.binding != "unbound" for item in rests_on)
            for item in rests_on:
                served.statement(item)
        kind = WITHOUT_LINES.get(reason, "") if reason is not None else ""
        if kind == "copy":
            assert story.decision is not None
            assert story.decision.because_of_url
        if kind == "pixels":
            assert any(item.decisive for item in story.seen), row.image_url
        if kind == "status":
            assert story.hops, row.image_url
        if kind == "nothing":
            assert all(item.binding == "unbound" for item in story.evidence), row.image_url
        met.add(kind or ("licence" if reason in ON_LICENCES else "line"))
    assert met >= {"copy", "status", "nothing", "licence", "line", "address", "pixels", "near copy"}


def test_the_files_behind_every_line_are_told_with_their_place_in_the_evidence(
    demo: DemoRun, told: list[tuple[Row, ImageStory]]
) -> None:
    by_url = {url for file in RunFacts(demo.run).hosts() for url in (file.url, file.final_url)}
    met = Counter[str]()
    for row, story in told:
        shown = {url: file for file in story.host_files for url in (file.url, file.final_url)}
        for line in (line for gate in story.gates for line in gate.signals if line.decisive):
            if line.source_url in by_url:
                file = shown[line.source_url]
                assert file.sha256 in ("", line.digest), row.image_url
                assert file.warc_file or not file.status
                met[line.protocol] += 1
    assert {"robots", "rsl", "atproto-user-intents", "tdmrep"} <= set(met)
