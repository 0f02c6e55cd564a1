"""`kyodaku gc`: drop the raw shards of a run once its release is verified. Facts and evidence stay."""

from __future__ import annotations

import os

from kyodaku.durable import fsync_dir
from kyodaku.errors import RunStateError, VerifyError
from kyodaku.release.build import latest_release
from kyodaku.release.verify import verify_release
from kyodaku.release.withdrawn import withdrawn
from kyodaku.runs import RunFolder


def gc(run: RunFolder) -> int:
    """Remove `raw/*.tar`; the bytes that freed. The Parquet rows beside them stay.

    Raises RunStateError without a release, or while the latest holds pictures that are refused by now (the
    next one is made from what would be dropped); VerifyError if it is not whole.
    """
    release = latest_release(run)
    if release is None:
        raise RunStateError(f"{run.path} has no release yet; nothing may be dropped before one is verified")
    report = verify_release(release, 0, len(os.sched_getaffinity(0)))
    if not report.ok:
        failed = next(row for row in report.rows if row.status == "fail")
        raise VerifyError(f"{release} is not whole ({failed.check}: {failed.detail}); raw shards stay")
    if held := [found for found in withdrawn(run) if found.version == release.name]:
        pictures = "picture that is" if len(held) == 1 else "pictures that are"
        raise RunStateError(
            f"{release} still holds {len(held):,} {pictures} refused now; "
            "run kyodaku release first, raw shards stay"
        )
    freed = 0
    for tar in sorted(run.raw.glob("*.tar")):
        freed += tar.stat().st_size
        tar.unlink()
    fsync_dir(run.raw)
    return freed
