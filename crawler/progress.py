"""The live line of a running crawl."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.live import Live
from rich.text import Text

from crawler.crawl import Crawl
from kyodaku.stages import StageContext


class Progress:
    """Shows what a crawl does while the block runs, unless the context is quiet.

    Rich renders in a thread of its own, a few times a second; it only reads counters.
    """

    def __init__(self, context: StageContext, crawl: Crawl) -> None:
        self._crawl = crawl
        live = not context.quiet and context.console.is_terminal
        self._live = (
            Live(get_renderable=self._line, console=context.console, refresh_per_second=4, transient=True)
            if live
            else None
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def _line(self) -> Text:
        tally = self._crawl.tally
        origins = self._crawl.origins.settled
        seconds = max(self._crawl.running, 0.001)
        return Text.assemble(
            ("crawl  ", "bold"),
            f"{self._crawl.budgets.all.pages:,} pages   ",
            (f"{tally['stored']:,} images taken", "green"),
            f"  {tally['refuse']:,} refused  {tally['hold']:,} held  {tally['fail']:,} failed   ",
            f"{self._crawl.budgets.all.bytes / 1e6:,.1f} MB   {tally['stored'] / seconds:,.1f} images/s   ",
            f"{origins['open']:,} hosts open, {origins['held']:,} held   "
            f"{self._crawl.in_flight} in flight  {self._crawl.frontier.unfinished:,} waiting",
        )
