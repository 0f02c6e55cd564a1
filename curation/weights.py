"""Models that a recipe names and nobody ships: a local path, or a hub id with its pinned commit.

Nothing is downloaded here: weights that are missing are an error that names the command which fetches them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from curation.steps import digest
from kyodaku.durable import file_sha256
from kyodaku.errors import MissingWeightsError, UsageError


@dataclass(frozen=True)
class Weights:
    """Which model; `key` is the recipe's table that names it, for messages.

    Raises UsageError for a hub model without a revision.
    """

    model: str
    revision: str
    key: str

    def __post_init__(self) -> None:
        if not self.is_path and not self.revision:
            raise UsageError(
                f"{self.key}.revision: pin the commit of {self.model}; results must be repeatable"
            )

    @property
    def is_path(self) -> bool:
        """True if the model is named as a file or folder, whether or not it is there."""
        return Path(self.model).exists() or self.model.startswith((".", "/", "~"))

    @property
    def label(self) -> str:
        """What records call the model: a local one by its name alone."""
        return Path(self.model).name if self.is_path else f"{self.model}@{self.revision}"

    def place(self) -> Path:
        """The folder or file that holds the model. Raises MissingWeightsError."""
        if self.is_path:
            path = Path(self.model).expanduser()
            if not path.exists():
                raise MissingWeightsError(f"no model at {self.model} ({self.key}.model)")
            return path
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

        try:
            return Path(snapshot_download(self.model, revision=self.revision, local_files_only=True))
        except (LocalEntryNotFoundError, HFValidationError, OSError) as error:
            raise MissingWeightsError(
                f"the weights of {self.model} are not on this machine; fetch them with: "
                f"hf download {self.model} --revision {self.revision}"
            ) from error

    def folder(self) -> Path:
        """The same, for a model that is a folder. Raises MissingWeightsError."""
        place = self.place()
        if not place.is_dir():
            raise MissingWeightsError(f"{place} is not the folder of a model ({self.key}.model)")
        return place

    def file(self, *suffixes: str) -> Path:
        """The only file that ends so, for a model that is one file or a folder with one. Raises
        MissingWeightsError."""
        place = self.place()
        found = [place] if place.is_file() else sorted(p for p in place.iterdir() if p.suffix in suffixes)
        if len(found) != 1:
            raise MissingWeightsError(
                f"{place} does not hold exactly one {' or '.join(suffixes)} file ({self.key}.model)"
            )
        return found[0]

    def digest(self) -> str:
        """A digest over every file of the model. Raises MissingWeightsError."""
        place = self.place()
        files = [place] if place.is_file() else sorted(path for path in place.iterdir() if path.is_file())
        return digest([[path.name, _sha256(path, *_state(path))] for path in files])


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


@cache
def _sha256(path: Path, size: int, modified: int) -> str:
    """Read once in a process: models are large, and their digest is asked for with every shard."""
    return file_sha256(path)
