"""For trainers: a release as a webdataset pipeline, with nothing that runs a shell."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from kyodaku.errors import RecordError
from kyodaku.release.manifest import read_manifest

_SHARD = re.compile(r"[0-9]{5}(-r[0-9]+)?\.tar")


def open_release(
    path: Path | str, *, images: str = "pil", shuffle: int = 0, skip: Collection[str] = ()
) -> Any:
    """A `webdataset.WebDataset` over the shards that the manifest in `path` names.

    Each sample is a dict with `__key__` (the uid), `txt` (str), `json` (dict) and the picture under its
    extension, `jpg` unless the release keeps formats.

    Args:
        images: what pictures become, as webdataset's `decode` says: "pil", "rgb8", "torchrgb"...;
            "" for their bytes (no Pillow needed).
        shuffle: size of the shuffle buffer; 0 for the order of the release.
        skip: uids to leave out, such as those withdrawn since.

    webdataset runs a shell for URLs that begin with `pipe:`. Here it is given absolute paths of files that
    are there, so none can. Raises RecordError for a folder that is no release.
    """
    import webdataset

    folder = Path(path).resolve()
    names = sorted(name for name in read_manifest(folder).files if name.endswith(".tar"))
    for name in names:
        if not _SHARD.fullmatch(name) or not (folder / name).is_file():
            raise RecordError(f"{folder}: the manifest names {name!r}, which is not a shard here")
    data = webdataset.WebDataset(
        [str(folder / name) for name in names], shardshuffle=False, empty_check=False
    )
    if skip:
        withdrawn = frozenset(skip)
        data = data.select(lambda sample: sample["__key__"] not in withdrawn)
    if shuffle:
        data = data.shuffle(shuffle)
    return data.decode(images) if images else data.decode(only=["json", "txt"])
