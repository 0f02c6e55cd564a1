"""make bench-crawl: our crawl beside stock Scrapy, on the same web, turn by turn, in one run.

    python -m benchmarks.crawl [--hosts 200] [--images-per-host 25] [--rounds 5] [--json FILE]

Four contestants take turns `rounds` times; medians are printed. Each starts a fresh process, so start-up
counts for all of them. Stock Scrapy reaches the hosts by address, ours by name through a host table.

    stock      Scrapy with FilesPipeline, ROBOTSTXT_OBEY, one connection a host, no delay
    +gates     the same project with our add-on: every gate, no frontier, no evidence
    +frontier  `kyodaku crawl` with evidence and fact rows thrown away
    kyodaku    `kyodaku crawl`, all of it
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.machine import Cost, describe, measure
from tests.web.bench import BenchWeb

RECIPE = """
version = 1
name = "bench"
[operator]
crawler = "BenchCrawler"
[seeds]
sites = [{seeds}]
[network]
host_table = "{table}"
[politeness]
delay = "0 s"
jitter = 0
connections = 32
connections_per_site = 16
[budgets]
pages = 1000000
images = 10000000
[permission]
basis = "public-domain"
[permission.public_domain]
accept = ["cc0"]
"""


@dataclass(frozen=True)
class Contest:
    """One web, one folder, and what each contestant does with them."""

    web: BenchWeb
    folder: Path
    images: int

    def recipe(self) -> Path:
        path = self.folder / "recipe.toml"
        seeds = ", ".join(f'"{url}"' for url in self.web.seeds)
        path.write_text(RECIPE.format(seeds=seeds, table=self.web.host_table_path), "utf-8")
        return path

    def stock(self) -> Cost:
        seeds = str(self.web.folder / "seeds-direct.txt")
        command = [sys.executable, "-m", "benchmarks.crawl.stock", seeds, str(self.folder / "out")]
        return self._checked(measure(command, self.folder))

    def gates(self) -> Cost:
        seeds = str(self.web.folder / "seeds.txt")
        command = [sys.executable, "-m", "benchmarks.crawl.stock", seeds, str(self.folder / "out")]
        return self._checked(measure([*command, "--addon", str(self.recipe())], self.folder))

    def frontier(self) -> Cost:
        return self._ours("--without-evidence")

    def kyodaku(self) -> Cost:
        return self._ours()

    def _ours(self, *arguments: str) -> Cost:
        command = [
            sys.executable,
            "-m",
            "benchmarks.crawl.ours",
            str(self.recipe()),
            str(self.folder / "out"),
        ]
        return self._checked(measure([*command, *arguments], self.folder))

    def _checked(self, cost: Cost) -> Cost:
        found = json.loads(cost.output.strip().splitlines()[-1])["images"]
        if found != self.images:
            raise RuntimeError(f"a contestant took {found} of {self.images} images")
        return cost


def main() -> None:
    """Run the contest and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crawl", description=__doc__)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--images-per-host", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", nargs="*", choices=["stock", "gates", "frontier", "kyodaku"])
    given = parser.parse_args()
    console = Console()
    images = given.hosts * given.images_per_host
    costs: dict[str, list[Cost]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-crawl-") as name:
        folder = Path(name)
        with BenchWeb(folder / "web", given.hosts, given.images_per_host) as web:
            contest = Contest(web, folder, images)
            contestants: dict[str, Callable[[], Cost]] = {
                "stock": contest.stock,
                "gates": contest.gates,
                "frontier": contest.frontier,
                "kyodaku": contest.kyodaku,
            }
            for round_number in range(given.rounds):
                for who in given.only or contestants:
                    cost = contestants[who]()
                    costs.setdefault(who, []).append(cost)
                    shutil.rmtree(folder / "out", ignore_errors=True)
                    console.print(
                        f"round {round_number + 1} {who:9} {images / cost.wall:7.0f} images/s "
                        f"{1000 * cost.cpu / images:6.2f} ms CPU/image {cost.peak_mb:6.0f} MB"
                    )
    report(console, costs, images, given.json)


def report(console: Console, costs: dict[str, list[Cost]], images: int, target: Path | None) -> None:
    """Medians, ratios to stock, and what each layer adds."""
    speed = {who: images / statistics.median(c.wall for c in all_) for who, all_ in costs.items()}
    cpu = {who: 1000 * statistics.median(c.cpu for c in all_) / images for who, all_ in costs.items()}
    table = Table(
        title=f"{images} images of 137 kB; median of {len(next(iter(costs.values())))}; {describe()}"
    )
    for column in ("", "images/s", "x stock", "CPU ms/image", "x stock", "peak MB"):
        table.add_column(column, justify="right")
    for who, all_ in costs.items():
        table.add_row(
            who,
            f"{speed[who]:.0f}",
            f"{speed[who] / speed['stock']:.2f}" if "stock" in speed else "-",
            f"{cpu[who]:.2f}",
            f"{cpu[who] / cpu['stock']:.2f}" if "stock" in cpu else "-",
            f"{statistics.median(c.peak_mb for c in all_):.0f}",
        )
    console.print(table)
    if set(cpu) == {"stock", "gates", "frontier", "kyodaku"}:
        console.print(
            f"CPU an image: gates {cpu['gates'] - cpu['stock']:+.2f} ms over stock; frontier in place of "
            f"scheduler and FilesPipeline {cpu['frontier'] - cpu['gates']:+.2f} ms; "
            f"evidence and fact rows {cpu['kyodaku'] - cpu['frontier']:+.2f} ms"
        )
    if target:
        figures = {who: {"images_per_s": speed[who], "cpu_ms": cpu[who]} for who in costs}
        target.write_text(json.dumps({"machine": describe(), "images": images, "figures": figures}, indent=1))


if __name__ == "__main__":
    main()
