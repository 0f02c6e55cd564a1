"""What a wheel holds, what `make` does, and that each extra stands alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "copy"
    ignore = shutil.ignore_patterns(
        ".venv", ".git", "runs", "*.egg-info", "build", "__pycache__", ".*_cache", ".hypothesis"
    )
    shutil.copytree(ROOT, copy, ignore=ignore)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
    ]
    subprocess.run(
        [*command, "--wheel-dir", str(folder), str(copy)], check=True, capture_output=True, text=True
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_four_rooms_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {
        "kyodaku",
        "crawler",
        "curation",
        "registry",
    }
    assert not [name for name in names if name.startswith("datasets") or "/tests/" in name]


def test_the_wheel_holds_every_file_that_the_code_reads(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    data = {
        str(path.relative_to(ROOT))
        for room in ("kyodaku", "crawler", "curation", "registry")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix not in (".pyc",) and "__pycache__" not in path.parts
    }
    assert data <= held
    assert "kyodaku/py.typed" in held


def test_the_wheel_carries_its_licence(wheel: Path) -> None:
    held = zipfile.ZipFile(wheel)
    (licence,) = [name for name in held.namelist() if name.endswith("licenses/LICENSE")]
    assert b"Apache License" in held.read(licence)


@pytest.mark.parametrize("name", ["cpu.txt", "cuda.txt"])
def test_constraints_pin_everything_exactly(name: str) -> None:
    lines = (ROOT / "constraints" / name).read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", pin) for pin in pins)
    pinned = {re.sub(r"[-_.]+", "-", pin.split("==")[0]).lower() for pin in pins}
    wanted = [
        *PROJECT["dependencies"],
        *(r for extra in PROJECT["optional-dependencies"].values() for r in extra),
    ]
    names = {
        re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~ ]", requirement)[0]).lower() for requirement in wanted
    }
    assert names - {"kyodaku"} <= pinned
    assert "img2dataset" not in pinned


def test_make_lists_its_targets() -> None:
    text = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for target in ("demo", "test", "test-deep", "bench-crawl", "system", "lint", "clean"):
        assert f"make {target} " in text


def test_make_system_only_prints_for_an_ordinary_user(tmp_path: Path) -> None:
    fake = tmp_path / "id"
    fake.write_text("#!/bin/sh\necho 1000\n")
    fake.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["make", "system"], cwd=ROOT, check=True, capture_output=True, text=True, env=environment
    )
    assert "apt-get install --no-install-recommends chromium" in done.stdout


def test_continuous_integration_skips_nothing() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    text = script.read_text("utf-8")
    assert "set -euo pipefail" in text
    assert "KYODAKU_REQUIRE_ALL=1 make test" in text


IMPORTS = {
    "": ["kyodaku.cli", "kyodaku.records", "kyodaku.recipe", "kyodaku.lock"],
    "permission": ["kyodaku.permission", "kyodaku.signals.protocols"],
    "crawl": ["kyodaku.integrations.scrapy", "crawler.stage"],
    "match": ["kyodaku.safedecode", "kyodaku.fingerprint"],
    "curate": ["curation.stage"],
}


@pytest.mark.deep
@pytest.mark.timeout(900)
@pytest.mark.parametrize("extra", IMPORTS)
def test_each_extra_imports_in_an_environment_of_its_own(extra: str, wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = str(tmp_path / "venv/bin/python")
    wanted = f"kyodaku[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
    install = [python, "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints/cpu.txt"), wanted]
    subprocess.run(install, check=True, cwd=tmp_path)
    code = "; ".join(f"import {name}" for name in IMPORTS[extra])
    subprocess.run([python, "-W", "error", "-c", code], check=True, cwd=tmp_path)
    subprocess.run(
        [str(tmp_path / "venv/bin/kyodaku"), "--help"], check=True, cwd=tmp_path, capture_output=True
    )
