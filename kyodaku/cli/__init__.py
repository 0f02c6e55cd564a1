"""The command line. One file a group of commands; `main` is the program `kyodaku`.

Exit codes: 0 done, 1 the work failed or was stopped, 2 wrong usage or recipe.
"""

from __future__ import annotations

from kyodaku.cli.app import app, main

__all__ = ["app", "main"]
