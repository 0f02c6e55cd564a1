"""Host files and documents made to hurt."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.core.adversaries.base import LONG_URL, PATTERN, Adversary, filled
from tests.core.worlds import ORIGIN, RSL, RSL_URL, World

# ---------------------------------------------------------------------------------------- robots.txt

_ALL = b"\n\nUser-agent: *\nUser-agent: Kyodaku\nUser-agent: DemoBot\n"
_LINES_NO = b"\nDisallow: /\nContent-Usage: train-ai=n\nContent-Signal: ai-train=no\nDisallowAITraining: /\n"
_ROBOTS_NO = _ALL + _LINES_NO
_ROBOTS_HEARD = ("robots", "aipref", "content-signal", "disallow-ai-training")
#: What a robots.txt is filled with.
ROBOTS: dict[str, str | bytes] = {
    "spaces": b" " * 16_384 + b"\n",
    "spaces in a name": b"User" + b" " * 16_000 + b"agent: x\n",
    "spaces before a value": b"Content-Usage:" + b" " * 16_000 + b"train-ai=y\n",
    "tiny groups": "User-agent: a\nDisallow:\n",
    "tiny groups of ours": "User-agent: Kyodaku\nContent-Usage: /x train-ai=y\nDisallow: /x\n",
    "groups of crawlers that train": "User-agent: GPTBot\nDisallow: /x\nUser-agent: CCBot\nAllow: /x\n",
    "agents": "User-agent: Kyodaku\n",
    "agents with versions": "User-agent: Kyodaku/1.0 (a b c), GPTBot/2\n",
    "agents in a list": b"User-agent: " + b"a, " * 5000 + b"\n",
    "line ends": "\n",
    "odd line ends": "\r\r\n",
    "comments": "#\n",
    "one comment": "#",
    "colons": ":",
    "keys": "a:\n",
    "long keys": b"a" * 16_000 + b":\n",
    "odd spaces": "\u00a0Disallow\u00a0:\u3000/x\n",
    "quotes": '"\'Disallow: \'"/x"\n',
    "patterns": f"Disallow: {PATTERN}x\n",
    "patterns that allow": f"Allow: {PATTERN}$\n",
    "escapes": "Disallow: /%41%zz%2F%%%\n",
    "paths": "Disallow: /a /b /c /d /e /f /g /h\n",
    "commas": b"Content-Usage: " + b"," * 16_000 + b"\n",
    "one line of commas": ",",
    "semicolons": b"Content-Usage: a" + b";" * 16_000 + b"\n",
    "brackets": b"Content-Usage: " + b"(" * 16_000 + b"\n",
    "quoted": b'Content-Usage: a="' + b'\\"' * 8000 + b"\n",
    "labels": "Content-Usage: train-ai = ( ( (\n",
    "members": b"Content-Usage: " + b"train-ai=y," * 1400 + b"\n",
    "usage of paths": f"Content-Usage: {PATTERN}x train-ai=y\n",
    "usages": "Content-Usage: train-ai=y\n",
    "signals": "Content-Signal: ai-train=yes\n",
    "signal of commas": b"Content-Signal: " + b"ai-train = ," * 1300 + b"\n",
    "signals that say nothing": "Content-Signal: search=yes, ai-train =\n",
    "training rules": f"DisallowAITraining: {PATTERN}x\n",
    "training rules that allow": "DisallowAITraining: /x\n",
    "lines without a colon": "Content-Usage train-ai\n",
    "licences": "License: /x\n",
    "licences of their own": "\n\nLicense: x:y\n",
    "delays": "Crawl-delay: 1.\n",
    "nul": b"\x00",
    "high octets": b"\xff\xfe\x80",
    "marks": b"\xef\xbb\xbfDisallow: /x\n",
    "markup": "<html>",
}


def _robots(piece: str | bytes, head: bytes, end: bytes) -> Callable[[int], World]:
    def build(size: int) -> World:
        body = head + filled(piece, size - len(end) - len(head)) + end
        return World(url=LONG_URL, files={"/robots.txt": body})

    return build


# -------------------------------------------------------------------------------------- policy files

_ENTRY_NO = '{"location":"/","tdm-reservation":1}]'
_MEMBERS_NO = '"training":"deny","tdm-reservation":1}'
#: What a JSON text is filled with, and what stands around it: (before, piece, after).
JSON: dict[str, tuple[str, str, str]] = {
    "brackets": ("", "[", ""),
    "closed brackets": ("", "[]", ""),
    "braces": ("", '{"a":', ""),
    "commas": ("[", ",", "]"),
    "numbers": ("[", "1,", _ENTRY_NO),
    "digits": ("[", "1", "]"),
    "a float": ("[0.", "1", "]"),
    "exponents": ("[", "1e999999999,", _ENTRY_NO),
    "quotes": ("[", '"",', _ENTRY_NO),
    "escapes": ('["', "\\\\", '"]'),
    "letters as escapes": ('["', "\\ud800", '"]'),
    "one name": ("{", '"training":"allow",', _MEMBERS_NO),
    "one name that says no": ('{"a":{', '"tdm-reservation":0,', '"b":1},' + _MEMBERS_NO),
    "objects": ("[", "{},", _ENTRY_NO),
    "spaces": ("", " ", "{"),
    "entries": ("[", '{"location":"/*a*b*c","tdm-reservation":0},', _ENTRY_NO),
    "entries that are unclear": ("[", '{"location":"/x","tdm-reservation":2},', _ENTRY_NO),
    "stars": ('[{"location":"/', "*a", 'x","tdm-reservation":0},' + _ENTRY_NO),
    "policies": ("[", '{"location":"/x","tdm-policy":"/p"},', _ENTRY_NO),
    "globs": ('{"specVersion":"1.0","Training-Allow":[', '"/*a*a*a*x",', '"/"],' + _MEMBERS_NO),
    "agents": ('{"training":"allow","agents":{', '"x":{"training":"allow"},', '"y":{}},' + _MEMBERS_NO),
    "agents in a list": ('{"agents":[', '{"name":"x","training":"allow"},', '{"name":"*"}],' + _MEMBERS_NO),
    "lists in lists": ('{"specVersion":"1.0","training":', "[", ""),
}
#: What a text file is filled with.
TEXTS: dict[str, str | bytes] = {
    "spaces": b" " * 16_384 + b"\n",
    "line ends": "\n",
    "odd line ends": "\r",
    "separators": "\u2028",
    "colons": ":",
    "comments": "# no\n",
    "rules": "Disallow: /x\n",
    "patterns": f"Disallow: {PATTERN}x\n",
    "groups": "User-Agent: a\nDisallow:\n",
    "groups that allow": "User-Agent: Kyodaku\nAllow: *.png\n",
    "globs": f"Training-Allow: {PATTERN}\n",
    "many globs": "Training-Allow: /x /x /x /x /x\n",
    "blocks": "Agent: x\n  Training: allow\n",
    "training": "Training: allow\n",
    "half words": "no a no ai no machine not for use to be \n",
    "half a sentence": "training data without the ",
    "words": b"no " * 1300 + b"\n",
    "attributes": "datatrainingallowed=yes\n",
    "attributes in doubt": "datatrainingallowed:::::::::::::::::maybe\n",
    "one line of attributes": "datatrainingallowed ",
    "members": "member=https://a.example/\n",
}
_TEXT_NO = b"\n\nUser-Agent: *\nDisallow: /\nTraining: deny\nno AI training\ndatatrainingallowed=no\n"
_JSON_PATHS = {"/.well-known/tdmrep.json": "tdmrep", "/.well-known/ai.json": "ai-txt"}
_TEXT_PATHS = {
    "/ai.txt": "ai-txt",
    "/.well-known/ai.txt": "ai-txt",
    "/.well-known/trust.txt": "trust-txt",
    "/trust.txt": "trust-txt",
}


def _json(path: str, parts: tuple[str, str, str]) -> Callable[[int], World]:
    before, piece, after = (part.encode() for part in parts)

    def build(size: int) -> World:
        body = before + filled(piece, size - len(before) - len(after)) + after
        return World(url=LONG_URL, files={path: body})

    return build


def _text(path: str, piece: str | bytes, head: bytes) -> Callable[[int], World]:
    def build(size: int) -> World:
        body = head + filled(piece, size - len(_TEXT_NO) - len(head)) + _TEXT_NO
        return World(url=LONG_URL, files={path: body})

    return build


# ----------------------------------------------------------------------------------------- documents

_LICENCE_LINE = f"License: {RSL_URL}\n".encode()
_RSL_NO = '<content url="/"><license><prohibits type="usage">ai-train</prohibits></license></content></rsl>'
#: What an RSL document is filled with, behind its root element: (piece, what ends it).
XML: dict[str, tuple[str, str]] = {
    "elements": ("<a/>", _RSL_NO),
    "nesting": ("<a>", _RSL_NO),
    "contents": ('<content url="/x"/>', _RSL_NO),
    "patterns": (f'<content url="{PATTERN}x"><license/></content>', _RSL_NO),
    "licences": ("", ""),
    "tokens": ("x ", _RSL_NO),
    "entities": ("&lt;", _RSL_NO),
    "letters": ("&#120;", _RSL_NO),
    "undefined entities": ("&a;", _RSL_NO),
    "comments": ("<!---->", _RSL_NO),
    "one comment": ("<!--" + "-", _RSL_NO),
    "sections": ("<![CDATA[]]>", _RSL_NO),
    "instructions": ("<?a?>", _RSL_NO),
    "namespaces": ('<a xmlns:b="c"/>', _RSL_NO),
    "half a prohibition": ('<prohibits type="usage">a', _RSL_NO),
    "half prohibitions": ("<prohibits ", _RSL_NO),
    "payments": ('<content url="/x"><license><payment><a/></payment></license></content>', _RSL_NO),
    "prohibitions": ("<prohibits>all</prohibits", _RSL_NO),
}


def _rsl(piece: str, end: str) -> Callable[[int], World]:
    def build(size: int) -> World:
        head = f'<rsl xmlns="{RSL}">'
        body = (head + filled(piece or " ", size - 300).decode() + end).encode()
        return World(files={"/robots.txt": _LICENCE_LINE}, document=body)

    return build


def _rsl_raw(head: str, piece: str) -> Callable[[int], World]:
    def build(size: int) -> World:
        body = (head + filled(piece, size - 300).decode() + f'<rsl xmlns="{RSL}">' + _RSL_NO).encode()
        return World(files={"/robots.txt": _LICENCE_LINE}, document=body)

    return build


def _rsl_namespaces(size: int) -> World:
    names = "".join(f' xmlns:a{n}="b{n}"' for n in range(size // 18))
    return World(
        files={"/robots.txt": _LICENCE_LINE}, document=f'<rsl xmlns="{RSL}"{names}>{_RSL_NO}'.encode()
    )


def _rsl_attributes(size: int) -> World:
    names = "".join(f' a{n}="b"' for n in range(size // 12))
    return World(
        files={"/robots.txt": _LICENCE_LINE}, document=f'<rsl xmlns="{RSL}"{names}>{_RSL_NO}'.encode()
    )


def _rsl_bomb(size: int) -> World:
    entities = "".join(f'<!ENTITY a{n} "&a{n - 1};&a{n - 1};">' for n in range(1, max(2, size // 28)))
    body = f'<!DOCTYPE rsl [<!ENTITY a0 "x">{entities}]><rsl xmlns="{RSL}">&a9;{_RSL_NO}'
    return World(files={"/robots.txt": _LICENCE_LINE}, document=body.encode())


BLOB = ORIGIN + "/xrpc/com.atproto.sync.getBlob?did=did:plc:abc234&cid=x"
_INTENTS = '"$type":"org.user-intents.declaration","bulkDataset":{"allow":false}'
#: What a record is filled with; a longer one than 64 KB is none.
RECORDS: dict[str, str] = {
    "names": '"a":1,',
    "one name": '"bulkDataset":{"allow":true},',
    "one word": '"bulkDataset":{' + '"allow":true,' * 990 + '"x":1},',
    "names in objects": '"b":{' + '"a":1,' * 990 + '"c":1},',
    "nesting": '"a":{',
    "escapes": '"\\u0061":1,',
}


def _record(piece: str, limit: int) -> Callable[[int], World]:
    def build(size: int) -> World:
        fill = filled(piece, min(size, limit) - len(_INTENTS) - 2).decode()
        return World(url=BLOB, document=f"{{{fill}{_INTENTS}}}".encode())

    return build


def _dots(size: int) -> World:
    """An address whose path goes up and down."""
    url = f"{ORIGIN}/art/{'x/../' * 1600}cat.jpg"
    rules = filled(f"Disallow: {PATTERN}x\n", size - len(_ROBOTS_NO))
    return World(url=url, files={"/robots.txt": b"User-agent: *\n" + rules + _ROBOTS_NO})


def _policy(size: int) -> World:
    entries = b'[{"location":"/","tdm-reservation":1,"tdm-policy":"/p.json"}]'
    return World(files={"/.well-known/tdmrep.json": entries}, document=filled('{"a":', size))


def named() -> Iterator[tuple[str, Adversary]]:
    """All of these, by name."""
    for name, piece in ROBOTS.items():
        yield f"robots: {name}", Adversary(_robots(piece, b"User-agent: *\n", _ROBOTS_NO), _ROBOTS_HEARD)
        if b"gent:" not in filled(piece, 1):
            one = _robots(piece, _ALL, _LINES_NO)
            yield f"robots in one group: {name}", Adversary(one, _ROBOTS_HEARD)
    yield "robots: dots in the address", Adversary(_dots, _ROBOTS_HEARD)
    yield "policy: nesting", Adversary(_policy, ("tdmrep",))
    for path, protocol in _JSON_PATHS.items():
        for name, parts in JSON.items():
            yield f"{path}: {name}", Adversary(_json(path, parts), (protocol,))
    for path, protocol in _TEXT_PATHS.items():
        for name, piece in TEXTS.items():
            yield f"{path}: {name}", Adversary(_text(path, piece, b""), (protocol,))
    for name, (piece, end) in XML.items():
        yield f"rsl: {name}", Adversary(_rsl(piece, end), ("rsl",))
    for name, build in (
        ("declared namespaces", _rsl_namespaces),
        ("attributes", _rsl_attributes),
        ("entity bomb", _rsl_bomb),
        ("doctype", _rsl_raw("<!DOCTYPE rsl [", "<!ELEMENT a ANY>")),
        ("no end", _rsl_raw("", "<prohibits ")),
        ("spaces first", _rsl_raw("", " ")),
    ):
        yield f"rsl: {name}", Adversary(build, ("rsl",))
    for name, piece in RECORDS.items():
        yield f"record: {name}", Adversary(_record(piece, 64 * 1024), ("atproto-user-intents",))
        yield f"long record: {name}", Adversary(_record(piece, 1 << 30), ("atproto-user-intents",))
