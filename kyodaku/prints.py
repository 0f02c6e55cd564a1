"""Fingerprints of pictures whose bytes came and are not stored: all that is left of them, so that a near copy
is known when it comes from elsewhere. Taken in a limited child; neither pixels nor bytes outlive it.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from kyodaku.copies import BYTES, FRAMES, codes_of, looked_for
from kyodaku.errors import DecodeError, KyodakuError
from kyodaku.fingerprint import decoder_version
from kyodaku.reasons import FailReason
from kyodaku.recipe import Network
from kyodaku.safedecode import DecodeLimits, SafeDecoder

#: At most so many pictures at once; one processor is left to whoever fetches them.
_MOST_WORKERS = 4
#: What the frames of a picture take at most: four mirrorings of each, and of what is inside a border.
_MOST_FRAMES = (len(FRAMES) + 1) * 4 * BYTES


@dataclass(frozen=True)
class PicturePrints:
    """Columns of UNSTORED, as ANNOTATIONS has them."""

    pixel_sha256: str
    pdq: str
    pdq_quality: int
    pdq_trimmed: str
    pdq_frames: bytes
    decoder: str


class PrintTaker(SafeDecoder):
    """Children that decode a picture and tell nothing of it but its fingerprints."""

    def __init__(self, limits: DecodeLimits, workers: int = 1) -> None:
        super().__init__(limits, workers)
        self._trade = replace(self._trade, module="kyodaku._prints_child", name="fingerprinter")

    def prints(self, body: bytes) -> PicturePrints:
        """The fingerprints of a picture. Raises DecodeError."""
        reply, frames = self._ask("prints", body, {}, _MOST_FRAMES)
        try:
            pixels, pdq, trimmed = (str(reply[name]) for name in ("pixel_sha256", "pdq", "pdq_trimmed"))
            codes_of([pixels, pdq, *filter(None, [trimmed])])
            looked_for(bytes(frames))
            quality = int(reply["pdq_quality"])
        except (KeyError, TypeError, ValueError) as error:  # the child is not trusted
            raise DecodeError("the fingerprinter sent no fingerprints", FailReason.UNDECODABLE) from error
        return PicturePrints(pixels, pdq, quality, trimmed, bytes(frames), decoder_version())


class Printer:
    """Takes fingerprints while a crawl goes on: never in its event loop, a few pictures at once.

    A picture that cannot be decoded has none. Where no child can start, or something unforeseen breaks,
    `error` says what: a crawl that went on would not know again what it refused.
    """

    def __init__(self, network: Network) -> None:
        limits = DecodeLimits(
            max_bytes=network.max_image,
            max_pixels=network.max_pixels,
            max_frames=network.max_frames,
            formats=frozenset(network.formats),
        )
        workers = max(1, min(_MOST_WORKERS, len(os.sched_getaffinity(0)) - 1))
        self.error: KyodakuError | None = None
        self._taker = PrintTaker(limits, workers)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="kyodaku-prints")

    async def of(self, body: bytes) -> PicturePrints | None:
        """The fingerprints of a picture, or None. Never raises but when it is cancelled."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._taker.prints, body)
        except DecodeError:
            return None
        except KyodakuError as error:
            self.error = error
            return None
        except Exception as error:
            self.error = KyodakuError(f"no fingerprints could be taken: {type(error).__name__}: {error}")
            return None

    def close(self) -> None:
        """End the children, once what is under way has ended."""
        self._threads.shutdown(cancel_futures=True)
        self._taker.close()
