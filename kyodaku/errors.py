"""The error tree. Every error a user can meet is one of these, and its text is one line that says
what is wrong and what to do.

    KyodakuError                 exit code 1
    ├── UsageError               exit code 2
    │   └── RecipeError          exit code 2; carries every located problem
    ├── MissingExtraError        names the `pip install` that provides a sub-command
    ├── MissingWeightsError      names the command that fetches the weights
    ├── RunStateError            a run folder is not in the state a step needs
    │   ├── RecipeChangedError   exit code 2; the crawl section differs from the lock: names `--new`
    │   └── RunBusyError         another process holds the run
    ├── DiskFullError            the disk is full; what is written stays whole
    ├── RecordError              a file of a run or release does not have the schema it must have
    ├── VerifyError              a release is not what its manifest says
    ├── CarrierError             a carrier (robots file, HTML, XMP...) could not be read
    ├── UnsafeAddressError       netguard refuses a URL or an address
    └── DecodeError              an image could not be decoded safely; carries a FailReason
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kyodaku.reasons import FailReason, RefuseReason


class KyodakuError(Exception):
    """Base of all errors shown to a user; `str()` is one line."""

    exit_code = 1


class UsageError(KyodakuError):
    """The command line or an input file is wrong; nothing was started."""

    exit_code = 2


@dataclass(frozen=True)
class RecipeProblem:
    """One problem of a recipe. `where` is a dotted path such as `budgets.pages`, `line` the line of the
    file that it stands on (0: unknown, or the key is missing)."""

    where: str
    message: str
    line: int = 0

    def located(self, path: str) -> str:
        """`path:line: where: message`, as editors and compilers write it."""
        return (
            f"{path}:{self.line}: {self.where}: {self.message}"
            if self.line
            else (f"{path}: {self.where}: {self.message}")
        )


class RecipeError(UsageError):
    """A recipe is wrong. `problems` lists everything found, not only the first."""

    def __init__(self, path: str, problems: list[RecipeProblem]) -> None:
        self.path = path
        self.problems = problems
        super().__init__("; ".join(problem.located(path) for problem in problems))


class MissingExtraError(KyodakuError):
    """A sub-command needs packages that are not installed."""

    def __init__(self, command: str, extra: str, missing: str) -> None:
        self.extra = extra
        super().__init__(
            f"`kyodaku {command}` needs {missing}, which is not installed: pip install 'kyodaku[{extra}]'"
        )


class MissingWeightsError(KyodakuError):
    """Model weights are neither at the local path nor in the hub cache."""


class RunStateError(KyodakuError):
    """A run folder is not in the state this step needs."""


class RecipeChangedError(RunStateError):
    """The crawl section of the recipe differs from the run's lock."""

    exit_code = 2


class RunBusyError(RunStateError):
    """Another process is working on this run."""


class DiskFullError(KyodakuError):
    """No space left. Everything already written is whole; free space and run again."""


class RecordError(KyodakuError):
    """A file does not have the schema or version this code reads."""


class VerifyError(KyodakuError):
    """A release is not what its manifest says."""


class CarrierError(KyodakuError):
    """Bytes of a carrier could not be read. Protocols turn this into an `error` signal."""


class UnsafeAddressError(KyodakuError):
    """A URL or address that we never speak to. `reason` is the RefuseReason to record."""

    def __init__(self, message: str, reason: RefuseReason) -> None:
        self.reason = reason
        super().__init__(message)


class DecodeError(KyodakuError):
    """An image could not be decoded within its limits. `reason` is the FailReason to record."""

    def __init__(self, message: str, reason: FailReason) -> None:
        self.reason = reason
        super().__init__(message)
