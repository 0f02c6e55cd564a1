"""The command line: help for newcomers, exit codes, one line on stderr and never a traceback."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from kyodaku import __version__, stages
from kyodaku.cli import app, main, output
from kyodaku.errors import DiskFullError, MissingExtraError
from kyodaku.stages import StageContext, StageSummary
from tests.core.test_lock import RECIPE, write

ROOT = Path(__file__).resolve().parents[2]

Stub = Callable[[StageContext], StageSummary]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def kyodaku(*arguments: str) -> Done:
    """Run the program in this process, as `kyodaku` does, from the repository's root."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(ROOT)
        patch.setenv("COLUMNS", "200")
        patch.delenv("KYODAKU_DEBUG", raising=False)
        patch.setattr(sys, "argv", ["kyodaku", *arguments])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def commands() -> Iterator[tuple[str, typer.models.CommandInfo]]:
    """Every command with its full name."""
    groups = [("", app), *((f"{group.name} ", group.typer_instance) for group in app.registered_groups)]
    for prefix, group in groups:
        assert group is not None
        for command in group.registered_commands:
            assert command.callback is not None
            yield prefix + (command.name or command.callback.__name__), command


NAMES = [name for name, _ in commands()]


# ------------------------------------------------------------------ help


def test_the_commands() -> None:
    assert NAMES == [
        "run",
        "crawl",
        "curate",
        "recheck",
        "release",
        "status",
        "explain",
        "report",
        "verify",
        "gc",
        "inspect",
        "tune",
        "review",
        "match",
        "optout",
        "ask",
        "check",
        "recipe check",
        "recipe schema",
        "signals audit",
        "signals check",
        "signals list",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    command = dict(commands())[name]
    assert command.callback is not None
    assert command.callback.__doc__
    assert f"kyodaku {name}" in (command.epilog or "")
    shown = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "Example:" in shown.output
    for parameter in ("--recorded-clock",):
        assert parameter not in shown.output


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = (
        "import contextlib, sys; from kyodaku.cli import main; sys.argv = ['kyodaku', 'run', '--help']\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "heavy = {'kyodaku.recipe', 'pyarrow', 'numpy', 'lxml', 'scrapy', 'torch', 'PIL', 'webdataset'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert time.monotonic() - began < 5, "help must not make a newcomer wait"


def test_the_installed_program_and_the_module_are_the_same() -> None:
    for command in ([sys.executable, "-m", "kyodaku"], [str(Path(sys.executable).with_name("kyodaku"))]):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout == f"kyodaku {__version__}\n"


# ------------------------------------------------------------------ exit codes


def test_wrong_usage_is_2() -> None:
    for arguments in (
        ("fly",),
        ("run",),
        ("run", "--nonsense", "x"),
        ("signals", "check", "f", "--mode", "no"),
    ):
        assert kyodaku(*arguments).returncode == 2


@pytest.mark.parametrize("command", ["run", "crawl", "curate", "release", "status", "report", "gc", "verify"])
def test_a_name_that_is_nothing_is_2_in_one_line(command: str, tmp_path: Path) -> None:
    done = kyodaku(command, str(tmp_path / "nothing"))
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert not done.stdout


def test_a_recipe_without_a_run_says_how_to_make_one(tmp_path: Path) -> None:
    path = write(tmp_path)
    for command in ("status", "report", "gc", "verify"):
        done = kyodaku(command, str(path), "--runs", str(tmp_path / "runs"))
        assert done.returncode == 2
        assert "kyodaku run" in done.stderr
    done = kyodaku("curate", str(path), "--runs", str(tmp_path / "runs"))
    assert done.returncode == 1
    assert "kyodaku run" in done.stderr


def test_a_wrong_recipe_is_2_and_everything_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, RECIPE.replace("version = 1", "version = 7") + "colour = 'blue'\n")
    done = kyodaku("run", str(path), "--runs", str(tmp_path / "runs"))
    assert done.returncode == 2
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == ["error", "error"]
    assert f"{path}:2: version:" in done.stderr
    assert "filters.resolution.colour: no such key" in done.stderr
    assert not (tmp_path / "runs").exists(), "nothing starts"


def test_an_example_recipe_does_not_crawl_the_internet(tmp_path: Path) -> None:
    done = kyodaku("crawl", "datasets/opted-in", "--runs", str(tmp_path / "runs"))
    assert done.returncode == 2
    assert "operator.contact: is an example" in done.stderr
    assert not (tmp_path / "runs").exists()


# ------------------------------------------------------------------ recipe and signals


def test_recipe_check() -> None:
    done = kyodaku("recipe", "check", "datasets/demo")
    assert (done.returncode, done.stderr) == (0, "")
    assert "demo: fine" in done.stdout
    listed = json.loads(kyodaku("recipe", "check", "datasets/clean-diffusion", "--json").stdout)
    assert listed["ok"]
    assert {point["where"] for point in listed["before_a_crawl"]} >= {"operator.contact", "institutions.0"}


def test_recipe_check_json_lists_problems(tmp_path: Path) -> None:
    path = write(tmp_path, RECIPE.replace("version = 1", "version = 7"))
    done = kyodaku("recipe", "check", str(path), "--json")
    assert done.returncode == 2
    (problem,) = json.loads(done.stdout)["problems"]
    assert (problem["where"], problem["line"]) == ("version", 2)


def test_recipe_schema_is_the_committed_one() -> None:
    assert kyodaku("recipe", "schema").stdout == (ROOT / "datasets/recipe.schema.json").read_text("utf-8")


def test_signals_list() -> None:
    found = json.loads(kyodaku("signals", "list", "--json").stdout)
    listed = found["protocols"]
    assert [item["table"] for item in found["registries"]] == ["registries.files", "registries.spawning"]
    assert {"robots", "x-robots-tag", "meta-robots", "plus-datamining"} <= {item["name"] for item in listed}
    assert all(item["title"] for item in listed)


def test_signals_check_counts_and_fails(tmp_path: Path) -> None:
    good = {
        "id": "mine-1",
        "signal": "robots",
        "input": {"robots_status": 200, "robots_body": "User-agent: *\nDisallow: /\n"},
        "url": "https://a.org/x.jpg",
        "agent": "MyBot",
        "expect": "reserved",
        "why": "star group",
        "source": "RFC 9309",
        "mode": "spec",
    }
    file = tmp_path / "vectors.jsonl"
    file.write_text(
        "".join(json.dumps({**good, **more}) + "\n" for more in ({}, {"id": "mine-2", "expect": "silent"}))
    )
    done = kyodaku("signals", "check", str(file), "--json")
    assert done.returncode == 1
    counted = json.loads(done.stdout)
    assert (counted["passed"], counted["failed"], counted["unsupported"]) == (1, 1, 0)
    assert counted["failures"] == [{"id": "mine-2", "expected": "silent", "got": "reserved"}]
    assert counted["protocols"]["robots"]["passed"] == 1
    for_people = kyodaku("signals", "check", str(file))
    assert for_people.returncode == 1
    assert "mine-2: expected silent, got reserved" in for_people.stdout
    none = json.loads(kyodaku("signals", "check", str(file), "--mode", "policy", "--json").stdout)
    assert (none["passed"], none["failed"]) == (0, 0)
    missing = kyodaku("signals", "check", str(tmp_path / "missing.jsonl"))
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "no such file; name a file of vectors" in missing.stderr
    assert "Errno" not in missing.stderr


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_a_file_without_vectors_checks_nothing_and_says_so(tmp_path: Path, content: str) -> None:
    file = tmp_path / "vectors.jsonl"
    file.write_text(content)
    done = kyodaku("signals", "check", str(file))
    assert (done.returncode, done.stderr) == (2, f"error: no vectors in {file}\n")


# ------------------------------------------------------------------ stages


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Stub]:
    """Stages by name, in place of those that rooms provide."""

    def finished(name: str) -> Stub:
        return lambda context: StageSummary(name, True, (f"{name} of {context.recipe.name}",), {"images": 3})

    table = {name: finished(name) for name in ("crawl", "curate", "recheck-stale", "release")}
    monkeypatch.setattr(stages, "find_stage", lambda name: table[name])
    return table


def invoke(*arguments: str, expect: int = 0) -> str:
    """What a command prints; it must end with exit code `expect`."""
    done = kyodaku(*arguments)
    assert done.returncode == expect, done.stderr
    return done.stdout


def test_run_goes_through_all_stages(tmp_path: Path, stubs: dict[str, Stub]) -> None:
    path = write(tmp_path)
    shown = invoke("run", str(path), "--runs", str(tmp_path / "runs"))
    assert [shown.index(f"{name}: done") for name in stubs] == sorted(
        shown.index(f"{name}: done") for name in stubs
    )
    assert "kyodaku verify" in shown


def test_run_json_is_one_object(tmp_path: Path, stubs: dict[str, Stub]) -> None:
    path = write(tmp_path)
    found = json.loads(invoke("run", str(path), "--runs", str(tmp_path / "runs"), "--json"))
    assert found["complete"]
    assert [stage["stage"] for stage in found["stages"]] == ["crawl", "curate", "recheck-stale", "release"]
    assert found["stages"][0]["counts"] == {"images": 3}
    assert Path(found["run"]).is_dir()


def test_a_stage_that_stops_stops_the_run(tmp_path: Path, stubs: dict[str, Stub]) -> None:
    stubs["crawl"] = lambda context: StageSummary("crawl", False, ("stopped by Ctrl-C",))
    stubs["curate"] = lambda context: pytest.fail("curates half a crawl")
    shown = invoke("run", str(write(tmp_path)), "--runs", str(tmp_path / "runs"), expect=1)
    assert "crawl: stopped before its end" in shown
    assert "the same command goes on" in shown


def test_what_a_stage_is_given(tmp_path: Path, stubs: dict[str, Stub]) -> None:
    seen: list[StageContext] = []

    def look(context: StageContext) -> StageSummary:
        seen.append(context)
        assert context.run.lock.is_file()
        return StageSummary("crawl", True)

    stubs["crawl"] = look
    path = write(tmp_path)
    options = ("--workers", "3", "--quiet", "--recorded-clock", "1760000000")
    invoke("crawl", str(path.parent), "--runs", str(tmp_path / "runs"), *options)
    (context,) = seen
    assert (context.workers, context.quiet, context.clock()) == (3, True, 1_760_000_000.0)
    assert context.recipe_path == path.resolve()
    assert context.run.path.name == "20251009T085320Z"


def test_curate_takes_the_latest_run(tmp_path: Path, stubs: dict[str, Stub]) -> None:
    path = write(tmp_path)
    runs = ("--runs", str(tmp_path / "runs"))
    first = json.loads(invoke("crawl", str(path), *runs, "--json"))["run"]
    assert json.loads(invoke("curate", str(path), *runs, "--json"))["run"] == first
    assert json.loads(invoke("release", str(path), *runs, "--json"))["run"] == first
    assert json.loads(invoke("crawl", str(path), *runs, "--json", "--new"))["run"] != first


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 shards"), (1, "1 shard"), (2, "2 shards"), (1234, "1,234 shards")]
)
def test_one_is_not_a_plural(number: int, text: str) -> None:
    assert stages.counted(number, "shard") == text


# ------------------------------------------------------------------ status


@dataclass
class Look:
    """A status as a room gives it."""

    finished: bool
    pages: int

    def render(self) -> str:
        return f"{self.pages} pages"


@pytest.fixture
def crawled(tmp_path: Path, stubs: dict[str, Stub]) -> Path:
    """The folder of a run."""
    return Path(
        json.loads(invoke("crawl", str(write(tmp_path)), "--runs", str(tmp_path / "runs"), "--json"))["run"]
    )


def test_status_of_a_run_folder_and_of_a_recipe(crawled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "find_command", lambda name: lambda run, resume: Look(False, 7))
    recipe, runs = crawled.parents[2] / "recipe.toml", str(crawled.parents[1])
    assert "7 pages" in invoke("status", str(crawled))
    assert json.loads(invoke("status", str(recipe), "--runs", runs, "--json")) == {
        "finished": False,
        "pages": 7,
    }


def test_watching_ends_with_the_crawl_or_with_ctrl_c(crawled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kyodaku.cli.runs._WATCH_EVERY", 0.0)
    looks = iter([Look(False, 1), Look(False, 2), Look(True, 3)])
    monkeypatch.setattr(stages, "find_command", lambda name: lambda run, resume: next(looks))
    assert "3 pages" in invoke("status", str(crawled), "--watch")

    def interrupted(run: object, resume: str) -> Look:
        raise KeyboardInterrupt

    monkeypatch.setattr(stages, "find_command", lambda name: interrupted)
    invoke("status", str(crawled), "--watch")


def test_gc_and_verify_say_what_they_did(crawled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "find_command", lambda name: lambda run: 1_234_567)
    assert "1,234,567 bytes" in invoke("gc", str(crawled))
    assert json.loads(invoke("gc", str(crawled), "--json")) == {"bytes_freed": 1_234_567, "warnings": []}
    release = crawled / "release/v1"
    release.mkdir(parents=True)
    (release / "manifest.json").write_text("{}")
    assert "manifest" in invoke("verify", str(crawled), expect=1)
    assert json.loads(invoke("verify", str(release), "--json", expect=1))["ok"] is False


def test_a_run_without_a_release_is_1_for_all_who_need_one(crawled: Path) -> None:
    for command in ("verify", "gc"):
        done = kyodaku(command, str(crawled))
        assert done.returncode == 1
        assert "has no release yet" in done.stderr
    (crawled / "release/v1").mkdir(parents=True)
    done = kyodaku("verify", str(crawled / "release/v1"))
    assert done.returncode == 1
    assert "release/v1 has no manifest.json" in done.stderr


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize("root", ["/dev/null", "file", "file/runs"])
def test_where_no_run_can_be_kept_is_2_in_one_line(tmp_path: Path, root: str) -> None:
    (tmp_path / "file").write_text("")
    done = kyodaku("crawl", str(write(tmp_path)), "--runs", str(tmp_path / root))
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: no run can be kept under {tmp_path / root}: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_host_table_says_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "hosts.toml").unlink()
    done = kyodaku("crawl", str(path), "--runs", str(tmp_path / "runs"))
    assert done.returncode == 2
    assert f".venv/bin/python -m tests.web --dir {tmp_path}" in done.stderr
    assert "Errno" not in done.stderr
    checked = kyodaku("recipe", "check", str(path))
    assert checked.returncode == 0
    assert "before a crawl: network.host_table" in checked.stdout


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (DiskFullError("no space left\nto write"), "error: no space left to write"),
        (MissingExtraError("crawl", "crawl", "scrapy"), "pip install 'kyodaku[crawl]'"),
        (KeyboardInterrupt(), "stopped by Ctrl-C"),
        (ValueError("[bold]surprise[/]"), "error: unexpected ValueError: [bold]surprise[/]"),
        (DiskFullError("a\x1b[2Jb\u202ec"), "error: a\\x1b[2Jb\\u202ec"),
    ],
)
def test_errors_are_one_line_and_1(
    tmp_path: Path,
    stubs: dict[str, Stub],
    error: BaseException,
    says: str,
) -> None:
    def fail(context: StageContext) -> StageSummary:
        raise error

    stubs["crawl"] = fail
    done = kyodaku("crawl", str(write(tmp_path)), "--runs", str(tmp_path / "runs"))
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_debug_shows_where(tmp_path: Path, stubs: dict[str, Stub], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(context: StageContext) -> StageSummary:
        raise ValueError("deep inside")

    stubs["crawl"] = fail
    monkeypatch.setenv("KYODAKU_DEBUG", "1")
    monkeypatch.setattr(
        sys, "argv", ["kyodaku", "crawl", str(write(tmp_path)), "--runs", str(tmp_path / "runs")]
    )
    with pytest.raises(ValueError, match="deep inside"):
        main()


def test_a_missing_extra_is_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Entry:
        name = "crawl"

        def load(self) -> None:
            raise ModuleNotFoundError("No module named 'scrapy'", name="scrapy")

    monkeypatch.setattr(stages, "entry_points", lambda **_: [Entry()])
    done = kyodaku("run", str(write(tmp_path)), "--runs", str(tmp_path / "runs"))
    assert done.returncode == 1
    assert "`kyodaku crawl` needs scrapy" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_json_steers_no_terminal_and_says_the_same() -> None:
    said = {"raw": "noai \x9b31m \x1b[2J \u202e \ud800 許諾 \U000e0001", "lines": ["\n"]}
    text = output.as_json(said, indent=2)
    assert json.loads(text) == said
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "許諾" in text


@pytest.mark.parametrize(
    "words", [("artist.example",), ("https://a.example/1.jpg", "--page", "a.example/art")]
)
def test_check_takes_no_name_for_an_address(words: tuple[str, ...]) -> None:
    """Its answer would be a no, which the owner of a site would take for an opt-out that works."""
    done = kyodaku("check", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "write e.g. https://a" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "--nope"], "No such option: --nope"),
        (["nope"], "No such command 'nope'"),
        (["check", "http://a.example/", "--reading", "none"], "'none' is not one of 'spec', 'policy'"),
        (["verify"], "Missing argument"),
    ],
)
def test_wrong_words_are_one_line(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["kyodaku", *words])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in " ".join(told.err.split())
    assert told.err.startswith("error: ")
    assert "--help" in told.err
    assert "Value error" not in told.err
