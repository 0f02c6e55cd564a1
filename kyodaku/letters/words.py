"""The letter itself, in English and Japanese: who asks, which line stopped us, what would let us in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from kyodaku.letters.lines import Remedy
from kyodaku.letters.stopped import StoppedHost
from kyodaku.recipe import Recipe
from kyodaku.report.html import japanese
from kyodaku.report.plaintext import plain, short_url
from kyodaku.signals.model import LicenceEvidence, Signal

_TERM = timedelta(days=365)
_EXAMPLES = 5
_RULE = "-" * 72
#: How the robots protocol says whom a line names.
_DISALLOW = "disallow for "


def letter(recipe: Recipe, host: StoppedHost, remedy: Remedy, stopped_at: float) -> str:
    """The whole letter as plain text, English first. `stopped_at` is Unix seconds."""
    day = datetime.fromtimestamp(stopped_at, UTC).date()
    return f"{_english(recipe, host, remedy, day)}\n{_RULE}\n\n{_japanese(recipe, host, remedy, day)}"


def entry(host: StoppedHost, remedy: Remedy, stopped_at: float) -> str:
    """What goes into the recipe once the owner has agreed: a `[[host]]` table to fill in."""
    until = datetime.fromtimestamp(stopped_at, UTC).date() + _TERM
    scope = ", ".join(f'"{path}"' for path in remedy.paths)
    name = host.host.partition(":")[0]
    return (
        f'[[host]]\nhost = "{name}"\nletter = "letters/{name}.eml"\n'
        f'letter_sha256 = "(sha256sum of that file)"\nscope = [{scope}]\nuntil = {until}\n'
    )


def _english(recipe: Recipe, host: StoppedHost, remedy: Remedy, day: date) -> str:
    parts = [
        f"Subject: May we use pictures of {host.host} that are free to use?",
        f"To whoever looks after {host.host},",
        f"we are {_operator(recipe)}. We make a set of pictures and captions for training image generators"
        f"{_named(recipe, ' (', ')')}. Our crawler takes only pictures that are allowed to be there and asks "
        "every host first.",
        f"On {day} it stopped at {host.host}: {_counted(host)} not asked for. Nothing was taken.",
        "It stopped at" + _bullets(_line(signal) for signal in host.lines),
        "We write because these pictures seem to be free to use:" + _bullets(_grounds(host)),
        "For example:" + _bullets(short_url(url) for url in host.urls[:_EXAMPLES]),
    ]
    if host.inferred:
        parts.append(
            "That rule names other crawlers. We took it for a wish about training and kept away. If you did "
            f"not mean us, a reply is enough: name the paths ({_paths(remedy)}) and the day until which it "
            "holds. We keep your reply with our records. It changes nothing else: whatever you say to us, to "
            "everybody or about training stays a no."
        )
    else:
        parts.append("A reply cannot undo that line; only you can change it.")
    parts.append(_remedy_english(remedy))
    parts.append(
        "If it should stay as it is, do nothing: we stay away. "
        f"Every way to say so is on the page of our crawler.\n\n{_signature(recipe)}"
    )
    return "\n\n".join(parts) + "\n"


def _remedy_english(remedy: Remedy) -> str:
    if not remedy.lines:
        return (
            "Lines in robots.txt alone would not help" + _still(remedy.left, "; this would have to change:")
        ).rstrip()
    told = (
        "Or add these lines to your robots.txt; they open these paths to us, and close the rest to us:\n\n"
        + "\n".join(f"    {line}" for line in remedy.lines)
    )
    if remedy.unseen:
        told += f"\n\nWhat {', '.join(remedy.unseen)} may say we could not read; it will be heard first."
    return told + _still(remedy.left, "\n\nWith them in place, this would still stop us:")


def _japanese(recipe: Recipe, host: StoppedHost, remedy: Remedy, day: date) -> str:
    parts = [
        f"件名: {host.host} の自由に利用できる画像の利用について",
        f"{host.host} ご担当者様",
        f"{_operator(recipe)} と申します。画像生成モデルの学習のために、画像と説明文のデータセット"
        f"{_named(recipe, '「', '」')}を作っています。私たちのクローラーは、許諾された画像だけを、"
        "サイトごとに確かめてから取得します。",
        f"{day} に {host.host} で取得を止めました。{_counted_ja(host)}は要求していません。"
        "何も取得していません。",
        "止まった理由は次のとおりです。" + _bullets(_line_ja(signal) for signal in host.lines),
        "次の記載から、自由に利用できる画像と思われるため、ご連絡しました。" + _bullets(_grounds(host)),
        "例:" + _bullets(short_url(url) for url in host.urls[:_EXAMPLES]),
    ]
    if host.inferred:
        parts.append(
            "この行は他社のクローラーを名指ししています。私たちは学習についてのご意向と受け取り、控えました。"
            f"私たちを対象とするものでなければ、対象のパス ({_paths(remedy)}) と有効期限を書いて"
            "ご返信ください。"
            "ご返信は記録と共に保管します。これ以外には何も変わりません。私たちや全員に向けた拒否、"
            "学習についての拒否は、そのまま守ります。"
        )
    else:
        parts.append("この行はご返信では解除できません。変更できるのは貴サイトだけです。")
    parts.append(_remedy_japanese(remedy))
    parts.append(
        f"このままでよろしければ、何もなさる必要はありません。今後も取得しません。\n\n{_signature(recipe)}"
    )
    return "\n\n".join(parts) + "\n"


def _remedy_japanese(remedy: Remedy) -> str:
    if not remedy.lines:
        said = "robots.txt に行を加えるだけでは取得できません。"
        return said + _still_ja(remedy.left, "次の記載の変更が必要です。")
    told = (
        "または、robots.txt に次の行を加えてください。このパスだけを私たちに開き、他は閉じます。\n\n"
        + "\n".join(f"    {line}" for line in remedy.lines)
    )
    if remedy.unseen:
        told += f"\n\n{', '.join(remedy.unseen)} は読めていません。まずその記載に従います。"
    return told + _still_ja(remedy.left, "\n\nこの行を加えても、次の記載があるため取得しません。")


def _still(left: Sequence[Signal], words: str) -> str:
    return words + _bullets(_line(signal) for signal in left) if left else ""


def _still_ja(left: Sequence[Signal], words: str) -> str:
    return words + _bullets(_line_ja(signal) for signal in left) if left else ""


def quoted(signal: Signal, limit: int, not_text: str = "not text") -> str:
    """The raw line for people; `not_text` where its bytes are none."""
    return not_text if "\ufffd" in signal.raw else plain(signal.raw or signal.parsed, limit)


def _line(signal: Signal) -> str:
    number = _number(signal)
    place = f"{plain(signal.source_url, 200)}{f', line {number}' if number else ''}"
    return f"{place}: {quoted(signal, 200)} ({plain(signal.parsed, 200)})"


def _line_ja(signal: Signal) -> str:
    number = _number(signal)
    place = f"{plain(signal.source_url, 200)}{f' {number} 行目' if number else ''}"
    return f"{place}: {quoted(signal, 200, 'テキストではありません')} ({_meaning_ja(signal)})"


def _meaning_ja(signal: Signal) -> str:
    if signal.parsed.startswith(_DISALLOW):
        who = plain(signal.parsed.removeprefix(_DISALLOW), 200)
        return "すべてのクローラーへの拒否" if who == "*" else f"{who} への拒否"
    for reasons in (japanese().reasons[outcome] for outcome in ("refused", "held")):
        if signal.reason in reasons:
            return reasons[signal.reason]
    return plain(signal.parsed, 200)


def _number(signal: Signal) -> str:
    return next((part[1:] for part in signal.rule.split(":") if part[:1] == "L" and part[1:].isdigit()), "")


def _grounds(host: StoppedHost) -> list[str]:
    found = [f'"{plain(host.institution, 200)}"'] if host.institution else []
    return [*found, *dict.fromkeys(_evidence(item) for item in host.evidence)]


def _evidence(item: LicenceEvidence) -> str:
    return f"{plain(item.licence_url or item.licence, 200)} ({plain(item.source_url, 200)})"


def _bullets(lines: Iterable[str]) -> str:
    return "".join(f"\n  * {line}" for line in lines)


def _paths(remedy: Remedy) -> str:
    return ", ".join(remedy.paths)


def _counted(host: StoppedHost) -> str:
    said = [
        f"{count:,} {name if count == 1 else name + 's'}"
        for count, name in ((host.pages, "page"), (host.images, "image"))
        if count
    ]
    total = host.pages + host.images
    return f"{' and '.join(said)} {'was' if total == 1 else 'were'}"


def _counted_ja(host: StoppedHost) -> str:
    said = ((host.pages, "ページ {:,} 件"), (host.images, "画像 {:,} 件"))
    return "、".join(words.format(count) for count, words in said if count)


def _operator(recipe: Recipe) -> str:
    return plain(recipe.operator.organisation or recipe.operator.crawler, 200)


def _named(recipe: Recipe, before: str, after: str) -> str:
    title = plain(recipe.release.title or recipe.name, 200)
    return f"{before}{title}{after}"


def _signature(recipe: Recipe) -> str:
    contact = plain(recipe.operator.contact, 200)
    return "\n".join(
        line for line in (_operator(recipe), contact, f"{recipe.operator.crawler} / Kyodaku") if line
    )
