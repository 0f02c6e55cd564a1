"""How long a server program lives: as long as the pipe at its standard input, if it has one."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable


def when_input_closes(call: Callable[[], object]) -> None:
    """Call `call` from a thread once the pipe at standard input closes, that is, once its parent is gone.

    A terminal or /dev/null is no pipe: a program started by hand or in the background stays.
    """
    descriptor = sys.stdin.fileno()
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return

    def watch() -> None:
        while os.read(descriptor, 4096):
            pass
        call()

    threading.Thread(target=watch, name="input-watch", daemon=True).start()
