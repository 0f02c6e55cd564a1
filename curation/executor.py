"""Running shard jobs through datatrove, on this machine.

The jobs are one datatrove pipeline (`ShardPipeline`: rank = position of the shard), so the same object
runs under datatrove's Slurm and Ray executors. For one machine we keep `LocalPipelineExecutor` and its
task machinery, and replace only how `run` starts processes. Seen with datatrove 0.10.1: after `kill -9`
of the parent its forkserver and workers go on working, and its `multiprocess.Manager` process stays for
ever; a worker that the kernel kills makes its Pool wait for ever; and it logs to stderr, through our
progress bars. Ours are direct children that die with their parent, and a lost one is an error.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from datatrove.executor.local import LocalPipelineExecutor
from loguru import logger

from curation.steps import ShardJob, run_job
from kyodaku.errors import KyodakuError

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class ShardPipeline:
    """Jobs as one datatrove pipeline step: a callable of (data, rank, world_size)."""

    jobs: tuple[ShardJob, ...]

    def __call__(self, data: object, rank: int, world_size: int) -> None:
        job = self.jobs[rank]
        logger.debug("{} {} begins", job.name, job.shard_out.name)
        try:
            run_job(job)
        except KyodakuError as error:
            logger.debug("{} {} failed: {}", job.name, job.shard_out.name, error)
            raise _travelling(error) from error
        except Exception:
            logger.opt(exception=True).debug("{} {} failed", job.name, job.shard_out.name)
            raise
        logger.debug("{} {} done", job.name, job.shard_out.name)


class LocalShards(LocalPipelineExecutor):
    """datatrove's local executor with children that cannot outlive us."""

    def run(self, progress: Callable[[int], None] = lambda done: None) -> None:
        """Run every task; `progress` is told how many are done. The first error ends the others.

        Raises whatever a task raised, and KyodakuError if a worker was killed.
        """
        logger.disable("datatrove")  # its progress lines would go to stderr; ours go to the task's log file
        if self.workers == 1:
            for rank in range(self.tasks):
                self._run_for_rank(rank)
                progress(rank + 1)
            return
        context = multiprocessing.get_context("spawn")
        before = set(multiprocessing.active_children())
        with _safe_path():
            pool = ProcessPoolExecutor(self.workers, context, _die_with_parent, (os.getpid(),))
        try:
            with _safe_path():
                pending = {pool.submit(_run_rank, self, rank) for rank in range(self.tasks)}
            while pending:
                done, pending = wait(pending, return_when=FIRST_EXCEPTION, timeout=0.2)
                for future in done:
                    future.result()
                progress(self.tasks - len(pending))
        except BrokenProcessPool as error:
            raise KyodakuError("a worker was killed, perhaps for lack of memory; run again") from error
        except BaseException:
            for child in set(multiprocessing.active_children()) - before:
                child.kill()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _run_rank(executor: LocalShards, rank: int) -> None:
    logger.disable("datatrove")
    executor._run_for_rank(rank, local_rank=rank)


@contextmanager
def _safe_path() -> Iterator[None]:
    """Processes that start meanwhile import nothing from the folder they stand in: strangers' files may lie
    there."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTHONSAFEPATH"]
        if before is not None:
            os.environ["PYTHONSAFEPATH"] = before


def _die_with_parent(parent: int) -> None:
    """First thing in a worker: be killed when the parent is gone, and leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def _travelling(error: KyodakuError) -> KyodakuError:
    """An error that survives the way between processes: the same type where its text is all it holds."""
    kind: Callable[[str], KyodakuError] = type(error)
    try:
        return kind(str(error))
    except TypeError:
        return KyodakuError(str(error))
