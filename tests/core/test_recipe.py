"""Recipes: what is wrong is told all at once and located; what is right is frozen."""

from __future__ import annotations

import contextlib
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kyodaku.errors import RecipeError, RecipeProblem
from kyodaku.recipe import (
    Recipe,
    check_recipe,
    load_recipe,
    missing_host_table,
    parse_recipe,
    placeholders,
    read_recipe,
    schema_text,
)
from kyodaku.recipe.location import line_of, lines_of_keys
from tests.web.sites import all_sites, museum

DATASETS = Path(__file__).resolve().parents[2] / "datasets"
SHIPPED = ("clean-diffusion", "demo", "open-web", "openclipart", "opted-in")

SMALL = """\
version = 1
name = "small"

[operator]
crawler = "SmallBot"
contact = "https://small.org/bot"

[seeds]
sites = ["https://museum.org/"]

[permission]
basis = "public-domain"
"""


def problems(text: str) -> dict[str, str]:
    """where -> message of everything wrong with `text`."""
    with pytest.raises(RecipeError) as caught:
        read_recipe(text, "recipe.toml")
    assert "\n" not in str(caught.value)
    return {problem.where: problem.message for problem in caught.value.problems}


def with_lines(*extra: str, **replaced: str) -> str:
    text = SMALL
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text + "\n".join(extra) + "\n"


# ------------------------------------------------------------------ the shipped ones


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipes_are_sound_and_carry_the_schema(name: str) -> None:
    file = DATASETS / name / "recipe.toml"
    assert load_recipe(file.parent) == load_recipe(file)
    assert load_recipe(file).name == name
    assert file.read_text("utf-8").startswith("#:schema ../recipe.schema.json\n")
    assert (DATASETS / name / "README.md").is_file(), "every dataset has a card"


def test_there_are_no_other_recipes() -> None:
    assert sorted(path.parent.name for path in DATASETS.glob("*/recipe.toml")) == sorted(SHIPPED)


def test_the_demo_recipe_is_made_for_the_small_web() -> None:
    recipe = load_recipe(DATASETS / "demo")
    assert list(recipe.seeds.sites) == [site.root for site in all_sites() if site.seed]
    (institution,) = recipe.institutions
    assert institution.host == museum.HOST
    assert institution.statement == museum.STATEMENT
    assert institution.evidence_url == museum.EVIDENCE_URL
    assert recipe.local_network
    assert len(recipe.politeness.hold_retries) == 1, "the demo asks a hold again once"
    assert "cc0" in recipe.permission.public_domain.accept


def test_clean_diffusion_takes_no_living_waiver() -> None:
    recipe = load_recipe(DATASETS / "clean-diffusion")
    assert recipe.permission.basis == "public-domain"
    assert "cc0" not in recipe.permission.public_domain.accept


def test_open_web_keeps_what_is_posted_small_out_and_hears_datasets_crawlers_too() -> None:
    recipe = load_recipe(DATASETS / "open-web")
    assert recipe.permission.basis == "not-opted-out"
    assert recipe.filters.resolution.min_side > 800
    assert "train_or_dataset_extended" in recipe.permission.purpose.classes
    assert not recipe.local_network


def test_no_crawl_of_the_internet_begins_under_an_example_name() -> None:
    for name in ("clean-diffusion", "open-web", "opted-in"):
        found = {problem.where for problem in placeholders(load_recipe(DATASETS / name))}
        assert {"operator.contact", "operator.crawler"} <= found
    assert not placeholders(load_recipe(DATASETS / "demo"))
    assert not placeholders(read_recipe(SMALL, ""))


def test_the_committed_schema_is_the_models() -> None:
    committed = (DATASETS / "recipe.schema.json").read_text("utf-8")
    assert committed == schema_text(), "run: kyodaku recipe schema > datasets/recipe.schema.json"
    schema = json.loads(committed)
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(Recipe.model_fields)


# ------------------------------------------------------------------ fail closed


def test_a_recipe_is_frozen() -> None:
    recipe = read_recipe(SMALL, "")
    with pytest.raises(ValidationError):
        recipe.permission.basis = "not-opted-out"  # type: ignore[misc]


def test_silence_is_never_a_default() -> None:
    assert "permission" in problems(SMALL.replace('[permission]\nbasis = "public-domain"\n', ""))
    assert "permission.basis" in problems(SMALL.replace('basis = "public-domain"', ""))


def test_not_opted_out_may_go_out_under_a_name_that_answers() -> None:
    text = SMALL.replace("public-domain", "not-opted-out")
    assert read_recipe(text, "").permission.basis == "not-opted-out"
    nameless = text.replace('contact = "', 'organisation = "')
    assert "operator.contact" in problems(nameless)
    local = text + '[network]\nhost_table = "hosts.toml"\n'
    assert read_recipe(local, "").local_network


def test_the_internet_needs_a_contact_and_patience() -> None:
    text = SMALL.replace('contact = "https://small.org/bot"\n', "") + '[politeness]\ndelay = "100 ms"\n'
    assert set(problems(text)) == {"operator.contact", "politeness.delay"}
    assert read_recipe(text + '[network]\nhost_table = "hosts.toml"\n', "").operator.contact == ""


def test_train_core_can_not_be_taken_away() -> None:
    text = SMALL + '[permission.purpose]\nclasses = ["train_or_dataset_extended"]\n'
    assert "never remove" in problems(text)["permission.purpose.classes"]


def test_opt_in_needs_something_to_go_by() -> None:
    text = SMALL.replace('"public-domain"', '"opt-in"\ngrants = []')
    assert problems(text) == {"permission": "opt-in needs licences or grants"}


@pytest.mark.parametrize("name", ["GPTBot", "ccbot", "Kyodaku", "Googlebot", "My Bot", "Bot2", "", "Bot-"])
def test_the_crawler_name_is_ours_and_a_token(name: str) -> None:
    assert "operator.crawler" in problems(SMALL.replace("SmallBot", name))


@pytest.mark.parametrize("contact", ["me", "https://", "a@b", "ftp://a.org/", "a b@c.org"])
def test_the_contact_reaches_somebody(contact: str) -> None:
    assert "operator.contact" in problems(SMALL.replace("https://small.org/bot", contact))


@pytest.mark.parametrize(
    "url",
    ["ftp://a.org/", "museum.org", "http://", "http://[", "https://me:secret@a.org/", "file:///etc/passwd"],
)
def test_seeds_are_plain_web_addresses(url: str) -> None:
    assert "seeds.sites.0" in problems(SMALL.replace("https://museum.org/", url))


# ------------------------------------------------------------------ what would never be asked


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "https://a b/",
        "http://10.0.0.7/",
        "http://[::1]/",
        "http://169.254.169.254/latest/",
        "http://0x7f.1/",
        "http://printer.local/",
        "https://museum.org:8443/",
    ],
)
def test_a_seed_that_is_never_asked_is_told_before_a_crawl(url: str) -> None:
    found = problems(SMALL.replace('["https://museum.org/"]', f'["https://museum.org/", "{url}"]'))
    assert list(found) == ["seeds.sites.1"]
    sitemap = SMALL.replace('sites = ["https://museum.org/"]', f'sitemaps = ["{url}"]')
    assert list(problems(sitemap)) == ["seeds.sitemaps.0"]


def test_captions_that_nothing_fits_and_tokens_that_nobody_writes() -> None:
    text = (
        SMALL
        + '[permission.purpose]\ntokens = ["FineBot", "My Bot", ""]\n'
        + "[captions]\nmin_characters = 50\nmax_characters = 20\n"
    )
    assert set(problems(text)) == {
        "captions.min_characters",
        "permission.purpose.tokens.1",
        "permission.purpose.tokens.2",
    }


def test_what_a_recipe_names_beside_itself_is_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "hosts.toml").write_text('[hosts]\n"museum.org:443" = "127.0.0.1:8443"\n')
    (tmp_path / "here.csv").write_text("url\n")
    text = SMALL.replace(
        'sites = ["https://museum.org/"]',
        'sites = ["https://museum.org/", "https://other.org/", "http://museum.org/"]\n'
        'url_lists = ["here.csv", "gone.csv"]',
    )
    text = text.replace('"public-domain"', '"public-domain"\nprotocols = ["crystal-ball"]\ngrants = ["x"]')
    text += '[network]\nhost_table = "hosts.toml"\n[captions]\nmodel = "./no-such-model"\ncolour = 1\n'
    file = tmp_path / "recipe.toml"
    file.write_text(text)
    with pytest.raises(RecipeError) as caught:
        check_recipe(tmp_path)
    expected = {
        "seeds.sites.1",
        "seeds.sites.2",
        "seeds.url_lists.1",
        "permission.protocols",
        "permission.grants",
        "captions.colour",
    }
    assert {problem.where for problem in caught.value.problems} == expected, "all at once"
    assert all(problem.line for problem in caught.value.problems)
    file.write_text(text.replace("colour = 1\n", ""))
    with pytest.raises(RecipeError) as caught:
        check_recipe(file)
    assert {problem.where for problem in caught.value.problems} == {*expected, "captions.model"} - {
        "captions.colour"
    }
    (tmp_path / "hosts.toml").write_text("[hosts")
    with pytest.raises(RecipeError, match="not a readable host table"):
        check_recipe(file)


def test_only_what_is_about_to_crawl_looks_around(tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text(SMALL.replace("sites =", 'url_lists = ["gone.csv"]\nsites ='))
    assert load_recipe(file).seeds.url_lists == ("gone.csv",), "a finished run is read without its lists"
    with pytest.raises(RecipeError, match=r"gone\.csv"):
        check_recipe(file)


def test_a_host_table_that_its_web_has_not_written_yet_is_no_fault_of_the_recipe(tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text(SMALL + '[network]\nhost_table = "web/hosts.toml"\n')
    missing = missing_host_table(check_recipe(file), tmp_path)
    assert missing is not None
    assert missing.message.endswith(f".venv/bin/python -m tests.web --dir {tmp_path / 'web'}")


# ------------------------------------------------------------------ messages


def test_everything_is_told_at_once_and_located() -> None:
    text = """\
version = 1
name = "Bad Name"
[operator]
crawler = "SmallBot"
contcat = "x"
[seeds]
sites = []
[budgets]
pages = "5"
time = "5 lightyears"
[permission]
basis = "not-opted-out"
grants = ["plus-datamning"]
[[institutions]]
host = "a.org"
statement = "In the public domain."
evidence_url = "https://a.org/"
[[institutions]]
host = "B.org"
[filters.watermarks]
threshold = 1
[captions]
required = "yes"
"""
    with pytest.raises(RecipeError) as caught:
        read_recipe(text, "r.toml")
    located = {(problem.line, problem.where) for problem in caught.value.problems}
    assert located == {
        (2, "name"),
        (5, "operator.contcat"),
        (6, "seeds"),
        (9, "budgets.pages"),
        (10, "budgets.time"),
        (13, "permission.grants"),
        (18, "institutions.1.statement"),
        (18, "institutions.1.evidence_url"),
        (19, "institutions.1.host"),
        (20, "filters.watermarks"),
        (23, "captions.required"),
    }
    messages = {problem.where: problem.message for problem in caught.value.problems}
    assert messages["operator.contcat"] == "no such key; did you mean contact?"
    assert messages["filters.watermarks"].startswith("no filter named watermarks yet; filters: aesthetic, ")
    assert messages["institutions.1.statement"] == "is missing"
    assert "plus-datamining" in messages["permission.grants"]
    assert caught.value.problems[0].located("r.toml").startswith("r.toml:2: name: ")


def test_a_protocol_that_is_not_built_is_not_silently_left_out() -> None:
    text = SMALL.replace('"public-domain"', '"public-domain"\nprotocols = ["crystal-ball"]')
    assert "no protocol named 'crystal-ball'" in problems(text)["permission.protocols"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a = [", "not TOML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a = " + b"9" * 5000, "not TOML"),
        (b"a = " + b"[" * 5000, "not TOML"),
        (b"", "is missing"),
    ],
)
def test_a_file_that_is_no_recipe_is_told_in_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "recipe.toml").write_bytes(content)
    with pytest.raises(RecipeError, match=says):
        load_recipe(tmp_path)


def test_a_toml_error_has_its_line(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        read_recipe("version = 1\nname = \n", "r.toml")
    assert caught.value.problems[0].line == 2


def test_an_odd_key_stays_on_one_line() -> None:
    assert problems(SMALL + '"a\\nb" = 1\n')


def test_a_missing_file_or_a_folder_without_one(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.toml"):
        with pytest.raises(RecipeError, match="no such recipe"):
            load_recipe(path)


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    assert load_recipe(tmp_path).name == "small"


# ------------------------------------------------------------------ units


@pytest.mark.parametrize(
    ("written", "seconds"),
    [('"250 ms"', 0.25), ('"2s"', 2.0), ("3", 3.0), ("1.5", 1.5), ('"2 min"', 120.0), ('"1.5 h"', 5400.0)],
)
def test_durations(written: str, seconds: float) -> None:
    assert read_recipe(SMALL + f"[network]\ntimeout = {written}\n", "").network.timeout == seconds


@pytest.mark.parametrize(
    ("written", "size"),
    [('"20 MB"', 20_000_000), ("7", 7), ('"1 KiB"', 1024), ('"1.5 kB"', 1500), ('"2 gb"', 2 * 10**9)],
)
def test_sizes(written: str, size: int) -> None:
    assert read_recipe(SMALL + f"[network]\nmax_image = {written}\n", "").network.max_image == size


@pytest.mark.parametrize(
    "written", ['"20"', '"MB"', '"-1 MB"', "-1", "0", "inf", "nan", "true", '"1 parsec"', "[]", "9e99"]
)
def test_what_is_no_size(written: str) -> None:
    assert list(problems(SMALL + f"[network]\nmax_image = {written}\n")) == ["network.max_image"]


@pytest.mark.parametrize(
    "line",
    [
        "[budgets]\npages = true",
        '[budgets]\npages = "5"',
        "[budgets]\npages = 1.0",
        "[budgets]\npages = 0",
        f"[budgets]\npages = {2**63}",
        "[politeness]\njitter = nan",
        "[politeness]\njitter = 1.5",
        "[filters.resolution]\nmax_aspect = inf",
        "[scope]\nsubdomains = 1",
    ],
)
def test_numbers_are_not_made_from_other_things(line: str) -> None:
    assert problems(f"{SMALL}{line}\n")


# ------------------------------------------------------------------ lines


def test_lines_of_keys() -> None:
    text = '''\
a = 1
"odd key".x = 2
text = """
b = 3
[not.a.table]
"""
[[fruit]]
name = "apple"
[fruit.size]
cm = 7
[[fruit]]
name = "plum"  # name = "x"
'''
    lines = lines_of_keys(text)
    assert lines["a",] == 1
    assert lines["odd key", "x"] == 2
    assert ("b",) not in lines
    assert ("not", "a", "table") not in lines
    assert lines["fruit", "0", "size", "cm"] == 10
    assert lines["fruit", "1", "name"] == 12
    assert line_of(lines, ["fruit", "1", "colour"]) == 11
    assert line_of(lines, ["nowhere"]) == 0


# ------------------------------------------------------------------ whatever comes


_values = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(min_value=-(2**63), max_value=2**63 - 1),
        st.floats(),
        st.text(max_size=8),
        st.datetimes(),
        st.sampled_from(["20 MB", "http://a.org/", "http://[", "opt-in", "a.org", "by-4.0", ""]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.text())
def test_random_text_is_an_error_never_a_traceback(text: str) -> None:
    with pytest.raises(RecipeError):
        read_recipe(text, "r.toml")


@settings(max_examples=300)
@given(st.data())
def test_a_recipe_with_one_value_replaced_is_read_or_told(data: st.DataObject) -> None:
    document: dict[str, Any] = tomllib.loads((DATASETS / "demo/recipe.toml").read_text("utf-8"))
    table = document
    while True:
        key = data.draw(st.sampled_from([*sorted(table), "surprise"]))
        inner = table.get(key)
        if not isinstance(inner, dict) or data.draw(st.booleans()):
            break
        table = inner
    table[key] = data.draw(_values)
    text = tomli_w.dumps(document)
    found: list[RecipeProblem] = []
    with contextlib.suppress(RecipeError):
        try:
            recipe = read_recipe(text, "r.toml")
        except RecipeError as error:
            found = error.problems
            raise
        assert (
            parse_recipe(tomllib.loads(tomli_w.dumps(recipe.model_dump(mode="json", exclude_none=True))), "")
            == recipe
        )
        return
    assert found
    for problem in found:
        assert "\n" not in problem.located("r.toml")
        assert 0 <= problem.line <= len(text.splitlines())


@given(st.text(alphabet="[]=.\"'#ab \n\t"))
def test_the_line_finder_never_raises(text: str) -> None:
    assert all(line >= 1 for line in lines_of_keys(text).values())
