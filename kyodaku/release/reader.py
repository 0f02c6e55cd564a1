"""For trainers: a release as a webdataset pipeline in which nothing runs a shell."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from kyodaku.errors import RecordError
from kyodaku.release.manifest import read_manifest

_SHARD = re.compile(r"[0-9]{5}(-r[0-9]+)?\.tar")


def open_release(
    path: Path | str, *, images: str = "pil", shuffle: int = 0, skip: Collection[str] = ()
) -> Any:
    """A webdataset pipeline over the shards that the manifest in `path` names.

    Each sample is a dict with `__key__` (the uid), `txt` (str), `json` (dict) and the picture under its
    extension, `jpg` unless the release keeps formats.

    Args:
        images: what pictures become, as webdataset's `decode` says: "pil", "rgb8", "torchrgb"...;
            "" for their bytes (no Pillow needed).
        shuffle: size of the shuffle buffer; 0 for the order of the release.
        skip: uids to leave out, such as those withdrawn since.

    webdataset's own opener runs a shell for URLs that begin with `pipe:`; it is not used. Shards are split
    over the nodes and DataLoader workers of torch. Raises RecordError for a folder that is no release.
    """
    import webdataset
    from webdataset.tariterators import group_by_keys, tar_file_expander

    folder = Path(path).resolve()
    names = sorted(name for name in read_manifest(folder).files if name.endswith(".tar"))
    for name in names:
        if not _SHARD.fullmatch(name) or not (folder / name).is_file():
            raise RecordError(f"{folder}: the manifest names {name!r}, which is not a shard here")
    data = webdataset.compat.FluidWrapper(webdataset.SimpleShardList([str(folder / name) for name in names]))
    for stage in (
        webdataset.split_by_node,
        webdataset.split_by_worker,
        _opened,
        tar_file_expander,
        group_by_keys,
    ):
        data = data.compose(stage)
    if skip:
        withdrawn = frozenset(skip)
        data = data.select(lambda sample: sample["__key__"] not in withdrawn)
    if shuffle:
        data = data.shuffle(shuffle)
    return data.decode(images) if images else data.decode(only=["json", "txt"])


def _opened(shards: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Open each shard as the plain file it is, and close it when the next is asked for."""
    for shard in shards:
        with open(shard["url"], "rb") as stream:
            yield {**shard, "stream": stream}
