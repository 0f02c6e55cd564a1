"""Runs in an environment of its own, with datadiligence: vectors on stdin, verdicts on stdout."""

from __future__ import annotations

import json
import sys
from email.parser import Parser

from datadiligence.rules import XRobotsTagHeader


def main() -> None:
    """One JSON object: vector id -> whether the header makes datadiligence refuse the image."""
    said = {}
    for vector in json.load(sys.stdin):
        head = vector["headers"].replace("\r\n", "\n")
        fields = head.partition("\n")[2] if head.startswith("HTTP/") else head
        message = Parser().parsestr(fields)
        rule = XRobotsTagHeader(user_agent=vector["agent"], respect_noindex=True)
        # A dict, as `requests` gives one: several field lines are joined.
        headers = {"X-Robots-Tag": ", ".join(message.get_all("X-Robots-Tag", []))}
        said[vector["id"]] = not rule.is_allowed(headers=headers)
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
