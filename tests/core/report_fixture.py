"""A run folder made by hand for the tests of reports and explain: one candidate of every kind, real
pictures in real shards, and every hostile string we could think of."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from PIL import Image

from kyodaku.fingerprint import candidate_id, uid_of
from kyodaku.recipe import Recipe, parse_recipe
from kyodaku.records import (
    ANNOTATIONS,
    ATTRIBUTION,
    CANDIDATES,
    CAPTIONS,
    DECISIONS,
    HOSTS,
    INDEX,
    MATCHES,
    PAGES,
    RAW,
    RELEASED,
    Candidate,
)
from kyodaku.runs import RunFolder
from kyodaku.shards import TarWriter, write_parquet
from kyodaku.signals.model import (
    Binding,
    Effect,
    Hop,
    LicenceBinding,
    LicenceEvidence,
    Signal,
    Use,
    Where,
)
from tests.web import art

START = 1_795_190_400.0
PDM = "https://creativecommons.org/publicdomain/mark/1.0/"
SCRIPT = '<script>alert("owned")</script><img src=x onerror=alert(1)>'
BIDI = "innocent \u202egpj.exe\u202c \u2066text\u2069 \u200b"
LONG_URL = "https://long.example/" + "a" * 10_000 + ".jpg"
HOSTILE_URL = "javascript:alert(document.domain)"
UNDECODED = "undecoded"
QUOTE_URL = 'https://quote.example/"><script>alert(2)</script>.jpg'


def recipe(contact: str = "", local: bool = True) -> Recipe:
    """The recipe of the fixture run."""
    return parse_recipe(
        {
            "version": 1,
            "name": "small-museum",
            "operator": {"crawler": "Example-Bot", "contact": contact},
            "seeds": {"sites": ["https://museum.example/"]},
            "network": {"host_table": "hosts.toml"} if local else {},
            "permission": {"basis": "public-domain"},
            "institutions": [
                {
                    "host": "museum.example",
                    "statement": "This work is in the public domain",
                    "evidence_url": "https://museum.example/open-access",
                }
            ],
            "release": {"title": "A small museum"},
        },
        "fixture",
    )


@dataclass
class Made:
    """One candidate with its bytes (None: nothing was ever stored) and its decision."""

    candidate: Candidate
    body: bytes | None = None
    decision: dict[str, Any] = field(default_factory=dict)
    caption: str = ""
    pixels: str = ""
    findings: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class FixtureRun:
    """The run folder, its release, its recipe and its candidates by a short name."""

    run: RunFolder
    release: Path
    recipe: Recipe
    made: dict[str, Made]

    def uid(self, name: str) -> str:
        return self.made[name].candidate.uid


def picture(seed: int, size: tuple[int, int] = (640, 480), kind: str = "JPEG") -> bytes:
    """A drawing, the same for the same seed."""
    file = io.BytesIO()
    motifs: Sequence[Callable[[int, tuple[int, int]], Image.Image]] = MOTIFS
    motifs[seed % len(motifs)](seed, size).save(file, kind)
    return file.getvalue()


MOTIFS: tuple[Callable[[int, tuple[int, int]], Image.Image], ...] = tuple(
    getattr(art, name) for name in ("landscape", "abstract") if hasattr(art, name)
)


def signal(raw: str, reason: str, source: str, where: Where, binding: Binding, **more: Any) -> Signal:
    """An objection as a protocol writes it."""
    effect = Effect.ERROR if reason.startswith(("robots_un", "login")) else Effect.RESERVED
    values: dict[str, Any] = {
        "protocol": "robots",
        "use": Use.TRAINING,
        "effect": effect,
        "parsed": "",
        "rule": "",
        "digest": hashlib.sha256(raw.encode()).hexdigest(),
        "complete": True,
        "fetched_at": START + 5,
    }
    return Signal(where=where, binding=binding, raw=raw, reason=reason, source_url=source, **(values | more))


def statement(page: str) -> LicenceEvidence:
    """A museum's own statement, bound to its page's main image."""
    return LicenceEvidence(
        licence="institution",
        licence_url="This work is in the public domain",
        binding=LicenceBinding.INSTITUTION_PAGE,
        institution="museum.example",
        source_url=page,
        element='<p class="rights">This work is in the public domain</p>',
        digest="a" * 64,
    )


def found(image: str, page: str, **more: Any) -> Candidate:
    """A candidate as the crawl records it."""
    host = image.split("/")[2] if "://" in image else ""
    return Candidate(candidate_id(image, page), image, page, host, found_at=START + 10, **more)


def stored(made: Made, body: bytes, **more: Any) -> Made:
    """The candidate once its bytes were fetched."""
    digest = hashlib.sha256(body).hexdigest()
    values: dict[str, Any] = {
        "gate": "g5",
        "gate_verdict": "proceed",
        "gate_reason": "",
        "status": 200,
        "final_url": made.candidate.image_url,
        "hops": (Hop(made.candidate.image_url, 200, "127.0.0.1"),),
        "headers": (("content-type", "image/jpeg"),),
        "fetched_at": START + 60,
        "bytes": len(body),
        "sha256": digest,
        "uid": uid_of(digest),
        "mime": "image/jpeg",
        "width": 640,
        "height": 480,
        "raw_shard": "00000",
    }
    made.candidate = replace(made.candidate, **(values | more))
    made.body = body
    return made


def decided(outcome: str, reason: str, verdict: str = "allow", **more: Any) -> dict[str, Any]:
    """A decision row, but for its ids."""
    own = reason if verdict != "allow" else "public_domain"
    base = {"licence": "institution" if verdict == "allow" else "", "signals": [], "evidence": [0]}
    if verdict != "allow":
        base["evidence"] = []
    rest = {"because_of": "", "purged": False}
    return (
        {"verdict": verdict, "reason": own, "outcome": outcome, "outcome_reason": reason} | base | rest | more
    )


def objection(name: str, sign: Signal, gate: str, image: str, page: str, **more: Any) -> Made:
    """A candidate that one signal refused or held at a gate."""
    held = sign.effect is Effect.ERROR
    candidate = found(
        image,
        page,
        gate=gate,
        gate_verdict="hold" if held else "refuse",
        gate_reason=sign.reason,
        signals=(sign,),
        alt=name,
        **more,
    )
    verdict = "hold" if held else "refuse"
    return Made(candidate, None, decided("held" if held else "refused", sign.reason, verdict, signals=[0]))


def _museum(made: dict[str, Made]) -> None:
    titles = (
        "The harbour at dawn, oil on canvas, 1871",
        "港の朝、木版画、明治十三年",
        SCRIPT,
        BIDI,
        "A very long title " * 40,
        "Study of clouds",
        "مخطوطة مزخرفة من القرن الرابع عشر",
        "",
    )
    for number, title in enumerate(titles):
        page = f"https://museum.example/works/{number}"
        image = f"https://museum.example/media/{number}.jpg"
        one = Made(found(image, page, alt=title, evidence=(statement(page),), language="en"))
        stored(one, picture(number, (640, 480) if number % 2 else (420, 600)))
        if title:
            one.decision, one.caption = decided("released", "public_domain"), title
        else:
            one.decision = decided("filtered", "no_caption")
        made[f"museum{number}"] = one


def _refused(made: dict[str, Made]) -> None:
    robots = "https://cdn.artist.example/robots.txt"
    made["artist"] = objection(
        "Fox in the snow",
        signal(
            "Disallow: /",
            "robots_purpose",
            robots,
            Where.FILE,
            Binding.PATH,
            parsed="disallow for GPTBot",
            rule="robots:purpose:GPTBot:L2",
        ),
        "g3",
        "https://cdn.artist.example/fox.jpg",
        "https://artist.example/gallery",
    )
    page = "https://noai.example/"
    made["noai"] = objection(
        "A noai page",
        signal(
            '<meta name="robots" content="noai, noimageai">',
            "meta_robots",
            page,
            Where.HTML,
            Binding.PAGE,
            protocol="meta-robots",
            parsed="noai",
        ),
        "g2",
        "https://noai.example/a.jpg",
        page,
    )
    made["header"] = objection(
        "CDN header",
        signal(
            "X-Robots-Tag: noai " + SCRIPT + BIDI,
            "x_robots_tag",
            "https://cdn.photo.example/1.jpg",
            Where.HEADER,
            Binding.IMAGE,
            protocol="x-robots-tag",
        ),
        "g4",
        "https://cdn.photo.example/1.jpg",
        "https://photo.example/",
        hops=(Hop("https://cdn.photo.example/1.jpg", 200, "127.0.0.1"),),
    )
    for name, url in (("long", LONG_URL), ("scheme", HOSTILE_URL), ("quote", QUOTE_URL)):
        made[name] = Made(
            found(
                url, "https://links.example/", gate="g0", gate_verdict="refuse", gate_reason="address_blocked"
            ),
            None,
            decided("refused", "address_blocked", "refuse"),
        )
    made["xmp"] = objection(
        "XMP prohibits",
        signal(
            "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED",
            "plus_data_mining",
            "https://museum.example/media/xmp.jpg",
            Where.FILE,
            Binding.IMAGE,
            protocol="plus-datamining",
        ),
        "g5",
        "https://museum.example/media/xmp.jpg",
        "https://museum.example/works/xmp",
    )
    secret = hashlib.sha256(picture(77)).hexdigest()
    made["xmp"].candidate = replace(made["xmp"].candidate, sha256=secret, uid=uid_of(secret), status=200)


def _late_no(made: dict[str, Made]) -> None:
    """One picture on a silent page, then on a page that says noai: stored once, refused, purged."""
    image = "https://split.example/same.jpg"
    silent = stored(Made(found(image, "https://split.example/silent", alt="Silent page")), picture(50))
    says = signal(
        '<meta name="robots" content="noai">',
        "meta_robots",
        "https://split.example/noai",
        Where.HTML,
        Binding.PAGE,
        protocol="meta-robots",
    )
    loud = objection("Loud page", says, "g2", image, "https://split.example/noai")
    silent.decision = decided(
        "refused", "same_url_refused", "refuse", because_of=loud.candidate.candidate_id, purged=True
    )
    made["silent"], made["loud"] = silent, loud


def mask() -> bytes:
    """A mask of 16 by 12 pixels whose lower half was seen."""
    image = Image.new("L", (16, 12))
    image.paste(255, (0, 6, 16, 12))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def found_in(made: dict[str, Made], name: str, annotator: str, text: str, status: str = "ok") -> None:
    """Let an annotator have found something in a picture."""
    made[name].findings.append(
        {
            "annotator": annotator,
            "version": "1",
            "status": status,
            "score": 0.875 if status == "ok" else 0.0,
            "level": "likely" if status == "ok" else "",
            "text": text,
            "values": [{"name": "share", "value": 0.25}],
            "mask": mask() if status == "ok" else b"",
        }
    )


def _set_aside(made: dict[str, Made]) -> None:
    def one(
        name: str, seed: int, decision: dict[str, Any], size: tuple[int, int] = (640, 480), **more: Any
    ) -> Made:
        page = f"https://museum.example/works/{name}"
        image = f"https://museum.example/media/{name}.jpg"
        item = Made(found(image, page, alt=f"The {name} picture", evidence=(statement(page),)))
        stored(item, picture(seed, size), width=size[0], height=size[1], **more)
        item.decision = decision
        made[name] = item
        return item

    one("small", 20, decided("filtered", "low_resolution"), (120, 90))
    one("banner", 21, decided("filtered", "extreme_aspect"), (900, 120))
    one("decoy", 22, decided("quarantined", "decoy_host"))
    first = made["museum0"].candidate.candidate_id
    copy = one("copy", 23, decided("duplicate", "same_bytes", because_of=first))
    stored(copy, made["museum0"].body or b"")
    one("twin", 24, decided("duplicate", "same_pixels", because_of=first)).pixels = "0" * 64
    made["museum0"].pixels = "0" * 64
    found_in(made, "decoy", "text", "© Ann " + SCRIPT + BIDI)
    found_in(made, "decoy", "kind", "", status="unknown")
    one("marked", 28, decided("filtered", "watermark"))
    found_in(made, "marked", "overlay", "sample mark")
    # The pixels of something purged, in other bytes: it must never be shown, whatever its decision says.
    one("ghost", 25, decided("filtered", "low_resolution")).pixels = "1" * 64
    made["silent"].pixels = "1" * 64
    for name in ("ghost", "silent"):
        found_in(made, name, "detail", f"words read in {name}")
    # Bytes that one place refuses and that, by some fault, were kept and allowed at another.
    echo = one("echo", 26, decided("filtered", "low_resolution"))
    no = Made(found("https://split.example/echo.jpg", "https://split.example/echo"))
    made["echo_no"] = stored(no, echo.body or b"", bytes=0)
    echo.pixels = no.pixels = UNDECODED
    no.decision = decided("refused", "no_licence_evidence", "refuse")
    # An outcome that no hold may have.
    one("odd", 27, decided("filtered", "low_resolution", "hold"))


def _rest(made: dict[str, Made]) -> None:
    made["down"] = objection(
        "Down",
        signal("timeout", "robots_unreachable", "https://down.example/robots.txt", Where.FILE, Binding.HOST),
        "g1",
        "https://down.example/a.jpg",
        "https://links.example/",
    )
    made["login"] = Made(
        found(
            "https://club.example/a.jpg",
            "https://club.example/",
            gate="g2",
            gate_verdict="hold",
            gate_reason="login_wall",
        ),
        None,
        decided("held", "login_wall", "hold"),
    )
    hop = (Hop("https://links.example/404.jpg", 404, "127.0.0.1"),)
    made["gone"] = Made(
        found(
            "https://links.example/404.jpg",
            "https://links.example/",
            gate="g4",
            gate_verdict="fail",
            gate_reason="not_found",
            failure="not_found",
            hops=hop,
        ),
        None,
        decided("failed", "not_found", "hold"),
    )
    made["budget"] = Made(
        found("https://links.example/x.jpg", "https://links.example/", not_requested="budget_images"),
        None,
        decided("not_requested", "budget_images", "hold"),
    )


#: A licence that two hosts name: it was asked for once, and redirected once.
LICENCE_URL = "https://licences.example/rsl.xml"


def _hosts() -> list[dict[str, Any]]:
    def one(
        origin: str,
        status: int,
        verdict: str,
        reason: str = "",
        error: str = "",
        path: str = "/robots.txt",
        hops: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        url = path if "://" in path else origin + path
        return {
            "origin": origin,
            "path": path,
            "final_url": url,
            "hops": [
                {"url": hop, "status": status, "ip": "127.0.0.1"}
                for hop in ((url,) if hops is None else hops)
            ],
            "status": status,
            "error": error,
            "headers": [],
            "sha256": "b" * 64,
            "bytes": 40,
            "complete": True,
            "fetched_at": START + 1,
            "verdict": verdict,
            "reason": reason,
            "warc_file": "00000.warc.gz",
            "warc_offset": 512,
        }

    return [
        one("https://museum.example", 200, "proceed"),
        one("https://cdn.artist.example", 200, "refuse", "robots_purpose"),
        one("https://noai.example", 404, "proceed"),
        one("https://cdn.photo.example", 404, "proceed"),
        one("https://down.example", 0, "hold", "robots_unreachable", "timeout"),
        one("https://club.example", 200, "proceed"),
        one("https://split.example", 200, "proceed"),
        one("https://captcha.example", 404, "proceed"),
        one("https://museum.example", 404, "proceed", path="/ai.txt"),
        one("https://museum.example", 404, "proceed", path="/.well-known/tdmrep.json"),
        one("https://club.example", 0, "proceed", "", "barred-by-robots", "/ai.txt", ()),
        one("https://licences.example", 200, ""),
        *(
            one(origin, 200, "proceed", path=LICENCE_URL, hops=(LICENCE_URL, LICENCE_URL + "?new"))
            for origin in ("https://museum.example", "https://noai.example")
        ),
    ]


def _page(url: str, verdict: str = "proceed", reason: str = "", **more: Any) -> dict[str, Any]:
    """A row of the table of pages."""
    status = more.get("status", 200)
    row: dict[str, Any] = {
        "url": url,
        "kind": "page",
        "host": url.split("/")[2],
        "depth": 1,
        "final_url": url,
        "hops": [{"url": url, "status": status, "ip": "127.0.0.1"}] if status else [],
        "status": status,
        "gate": "g2",
        "gate_verdict": verdict,
        "gate_reason": reason,
        "not_requested": "",
        "fetched_at": START + 20 if status else 0.0,
        "bytes": 100 if status else 0,
        "candidates": 0,
        "signals": [],
    }
    return row | more


def _pages(made: dict[str, Made]) -> list[dict[str, Any]]:
    """Every page that shows a candidate, and pages of every kind that show none."""
    shown: dict[str, dict[str, Any]] = {}
    for item in made.values():
        candidate = item.candidate
        url = candidate.page_url
        said = [asdict(signal) for signal in candidate.signals if signal.binding is Binding.PAGE]
        row = shown.setdefault(url, _page(url))
        row["candidates"] += 1
        if said:
            row |= {"gate_verdict": "refuse", "gate_reason": "meta_robots", "signals": said}
    disallowed = signal(
        "Disallow: /private " + SCRIPT,
        "robots_disallow",
        "https://shut.example/robots.txt",
        Where.FILE,
        Binding.PATH,
        parsed="disallow for *",
    )
    shown["https://club.example/"] |= {"gate_verdict": "hold", "gate_reason": "login_wall"}
    login = "https://club.example/login?next=/b"
    way = [
        {"url": "https://club.example/b", "status": 302, "ip": ""},
        {"url": login, "status": 200, "ip": ""},
    ]
    return [
        *shown.values(),
        _page("https://club.example/b", "hold", "login_wall", final_url=login, hops=way),
        _page("https://captcha.example/", "hold", "captcha_wall", status=403),
        _page("https://shut.example/private", "refuse", "robots_disallow", gate="g1", status=0,
              signals=[asdict(disallowed)]),
        _page("https://legal.example/", "refuse", "legal_block", status=451),
        _page("https://museum.example/gone", "fail", "not_found", status=404),
        _page("https://museum.example/text"),
        _page("https://far.example/", "", "", gate="g0", status=0, not_requested="out_of_scope"),
        _page("https://museum.example/sitemap.xml", kind="sitemap"),
    ]  # fmt: skip


def build(root: Path, *, contact: str = "", local: bool = True, curated: bool = True) -> FixtureRun:
    """Write the run below `root`. `curated` False leaves it as the crawl does."""
    made: dict[str, Made] = {}
    for fill in (_museum, _refused, _late_no, _set_aside, _rest):
        fill(made)
    run = RunFolder(root / "runs" / "small-museum" / "2026-11-20T0900")
    for folder in (run.candidates, run.raw):
        folder.mkdir(parents=True)
    write_parquet(pa.Table.from_pylist(_hosts(), schema=HOSTS), run.hosts)
    write_parquet(pa.Table.from_pylist(_pages(made), schema=PAGES), run.pages)
    _write_raw(run, made)
    rows = [item.candidate.to_row() for item in made.values()]
    half = len(rows) // 2
    _write(run.candidates, CANDIDATES, rows[:half], rows[half:])
    release = run.release()
    if curated:
        _write_curated(run, made, half)
        _write_release(release, made)
    return FixtureRun(run, release, recipe(contact, local), made)


def _write(folder: Path, schema: pa.Schema, *shards: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, rows in enumerate(shards):
        write_parquet(pa.Table.from_pylist(rows, schema=schema), folder / f"{number:05d}.parquet")


def _write_raw(run: RunFolder, made: dict[str, Made]) -> None:
    rows: list[dict[str, Any]] = []
    keys: dict[str, str] = {}
    with (run.raw / "00000.tar").open("wb") as file, TarWriter(file) as tar:
        for item in made.values():
            if item.body is None:
                continue
            uid = item.candidate.uid
            if uid not in keys:
                keys[uid] = f"{len(keys):08d}"
                purged = bool(item.decision.get("purged"))
                spans = [] if purged else tar.add(keys[uid], {"jpg": item.body, "json": b"{}", "txt": b""})
                offset = next((span.offset_data for span in spans if span.ext == "jpg"), -1)
                rows.append(_raw_row(item, keys[uid], offset))
            item.candidate = replace(item.candidate, raw_key=keys[uid])
    write_parquet(pa.Table.from_pylist(rows, schema=RAW), run.raw / "00000.parquet")


def _raw_row(item: Made, key: str, offset: int) -> dict[str, Any]:
    candidate = item.candidate
    return {
        "url": candidate.image_url,
        "caption": candidate.alt,
        "key": key,
        "status": "success" if offset >= 0 else "purged",
        "error_message": "",
        "width": candidate.width,
        "height": candidate.height,
        "original_width": candidate.width,
        "original_height": candidate.height,
        "exif": "{}",
        "sha256": candidate.sha256,
        "uid": candidate.uid,
        "ext": "jpg",
        "bytes": candidate.bytes,
        "offset": offset,
    }


def _write_curated(run: RunFolder, made: dict[str, Made], half: int) -> None:
    decisions = [
        {"candidate_id": item.candidate.candidate_id, "uid": item.candidate.uid} | item.decision
        for item in made.values()
    ]
    _write(run.decisions, DECISIONS, decisions[:half], decisions[half:])
    images = {item.candidate.uid: item for item in made.values() if item.body is not None}
    _write(run.annotations, ANNOTATIONS, [_annotation(item) for item in images.values()])
    clusters = [
        {"cluster": "c0", "kind": "pixels", "uid": made[name].candidate.uid, "distance": 0}
        for name in ("museum0", "twin")
    ] + [
        {
            "cluster": "c1",
            "kind": "near",
            "uid": made["marked"].candidate.uid,
            "of": made[name].candidate.uid,
            "distance": 12,
        }
        for name in ("museum1", "echo", "ghost")
    ]
    write_parquet(pa.Table.from_pylist(clusters, schema=MATCHES), run.matches)
    captions = [
        {
            "uid": item.candidate.uid,
            "candidate_id": item.candidate.candidate_id,
            "text": item.caption,
            "source": "alt" if item.caption else "",
            "web_text": item.candidate.alt,
            "synthetic_text": "",
            "model": "",
        }
        for name, item in made.items()
        if name.startswith("museum")
    ]
    _write(run.captions, CAPTIONS, captions)


def _annotation(item: Made) -> dict[str, Any]:
    candidate = item.candidate
    return {
        "key": candidate.raw_key,
        "uid": candidate.uid,
        "sha256": candidate.sha256,
        "status": "ok",
        "failure": "",
        "format": "jpeg",
        "mode": "RGB",
        "width": candidate.width,
        "height": candidate.height,
        "frames": 1,
        "orientation": 1,
        "has_alpha": False,
        "has_gps": False,
        "pixel_sha256": ""
        if item.pixels == UNDECODED
        else item.pixels or hashlib.sha256(b"pixels" + candidate.uid.encode()).hexdigest(),
        "pdq": "",
        "pdq_quality": 0,
        "pdq_trimmed": "",
        "pdq_frames": b"",
        "decoder": "test",
        "basics": "1",
        "findings": item.findings,
    }


def _write_release(release: Path, made: dict[str, Made]) -> None:
    write_release(release, [item for item in made.values() if item.decision["outcome"] == "released"])


def write_release(release: Path, items: Sequence[Made]) -> None:
    """A release that holds these pictures."""
    release.mkdir(parents=True)
    chosen = sorted(items, key=lambda item: item.candidate.uid)
    rows: list[dict[str, Any]] = []
    with (release / "00000.tar").open("wb") as file, TarWriter(file) as tar:
        for item in chosen:
            uid = item.candidate.uid
            text = item.caption.encode()
            spans = tar.add(
                uid, {"jpg": item.body or b"", "json": json.dumps({"uid": uid}).encode(), "txt": text}
            )
            span = next(span for span in spans if span.ext == "jpg")
            rows.append(_released_row(item, span.offset_data))
    write_parquet(pa.Table.from_pylist(rows, schema=RELEASED), release / "00000.parquet")
    index = [
        {
            name: row.get(name) or ([] if pa.types.is_list(kind) else "" if kind == pa.string() else 0)
            for name, kind in zip(INDEX.names, INDEX.types, strict=True)
        }
        | {"shard": "00000.tar"}
        for row in rows
    ]
    write_parquet(pa.Table.from_pylist(index, schema=INDEX), release / "index.parquet")
    write_parquet(pa.Table.from_pylist([], schema=ATTRIBUTION), release / "attribution.parquet")


def _released_row(item: Made, offset: int) -> dict[str, Any]:
    candidate = item.candidate
    return _raw_row(item, candidate.uid, offset) | {
        "caption": item.caption,
        "candidate_id": candidate.candidate_id,
        "sha256_source": candidate.sha256,
        "pixel_sha256": "",
        "page_url": candidate.page_url,
        "caption_source": "alt",
        "reason": "public_domain",
        "licence": "institution",
        "licence_url": "https://museum.example/open-access",
        "creator": "Unknown",
        "credit": "Museum of Examples",
        "fetched_at": candidate.fetched_at,
    }
