"""Runs the foreign project as its owner would, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent

RECIPE = """
version = 1
name = "shop"

[operator]
crawler = "{crawler}"
contact = "https://shop.example/bot"

[seeds]
sites = ["http://shop.example/"]

[politeness]
delay = "0 s"
hold_retries = ["300 s"]

[network]
host_table = {table}
timeout = "4 s"
min_rate = "2 KB"
min_rate_after = "1 s"
max_image = "2 MB"
max_page = "1 MB"
"""

NOT_OPTED_OUT = """
[permission]
basis = "not-opted-out"
"""


@dataclass(frozen=True)
class Run:
    """What a crawl left behind. `items` are what the spider yielded, `files` what a pipeline stored."""

    items: list[dict[str, Any]]
    files: dict[str, bytes]
    log: str

    @property
    def taken(self) -> set[str]:
        """URLs whose bytes a pipeline stored."""
        return {
            entry["url"] for item in self.items for entry in (*item.get("files", ()), *item.get("images", ()))
        }

    @property
    def reached(self) -> set[str]:
        """URLs asked for directly whose answer reached the spider."""
        return {item["reached"] for item in self.items if "reached" in item}

    @property
    def lost(self) -> dict[str, str]:
        """URL -> reason (or the error's name) of every request that ended in the errback."""
        return {item["lost"]: item["reason"] or item["error"] for item in self.items if "lost" in item}


@dataclass(frozen=True)
class Probed:
    """What `probe.py` was told: per request, and which names and addresses were asked."""

    results: list[dict[str, Any]]
    connects: list[str]
    asked: list[str]
    log: str

    def __getitem__(self, url: str) -> dict[str, Any]:
        """The last result for `url`."""
        return [result for result in self.results if result["url"] == url][-1]


def probe(folder: Path, recipe: str, requests: Sequence[Mapping[str, Any]], **plan: Any) -> Probed:
    """Run `probe.py` in a process of its own with the TOML text `recipe`; see there for `plan`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.toml").write_text(recipe, "utf-8")
    told = {"recipe": str(folder / "recipe.toml"), "requests": list(requests), **plan}
    (folder / "plan.json").write_text(json.dumps(told), "utf-8")
    result = folder / "result.json"
    command = [sys.executable, "-m", "tests.foreign_project.probe", str(folder / "plan.json"), str(result)]
    done = subprocess.run(
        command, cwd=PROJECT.parent.parent, capture_output=True, text=True, timeout=100, check=False
    )
    if not result.exists():
        raise AssertionError(done.stderr[-4000:])
    return Probed(**json.loads(result.read_text("utf-8")), log=done.stderr)


def local_recipe(table: Path, permission: str = NOT_OPTED_OUT, crawler: str = "ShopBot") -> str:
    """A recipe that stays on this machine."""
    return RECIPE.format(table=json.dumps(str(table)), crawler=crawler) + permission


def crawl(
    folder: Path,
    table: Path,
    *,
    pages: Sequence[str] = (),
    direct: Sequence[str] = (),
    take: str = "file",
    permission: str = NOT_OPTED_OUT,
    crawler: str = "ShopBot",
    settings: Mapping[str, str] | None = None,
) -> Run:
    """Visit `pages` and store their images by a FilesPipeline (`take="file"`) or ImagesPipeline ("image");
    fetch `direct` without naming any page. Everything is written below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    recipe = folder / "recipe.toml"
    recipe.write_text(local_recipe(table, permission, crawler), "utf-8")
    plan = folder / "plan.json"
    plan.write_text(json.dumps({"pages": list(pages), "direct": list(direct), "take": take}), "utf-8")
    out = folder / "items.jsonl"
    command = [sys.executable, "-m", "scrapy", "crawl", "shop", "-O", str(out), "-a", f"plan={plan}"]
    for name, value in (settings or {}).items():
        command += ["-s", f"{name}={value}"]
    root = PROJECT.parent.parent
    environment = {
        **os.environ,
        "SHOP_RECIPE": str(recipe),
        "SHOP_STORE": str(folder / "store"),
        "PYTHONPATH": os.pathsep.join([str(root), str(PROJECT)]),
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
    }
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    items = [json.loads(line) for line in out.read_text("utf-8").splitlines()] if out.exists() else []
    store = folder / "store"
    files = {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}
    return Run(items, files, done.stderr)
