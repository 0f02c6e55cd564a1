"""benchmarks/detectors/README.md, written from result.json: every figure with its 95 % interval."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.detectors.statistics import ENOUGH_NEGATIVES, Rate
from benchmarks.detectors.views import VIEWS

PAGE = Path(__file__).with_name("README.md")
RESULT, SPEED = PAGE.with_name("result.json"), PAGE.with_name("speed.json")

#: Which part of a look does what a check of cleanvision does. Its time includes decoding.
_HERE = {
    "odd_size": "part of `decode`",
    "odd_aspect_ratio": "part of `decode`",
    "blurry": "`detail`, beside `decode`",
    "near_duplicates": "part of `decode` (PDQ, not pHash), and the search of `match`",
}

_HEAD = """\
# What the detectors find

Written by `make bench-detectors` from `benchmarks/detectors/result.json`; a test holds the two together.
Measured {date} on {machine}.

Every picture here is of the split that no trainer reads: {sources}.
Fonts are held out by family ({fonts}). {real} real paintings and prints are among the pictures.
They are cuts, 512 to 1,024 pixels long, so that many come from one source: the intervals (Wilson, 95 %) count
pictures, not sources, and are that much too narrow. Marks, notices and cloaks, and what looks like them, are
drawn by code of this package, not by the trainers' generators.

**noticed**: what the shipped filters and objections keep out under a recipe's defaults; their thresholds were
frozen before these sets were made. **recall at 1 %**: what scores above the threshold that 1 % of {negatives}
ordinary clean pictures exceed in the same column. Enlarged pictures are measured with a recipe that asks for
85 % of each picture's shorter side (`filters.resolution.min_effective_side`; the default asks nothing).
Columns: PNG, JPEG 90, JPEG 75 (both 4:2:0), half size, a twentieth cut off each edge.

Pictures looked at so far, by set: {looked_at}. `make bench-detectors` goes on where it stopped.
"""


def write() -> None:
    """Write the page from what was measured last."""
    PAGE.write_text(written(), encoding="utf-8")


def written() -> str:
    """The page as the two result files have it."""
    speed = json.loads(SPEED.read_text(encoding="utf-8")) if SPEED.is_file() else None
    return page(json.loads(RESULT.read_text(encoding="utf-8")), speed)


def page(result: Mapping[str, Any], speed: Mapping[str, Any] | None = None) -> str:
    """The page as Markdown."""
    sources = dict(result["sources"])
    fonts, real = sources.pop("fonts"), sources.pop("real paintings and prints")
    parts = [
        _HEAD.format(
            date=result["date"],
            machine=result["machine"],
            sources=", ".join(f"{count} of kind {kind}" for kind, count in sources.items()),
            fonts=", ".join(f"{count} {script}" for script, count in fonts.items()),
            real=real,
            negatives=_clean_count(result),
            looked_at=", ".join(
                f"`{name}` {done:,} of {of:,}" for name, (done, of) in result["looked_at"].items()
            ),
        )
    ]
    for name, figures in result["detectors"].items():
        parts.append(_detector(name, figures))
    if "kinds" in result:
        parts.append(_kinds(result["kinds"]))
    if "furniture" in result:
        parts.append(_furniture(result["furniture"]))
    if "copies" in result:
        parts.append(_copies(result["copies"]))
    if speed is not None:
        parts.append(_speed(speed))
    return "\n".join(parts)


def _kinds(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """What a picture is called, under the annotator's own bound."""
    lines = [
        "## Kinds of picture (`kind`)",
        "",
        "| kind | named right, raw | named otherwise, raw |",
        "|---|---|---|",
    ]
    for kind, views in rows.items():
        right, wrong = (rate(Rate(*views["raw"][word])) for word in ("right", "wrong"))
        lines.append(f"| {kind} | {right} | {wrong} |")
    return "\n".join([*lines, "", "`screenshot` is no kind: not to be named is right there.", ""])


def _furniture(rows: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["## Furniture of digitisation (`furniture`)", ""]
    lines += ["| piece | seen, raw | seen, JPEG 75 | seen on clean pictures, raw |", "|---|---|---|---|"]
    for piece, views in rows.items():
        cells = [rate(Rate(*views[view])) for view in ("raw", "JPEG 75", "clean raw")]
        lines.append(f"| {piece} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _copies(figures: Mapping[str, Any]) -> str:
    """Near copies: what the search of `match` finds."""
    lines = ["## Near copies", ""]
    lines += ["| what was done to the copy | found | of photographs, paintings and prints |", "|---|---|---|"]
    for family, changes in figures["families"].items():
        for change, told in changes.items():
            name = f"**{family}**" if change == "all" else change
            other = figures["pictorial"].get(family) if change == "all" else None
            lines.append(f"| {name} | {_share(told)} | {_share(other) if other else ''} |")
    tiles = figures["tiles"]
    lines += [
        "",
        f"{figures['pictures']:,} pictures ({figures['too_flat']} more are too flat for a hash): "
        f"{figures['suspicious']} of {figures['pairs']:,} pairs are called near copies; result.json names "
        "them, since a pool holds the same picture under two names now and then.",
        f"{tiles['pictures']:,} cuts that do not overlap: {tiles['false']} of {tiles['pairs']:,} pairs are.",
        "",
    ]
    return "\n".join(lines)


def _share(told: Mapping[str, Any]) -> str:
    return rate(Rate(round(told["recall"] * told["of"]), told["of"]))


def _speed(figures: Mapping[str, Any]) -> str:
    """What a look costs, by annotator."""
    lines = [
        "## What a look costs",
        "",
        f"`{figures['command']}` on {figures['machine']}: {figures['images']} pictures of 1,024 pixels, text "
        "on every tenth, one at a time, one thread; milliseconds of processor time.",
        "",
        "| | mean | 95th percentile | images/s a core |",
        "|---|---|---|---|",
    ]
    for name, told in figures["ms"].items():
        lines.append(
            f"| {name} | {told['mean']:.1f} | {told['p95']:.1f} | {1000 / max(told['mean'], 0.01):.1f} |"
        )
    peer = figures["cleanvision"]
    if peer:
        lines += ["", f"The same files in the same run, {peer['version']}, one process:", ""]
        lines += ["| its check | mean | here |", "|---|---|---|"]
        lines += [f"| {check} | {ms:.1f} | {_HERE[check]} |" for check, ms in peer["ms"].items()]
    lines += ["", _memory(figures.get("memory")), ""]
    return "\n".join(lines)


def _memory(figures: Mapping[str, Any] | None) -> str:
    if figures is None:
        return "Memory over many looks: not measured yet."
    after, end = figures["after_warming_mb"], figures["at_the_end_mb"]
    return (
        f"Memory over {figures['looks']:,} looks at pictures of 256 pixels: {after:.0f} MB after the "
        f"first fifth, {end:.0f} MB at the end, {figures['kb_a_picture']:.2f} kB more a picture "
        "(least squares over the last four fifths)."
    )


def _clean_count(result: Mapping[str, Any]) -> str:
    counts = [
        rows["raw"]["noticed"][1]
        for rows in (one["clean"] for one in result["detectors"].values())
        if "raw" in rows
    ]
    return f"{max(counts, default=0):,}"


def _detector(name: str, figures: Mapping[str, Any]) -> str:
    views = list(VIEWS)
    versions = ", ".join(f"`{one}` {version}" for one, version in figures["versions"].items())
    lines = [f"## {figures['title']} (`{name}`)", "", f"Measured with {versions}.", ""]
    clean = figures["clean"].get("raw", {"noticed": [0, 0]})["noticed"][1]
    if clean < ENOUGH_NEGATIVES:
        lines += [f"Only {clean} clean pictures: recall at 1 % rests on too few to be more than a hint.", ""]
    if figures["families"]:
        lines += [*_table("noticed", figures["families"], views, _noticed), ""]
        lines += [*_table("recall at 1 % (AUC)", figures["families"], views, _recall), ""]
    lines += _table(
        "false alarms on clean pictures", {"ordinary pictures": figures["clean"]}, views, _noticed
    )
    hard = [
        view for view in ("raw", "JPEG 75") if any(view in row for row in figures["false_alarms"].values())
    ]
    lines += ["", *_table("false alarms on hard ones", figures["false_alarms"], hard, _noticed), ""]
    return "\n".join(lines)


def _table(title: str, rows: Mapping[str, Mapping[str, Any]], views: Sequence[str], cell: Any) -> list[str]:
    lines = [f"| {title} | {' | '.join(views)} |", "|---" * (len(views) + 1) + "|"]
    for family, columns in rows.items():
        cells = [cell(columns[view]) if view in columns else "" for view in views]
        lines.append(f"| {family} | {' | '.join(cells)} |")
    return lines


def _noticed(row: Mapping[str, Any]) -> str:
    return rate(Rate(*row["noticed"]))


def _recall(row: Mapping[str, Any]) -> str:
    shown = rate(Rate(*row["recall"]))
    return f"{shown} ({row['auc']:.3f})" if row["auc"] is not None else shown


def rate(found: Rate) -> str:
    """As `95 % (89-98, n 120)`; a share of few pictures as a count with its interval."""
    if not found.total:
        return "not measured"
    low, high = 100 * found.low, 100 * found.high
    digits = 0 if 1 <= 100 * found.value <= 99 or (found.value in (0, 1) and found.total < 200) else 1
    return f"{100 * found.value:.{digits}f} % ({low:.{digits}f}-{high:.{digits}f}, n {found.total})"
