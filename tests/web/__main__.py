"""Serve the small web until SIGTERM or Ctrl-C arrives, or the pipe at standard input closes.

    python -m tests.web --dir DIR [--openclipart]

writes DIR/hosts.toml (the host table a recipe may name), DIR/ca.pem, DIR/expected.json, and, once
everything answers, DIR/ready with the seeds, one a line.
"""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from tests.web.lifetime import when_input_closes
from tests.web.openclipart import with_clipart
from tests.web.sites import all_sites
from tests.web.small_web import SmallWeb


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.web", description="Serve the small web.")
    parser.add_argument("--dir", type=Path, required=True, help="folder for hosts.toml, ca.pem and ready")
    parser.add_argument(
        "--openclipart", action="store_true", help="the museum shows Debian's whole Open Clip Art Library"
    )
    arguments = parser.parse_args()
    try:
        sites = with_clipart(all_sites()) if arguments.openclipart else all_sites()
    except FileNotFoundError as error:
        parser.error(str(error))
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    when_input_closes(stopped.set)
    ready = arguments.dir / "ready"
    ready.unlink(missing_ok=True)
    with SmallWeb(sites, folder=arguments.dir) as web:
        ready.write_text("".join(f"{seed}\n" for seed in web.seeds), "utf-8")
        stopped.wait()
    ready.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
