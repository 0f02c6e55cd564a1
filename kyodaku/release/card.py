"""`README.md` of a release: the card that people read first, and that dataset hubs parse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from kyodaku.reasons import REASONS_OF_OUTCOME, Outcome
from kyodaku.recipe import Recipe
from kyodaku.release.signoff import SignOff
from kyodaku.stages import counted

_BASIS = {
    "public-domain": "Only works for which bound evidence says that they are in the public domain.",
    "opt-in": "Only pictures with an accepted licence or an explicit grant.",
    "not-opted-out": "Pictures to whose use for training nobody objected on any channel that was asked.",
}


def card_text(
    recipe: Recipe,
    counts: Mapping[str, Mapping[str, int]],
    crawl_window: tuple[float, float],
    samples: int,
    largest: Mapping[str, int],
    signed_off: SignOff | None = None,
) -> str:
    """The card as Markdown. `counts` by outcome and reason, `crawl_window` in Unix seconds, `largest` as in
    the manifest, `signed_off` what a person found in a sample of it."""
    title = recipe.release.title or recipe.name
    parts = [
        _front_matter(recipe, title),
        f"# {_inline(title)}\n",
        _inline(recipe.release.description) + "\n" if recipe.release.description else "",
        _stamp(recipe),
        f"{counted(samples, 'picture')} with captions, "
        f"gathered {_day(crawl_window[0])} to {_day(crawl_window[1])}.\n",
        f"No picture is wider than {largest['width']:,} or higher than {largest['height']:,} pixels, and "
        f"none has more than {largest['pixels']:,} of them.\n",
        _permission(recipe),
        _counts(counts),
        _signed_off(signed_off),
        _licences(recipe),
        _LOADING,
        _LIMITS,
        _objecting(recipe),
    ]
    return "\n".join(part for part in parts if part)


def _front_matter(recipe: Recipe, title: str) -> str:
    quoted = title.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    licence = recipe.release.compilation_licence or "other"
    return f'---\npretty_name: "{quoted}"\nlicense: {_inline(licence)}\ntags: [kyodaku, webdataset]\n---\n'


def _stamp(recipe: Recipe) -> str:
    if not recipe.local_network:
        return ""
    return "> **local_network**: made on one machine from servers of its own; not a crawl of the web.\n"


def _permission(recipe: Recipe) -> str:
    tokens = " and ".join(f"`{token}`" for token in recipe.own_tokens)
    contact = recipe.operator.contact or "none (this machine only)"
    return (
        "## How permission was asked\n\n"
        f"{_BASIS[recipe.permission.basis]} An objection on any channel kept a picture out,\n"
        "whatever else was said of it, and so did every answer that could not be read. robots.txt was asked\n"
        "before each request, then headers, page, and the metadata inside each file; every copy of a\n"
        "picture shares its fate.\n\n"
        f"The crawler answered to {tokens}; operator contact: {_inline(contact)}.\n"
        "Each row of the Parquet files names its reason; `kyodaku explain` tells a picture's whole story.\n"
    )


def _counts(counts: Mapping[str, Mapping[str, int]]) -> str:
    lines = ["## What was found and where it ended\n", "| outcome | reason | candidates |", "|---|---|---:|"]
    for outcome in Outcome:
        for reason, number in counts.get(outcome.value, {}).items():
            known = REASONS_OF_OUTCOME[outcome].parse(reason)
            text = f"{reason}: {known.text}" if known else reason
            lines.append(f"| {outcome.value} | {text} | {number:,} |")
    return "\n".join(lines) + "\n"


def _signed_off(found: SignOff | None) -> str:
    if found is None:
        return "## Looked at by a person\n\nNobody signed off a sample of this version.\n"
    who = ", ".join(_inline(name) for name in found.who)
    others = f"\nIt is one of {found.begun:,} samples that were begun." if found.begun > 1 else ""
    out = " Those that are bad were taken out." if found.bad else ""
    unsure = f" and {found.unsure:,} unsure" if found.unsure else ""
    before = " before that" if found.bad else ""
    bound = f" ({found.high_unsure:.2%} if every unsure one is bad)" if found.unsure else ""
    return (
        "## Looked at by a person\n\n"
        f"{who} judged a sample of {found.size:,} of the {found.population:,} pictures that were to be\n"
        f"released (seed {found.seed}, in proportion to hosts and kinds), until {_day(found.when)}:\n"
        f"{found.good:,} good, {found.bad:,} bad{unsure}.{out}\n"
        f"The share of bad pictures{before} is between {found.low:.2%} and {found.high:.2%}{bound}, with "
        f"95 % confidence (Wilson).{others}\n"
    )


def _licences(recipe: Recipe) -> str:
    compilation = recipe.release.compilation_licence
    said = f"The compilation is offered under {_inline(compilation)}.\n" if compilation else ""
    return (
        "## Licences and credit\n\n"
        "Each picture has its own: columns `licence`, `licence_url`, `creator`, `credit`.\n"
        f"`attribution.parquet` lists them with the statement they rest on.\n{said}"
    )


def _objecting(recipe: Recipe) -> str:
    contact = recipe.operator.contact or recipe.release.homepage
    where = f"Write to {_inline(contact)}" if contact else "Write to whoever gave you this copy"
    return (
        "## If a picture is yours and should not be here\n\n"
        f"{where}, with its address or its uid. It will be taken out of the next version; the manifest says\n"
        "after how many days a copy should be compared with its publisher's.\n"
    )


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def _inline(text: str) -> str:
    """Text from a recipe inside a line of Markdown: one line, no markup."""
    return " ".join(text.split()).replace("<", "&lt;").replace("|", "\\|")


_LOADING = """## How to load

```python
from kyodaku.release.reader import open_release

for sample in open_release("path/to/this/folder"):
    sample["jpg"], sample["txt"], sample["json"]
```

With webdataset alone, switch its shell off first: `WDS_SECURE=1` in the environment forbids `pipe:` URLs.

```python
import webdataset as wds

data = wds.WebDataset("00000.tar", shardshuffle=False).decode("pil").to_tuple("jpg", "txt", "json")
```

With Hugging Face datasets: `load_dataset("webdataset", data_files="*.tar", split="train", streaming=True)`.

`kyodaku verify .` re-hashes every file and every picture against the manifest.
"""

_LIMITS = """## Limits

Silence, evidence and hashes are checked by programs: a false statement on a page is believed, and a copy
that was cropped or redrawn is not recognised as the same picture. Captions are what pages say, cleaned but
not verified. There is no check for private persons, for violence or for sexual content in this version.
"""
