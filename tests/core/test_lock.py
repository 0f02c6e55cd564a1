"""Opening, resuming, locking runs."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kyodaku.errors import RecipeChangedError, RunBusyError, RunStateError, UsageError
from kyodaku.lock import crawl_digest, holder, open_run, read_lock, reopen_run
from kyodaku.recipe import Recipe, load_recipe
from kyodaku.runs import RunFolder
from kyodaku.signals.protocols import all_protocols

RECIPE = """
version = 1
name = "small"
[operator]
crawler = "DemoCrawler"
[seeds]
sites = ["http://a.example/"]
[network]
host_table = "hosts.toml"
[permission]
basis = "public-domain"
[filters.resolution]
min_side = 256
"""

INSTITUTION = """
[[institutions]]
host = "a.example"
statement = "No copyright is known."
evidence_url = "https://a.example/rights"
"""


def write(
    folder: Path, text: str = RECIPE, port: int = 8080, names: tuple[str, ...] = ("a.example:80",)
) -> Path:
    folder.mkdir(exist_ok=True)
    table = "".join(f'"{name}" = "127.0.0.1:{port}"\n' for name in names)
    (folder / "hosts.toml").write_text(f"[hosts]\n{table}")
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def opened(path: Path, runs: Path, **options: object) -> RunFolder:
    with open_run(load_recipe(path), path, runs, **options) as run:  # type: ignore[arg-type]
        return run


def test_a_first_run_is_made_with_lock_and_latest(tmp_path: Path) -> None:
    path = write(tmp_path)
    run = opened(path, tmp_path / "runs", clock=lambda: 1_760_000_000.0)
    assert run.path == (tmp_path / "runs/small/20251009T085320Z").resolve()
    assert (tmp_path / "runs/small/latest").resolve() == run.path
    assert os.readlink(tmp_path / "runs/small/latest") == "20251009T085320Z"
    lock = read_lock(run)
    assert lock.recipe == load_recipe(path)
    assert lock.local_network
    assert lock.created_at == 1_760_000_000.0
    assert lock.protocols == tuple(p.name for p in all_protocols())
    assert {"python", "kyodaku", "scrapy", "pillow"} <= set(lock.versions)


def test_the_same_recipe_resumes_and_new_makes_another(tmp_path: Path) -> None:
    path = write(tmp_path)
    first = opened(path, tmp_path / "runs")
    assert opened(path, tmp_path / "runs") == first
    second = opened(path, tmp_path / "runs", new=True)
    assert second != first
    assert opened(path, tmp_path / "runs") == second
    assert first.lock.is_file()


def test_two_runs_of_one_second_have_two_names(tmp_path: Path) -> None:
    path = write(tmp_path)
    first = opened(path, tmp_path / "runs", clock=lambda: 0.0)
    second = opened(path, tmp_path / "runs", clock=lambda: 0.0, new=True)
    assert (first.path.name, second.path.name) == ("19700101T000000Z", "19700101T000000Z-2")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"http://a.example/"', '"http://a.example/x"'),
        ('"public-domain"', '"public-domain"\npurpose.threshold = "majority"'),
        ("[filters.resolution]", INSTITUTION + "[filters.resolution]"),
        ('"DemoCrawler"', '"OtherCrawler"'),
        ("[permission]", "[budgets]\npages = 3\n[permission]"),
    ],
)
def test_a_changed_crawl_section_names_new(tmp_path: Path, old: str, new: str) -> None:
    opened(write(tmp_path), tmp_path / "runs")
    path = write(tmp_path, RECIPE.replace(old, new))
    for crawling in (True, False):
        with pytest.raises(RecipeChangedError, match="--new"):
            opened(path, tmp_path / "runs", crawling=crawling)
    opened(path, tmp_path / "runs", new=True)


@pytest.mark.parametrize(
    ("old", "new", "section"),
    [
        ('"public-domain"', '"opt-in"', "permission"),
        ("[permission]", '[deny]\ndomains = ["late.example"]\n[permission]', "deny"),
    ],
)
def test_a_new_policy_or_a_late_denial_needs_no_second_crawl(
    tmp_path: Path, old: str, new: str, section: str
) -> None:
    first = opened(write(tmp_path), tmp_path / "runs")
    before = read_lock(first)
    assert opened(write(tmp_path, RECIPE.replace(old, new)), tmp_path / "runs") == first
    after = read_lock(first)
    assert after.crawl_sha256 == before.crawl_sha256
    assert after.curation_sha256[section] != before.curation_sha256[section]


def test_a_changed_curation_section_is_taken_over(tmp_path: Path) -> None:
    first = opened(write(tmp_path), tmp_path / "runs")
    before = read_lock(first)
    path = write(tmp_path, RECIPE.replace("256", "512"))
    assert opened(path, tmp_path / "runs", crawling=False) == first
    after = read_lock(first)
    assert after.recipe.filters.resolution.min_side == 512
    assert after.crawl_sha256 == before.crawl_sha256
    changed = [
        name for name, digest in after.curation_sha256.items() if digest != before.curation_sha256[name]
    ]
    assert changed == ["filters"]
    assert after.created_at == before.created_at


def test_ports_and_place_of_a_host_table_do_not_count_but_its_names_do(tmp_path: Path) -> None:
    def digest(folder: str, **table: object) -> str:
        path = write(tmp_path / folder, **table)  # type: ignore[arg-type]
        return crawl_digest(load_recipe(path), path)

    assert digest("a", port=1000) == digest("b", port=2000)
    assert digest("a") != digest("c", names=("a.example:80", "b.example:80"))


def test_a_run_on_this_machine_never_goes_on_as_one_on_the_internet(tmp_path: Path) -> None:
    opened(write(tmp_path), tmp_path / "runs")
    text = RECIPE.replace('host_table = "hosts.toml"', "").replace(
        '"DemoCrawler"', '"DemoCrawler"\ncontact = "https://a.example/"'
    )
    with pytest.raises(RecipeChangedError):
        opened(write(tmp_path, text), tmp_path / "runs")


def test_what_changed_is_named(tmp_path: Path) -> None:
    opened(write(tmp_path), tmp_path / "runs")
    text = RECIPE.replace("a.example/", "a.example/x").replace(
        "[permission]", "[budgets]\npages = 3\n[permission]"
    )
    with pytest.raises(RecipeChangedError, match=r"changed: budgets\.pages, seeds\.sites;") as caught:
        opened(write(tmp_path, text), tmp_path / "runs")
    assert caught.value.exit_code == 2, "a wrong recipe"
    with pytest.raises(RecipeChangedError, match=r"changed: institutions;"):
        opened(write(tmp_path, RECIPE + INSTITUTION), tmp_path / "runs")
    with pytest.raises(RecipeChangedError, match=r"changed: the names in network\.host_table;"):
        opened(write(tmp_path, names=("a.example:80", "b.example:80")), tmp_path / "runs")
    many = "[politeness]\ndelay = 2\njitter = 0\nmax_delay = 9\nconnections = 2\nretries = 1\n[budgets]\n"
    with pytest.raises(RecipeChangedError, match=r"politeness\.delay, .*, \.\.\.;"):
        opened(write(tmp_path, RECIPE + many + "pages = 1\nimages = 2\n"), tmp_path / "runs")


def test_where_no_run_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path)
    (tmp_path / "file").write_text("")
    for root in (Path("/dev/null"), tmp_path / "file", tmp_path / "file/runs"):
        with pytest.raises(UsageError, match=f"no run can be kept under {root}: "):
            opened(path, root)

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(UsageError, match=f"under {tmp_path}: Read-only"):
        opened(path, tmp_path)


def test_a_missing_host_table_is_a_usage_error(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "hosts.toml").unlink()
    with pytest.raises(UsageError, match="host table"):
        opened(path, tmp_path / "runs")


def test_other_protocols_than_the_crawl_asked_need_a_new_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path)
    run = opened(path, tmp_path / "runs")
    asked = read_lock(run).protocols
    monkeypatch.setattr("kyodaku.lock._protocols", lambda: (*asked, "zz-new"))
    with pytest.raises(RecipeChangedError, match="zz-new"):
        opened(path, tmp_path / "runs")
    assert opened(path, tmp_path / "runs", crawling=False) == run
    assert read_lock(run).protocols == asked, "curating must not claim that more was asked"


def test_only_a_crawl_starts_a_run(tmp_path: Path) -> None:
    path = write(tmp_path)
    with pytest.raises(RunStateError, match="kyodaku run"):
        opened(path, tmp_path / "runs", crawling=False)


def test_a_folder_without_a_lock_is_not_a_run(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "runs/small/20200101T000000Z").mkdir(parents=True)
    (tmp_path / "runs/small/latest").symlink_to("20200101T000000Z")
    assert opened(path, tmp_path / "runs").path.name != "20200101T000000Z"
    with pytest.raises(RunStateError, match=r"no recipe\.lock\.toml"):
        read_lock(RunFolder(tmp_path))


@pytest.mark.parametrize("text", ["", "version = 2", "version = 1", "[", "version = 1\nrecipe = 3"])
def test_a_damaged_lock_is_told(tmp_path: Path, text: str) -> None:
    run = opened(write(tmp_path), tmp_path / "runs")
    run.lock.write_text(text)
    with pytest.raises(RunStateError, match=r"recipe\.lock\.toml"):
        read_lock(run)


def test_one_process_at_a_time_and_none_after_a_kill(tmp_path: Path) -> None:
    path = write(tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path), str(tmp_path / "runs")], stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(RunBusyError, match=f"process {holder.pid} "):
            opened(path, tmp_path / "runs")
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout and holder.stdout.close()
    opened(path, tmp_path / "runs")


_HOLD = """
import sys, time
from pathlib import Path
from kyodaku.lock import open_run
from kyodaku.recipe import load_recipe
path = Path(sys.argv[1])
with open_run(load_recipe(path), path, Path(sys.argv[2])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_first_runs_at_once_make_one_run(tmp_path: Path) -> None:
    path = write(tmp_path)
    script = _HOLD.replace("time.sleep(60)", "time.sleep(0.5)")
    command = [sys.executable, "-c", script, str(path), str(tmp_path / "runs")]
    processes = [
        subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for _ in range(3)
    ]
    for process in processes:
        process.wait(timeout=30)
    made = [
        entry for entry in (tmp_path / "runs/small").iterdir() if entry.is_dir() and not entry.is_symlink()
    ]
    assert len(made) == 1
    assert time.time() - read_lock(RunFolder(made[0])).created_at < 60


def test_the_resolved_recipe_of_every_shipped_one_survives_the_lock(tmp_path: Path) -> None:
    datasets = Path(__file__).resolve().parents[2] / "datasets"
    for file in sorted(datasets.glob("*/recipe.toml")):
        recipe = load_recipe(file)
        local: dict[str, object] = {"network": recipe.network.model_copy(update={"host_table": ""})}
        if recipe.local_network:
            table = write(tmp_path / recipe.name).with_name("hosts.toml")
            local = {"network": recipe.network.model_copy(update={"host_table": str(table)})}
        placed: Recipe = recipe.model_copy(update=local)
        with open_run(placed, file, tmp_path / "runs") as run:
            assert read_lock(run).recipe == placed


def test_a_look_at_a_run_turns_nobody_away(tmp_path: Path) -> None:
    path = write(tmp_path)
    run = opened(path, tmp_path / "runs")
    looking = os.open(run.path / ".busy", os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)  # what `holder` does for a moment
    letting_go = threading.Timer(0.03, os.close, [looking])
    letting_go.start()
    with open_run(load_recipe(path), path, tmp_path / "runs"):
        assert holder(run) == os.getpid()
    letting_go.join()
    assert holder(run) is None


def test_a_run_is_reopened_with_the_recipe_and_the_files_of_its_lock(tmp_path: Path) -> None:
    path = write(tmp_path / "recipe")
    run = opened(path, tmp_path / "runs")
    with reopen_run(run) as lock:
        assert lock.recipe == load_recipe(path)
        assert lock.recipe_path() == path.resolve()
        with pytest.raises(RunBusyError), reopen_run(run):
            pass
    write(tmp_path / "recipe", names=("b.example:80",))
    with pytest.raises(RecipeChangedError, match=r"names in network\.host_table"), reopen_run(run):
        pass


def test_a_run_whose_recipe_moved_says_to_give_the_recipe(tmp_path: Path) -> None:
    path = write(tmp_path / "recipe")
    run = opened(path, tmp_path / "runs")
    moved = (tmp_path / "recipe").rename(tmp_path / "moved")
    with (
        pytest.raises(RunStateError, match=r"hosts\.toml; give the recipe instead of the run"),
        reopen_run(run),
    ):
        pass
    assert opened(moved / "recipe.toml", tmp_path / "runs") == run
    with reopen_run(run) as lock:
        assert lock.folder == str(moved.resolve())
