"""The tables of crawl.sqlite (docs/records.md draws them).

A request is known by its kind and normalised URL. `target`, `host` and `origin` say where it stands
now: a redirect moves the request to the next hop's host, where it waits its turn like any other.
Times that steer the crawl are never stored: after a restart every host waits its whole delay again.
`next_retry` columns are wall time for people to read.
"""

from __future__ import annotations

from enum import IntEnum

SCHEMA_VERSION = 4


class Kind(IntEnum):
    """What a request is for; also the order in which one origin's requests are made."""

    SITEMAP = 0
    PAGE = 1
    IMAGE = 2


class State(IntEnum):
    """Where a request is on its way."""

    PENDING = 0
    IN_FLIGHT = 1  # handed to memory; a restart makes it pending again
    DONE = 2
    HELD = 3  # asked again at the recipe's intervals
    PARKED = 4  # an image that waits until more of its page's host has been read
    WAITING = 5  # for documents that its gate has to read first (table `waits`)
    ASKING = 6  # until the registry service has answered for its target


TABLES = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE files (               -- tar and WARC files: both are cut to these lengths at the start
    name TEXT PRIMARY KEY,
    length INTEGER NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE hosts (
    host TEXT PRIMARY KEY,
    state TEXT NOT NULL DEFAULT 'open',      -- open | held | closed
    reason TEXT NOT NULL DEFAULT '',
    holds INTEGER NOT NULL DEFAULT 0,
    next_retry REAL NOT NULL DEFAULT 0,
    walls INTEGER NOT NULL DEFAULT 0,        -- walls met in a row
    pages INTEGER NOT NULL DEFAULT 0,        -- asked so far
    images INTEGER NOT NULL DEFAULT 0,
    host_files INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0,         -- spent waiting for answers
    backoff REAL NOT NULL DEFAULT 0,         -- extra delay the host asked for, waited again after a restart
    delay REAL NOT NULL DEFAULT 0            -- the longest Crawl-delay of its origins
) WITHOUT ROWID;

CREATE TABLE origins (
    origin TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    state TEXT NOT NULL,                     -- unknown | fetching | open | held | refused
    reason TEXT NOT NULL DEFAULT '',
    holds INTEGER NOT NULL DEFAULT 0,
    next_retry REAL NOT NULL DEFAULT 0,
    fetched_at REAL NOT NULL DEFAULT 0,
    facts TEXT NOT NULL DEFAULT ''           -- path -> id in host_files
) WITHOUT ROWID;

CREATE TABLE host_files (
    id INTEGER PRIMARY KEY,
    origin TEXT NOT NULL,
    path TEXT NOT NULL,
    final_url TEXT NOT NULL,
    hops TEXT NOT NULL,
    status INTEGER NOT NULL,                 -- 0: no answer
    error TEXT NOT NULL,
    headers TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    fetched_at REAL NOT NULL,
    cached_age REAL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    warc_file TEXT NOT NULL,
    warc_offset INTEGER NOT NULL
);

CREATE TABLE host_bodies (
    sha256 TEXT PRIMARY KEY,
    body BLOB NOT NULL                       -- zlib
) WITHOUT ROWID;

CREATE TABLE documents (           -- what pages, addresses and images name, by absolute URL
    url TEXT PRIMARY KEY,
    file INTEGER NOT NULL                    -- id in host_files
) WITHOUT ROWID;

CREATE TABLE waits (                         -- requests whose gate waits for a document
    request INTEGER NOT NULL,
    url TEXT NOT NULL,
    PRIMARY KEY (request, url)
) WITHOUT ROWID;
CREATE INDEX waits_url ON waits (url);

CREATE TABLE requests (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    url TEXT NOT NULL,
    target TEXT NOT NULL,                    -- the hop that is asked next
    host TEXT NOT NULL,
    origin TEXT NOT NULL,
    page_host TEXT NOT NULL,                 -- of an image: the host of the page that showed it first
    depth INTEGER NOT NULL,
    follow INTEGER NOT NULL DEFAULT 1,       -- of a page: 0 when only listed images are wanted
    state INTEGER NOT NULL,
    hops TEXT NOT NULL DEFAULT '[]',
    attempts INTEGER NOT NULL DEFAULT 0,
    holds INTEGER NOT NULL DEFAULT 0,
    next_retry REAL NOT NULL DEFAULT 0,
    asked_again INTEGER NOT NULL DEFAULT 0,  -- a second request because new evidence was found
    waited INTEGER NOT NULL DEFAULT 0,       -- how often it stood back for a document
    gate TEXT NOT NULL DEFAULT '',
    verdict TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    not_requested TEXT NOT NULL DEFAULT '',
    final_url TEXT NOT NULL DEFAULT '',
    status INTEGER NOT NULL DEFAULT 0,
    headers TEXT NOT NULL DEFAULT '[]',
    fetched_at REAL NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    sha256 TEXT NOT NULL DEFAULT '',
    mime TEXT NOT NULL DEFAULT '',
    width INTEGER NOT NULL DEFAULT 0,
    height INTEGER NOT NULL DEFAULT 0,
    signals TEXT NOT NULL DEFAULT '[]',
    evidence TEXT NOT NULL DEFAULT '[]',
    UNIQUE (url, kind)
);
CREATE INDEX requests_pending ON requests (origin, kind, id) WHERE state = 0;
CREATE INDEX requests_parked ON requests (page_host) WHERE state = 4;
CREATE INDEX requests_held ON requests (id) WHERE state = 3;
CREATE INDEX requests_asking ON requests (target) WHERE state = 6;

CREATE TABLE registry_answers (              -- what the registry service said; a later answer replaces
    url TEXT PRIMARY KEY,
    opt_out INTEGER,                         -- NULL: it was asked, and no answer could be had
    raw TEXT NOT NULL,
    digest TEXT NOT NULL,                    -- sha256 of the reply
    answered_at REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE listed (                        -- images that a list or a sitemap names for a page
    page_url TEXT NOT NULL,
    image_url TEXT NOT NULL,
    caption TEXT NOT NULL,
    title TEXT NOT NULL,
    PRIMARY KEY (page_url, image_url)
) WITHOUT ROWID;

CREATE TABLE candidates (
    candidate_id TEXT PRIMARY KEY,
    image INTEGER NOT NULL,                  -- request id, or 0 when none was made
    page INTEGER NOT NULL,                   -- request id of the page, or 0
    image_url TEXT NOT NULL,
    page_url TEXT NOT NULL,
    depth INTEGER NOT NULL,
    found_at REAL NOT NULL,
    context TEXT NOT NULL,
    gate TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    not_requested TEXT NOT NULL,
    signals TEXT NOT NULL,                   -- beyond the page's own
    evidence TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX candidates_image ON candidates (image);
CREATE INDEX candidates_url ON candidates (image_url);

CREATE TABLE raw (                           -- one row per image request that came to an end
    id INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    key TEXT NOT NULL,
    request INTEGER NOT NULL,
    caption TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT NOT NULL,
    exif TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    ext TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    offset INTEGER NOT NULL
);
CREATE UNIQUE INDEX raw_bytes ON raw (sha256) WHERE status = 'success';
CREATE INDEX raw_shard ON raw (shard);

CREATE TABLE same_bytes (                    -- under how many addresses a host serves the same bytes
    sha256 TEXT NOT NULL,
    host TEXT NOT NULL,
    addresses INTEGER NOT NULL,
    PRIMARY KEY (sha256, host)
) WITHOUT ROWID;
"""

#: Added when a database is opened that lacks it: an older crawl goes on; what it refused before has no row.
UNSTORED_TABLE = """
CREATE TABLE IF NOT EXISTS unstored (        -- fingerprints of images whose bytes came and were not kept
    sha256 TEXT PRIMARY KEY,
    pixel_sha256 TEXT NOT NULL,
    pdq TEXT NOT NULL,
    pdq_quality INTEGER NOT NULL,
    pdq_trimmed TEXT NOT NULL,
    pdq_frames BLOB NOT NULL,
    decoder TEXT NOT NULL
);
"""
