"""`docs/notices.md`, made from notices_head.md, measured.json and the phrase lists:
python -m curation.phrases.doc > docs/notices.md"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.phrases.notices import groups

MEASURED = Path(__file__).with_name("measured.json")
_HEAD = Path(__file__).with_name("notices_head.md")

_LANGUAGES = {
    "ja": "Japanese / 日本語",
    "zh": "Chinese / 中文",
    "ko": "Korean / 한국어",
    "en": "English",
    "de": "German / Deutsch",
    "fr": "French / français",
    "es": "Spanish / español",
    "it": "Italian / italiano",
    "pt": "Portuguese / português",
}
_CATEGORIES = {"ai": "no AI training / AI学習の禁止", "reuse": "no copying or re-use / 転載・複製の禁止"}
_PRINTED = ", unless every year beside it is before 1956 / 添えた年がすべて1956年より前なら対象外"
_LAYOUTS = {
    "corner": "in a corner / 隅",
    "broken": "in two lines / 二行",
    "vertical": "vertical (JA, ZH) / 縦書き",
    "rotated": "turned by 25, 45 or 90° / 傾けた文字",
    "tiled": "tiled, slanted / 全面に斜めの繰り返し",
}
_OPACITIES = ("1.0", "0.5", "0.3", "0.18")
_VIEWS = {"raw": "as it is / そのまま", "JPEG 75": "JPEG 75", "half size": "half size / 半分の大きさ"}


def notices_text() -> str:
    """The whole page, in Markdown."""
    parts = [_HEAD.read_text(encoding="utf-8")]
    if MEASURED.is_file():
        parts.append("\n".join(_figures(json.loads(MEASURED.read_text(encoding="utf-8")))))
    parts.append("\n".join(_phrases()))
    return "\n".join(parts)


def _figures(measured: Mapping[str, Any]) -> Iterator[str]:
    counts, times = measured["counts"], measured["milliseconds"]
    yield "## Measured / 実測\n"
    yield (
        "Share of notices that were found, with the 95 % interval, in Japanese, English and Chinese, on "
        "photographs and paintings\nof 1,024 px and in fonts that nothing was tuned on "
        f"(`python -m benchmarks.detectors.reading`, {measured['date']}).\n"
        "禁止の言葉が見つかった割合(95%信頼区間)。調整に使っていない画像と書体で測ったもの。\n"
    )
    yield "| opacity / 不透明度 | " + " | ".join(_OPACITIES) + " |"
    yield "|---" * (len(_OPACITIES) + 1) + "|"
    for view, name in _VIEWS.items():
        yield _row(name, [counts.get(f"{view} | opacity {opacity}") for opacity in _OPACITIES])
    for layout, name in _LAYOUTS.items():
        cells = [counts.get(f"raw | {layout}, opacity {opacity}") for opacity in _OPACITIES]
        yield _row(name, cells)
    for language, name in _LANGUAGES.items():
        cells = [counts.get(f"raw | {language}, opacity {opacity}") for opacity in _OPACITIES]
        yield _row(name, cells)
    yield "\n| pictures without a notice / 禁止の言葉のない画像 | taken for one / 誤って拒否 |\n|---|---|"
    for kind, name in (
        ("scene", "signs and captions / 看板や字幕"),
        ("prose", "pages of prose / 文章のページ"),
        ("about", "articles about AI and reposts / AIや転載についての記事"),
        ("plain", "no text / 文字なし"),
    ):
        yield _row(name, [counts.get(f"false alarm | {kind}")])
    yield (
        "\nCPU time to read one picture on one core, mean and 95th percentile: "
        + "; ".join(f"{kind} {mean} / {p95} ms" for kind, (mean, p95, _) in sorted(times.items()))
        + ". The machine was shared by other work.\n"
    )


def _row(name: str, cells: Sequence[Sequence[int] | None]) -> str:
    return f"| {name} | " + " | ".join(_rate(cell) for cell in cells) + " |"


def _rate(cell: Sequence[int] | None) -> str:
    """Share and Wilson's interval, and how many."""
    if not cell or not cell[1]:
        return "not measured"
    hits, total = cell
    share, square = hits / total, 1.959964**2
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = 1.959964 / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    return f"{share:.2f} ({max(0.0, middle - half):.2f} to {min(1.0, middle + half):.2f}, n {total})"


def _phrases() -> Iterator[str]:
    yield "## Phrases / 言葉の一覧\n"
    yield "Case, width, spaces and dots do not matter."
    yield "大文字と小文字、全角と半角、空白や点の違いは問いません。\n"
    for language, title in _LANGUAGES.items():
        yield f"### {title}\n"
        for group in (group for group in groups() if group["language"] == language):
            yield f"**{_CATEGORIES[group['category']]}**{_PRINTED if group.get('printed') else ''}\n"
            if group.get("phrases"):
                yield "* anywhere / どこでも: " + _listed(group["phrases"])
            if group.get("alone"):
                yield "* with nothing beside it in its line / その言葉だけの行: " + _listed(group["alone"])
            if group.get("bans_first"):
                yield (
                    f"* one of {_listed(group['bans_first'])}\n  then / に続けて {_listed(group['things'])}"
                )
            if group.get("bans"):
                yield (
                    f"* one of {_listed(group.get('bans_things') or group['things'])}\n"
                    f"  then / に続けて {_listed(group['bans'])}"
                )
            if group.get("crossed"):
                yield "* with ❌, × or 🚫 / ❌、×、🚫 を添えて: " + _listed(group["crossed"])
            yield ""


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


if __name__ == "__main__":
    sys.stdout.write(notices_text())
