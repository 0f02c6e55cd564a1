"""`explain`: the whole story of one image, however it is named."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from kyodaku.errors import RunStateError, UsageError
from kyodaku.lock import open_run
from kyodaku.records import CANDIDATES
from kyodaku.report.explain import Story, explain, render
from kyodaku.report.sentences import place_of
from kyodaku.runs import RunFolder
from kyodaku.shards import write_parquet
from tests.core.report_fixture import FixtureRun, build, write_release


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FixtureRun:
    return build(tmp_path_factory.mktemp("explain"))


def drawn(story: Story) -> str:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(render(story))
    console.file.close()
    return console.export_text()


def test_first_sentence_says_who_refused(made: FixtureRun) -> None:
    story = explain(made.run, "https://cdn.artist.example/fox.jpg")
    assert story.sentence == (
        "This image is not in the set: robots.txt of cdn.artist.example disallows it to GPTBot, "
        "a crawler that trains AI models."
    )
    verdicts = [step.verdict for step in story.images[0].gates]
    assert verdicts == ["proceed", "proceed", "proceed", "refuse", "not asked", "not asked"]
    line = story.images[0].gates[3].signals[0]
    assert (line.raw, line.decisive) == ("Disallow: /", True)
    assert story.images[0].host_files[0].warc_file == "00000.warc.gz"
    assert "“Disallow: /”" in drawn(story)


@pytest.mark.parametrize("kind", ["image_url", "candidate_id", "uid", "sha256"])
def test_any_name_of_an_image_finds_it(made: FixtureRun, kind: str) -> None:
    candidate = made.made["museum5"].candidate
    story = explain(made.run, getattr(candidate, kind))
    assert story.asked_as == kind
    assert [image.candidate_id for image in story.images] == [candidate.candidate_id]
    assert "in the set (release v1, shard 00000" in story.sentence
    image = story.images[0]
    assert [place.state for place in image.places] == ["raw", "released"]
    assert image.evidence[0].decisive
    assert image.caption is not None
    assert image.caption.text == "Study of clouds"


def test_bytes_that_g5_refused_are_found_by_their_digest(made: FixtureRun) -> None:
    candidate = made.made["xmp"].candidate
    story = explain(made.run, candidate.sha256)
    assert story.images[0].candidate_id == candidate.candidate_id
    assert "prohibits data mining" in story.sentence
    assert story.images[0].places == ()


def test_empty_answers_are_not_copies(tmp_path: Path) -> None:
    made = build(tmp_path)
    path = made.run.candidates / "00001.parquet"
    empty = hashlib.sha256(b"").hexdigest()
    rows = pq.read_table(path).to_pylist()
    for row in rows:
        if row["candidate_id"] in (made.made[name].candidate.candidate_id for name in ("gone", "budget")):
            row["sha256"], row["uid"] = empty, empty[:32]
    write_parquet(pa.Table.from_pylist(rows, schema=CANDIDATES), path)
    assert explain(made.run, made.made["gone"].candidate.candidate_id).images[0].copies == ()


def test_spelling_of_an_address_does_not_matter(made: FixtureRun) -> None:
    assert explain(made.run, "HTTPS://Museum.Example:443/media/5.jpg").asked_as == "image_url"


def test_a_page_tells_about_all_its_images(made: FixtureRun) -> None:
    story = explain(made.run, "https://links.example/")
    assert story.asked_as == "page_url"
    assert story.sentence == (
        "6 images were found on this page: 1 failed, 1 held, 1 not requested, 3 refused."
    )
    assert len(story.images) == 6


def test_a_late_no_names_the_page_that_said_it(made: FixtureRun) -> None:
    candidate = made.made["silent"].candidate
    story = explain(made.run, candidate.candidate_id)
    assert "https://split.example/noai" in story.sentence
    assert 'content="noai"' in story.sentence
    image = story.images[0]
    assert image.decision is not None
    assert image.decision.because_of_url == "https://split.example/noai"
    assert [place.state for place in image.places] == ["purged"]
    assert [copy.kind for copy in image.copies] == ["same address"]


def test_copies_and_clusters(made: FixtureRun) -> None:
    kinds = {
        copy.kind for copy in explain(made.run, made.made["museum0"].candidate.candidate_id).images[0].copies
    }
    assert kinds == {"same bytes", "same pixels"}


def test_terminal_sees_no_control_characters(made: FixtureRun) -> None:
    for name in ("museum2", "museum3", "header", "long", "scheme", "quote"):
        text = drawn(explain(made.run, made.made[name].candidate.candidate_id))
        assert not set(text) & set("\u202e\u202c\u2066\u2069\u200b\x1b\x07")
    assert "[U+202E]" in drawn(explain(made.run, made.made["museum3"].candidate.candidate_id))


def test_json_holds_everything(made: FixtureRun) -> None:
    story = explain(made.run, made.made["artist"].candidate.candidate_id)
    data = json.loads(json.dumps(story.to_json()))
    assert data["sentence"] == story.sentence
    assert data["images"][0]["gates"][3]["signals"][0]["rule"] == "robots:purpose:GPTBot:L2"


def test_unknown_names_the_nearest(made: FixtureRun) -> None:
    with pytest.raises(UsageError, match=r"nearest: https://cdn\.artist\.example/fox\.jpg"):
        explain(made.run, "https://cdn.artist.example/fax.jpg")
    with pytest.raises(UsageError, match="give an image URL"):
        explain(made.run, "zzz")


def test_before_any_decision(tmp_path_factory: pytest.TempPathFactory) -> None:
    made = build(tmp_path_factory.mktemp("crawled"), curated=False)
    assert (
        "no decision has been made yet"
        in explain(made.run, made.made["museum0"].candidate.candidate_id).sentence
    )
    story = explain(made.run, made.made["noai"].candidate.candidate_id)
    assert story.images[0].decision is None
    assert story.sentence.startswith("This image is not in the set: a page that shows it says <meta")


@pytest.mark.parametrize("nothing", ["", "  ", "\t\n"])
def test_an_empty_word_names_nothing(made: FixtureRun, nothing: str) -> None:
    with pytest.raises(UsageError, match="nothing to explain"):
        explain(made.run, nothing)


def test_an_unfinished_crawl_cannot_be_explained_yet(tmp_path: Path) -> None:
    with pytest.raises(RunStateError, match=r"has not ended.*kyodaku status"):
        explain(RunFolder(tmp_path), "https://museum.example/")


def test_what_was_never_had_shows_its_own_outcome(made: FixtureRun) -> None:
    for name, outcome, reason in (
        ("gone", "failed", "answered 404 or 410"),
        ("budget", "not requested", "image budget was used up"),
    ):
        text = drawn(explain(made.run, made.made[name].candidate.candidate_id))
        assert f"decision: {outcome}\n" in text.replace(" \n", "\n")
        assert reason in text
        assert "hold, " not in text


def test_a_wall_tells_its_story(made: FixtureRun) -> None:
    story = explain(made.run, "https://captcha.example")
    assert story.asked_as == "page_url"
    assert story.sentence == (
        "No image was taken from this page, it is on hold: a challenge stands before the page."
    )
    assert (story.images, story.pages[0].status) == ((), 403)
    assert [file.status for file in story.pages[0].host_files] == [404]
    text = drawn(story)
    assert "403 https://captcha.example/" in text
    assert "https://captcha.example/robots.txt: 404" in text
    assert json.loads(json.dumps(story.to_json()))["pages"][0]["reason"] == "captcha_wall"


def test_pages_without_images_say_why(made: FixtureRun) -> None:
    told = {
        "https://shut.example/private": "robots.txt of shut.example disallows it to every crawler.",
        "https://club.example/b": "a login wall stands before the page.",
        "https://museum.example/gone": "it could not be had: the server answered 404 or 410.",
        "https://museum.example/text": "This page was open: no image was found on it.",
        "https://far.example/": "it was never asked for: outside the recipe's scope.",
        "https://museum.example/sitemap.xml": "This sitemap was open: no image was found on it.",
    }
    for url, words in told.items():
        story = explain(made.run, url)
        assert story.sentence.endswith(words)
        assert not set(drawn(story)) & set("\u202e\u202c\u2066\u2069\u200b\x1b\x07")
    shut = explain(made.run, "https://shut.example/private").pages[0]
    assert shut.signals[0].decisive
    assert shut.signals[0].raw.startswith("Disallow: /private")


def test_a_page_with_images_tells_its_own_gate_too(made: FixtureRun) -> None:
    story = explain(made.run, "https://noai.example/")
    assert [page.reason for page in story.pages] == ["meta_robots"]
    assert "and 1 more; ask for it" in drawn(replace(story, not_told=1))
    assert "and 2 more; ask for one of them" in drawn(replace(story, not_told=2))
    assert story.pages[0].sentence == (
        'No image was taken from this page: it says <meta name="robots" content="noai, noimageai">.'
    )


def test_a_host_tells_what_its_files_said(tmp_path: Path, made: FixtureRun) -> None:
    story = explain(made.run, "captcha.example")
    assert (story.asked_as, len(story.host_files)) == ("host", 1)
    assert story.sentence == (
        "captcha.example: its robots.txt gave status 404, so its pages may be asked for; "
        "1 page was met: 1 held."
    )
    assert "https://captcha.example/robots.txt: 404" in drawn(story)
    older = build(tmp_path)
    older.run.pages.unlink()
    story = explain(older.run, "https://down.example/")
    assert story.sentence.startswith("https://down.example/: its robots.txt gave timeout, so the whole host")
    for stranger in ("https://nowhere.example/", "http://[::1", "http://10.0.0.1/", "://", "nowhere.example"):
        with pytest.raises(UsageError, match="knows nothing"):
            explain(older.run, stranger)


def test_nearest_names_pages_too(made: FixtureRun) -> None:
    with pytest.raises(UsageError, match=r"nearest: https://shut\.example/private"):
        explain(made.run, "https://shut.example/privat")


def test_what_was_refused_after_a_release_is_said_to_be_still_there(tmp_path: Path) -> None:
    made = build(tmp_path)
    kept = [item for item in made.made.values() if item.decision["outcome"] == "released"]
    shutil.rmtree(made.release)
    write_release(made.release, [*kept, made.made["silent"]])
    write_release(made.run.release("v2"), kept)
    uid = made.uid("silent")
    still = f"; but it is still in release/v1, shard 00000.tar, key {uid}; not in v2."
    for name in ("silent", "loud"):
        story = explain(made.run, made.made[name].candidate.candidate_id)
        assert story.sentence.startswith("This image is not in the set: ")
        assert story.sentence.endswith(still), name
        assert ("still", "release/v1/00000.tar", uid) in [
            (place.state, place.file, place.key) for place in story.images[0].places
        ]
        assert f"still published, in release/v1/00000.tar, key {uid}" in drawn(story)
    assert still in explain(made.run, "https://split.example/same.jpg").sentence
    assert "still" not in explain(made.run, "https://links.example/").sentence
    changed(made, "gone", page_url="https://split.example/noai")
    page = explain(made.run, "https://split.example/noai").sentence
    assert page == (
        "2 images were found on this page: 1 failed, 1 refused; 1 that left the set is still in a release."
    )
    released = explain(made.run, made.uid("museum5"))
    assert "in the set (release v2, shard 00000, key" in released.sentence
    assert [place.file for place in released.images[0].places] == [
        "raw/00000.tar", "release/v1/00000.tar", "release/v2/00000.tar",
    ]  # fmt: skip


def test_a_picture_that_only_an_older_release_holds(tmp_path: Path) -> None:
    later = build(tmp_path)
    rest = [later.made[f"museum{number}"] for number in range(5)]
    write_release(later.run.release("v2"), rest)
    story = explain(later.run, later.uid("museum5"))
    assert f"(release v1, shard 00000, key {later.uid('museum5')}; not in v2)" in story.sentence


def changed(made: FixtureRun, name: str, **values: object) -> None:
    """Write some columns of one candidate anew."""
    for path in sorted(made.run.candidates.glob("*.parquet")):
        rows = pq.read_table(path).to_pylist()
        for row in rows:
            if row["candidate_id"] == made.made[name].candidate.candidate_id:
                row.update(values)
        write_parquet(pa.Table.from_pylist(rows, schema=CANDIDATES), path)


def test_a_redirect_to_a_blocked_address_is_named(tmp_path: Path) -> None:
    made = build(tmp_path)
    url = made.made["quote"].candidate.image_url
    target = "http://169.254.169.254/latest/meta-data/"
    hop = {"url": url, "status": 302, "ip": "127.0.0.1"}
    changed(made, "quote", gate="g3", hops=[hop], headers=[{"name": "LOCATION", "value": target}])
    story = explain(made.run, made.made["quote"].candidate.candidate_id)
    assert story.sentence == (
        "This image is not in the set: the URL or address is not one we may speak to "
        f"(it redirects to {target})."
    )
    assert "redirects to" not in explain(made.run, made.made["scheme"].candidate.candidate_id).sentence


def test_a_filter_tells_its_figures(tmp_path: Path) -> None:
    made = build(tmp_path, contact="mailto:crew@museum.example", local=False)
    small = made.made["small"].candidate.candidate_id
    assert explain(made.run, small).sentence.endswith("below the recipe's minimum.")
    with open_run(made.recipe, tmp_path / "recipe.toml", tmp_path / "other") as run:
        shutil.copy(run.lock, made.run.lock)
    assert explain(made.run, small).sentence.endswith("below the recipe's minimum (90 < 256 pixels).")
    banner = explain(made.run, made.made["banner"].candidate.candidate_id).sentence
    assert banner.endswith("maximum aspect ratio (900 > 4 × 120 pixels).")
    no_caption = explain(made.run, made.made["museum7"].candidate.candidate_id).sentence
    assert no_caption.endswith("the recipe requires one.")


def test_one_is_not_many(made: FixtureRun) -> None:
    one = explain(made.run, "https://noai.example/").sentence
    assert one.startswith("1 image was found on this page. This image is not in the set: a page that shows")
    assert explain(made.run, "https://split.example/echo").sentence.startswith("1 image was found on")


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("https://a.example/robots.txt", "a.example"),
        ("file:optouts.jsonl", "optouts.jsonl"),
        ("file:lists/optouts.jsonl", "optouts.jsonl"),
        ("", ""),
    ],
)
def test_a_line_of_a_file_on_this_disk_is_named_by_the_file(source: str, place: str) -> None:
    assert place_of(source) == place
