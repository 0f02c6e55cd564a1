"""`docs/signals.md`, made from the protocols: python -m kyodaku.signals_doc > docs/signals.md"""

from __future__ import annotations

import sys

from kyodaku.registry_client import ABOUT_REGISTRIES
from kyodaku.signals.protocols import all_protocols

_HEAD = """\
# Signals

Every way to say no (or yes) to AI training that Kyodaku reads. This page is made from the code
(`python -m kyodaku.signals_doc > docs/signals.md`); `kyodaku signals list` shows it on a terminal.

A protocol is read in two ways. **Spec** is what the normative text yields. **Policy** is what crawls use:
the same, and stricter where the text is silent or widely misspelt. Text that tries to refuse and is
malformed still refuses; text that is malformed or incomplete never grants. Across protocols any no wins,
then any error holds, and silence is what the recipe's basis says. [bot.md](bot.md) has a line for each.

## What we do

| protocol | where it stands | speaks about | status | in spec mode | beyond that, by policy |
|---|---|---|---|---|---|
"""
_PEERS = """
## What others do

Read in the source of datadiligence 0.1.7 (snapshot 2024-10-09), img2dataset 1.47.0 (2025-08-16) and NeMo
Curator (2026-08-21); of Common Crawl, in what it publishes. *Not known*: we found nothing that says either.

| protocol | datadiligence | img2dataset | NeMo Curator | Common Crawl |
|---|---|---|---|---|
"""
_REST = """
[Peers, side by side](peers.md): what two of them make of the X-Robots-Tag vectors, measured.

## Registries

Lists that somebody keeps beside what sites say. A recipe names those that are asked; none is asked by itself.

| in the recipe | what it is | speaks about | what it sees of a crawl |
|---|---|---|---|
"""
_LAST = """
Of the others, datadiligence asks Spawning's API too; Common Crawl keeps an opt-out registry itself.

## Not a signal

`Allow: /`, a missing robots.txt, `index, follow` and `X-Robots-Tag: all` let visit; they permit no training.
`llms.txt` is a guide to a site's content and says neither yes nor no. Terms of service in natural language
are not read.
"""


def signals_text() -> str:
    """The whole page, in Markdown."""
    protocols = all_protocols()
    ours = "".join(
        _row(f"`{p.name}`", p.about.where, p.about.scope, p.about.status, p.about.spec, p.about.policy)
        for p in protocols
    )
    theirs = "".join(
        _row(
            f"`{p.name}`",
            p.about.peers.datadiligence,
            p.about.peers.img2dataset,
            p.about.peers.nemo_curator,
            p.about.peers.common_crawl,
        )
        for p in protocols
    )
    registries = "".join(
        _row(f"`{about.table}`", about.what, about.scope, about.sees) for about in ABOUT_REGISTRIES
    )
    return _HEAD + ours + _PEERS + theirs + _REST + registries + _LAST


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    sys.stdout.write(signals_text())
