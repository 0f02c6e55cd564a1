"""`kyodaku review` as the command line calls it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from curation.review.desk import Desk
from curation.review.samples import draw
from curation.review.server import Server
from kyodaku.errors import RunStateError, UsageError
from kyodaku.lock import read_lock
from kyodaku.release.signoff import SignOff, sign_off
from kyodaku.reviews import append_reviews
from kyodaku.runs import RunFolder


@dataclass(frozen=True)
class Reviewed:
    """How a sitting ended: pictures by the state they are in, and the sign-off that stands, if any."""

    states: Mapping[str, int]
    signed_off: SignOff | None


def review(
    run: RunFolder,
    who: str,
    *,
    sample: int = 0,
    seed: int = 0,
    pictures: Sequence[str] = (),
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[str, int], None] = lambda url, count: None,
    clock: Callable[[], float] = time.time,
) -> Reviewed:
    """Serve the page until Ctrl-C. `ready` is told its address and how many pictures wait.

    Raises RunStateError for a run that was not curated, UsageError for a uid that is not to be shown or an
    address that cannot be listened on.
    """
    recipe = read_lock(run).recipe
    drawn = None
    if sample:
        drawn, new = draw(run, sample, seed, who, clock())
        if new:
            append_reviews(run.reviews, [drawn])
    with closing(Desk(run, recipe, who, clock, sample=drawn, only=pictures)) as desk:
        states = desk.counts()
        unknown = sorted(set(pictures) - {uid for uid, _, _ in desk.queue()})
        if unknown:
            raise UsageError(f"no picture that may be shown: {', '.join(unknown)}")
        if drawn is not None and sum(states.values()) < len(drawn.uids):
            raise RunStateError(f"{run.path}: some pictures of the sample are gone; run kyodaku curate")
        try:
            asyncio.run(_serve(desk, recipe.release.title or recipe.name, host, port, ready))
        except KeyboardInterrupt:
            pass
        except OSError as error:
            raise UsageError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        return Reviewed(Counter(desk.counts()), sign_off(run))


async def _serve(desk: Desk, title: str, host: str, port: int, ready: Callable[[str, int], None]) -> None:
    async with Server(desk, title, host, port) as server:
        ready(server.url, desk.counts()["open"])
        await asyncio.Event().wait()
