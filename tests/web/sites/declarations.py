"""What stands inside files, on profiles and in records of accounts: words, credentials, conventions."""

from __future__ import annotations

from functools import cache, partial

from kyodaku.reasons import FilterReason, RefuseReason
from tests.credentials import Signatory, mining
from tests.web.model import RELEASED, Expected, Figure, Page, Reply, Site, ends
from tests.web.pictures import painted, raw, xmp_packet
from tests.web.sites.works import JSON, json_reply, work


def sites() -> list[Site]:
    """Every site of this file."""
    return [
        rights(),
        credentials(),
        ai_made(),
        fediverse(),
        pds(),
    ]


def rights() -> Site:
    said_no = ends(RefuseReason.RIGHTS_TEXT)

    def stated(name: str, alt: str, statement: str, expect: Expected) -> Figure:
        packet = xmp_packet(
            'xmlns:dc="http://purl.org/dc/elements/1.1/"',
            f'<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">{statement}</rdf:li></rdf:Alt></dc:rights>',
        )
        return Figure(f"/{name}.jpg", alt, painted(f"rights/{name}", xmp=packet), expect=expect)

    return Site(
        "rights.example",
        "rights statements inside files, in words",
        pages=(
            Page(
                "/",
                "In words",
                (
                    stated(
                        "en",
                        "A watercolour with a ban in English",
                        "(c) 2024 A. Painter. No AI training.",
                        said_no,
                    ),
                    stated("ja", "A watercolour with a ban in Japanese", "無断転載禁止・AI学習禁止", said_no),
                    stated(
                        "plain",
                        "A watercolour with an ordinary notice",
                        "Painted at Casino airport, 2024",
                        RELEASED,
                    ),
                ),
            ),
        ),
    )


def credentials() -> Site:
    """Pictures with Content Credentials, signed under a certificate that nobody trusts."""
    said_no = ends(RefuseReason.C2PA)

    def signed(path: str, alt: str, expect: Expected, uses: dict[str, str], broken: bool = False) -> Figure:
        kind = path.rpartition(".")[2].replace("jpg", "jpeg")
        body = partial(_signed, path, kind, tuple(uses.items()), broken)
        return Figure(path, alt, raw(body, f"image/{kind}"), expect=expect)

    no, yes = {"ai_generative_training": "notAllowed"}, {"ai_generative_training": "allowed"}
    return Site(
        "credentials.example",
        "Content Credentials that refuse, that allow, and whose signature is broken",
        pages=(
            Page(
                "/",
                "Signed works",
                (
                    signed("/no.jpg", "A signed lithograph that may not train anything", said_no, no),
                    signed("/no.png", "A signed linocut that may not train anything", said_no, no),
                    signed("/broken.webp", "A signed woodcut, changed afterwards", said_no, no, broken=True),
                    signed("/shown.jpg", "A lithograph that no model may see", said_no, _UNSEEN),
                    signed("/yes.jpg", "A signed lithograph that may be used for training", RELEASED, yes),
                ),
            ),
        ),
    )


_UNSEEN = {"ai_inference": "notAllowed"}


@cache
def _signed(path: str, kind: str, uses: tuple[tuple[str, str], ...], broken: bool) -> bytes:
    """The same bytes for every small web of a process: a signature has chance in it."""
    plain = painted(f"credentials{path}", kind=kind.upper()).render()
    body = Signatory().sign(plain, kind, mining(**dict(uses)))
    return body[:-9] + bytes([body[-9] ^ 1]) + body[-8:] if broken else body


def ai_made() -> Site:
    """Pictures that say of themselves that a model drew them: facts, and no refusal under this recipe."""
    source = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    packet = xmp_packet(
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f'Iptc4xmpExt:DigitalSourceType="{source}"'
    )
    return Site(
        "generated.example",
        "a picture whose metadata says that a model made it: dropped",
        pages=(
            Page(
                "/",
                "Generated",
                (
                    Figure(
                        "/1.jpg",
                        "A landscape that was generated",
                        painted("generated/1", xmp=packet),
                        expect=ends(FilterReason.AI_MADE),
                    ),
                ),
            ),
        ),
    )


def fediverse() -> Site:
    figure = work("fediverse", "/media/1.jpg", "A photograph in a post", ends(RefuseReason.PLATFORM))
    return Site(
        "fediverse.example",
        "a Mastodon profile whose biography says #NoBot",
        pages=(
            Page(
                "/@ink",
                "Ink (@ink@fediverse.example)",
                (figure,),
                head='<meta name="generator" content="Mastodon 4.4.0">'
                '<meta name="description" content="I draw foxes. #NoBot">'
                '<meta property="og:type" content="profile">',
            ),
            Page("/", "A server", links=("/@ink",)),
        ),
    )


def pds() -> Site:
    """Blobs of two accounts of a personal data server; only one account says no."""

    def blob(did: str, alt: str, expect: Expected) -> Figure:
        path = f"/xrpc/com.atproto.sync.getBlob?did={did}&cid=bafkrei1"
        return Figure(path, alt, painted(f"pds/{did}"), expect=expect)

    def record(allow: bool) -> Reply:
        intent = {"updatedAt": "2026-02-20T21:37:20.362Z", "allow": allow}
        value = {"$type": "org.user-intents.declaration", "syntheticContentGeneration": intent}
        return json_reply({"uri": "at://x/org.user-intents.declaration/self", "cid": "bafy", "value": value})

    def path(did: str) -> str:
        record = "collection=org.user-intents.declaration&rkey=self"
        return f"/xrpc/com.atproto.repo.getRecord?repo={did}&{record}"

    no, yes, none = (f"did:plc:{name:a<24}" for name in ("no", "yes", "none"))
    missing = Reply(b'{"error":"RecordNotFound","message":"Could not locate record"}', 400, JSON)
    return Site(
        "pds.example",
        "ATProto user intents: one account refuses, one allows, one has not decided",
        pages=(
            Page(
                "/",
                "Posts",
                (
                    blob(no, "A post by somebody who refuses", ends(RefuseReason.USER_INTENT)),
                    blob(yes, "A post by somebody who agrees", RELEASED),
                    blob(none, "A post by somebody who has not decided", RELEASED),
                ),
            ),
        ),
        routes={path(no): record(False), path(yes): record(True), path(none): missing},
    )
