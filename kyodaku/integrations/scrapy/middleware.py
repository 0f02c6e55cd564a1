"""The gates as downloader middlewares."""

from __future__ import annotations


class GateMiddleware:
    """Beside the downloader: G0, G1, G3 before a request leaves; G4, G5 as its answer comes in."""


class SealMiddleware:
    """Beside the engine: nothing leaves that was not judged as it now is; pages are read by G2."""
