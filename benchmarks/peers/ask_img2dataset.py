"""Runs in an environment of its own, with img2dataset: vectors on stdin, verdicts on stdout."""

from __future__ import annotations

import json
import sys
from email.parser import Parser

from img2dataset.downloader import is_disallowed

#: What `img2dataset` refuses unless told otherwise (its default for --disallowed_header_directives).
DIRECTIVES = ["noai", "noimageai", "noindex", "noimageindex"]


def main() -> None:
    """One JSON object: vector id -> whether the header makes img2dataset refuse the image."""
    said = {}
    for vector in json.load(sys.stdin):
        head = vector["headers"].replace("\r\n", "\n")
        fields = head.partition("\n")[2] if head.startswith("HTTP/") else head
        message = Parser().parsestr(fields)
        said[vector["id"]] = bool(is_disallowed(message, vector["agent"].lower(), DIRECTIVES))
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
