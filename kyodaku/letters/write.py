"""`kyodaku ask`: every letter of a run, written where people find it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kyodaku.durable import write_bytes
from kyodaku.letters.lines import Remedy, remedy, stored_files
from kyodaku.letters.stopped import StoppedHost, stopped_hosts
from kyodaku.letters.words import entry, letter
from kyodaku.recipe import Recipe
from kyodaku.report.data import RunFacts
from kyodaku.runs import RunFolder


@dataclass(frozen=True)
class Letter:
    """One letter: to whom, why, what would help, and where it was written."""

    host: StoppedHost
    remedy: Remedy
    path: Path
    text: str
    entry: str

    def to_json(self) -> dict[str, Any]:
        """Plain values for programs."""
        return {
            "origin": self.host.origin,
            "verdict": self.host.verdict,
            "reason": self.host.reason,
            "pages": self.host.pages,
            "images": self.host.images,
            "licensed_images": self.host.licensed,
            "free_images": self.host.free_images,
            "institution": self.host.institution,
            "lines": [{"url": line.source_url, "raw": line.raw} for line in self.host.lines],
            "stopped_by": self.host.stopped_by.value,
            "reply_is_enough": self.host.inferred,
            "paths": list(self.remedy.paths),
            "robots_lines": list(self.remedy.lines),
            "still_stopping": [{"url": line.source_url, "raw": line.raw} for line in self.remedy.left],
            "recipe_entry": self.entry if self.host.inferred else "",
            "letter": str(self.path),
        }


def write_letters(run: RunFolder, recipe: Recipe) -> list[Letter]:
    """Write `letters/<host>.txt` for every host worth asking; a letter of an earlier time is replaced.

    Those that would bring most free images come first.
    Raises RunStateError while the crawl has not ended, RecordError for a file that cannot be read.
    """
    facts = RunFacts(run)
    facts.require_ended()
    found = stopped_hosts(facts, recipe)
    if not found:
        return []
    folder = run.path / "letters"
    folder.mkdir(exist_ok=True)
    return [_write(run, recipe, host, folder) for host in found]


def _write(run: RunFolder, recipe: Recipe, host: StoppedHost, folder: Path) -> Letter:
    files = stored_files(run, host.origin)
    help_ = remedy(recipe, files, host.urls)
    text = letter(recipe, host, help_, files.fetched_at)
    path = folder / f"{_file_name(host.origin)}.txt"
    write_bytes(path, text.encode("utf-8"))
    return Letter(host, help_, path, text, entry(host, help_, files.fetched_at))


def _file_name(origin: str) -> str:
    """`https://a.example:8080` -> `a.example_8080`; an http origin is told apart."""
    scheme, _, place = origin.partition("://")
    name = "".join(char if char.isalnum() or char in ".-" else "_" for char in place)
    return name if scheme == "https" else f"{scheme}_{name}"
