"""Shard steps and their done-markers.

A step is a plain function `step(shard_in, shard_out, config) -> stats`: it reads the files of
`shard_in`, writes files that begin with the stem `shard_out`, and returns what its `_stats.json` shall
say. `run_job` writes that file last. It holds the digests of everything the result depends on, so a
second run skips what is unchanged and recomputes the rest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kyodaku.durable import canonical_json, file_sha256
from kyodaku.release.markers import read_marker
from kyodaku.shards import write_stats

#: What a step returns under this name: on how many pictures something broke that may not break again.
BROKEN = "broken"

_TABLE = re.compile(rb'"(\w+\.(?:json|toml))"')

StepFunction = Callable[[Mapping[str, Path], Path, Any], Mapping[str, Any]]


@dataclass(frozen=True)
class ShardJob:
    """One step on one shard.

    `shard_in` names the files read; `shard_out` is the stem of the files written, `folder/00000`;
    `config` a frozen dataclass of plain values. `inputs`, `code` and `models` are digests (hex): of the
    facts read, of the sources that do the work, of the weights ("" without any).
    """

    name: str
    function: StepFunction
    shard_in: Mapping[str, Path]
    shard_out: Path
    config: Any
    inputs: str
    code: str
    models: str = ""

    @property
    def marker(self) -> Path:
        """The `_stats.json` whose presence, with the right digests, means done."""
        return self.shard_out.with_name(f"{self.shard_out.name}_stats.json")

    def digests(self) -> dict[str, str]:
        """What the marker must say for the shard to count as done."""
        return {
            "inputs": self.inputs,
            "config": digest(asdict(self.config)),
            "code": self.code,
            "models": self.models,
        }

    def done(self) -> bool:
        """True if the marker has the same digests and every file it names is there as it was written."""
        marker = read_marker(self.marker)
        if marker is None or marker.get("digests") != self.digests():
            return False
        folder = self.shard_out.parent
        outputs: Mapping[str, int] = marker.get("outputs", {})
        return bool(outputs) and all(
            (folder / name).is_file()
            and (folder / name).stat().st_size == size
            and is_as_written(folder / name, marker)
            for name, size in outputs.items()
        )

    def wants_running(self) -> bool:
        """True unless it is done and nothing broke in it. What broke is tried once more whenever somebody
        runs the step, while all that it reads is there; if it breaks again, that is known, and done."""
        if not self.done():
            return True
        broken = (read_marker(self.marker) or {}).get(BROKEN, 0)
        return bool(broken) and all(path.is_file() for path in self.shard_in.values())


def run_job(job: ShardJob) -> None:
    """Run one job if it wants to. The old marker goes first: no kill leaves it beside new files."""
    if not job.wants_running():
        return
    job.shard_out.parent.mkdir(parents=True, exist_ok=True)
    job.marker.unlink(missing_ok=True)
    stats = job.function(job.shard_in, job.shard_out, job.config)
    files = sorted(job.shard_out.parent.glob(f"{job.shard_out.name}.*"))
    outputs = {path.name: path.stat().st_size for path in files}
    tables = [path for path in files if path.suffix == ".parquet"]
    write_stats(
        job.marker, {**stats, "digests": job.digests(), "outputs": outputs, "sha256": table_digests(*tables)}
    )


def table_digests(*paths: Path) -> dict[str, str]:
    """What a marker says under `sha256` of the tables it stands for: the digest (hex) of each, by name."""
    return {path.name: file_sha256(path) for path in paths}


def is_as_written(path: Path, marker: Mapping[str, Any]) -> bool:
    """False if the marker's digest of the file is another; True also where it has none (a tar)."""
    wanted = marker.get("sha256", {}).get(path.name)
    return wanted is None or (path.is_file() and file_sha256(path) == wanted)


def digest(value: object) -> str:
    """The sha256, hex, of a plain value in canonical JSON. Paths count as text, sets as sorted lists."""
    return hashlib.sha256(canonical_json(_plain(value))).hexdigest()


def digest_files(paths: Sequence[Path]) -> str:
    """One digest over the names and the bytes of files, in the order given; a missing file counts as such."""
    return digest([[path.name, file_sha256(path) if path.is_file() else ""] for path in paths])


def code_digest(*modules: str) -> str:
    """One digest over the sources of modules, as `modules_of` takes them, and over the tables (JSON, TOML)
    that a source names and that lie beside it; changing any of it recomputes.

    Raises ValueError for a module that has no source file.
    """
    parts: list[list[str]] = []
    for name in modules_of(modules):
        parts.append([name, file_sha256(_source(name))])
        parts += [[table, file_sha256(path)] for table, path in tables_of(name).items()]
    return digest(parts)


def modules_of(names: Iterable[str]) -> Iterator[str]:
    """Dotted names of modules; `a.package.*` stands for the package and every module in it."""
    for name in names:
        package = name.removesuffix(".*")
        yield package
        if package != name:
            files = sorted(_source(package).parent.glob("*.py"))
            yield from (f"{package}.{file.stem}" for file in files if file.stem != "__init__")


def tables_of(module: str) -> dict[str, Path]:
    """The tables (JSON, TOML) beside a module that its source names."""
    path = _source(module)
    names = sorted({name.decode() for name in _TABLE.findall(path.read_bytes())})
    return {name: path.with_name(name) for name in names if path.with_name(name).is_file()}


def _source(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None or not spec.has_location:
        raise ValueError(f"no source for module {name}")
    return Path(spec.origin)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(str(item) for item in value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
