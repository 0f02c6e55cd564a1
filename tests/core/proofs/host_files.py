"""Proofs of the protocols that read robots.txt or a file of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random

from hypothesis import strategies as st

from tests.core.proofs.changes import Proof, any_line, header, json_entry, json_member, robots_line
from tests.core.strategies import ROBOTS_TEXT
from tests.core.worlds import IMAGE, ORIGIN, World

_NOISE = st.text(max_size=10)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def texts(
    fragments: Sequence[str], noise: st.SearchStrategy[str] = _NOISE, size: int = 6
) -> st.SearchStrategy[bytes]:
    """Files of `fragments` and noise."""
    return st.lists(st.one_of(st.sampled_from(fragments), noise), max_size=size).map("".join).map(_octets)


def files(**parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[Mapping[str, bytes]]:
    """Some of the files whose paths are the names, with `__` for what no name may hold."""
    return st.fixed_dictionaries({}, optional={_PATHS[name]: part for name, part in parts.items()})


_PATHS = {
    "robots": "/robots.txt",
    "ai": "/ai.txt",
    "well_known_ai": "/.well-known/ai.txt",
    "ai_json": "/.well-known/ai.json",
    "trust": "/trust.txt",
    "well_known_trust": "/.well-known/trust.txt",
    "tdmrep": "/.well-known/tdmrep.json",
}
STATUSES = st.dictionaries(
    st.sampled_from(sorted(_PATHS.values())), st.sampled_from([200, 404, 403, 451, 500, 204]), max_size=1
)

_AGENTS = (
    "User-agent: *\n",
    "User-agent: Kyodaku\n",
    "User-agent: DemoBot\n",
    "User-agent: GPTBot\n",
    "User-agent: Other\n",
    "\nUser-agent: GPTBot, CCBot\n",
    "useragent: *\n",
)


def _robots_worlds(*lines: str) -> st.SearchStrategy[World]:
    fragments = (*_AGENTS, *lines, *lines, "Allow: /\n", "Disallow:\n", "\n")
    return st.builds(
        World,
        files=files(robots=texts(fragments, ROBOTS_TEXT, 8)),
        statuses=STATUSES,
        url=st.sampled_from([IMAGE, ORIGIN + "/art/../art/cat.jpg?x=1"]),
    )


def _robots(*lines: str) -> dict[str, bytes]:
    return {"/robots.txt": "".join(lines).encode()}


# ------------------------------------------------------------------------------ lines of robots.txt

_COVERING = ("/", "/art/", "/art/*.jpg", "*", "/*.jpg", "/art/cat", "art/cat.jpg", "*cat*")
_DISALLOWS = [f"Disallow: {path}" for path in _COVERING]

ROBOTS = Proof(
    _robots_worlds(*[f"{line}\n" for line in _DISALLOWS], "Allow: /art/cat.jpg\n", "Disallow: /other\n"),
    {"Disallow": robots_line([*_DISALLOWS, "Dissallow: /", "Disallow: /art/ # why"])},
    silent="no line of robots.txt grants: it says who may fetch",
)

_USAGES_NO = (
    "Content-Usage: train-ai=n",
    "Content-Usage: search=y, train-ai=n",
    "Content-Usage: train-genai=n",
    "Content-Usage: ai=n",
    "Content-Usage: train-ai=n;x=1",
    "Content-Usage: train-ai=n, (",
    "Content-Usage: /art/cat.jpg train-ai=n",
)
_USAGE_HEADERS_NO = ("train-ai=n", "search=y, train-ai=n", "genai=n", "train-ai = n (", "tdm=n;a")
AIPREF = Proof(
    st.builds(
        lambda world, page, image: World(
            files=world.files, statuses=world.statuses, url=world.url, page_headers=page, image_headers=image
        ),
        _robots_worlds(
            *[f"{line}\n" for line in _USAGES_NO[:3]],
            "Content-Usage: train-ai=y\n",
            "Content-Usage: /art/ train-ai=y\n",
            "Content-Usage: /art/cat.jpg train-ai=y, genai=y\n",
            "Content-Usage: search=n\n",
            "Content-Usage: train-ai\n",
        ),
        *[
            st.lists(
                st.tuples(
                    st.sampled_from(["Content-Usage", "content-usage"]),
                    st.sampled_from(["train-ai=y", "train-ai=n", "search=y", "train-ai=y;a=b", "(", "é"]),
                ),
                max_size=3,
            ).map(tuple)
            for _ in range(2)
        ],
    ),
    {
        "robots": robots_line(_USAGES_NO),
        "header": header("Content-Usage", _USAGE_HEADERS_NO),
    },
    (
        World(files=_robots("User-agent: *\n", "Allow: /\n", "Content-Usage: train-ai=y\n")),
        World(files=_robots("User-agent: Kyodaku\n", "Content-Usage: /art/ train-ai=y\n")),
        World(image_headers=(("Content-Usage", "train-ai=y"),)),
    ),
)

_SIGNALS_NO = (
    "Content-Signal: ai-train=no",
    "Content-Signal: search=yes, ai-train=no",
    "Content-Signal: ai-train = no",
    "Content-Signal: use=reference",
    "Content-Signal: ai_train: no",
    "Content-Signals: ai-train=no",
)
CONTENT_SIGNAL = Proof(
    st.builds(
        lambda world, image: World(
            files=world.files, statuses=world.statuses, url=world.url, image_headers=image
        ),
        _robots_worlds(
            *[f"{line}\n" for line in _SIGNALS_NO[:2]],
            "Content-Signal: ai-train=yes\n",
            "Content-Signal: search=yes, ai-train=yes\n",
            "Content-Signal: ai-train\n",
        ),
        st.sampled_from([(), (("Content-Signal", "ai-train=yes"),), (("Content-Signal", "search=no"),)]),
    ),
    {
        "robots": robots_line(_SIGNALS_NO),
        "header": header("Content-Signal", ("ai-train=no", "search=yes,ai-train=no", "use=immediate")),
    },
    (
        World(files=_robots("User-agent: *\n", "Content-Signal: search=yes, ai-train=yes\n")),
        World(files=_robots("User-agent: Kyodaku\n", "Content-Signal: ai-train=yes\n", "Allow: /\n")),
    ),
)

_TRAINING_NO = [f"DisallowAITraining: {path}" for path in (*_COVERING, "true", "/art/ # no")]
DISALLOW_AI_TRAINING = Proof(
    _robots_worlds(
        *[f"{line}\n" for line in _TRAINING_NO[:2]],
        "AllowAITraining: /\n",
        "DisallowAITraining: /x\n",
        "DisallowAITraining:\n",
        "DisallowAITraining /x\n",
    ),
    {"robots": robots_line(_TRAINING_NO)},
    silent="an AllowAITraining line grants nothing",
)

# ------------------------------------------------------------------------------------------- ai.txt

_SPAWNING = (
    "User-Agent: *\n",
    "User-Agent: Kyodaku\n",
    "Allow: *.jpg\n",
    "Allow: /\n",
    "Allow: /art/*.jpg$\n",
    "Disallow: *.png\n",
    "Disallow: *.jpg\n",
    "Disallow: /\n",
)
_CAR = (
    "Spec-Version: 1.0\n",
    "Training: allow\n",
    "Training: conditional\n",
    "Training-Allow: /art/*\n",
    "Training-Deny: /other/*\n",
    "Scraping: allow\n",
    "Training-License: cc0-1.0\n",
    "Agent: Kyodaku\n  Training: allow\n",
    "Agent: *\n  Training: allow\n",
    "Attribution: none\n",
    "Training: deny\n",
)
_CAR_MEMBERS = {
    "specVersion": st.just("1.0"),
    "training": st.one_of(
        st.sampled_from(["allow", "deny", "conditional", 5, None, True]),
        st.dictionaries(
            st.sampled_from(["default", "allow", "deny", "x"]), st.sampled_from(["allow", "/art/*"])
        ),
    ),
    "permissions": st.dictionaries(
        st.sampled_from(["training", "scraping", "caching"]), st.sampled_from(["allow", "deny", None])
    ),
    "agents": st.one_of(
        st.dictionaries(
            st.sampled_from(["Kyodaku", "*", "GPTBot"]),
            st.fixed_dictionaries({}, optional={"training": st.sampled_from(["allow", "deny"])}),
        ),
        st.lists(st.just({"name": "Kyodaku", "training": "allow"}), max_size=1),
    ),
    "Training-Allow": st.lists(st.sampled_from(["/art/*", "/*", "/x"]), max_size=2),
    "compliance": st.dictionaries(
        st.sampled_from(["audit", "attribution"]), st.sampled_from(["none", "yes"])
    ),
}
_CAR_JSON = st.fixed_dictionaries({}, optional=_CAR_MEMBERS).map(json.dumps).map(str.encode)
_CAR_LINES_NO = (
    "Training: deny",
    "Training: no thanks",
    "Training-Deny: /art/cat.jpg",
    "Training-Deny: /art/*",
    "Scraping: deny",
    "TRAINING : deny",
)
_CAR_MEMBERS_NO = (
    '"training":"deny"',
    '"Training":"no"',
    '"training":{"default":"deny"}',
    '"training":{"deny":["/art/*"]}',
    '"Training-Deny":["/art/cat.jpg"]',
    '"training":false',
    '"scraping":"deny"',
    '"agents":{"Kyodaku":{"training":"deny"}}',
    '"agents":[{"name":"*","training":"deny"}]',
    '"policies":{"training":"deny"}',
)
_SPAWNING_NO = [f"Disallow: {path}" for path in (*_COVERING, "*.jpg", "*.JPG", ".jpg", "*.jp*")]
_ALLOWING = "Spec-Version: 1.0\nTraining: allow\n"
AI_TXT = Proof(
    st.builds(
        World,
        files=files(
            ai=st.one_of(texts(_SPAWNING), texts(_CAR), texts((*_SPAWNING, *_CAR)), _CAR_JSON),
            well_known_ai=st.one_of(texts(_CAR), texts((*_SPAWNING, "no AI training\n"))),
            ai_json=st.one_of(_CAR_JSON, texts(_CAR)),
        ),
        statuses=STATUSES,
    ),
    {
        "Spawning": robots_line(_SPAWNING_NO, "/ai.txt"),
        "Spawning, well known": robots_line(_SPAWNING_NO, "/.well-known/ai.txt"),
        "training": any_line("/ai.txt", _CAR_LINES_NO),
        "training, well known": any_line("/.well-known/ai.txt", _CAR_LINES_NO),
        "JSON": json_member("/.well-known/ai.json", _CAR_MEMBERS_NO),
        "words": any_line("/ai.txt", ("No AI training, please", "# no AI", "AI学習禁止")),
    },
    (
        World(files={"/ai.txt": b"User-Agent: *\nAllow: *.jpg\n"}),
        World(files={"/.well-known/ai.txt": b"User-Agent: Kyodaku\nDisallow: *.png\nAllow: /\n"}),
        World(files={"/.well-known/ai.txt": _ALLOWING.encode()}),
        World(files={"/ai.txt": (_ALLOWING + "Agent: Kyodaku\n  Training: allow\n").encode()}),
        World(files={"/.well-known/ai.json": b'{"specVersion":"1.0","training":"allow","x":[1]}'}),
        World(
            files={"/.well-known/ai.json": b'{"training":"conditional","Training-Allow":["/art/*", "/x/*"]}'}
        ),
    ),
)

# ---------------------------------------------------------------------------------------- trust.txt

_TRUST = (
    "datatrainingallowed=yes\n",
    "datatrainingallowed=no\n",
    "DataTrainingAllowed = YES\n",
    "datatrainingallowed=maybe\n",
    "member=https://a.example/\n",
    "#x\r\n",
    "<html>",
)
_TRUST_NO = (
    "datatrainingallowed=no",
    "DataTrainingAllowed = No",
    "datatrainingallowed=NO # why",
    "datatrainingallowed: no",
    "data-training-allowed=false",
    "\tdatatrainingallowed = no\t",
)
TRUST_TXT = Proof(
    st.builds(World, files=files(trust=texts(_TRUST), well_known_trust=texts(_TRUST)), statuses=STATUSES),
    {
        "well known": any_line("/.well-known/trust.txt", _TRUST_NO),
        "root": any_line("/trust.txt", _TRUST_NO),
    },
    (
        World(files={"/.well-known/trust.txt": b"member=https://a.example/\ndatatrainingallowed=yes\n"}),
        World(files={"/trust.txt": b"# trust\r\ndatatrainingallowed=yes\r\nx=y\r\n"}),
    ),
)

# ------------------------------------------------------------------------------------------- TDMRep

TDM_PATH = "/.well-known/tdmrep.json"
_LOCATIONS = ("/", "*", "/art/", "/art/*.jpg", "/art/cat.jpg$", "/*.jpg$", "*cat*", None, 5, "art")
_VALUES = (0, 1, "1", "0", True, False, None, 1.0, 2, [], "yes")
_ENTRIES = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {},
            optional={
                "location": st.sampled_from(_LOCATIONS),
                "tdm-reservation": st.sampled_from(_VALUES),
                "TDM-Reservation": st.sampled_from(_VALUES),
                "tdm-policy": st.just("/p.json"),
            },
        ),
        st.fixed_dictionaries({"location": st.sampled_from(_LOCATIONS[:5]), "tdm-reservation": st.just(0)}),
    ),
    max_size=4,
)
TDM_FILE = st.one_of(
    _ENTRIES.map(json.dumps), _ENTRIES.map(lambda found: json.dumps(found)[:-2]), _NOISE, st.just("")
).map(_octets)
TDM_ENTRIES_NO = [
    f'{{"location":{json.dumps(place)},"tdm-reservation":{value}}}'
    for place in ("/", "*", "/art/", "/art/*.jpg", "/art/cat.jpg$")
    for value in ("1", '"1"', "true", "1.0", '" 1 "')
] + ['{"tdm-reservation":1}', '{"location":"/","TDM_Reservation":1}']
tdm_entry = json_entry(TDM_PATH, TDM_ENTRIES_NO)


# ---------------------------------------------------------------------------------- ATProto records

BLOB = ORIGIN + "/xrpc/com.atproto.sync.getBlob?did=did:plc:abc234&cid=bafkrei"
_TYPE = '"$type":"org.user-intents.declaration"'
_INTENTS = st.fixed_dictionaries(
    {},
    optional={
        "$type": st.sampled_from(["org.user-intents.declaration", "x", None]),
        **{
            name: st.one_of(
                st.fixed_dictionaries({"allow": st.sampled_from([True, False, None, "false", "x", 1])}),
                st.sampled_from([None, 5, "no"]),
            )
            for name in ("syntheticContentGeneration", "bulkDataset", "publicAccessArchive")
        },
        "value": st.just({"$type": "org.user-intents.declaration"}),
    },
)


def _intent(world: World, dice: Random) -> World:
    """A no of the account, in a record that is there or in a new one."""
    name = dice.choice(("syntheticContentGeneration", "bulkDataset"))
    no = f'"{name}":{{"updatedAt":"x","allow":{dice.choice(("false", "false", chr(34) + "no" + chr(34)))}}}'
    text = world.document.decode("utf-8", "replace").strip()
    inside = text[1:-1].strip() if text.startswith("{") and text.endswith("}") else ""
    if '"value"' in inside:  # the record stands inside the answer
        inside = inside.replace('"value": {', f'"value": {{{no},', 1)
        return World(url=BLOB, document=f"{{{inside}}}".encode(), statuses=world.statuses)
    parts = [part for part in (inside or _TYPE, no) if part]
    dice.shuffle(parts)
    return World(url=BLOB, document=f"{{{','.join(parts)}}}".encode(), statuses=world.statuses)


ATPROTO = Proof(
    st.builds(
        World,
        url=st.just(BLOB),
        document=st.one_of(_INTENTS.map(json.dumps), _NOISE).map(_octets),
    ),
    {"record": _intent},
    silent="a proposal: a yes is recorded and grants nothing",
)
