"""The tables that stages hand to each other: one versioned Arrow schema each.

Every Parquet file carries `kyodaku.schema` = `<name>/<version>` in its schema metadata; `check_schema`
refuses a file that says something else. Times are Unix seconds (float64, UTC). Digests are lower-case
hex. Strings never contain NUL. Field by field in docs/records.md (a test holds the two together).
"""

from __future__ import annotations

from dataclasses import fields

import pyarrow as pa

from kyodaku.candidate import Candidate as Candidate
from kyodaku.errors import RecordError
from kyodaku.signals.model import LicenceEvidence, Signal

_STR, _INT, _F64, _BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()

HEADER_TYPE = pa.struct([("name", _STR), ("value", _STR)])
HOP_TYPE = pa.struct([("url", _STR), ("status", _INT), ("ip", _STR)])
SIGNAL_TYPE = pa.struct(
    [
        (f.name, _BOOL if f.name == "complete" else _F64 if f.name == "fetched_at" else _STR)
        for f in fields(Signal)
    ]
)
VALUE_TYPE = pa.struct([("name", _STR), ("value", _F64)])
FINDING_TYPE = pa.struct(
    [
        ("annotator", _STR),
        ("version", _STR),
        ("status", _STR),  # ok | unknown | failed
        ("score", _F64),
        ("level", _STR),
        ("text", _STR),
        ("values", pa.list_(VALUE_TYPE)),
        ("mask", pa.binary()),
    ]
)
EVIDENCE_TYPE = pa.struct([(f.name, _STR) for f in fields(LicenceEvidence)])


def _schema(name: str, version: int, columns: list[tuple[str, pa.DataType]]) -> pa.Schema:
    return pa.schema(
        [pa.field(column, kind) for column, kind in columns], metadata={"kyodaku.schema": f"{name}/{version}"}
    )


#: One row per (origin, file, fetch).
HOSTS = _schema(
    "hosts",
    1,
    [
        ("origin", _STR),
        ("path", _STR),
        ("final_url", _STR),
        ("hops", pa.list_(HOP_TYPE)),
        ("status", _INT),  # 0: no answer
        ("error", _STR),  # FetchError or ""
        ("headers", pa.list_(HEADER_TYPE)),
        ("sha256", _STR),
        ("bytes", _INT),
        ("complete", _BOOL),
        ("fetched_at", _F64),
        ("verdict", _STR),  # proceed | refuse | hold, for the origin's root
        ("reason", _STR),
        ("warc_file", _STR),
        ("warc_offset", _INT),
    ],
)

#: One row per page or sitemap that the crawl met, asked or not.
PAGES = _schema(
    "pages",
    2,
    [
        ("url", _STR),
        ("kind", _STR),  # page | sitemap
        ("host", _STR),
        ("depth", _INT),
        ("final_url", _STR),
        ("hops", pa.list_(HOP_TYPE)),
        ("status", _INT),  # 0: no answer
        ("gate", _STR),
        ("gate_verdict", _STR),  # proceed | refuse | hold | fail; "" when not asked
        ("gate_reason", _STR),
        ("not_requested", _STR),  # NotRequestedReason or ""
        ("fetched_at", _F64),
        ("bytes", _INT),
        ("etag", _STR),  # as served, or ""
        ("last_modified", _STR),
        ("candidates", _INT),  # image URLs found on it
        ("signals", pa.list_(SIGNAL_TYPE)),
    ],
)

#: One row per candidate: an image URL found on a page.
CANDIDATES = _schema(
    "candidates",
    2,
    [
        ("candidate_id", _STR),
        ("image_url", _STR),
        ("page_url", _STR),  # "" when a URL list gives none
        ("host", _STR),
        ("depth", _INT),
        ("alt", _STR),
        ("title", _STR),
        ("caption", _STR),  # figcaption, or the caption of a URL list
        ("link_text", _STR),
        ("page_title", _STR),
        ("schema_name", _STR),
        ("schema_description", _STR),
        ("schema_creator", _STR),
        ("schema_credit", _STR),
        ("language", _STR),
        ("variants", pa.list_(_STR)),  # smaller variants of the same picture
        ("found_at", _F64),
        ("page_hops", pa.list_(_STR)),  # addresses that led to page_url by redirects
        ("page_sha256", _STR),
        ("gate", _STR),  # the last gate asked: g0..g5
        ("gate_verdict", _STR),  # proceed | refuse | hold | fail
        ("gate_reason", _STR),
        ("not_requested", _STR),  # NotRequestedReason or ""
        ("failure", _STR),  # FailReason or ""
        ("final_url", _STR),
        ("hops", pa.list_(HOP_TYPE)),
        ("status", _INT),
        ("headers", pa.list_(HEADER_TYPE)),
        ("fetched_at", _F64),
        ("bytes", _INT),
        ("sha256", _STR),  # of the bytes as served; also kept for bytes that G5 refused
        ("uid", _STR),
        ("mime", _STR),
        ("width", _INT),
        ("height", _INT),
        ("raw_shard", _STR),  # "00000", or "" when nothing was stored
        ("raw_key", _STR),
        ("signals", pa.list_(SIGNAL_TYPE)),
        ("evidence", pa.list_(EVIDENCE_TYPE)),
    ],
)

#: img2dataset's columns first, ours on top. One row per image that was requested.
RAW = _schema(
    "raw",
    1,
    [
        ("url", _STR),
        ("caption", _STR),
        ("key", _STR),
        ("status", _STR),  # success | failed_to_download | purged
        ("error_message", _STR),
        ("width", _INT),
        ("height", _INT),
        ("original_width", _INT),
        ("original_height", _INT),
        ("exif", _STR),
        ("sha256", _STR),
        ("uid", _STR),
        ("ext", _STR),
        ("bytes", _INT),
        ("offset", _INT),  # of the image bytes inside the tar; -1 when purged
    ],
)

#: One row per stored image.
ANNOTATIONS = _schema(
    "annotations",
    2,
    [
        ("key", _STR),
        ("uid", _STR),
        ("sha256", _STR),
        ("status", _STR),  # ok | failed | purged
        ("failure", _STR),  # FailReason or ""
        ("format", _STR),
        ("mode", _STR),
        ("width", _INT),  # after EXIF orientation
        ("height", _INT),
        ("frames", _INT),
        ("orientation", _INT),
        ("has_alpha", _BOOL),
        ("has_gps", _BOOL),
        ("pixel_sha256", _STR),
        ("pdq", _STR),
        ("pdq_quality", _INT),
        ("pdq_trimmed", _STR),  # of what is inside a plain border, or ""
        ("pdq_frames", pa.binary()),  # kyodaku/copies.py
        ("decoder", _STR),
        ("basics", _STR),  # version of the columns before this one
        ("findings", pa.list_(FINDING_TYPE)),  # one per annotator, in their order
    ],
)

#: One row per image whose bytes came and were refused or held, so that nothing of it is stored.
UNSTORED = _schema(
    "unstored",
    1,
    [
        ("uid", _STR),
        ("sha256", _STR),
        ("pixel_sha256", _STR),
        ("pdq", _STR),
        ("pdq_quality", _INT),
        ("pdq_trimmed", _STR),
        ("pdq_frames", pa.binary()),
        ("decoder", _STR),
    ],
)

#: One row per member of a cluster of equal pictures, and per picture and near copy of it.
MATCHES = _schema(
    "matches",
    2,
    [
        ("cluster", _STR),
        ("kind", _STR),  # bytes | pixels | near | embedding | registry | release
        ("uid", _STR),
        ("of", _STR),  # what it is near to, or ""
        ("distance", _F64),
        ("transform", _STR),
        ("crowded", _BOOL),  # more near copies than are written
    ],
)

#: One row per candidate that was asked about again before a release, numbered as candidates/.
RECHECKS = _schema(
    "rechecks",
    2,
    [
        ("candidate_id", _STR),
        ("checked_at", _F64),  # when its last answer came
        ("page", _STR),  # same | changed; "" when the candidate has no page
        ("image", _STR),  # same | changed; "" when it was not asked for
        ("gate", _STR),  # the gate that closed this time, or the last one asked
        ("gate_verdict", _STR),  # proceed | refuse | hold
        ("gate_reason", _STR),
        ("page_sha256", _STR),  # of the page that was read again, or ""
        ("sha256", _STR),  # of the bytes that were read again, or ""; they are never stored
        ("words", pa.list_(_STR)),  # beside the image on a page that changed; every recheck adds to them
        ("signals", pa.list_(SIGNAL_TYPE)),  # every recheck adds to them
        ("evidence", pa.list_(EVIDENCE_TYPE)),
    ],
)

#: One row per candidate, numbered as candidates/.
DECISIONS = _schema(
    "decisions",
    1,
    [
        ("candidate_id", _STR),
        ("uid", _STR),
        ("verdict", _STR),
        ("reason", _STR),  # of the verdict
        ("outcome", _STR),
        ("outcome_reason", _STR),
        ("licence", _STR),  # canonical id the decision rests on, or ""
        ("signals", pa.list_(_INT)),  # indices into the candidate's signals
        ("evidence", pa.list_(_INT)),
        ("because_of", _STR),  # candidate_id or uid that decided it, when another did
        ("purged", _BOOL),
    ],
)

#: One row per image that select kept.
CAPTIONS = _schema(
    "captions",
    1,
    [
        ("uid", _STR),
        ("candidate_id", _STR),
        ("text", _STR),  # the kept text, or ""
        ("source", _STR),  # alt | caption | title | schema | synthetic | ""
        ("web_text", _STR),
        ("synthetic_text", _STR),
        ("model", _STR),
    ],
)

#: Rows of release/v1/NNNNN.parquet: img2dataset's columns, then ours.
RELEASED = _schema(
    "released",
    1,
    [
        ("url", _STR),
        ("caption", _STR),
        ("key", _STR),
        ("status", _STR),
        ("error_message", _STR),
        ("width", _INT),
        ("height", _INT),
        ("original_width", _INT),
        ("original_height", _INT),
        ("exif", _STR),
        ("sha256", _STR),  # of the released bytes
        ("uid", _STR),
        ("candidate_id", _STR),
        ("sha256_source", _STR),
        ("pixel_sha256", _STR),  # of the source's pixels
        ("page_url", _STR),
        ("caption_source", _STR),
        ("reason", _STR),
        ("licence", _STR),
        ("licence_url", _STR),
        ("creator", _STR),
        ("credit", _STR),
        ("fetched_at", _F64),
        ("offset", _INT),
        ("bytes", _INT),
    ],
)

#: release/v1/index.parquet
INDEX = _schema(
    "index",
    2,
    [
        ("uid", _STR),
        ("shard", _STR),
        ("sha256", _STR),
        ("sha256_source", _STR),
        ("pixel_sha256", _STR),
        ("pdq", _STR),
        ("pdq_quality", _INT),
        ("pdq_trimmed", _STR),
        ("pdq_cuts", pa.list_(_STR)),  # kyodaku/copies.py: listed
        ("url", _STR),
        ("page_url", _STR),
        ("credit", _STR),
    ],
)

#: release/v1/attribution.parquet
ATTRIBUTION = _schema(
    "attribution",
    1,
    [
        ("uid", _STR),
        ("creator", _STR),
        ("licence", _STR),
        ("licence_url", _STR),
        ("credit", _STR),
        ("evidence_url", _STR),
        ("evidence_binding", _STR),
        ("creator_images", _INT),
    ],
)

SCHEMAS: dict[str, pa.Schema] = {
    "hosts": HOSTS,
    "pages": PAGES,
    "candidates": CANDIDATES,
    "raw": RAW,
    "annotations": ANNOTATIONS,
    "unstored": UNSTORED,
    "matches": MATCHES,
    "rechecks": RECHECKS,
    "decisions": DECISIONS,
    "captions": CAPTIONS,
    "released": RELEASED,
    "index": INDEX,
    "attribution": ATTRIBUTION,
}


def schema_id(schema: pa.Schema) -> str:
    """`<name>/<version>` of a schema, or "" when it carries none."""
    return str((schema.metadata or {}).get(b"kyodaku.schema", b"").decode())


def check_schema(found: pa.Schema, wanted: pa.Schema, path: str) -> None:
    """Raise RecordError unless `found` is exactly the schema this code reads."""
    if schema_id(found) != schema_id(wanted):
        raise RecordError(
            f"{path}: schema is {schema_id(found) or 'none'!r}, this version reads {schema_id(wanted)}; "
            "use the version of kyodaku named in recipe.lock.toml"
        )
    if found.names != wanted.names:
        raise RecordError(f"{path}: columns differ from {schema_id(wanted)}; the file was changed")
