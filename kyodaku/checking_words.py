"""What `kyodaku check` says: one plain sentence, in English or Japanese, and the tree below it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from rich.text import Text
from rich.tree import Tree

from kyodaku.checking import Checked
from kyodaku.gate import GateResult, GateVerdict
from kyodaku.reasons import AllowReason, Outcome
from kyodaku.report.html import japanese
from kyodaku.report.plaintext import plain
from kyodaku.report.sentences import because, place_of
from kyodaku.report.texts import reason_english
from kyodaku.signals.model import Effect, Signal

_STATES = {
    "en": {"proceed": "open", "refuse": "refused", "hold": "on hold", "fail": "failed"},
    "ja": {"proceed": "通過", "refuse": "拒否", "hold": "保留", "fail": "失敗"},
}
_GATES = {
    "en": {
        "g0": "the address: what may be spoken to, deny-lists, registries",
        "g1": "files of the host: robots.txt and the others",
        "g2": "the page: headers, meta tags, licences",
        "g3": "files of the image's own host",
        "g4": "headers of the image",
        "g5": "the image itself: what is written inside",
    },
    "ja": {
        "g0": "アドレス: 接続してよい相手か、拒否リスト、登録簿",
        "g1": "ホストのファイル: robots.txt など",
        "g2": "ページ: ヘッダー、メタタグ、ライセンス",
        "g3": "画像のホストのファイル",
        "g4": "画像のヘッダー",
        "g5": "画像そのもの: ファイル内の記載",
    },
}
_COLOURS = {"proceed": "green", "refuse": "red", "hold": "yellow", "fail": "yellow"}
_EFFECTS_JA = {"reserved": "拒否", "permitted": "許可", "silent": "言及なし", "error": "不明"}


def sentence(checked: Checked, lang: str) -> str:
    """The answer in one sentence."""
    if lang == "ja":
        return _japanese(checked)
    if checked.outcome is Outcome.NOT_REQUESTED:
        return (
            "No, a crawl would not ask for this: its host wants longer pauses between requests than we wait."
        )
    why = _why_english(checked)
    if checked.kind == "file":
        return _file_english(checked, why)
    if checked.kind == "page":
        return _page_english(checked, why)
    return {
        Outcome.RELEASED: f"Yes, a crawl would take this image{_alone(checked)}: {why}.",
        Outcome.REFUSED: f"No, a crawl would not take this image: {why}.",
        Outcome.HELD: f"No, a crawl would not take this image as things are: {why}.",
    }.get(checked.outcome, f"There is no image to take: {why}.")


def _alone(checked: Checked) -> str:
    """A page may say no about an image that its address alone does not tell of."""
    if checked.elsewhere:
        return ", but the page named with --page does not name it"
    asked = any(result.gate == "g2" for result in checked.trail)
    return (
        ""
        if asked
        else ", going by its address alone (no page that shows it was asked; name one with --page)"
    )


def _why_english(checked: Checked) -> str:
    if checked.decisive is not None and checked.outcome in (Outcome.REFUSED, Outcome.HELD):
        page = "the page" if checked.kind != "file" else "the file"
        return because(checked.outcome, checked.reason, checked.decisive, page)
    if checked.reason == AllowReason.NOT_OPTED_OUT.value:
        return "nothing that was asked says no"
    if checked.closed:
        return f"{reason_english(checked.outcome, checked.reason)} ({plain(checked.closed)})"
    return reason_english(checked.outcome, checked.reason) or "nothing is known of it"


def _file_english(checked: Checked, why: str) -> str:
    if checked.outcome is Outcome.REFUSED:
        return f"This file says no to AI training: {why}."
    if checked.outcome is Outcome.HELD:
        return f"What this file says about AI training cannot be read, so a crawl would not take it: {why}."
    if checked.outcome is Outcome.FAILED:
        return f"This file is no image that a crawl would take: {why}."
    return "This file permits AI training." if checked.reason else "This file says nothing about AI training."


def _page_english(checked: Checked, why: str) -> str:
    if not checked.images:
        if checked.outcome is Outcome.FAILED and not checked.reason:
            return "This page shows no image that a crawl would see."
        return f"No, a crawl would take no image from this page: {why}."
    counts = Counter(image.outcome for image in checked.images)
    taken, all_ = counts[Outcome.RELEASED], len(checked.images)
    if all_ == checked.shown == 1:
        yes = "Yes, a crawl would take" if taken else "No, a crawl would not take"
        return f"{yes} the one image of this page: {why}."
    asked = f"the first {all_} of {checked.shown} images" if checked.shown > all_ else f"the {all_} images"
    if taken == 0:
        return f"No, a crawl would take none of {asked} that this page shows: {why}."
    if taken == all_:
        return f"Yes, a crawl would take {asked} that this page shows: {why}."
    return f"Partly: of {asked} that this page shows, a crawl would take {taken}. Each is told below."


def _japanese(checked: Checked) -> str:
    if checked.outcome is Outcome.NOT_REQUESTED:
        return "いいえ、クローラーはこれを要求しません。ホストが求める間隔が、待てる時間より長いためです。"
    reasons = japanese().reasons
    why = reasons.get(checked.outcome.value, {}).get(checked.reason, "")
    if checked.reason == AllowReason.NOT_OPTED_OUT.value:
        why = "確認した範囲に、拒否の表示はありません"
    if checked.closed:
        why += f"（{plain(checked.closed)}）"
    if checked.decisive is not None and checked.outcome in (Outcome.REFUSED, Outcome.HELD):
        place = place_of(checked.decisive.source_url)
        why += f"（{plain(place)} {plain(checked.decisive.raw, 80)}）"
    if checked.kind == "file":
        return {
            Outcome.REFUSED: f"このファイルは AI の学習を拒んでいます。{why}",
            Outcome.HELD: f"このファイルの記載が読めないため、クローラーは取得しません。{why}",
            Outcome.FAILED: f"このファイルは、クローラーが取得する画像ではありません。{why}",
        }.get(
            checked.outcome,
            "このファイルは AI の学習を許可しています。"
            if checked.reason
            else "このファイルには AI の学習についての記載がありません。",
        )
    taken = sum(image.taken for image in checked.images)
    if checked.kind == "page" and checked.images and 0 < taken < len(checked.images):
        return f"一部のみ: 確認した {len(checked.images)} 枚のうち、クローラーが取得するのは {taken} 枚です。"
    what = "このページの画像" if checked.kind == "page" else "この画像"
    asked = checked.kind == "page" or any(result.gate == "g2" for result in checked.trail)
    alone = "" if asked else "（アドレスだけで確認しました。掲載ページは --page で指定してください）"
    if checked.elsewhere:
        alone = "（ただし、--page のページにこの画像は掲載されていません）"
    return {
        Outcome.RELEASED: f"はい、クローラーは{what}を取得します。{alone}{why}",
        Outcome.REFUSED: f"いいえ、クローラーは{what}を取得しません。{why}",
        Outcome.HELD: f"いいえ、現状ではクローラーは{what}を取得しません。{why}",
    }.get(checked.outcome, f"取得できる画像がありません。{why}")


def tree(checked: Checked, lang: str) -> Tree:
    """Gate by gate, with the raw lines; images of a page below it."""
    root = Tree(Text(plain(checked.url, 200), "bold"))
    for result in checked.trail:
        _gate(root, result, lang)
    own = len(checked.trail) if checked.kind == "page" else 0
    for image in checked.images:
        colour = "green" if image.taken else "red" if image.outcome is Outcome.REFUSED else "yellow"
        branch = root.add(
            Text.assemble((plain(image.url, 200), "bold"), " ", (sentence(image, lang), colour))
        )
        for result in image.trail[own:]:
            _gate(branch, result, lang)
    return root


def _gate(parent: Tree, result: GateResult, lang: str) -> None:
    state = _STATES[lang][result.verdict.value]
    reason = f" ({result.reason})" if result.reason else ""
    name = _GATES[lang].get(result.gate, result.gate)
    line = Text.assemble(
        (f"{result.gate.upper()} ", "bold"), f"{name}: ", (state + reason, _COLOURS[result.verdict.value])
    )
    branch = parent.add(line)
    for signal in result.signals:
        branch.add(_signal(signal, result, lang))
    for item in result.evidence:
        said = f"{plain(item.licence or item.licence_url, 100)} [{item.binding.value}]"
        branch.add(Text(f"licence: {said} {plain(item.element, 120)} ({plain(item.source_url, 120)})"))


def _signal(signal: Signal, result: GateResult, lang: str) -> Text:
    effect = _EFFECTS_JA[signal.effect.value] if lang == "ja" else signal.effect.value
    decides = result.verdict is not GateVerdict.PROCEED and signal.reason == result.reason
    style = (
        "red" if signal.effect is Effect.RESERVED else "green" if signal.effect is Effect.PERMITTED else ""
    )
    return Text.assemble(
        (f"{signal.protocol}: {effect} ", f"bold {style}" if decides else style),
        f"“{plain(signal.raw, 200)}” ",
        (plain(signal.source_url, 200), "dim"),
    )


def _mixed(checked: Checked) -> bool:
    """True for a page whose images do not all share one fate."""
    return len({image.taken for image in checked.images}) > 1


def to_json(checked: Checked, lang: str) -> dict[str, Any]:
    """Plain values, raw texts verbatim."""
    return {
        "url": checked.url,
        "kind": checked.kind,
        "outcome": "partly" if _mixed(checked) else checked.outcome.value,
        "reason": "" if _mixed(checked) else checked.reason,
        "would_be_taken": checked.taken and checked.kind != "file" and not _mixed(checked),
        "sentence": sentence(checked, lang),
        "grounds": [asdict(item) for item in checked.grounds],
        "gates": [
            {
                "gate": result.gate,
                "verdict": result.verdict.value,
                "reason": result.reason,
                "signals": [asdict(signal) for signal in result.signals],
                "evidence": [asdict(item) for item in result.evidence],
            }
            for result in checked.trail
        ],
        "shown": checked.shown,
        "images": [to_json(image, lang) for image in checked.images],
    }
