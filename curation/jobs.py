"""Which shard jobs are still to do, and running those."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from curation.steps import ShardJob


def run_jobs(
    jobs: Sequence[ShardJob],
    workers: int,
    logs: Path,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Run the jobs that want to, each once, at most `workers` at a time, and tell how many that were.

    `logs` is the folder for datatrove's log files. datatrove is imported only where something is to do:
    that takes longer than to look whether anything is. Raises as `LocalShards.run`.
    """
    waiting = tuple(job for job in jobs if job.wants_running())
    finished = len(jobs) - len(waiting)
    progress(finished)
    if waiting:
        from curation.executor import LocalShards, ShardPipeline

        LocalShards(
            pipeline=[ShardPipeline(waiting)],
            tasks=len(waiting),
            workers=max(1, min(workers, len(waiting))),
            logging_dir=str(logs),
            skip_completed=False,
        ).run(lambda done: progress(finished + done))
    return len(waiting)
