"""The child that reads C2PA manifest stores. Started by `kyodaku.c2pareader`, imported by nothing else.

A request is {mime, body}; a reply is {found} with the store's JSON as payload, or {error}. How they travel:
`kyodaku._child`. The library is told to fetch nothing, and this process could not: it may open no socket.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from c2pa import Context, Reader

from kyodaku._child import Reply, serve

#: Remote manifests, revocation answers and identity documents all stay where they are.
_SETTINGS = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": [], "decode_identity_assertions": False},
}


def main(options: dict[str, Any]) -> None:
    """Serve until standard input ends."""
    context = Context.from_dict(_SETTINGS)
    serve(options, lambda head, body: _read(context, head["mime"], body), may_open=False)


def _read(context: Context, mime: str, body: bytes) -> Reply:
    try:
        reader = Reader.try_create(mime, io.BytesIO(body), context=context)
        if reader is None:
            return {"found": False}, b""
        with reader:
            return {"found": True}, reader.json().encode("utf-8", "replace")
    except MemoryError:
        raise
    except Exception as error:  # whatever the library says of the file, it could not read it
        return {"error": (str(error).splitlines() or [type(error).__name__])[0][:300]}, b""


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
