"""`keep.npy`: the list of uids that DataComp's resharder takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


def keep_list(uids: Iterable[str]) -> np.ndarray[Any, np.dtype[np.void]]:
    """Uids as DataComp's resharder takes them: sorted pairs of unsigned 64-bit halves, little-endian."""
    pairs = sorted((int(uid[:16], 16), int(uid[16:], 16)) for uid in uids)
    return np.array(pairs, dtype=np.dtype("<u8,<u8"))
