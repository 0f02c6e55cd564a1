"""Downloader middlewares that somebody else's project may well have."""

from __future__ import annotations

from scrapy import Request
from scrapy.http import Response

from tests.web.pictures import painted


class Substitute:
    """Answers with a picture of its own where a download failed."""

    def process_exception(self, request: Request, exception: Exception) -> Response:
        """A picture that nobody was asked about."""
        return Response(request.url, body=painted("substitute").render())


class NoRules:
    """Takes every robots.txt for an empty one."""

    def process_response(self, request: Request, response: Response) -> Response:
        """The response, or an empty robots.txt."""
        return response.replace(body=b"") if request.url.endswith("/robots.txt") else response
