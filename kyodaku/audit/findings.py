"""What an audit finds: plain data, and its sentences in English and Japanese."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["error", "warning", "note"]

#: kind -> (level, meaning and what to do in English, the same in Japanese)
TEXTS: dict[str, tuple[Level, str, str]] = {
    "not-robots": (
        "error",
        "This is no robots.txt (a page or a binary file). Serve plain text.",
        "robots.txt ではありません(HTML またはバイナリ)。プレーンテキストで配信してください。",
    ),
    "truncated": (
        "error",
        "The file is longer than 1 MiB; what follows is not read. Make it shorter.",
        "ファイルが 1 MiB を超えており、以降は読まれません。短くしてください。",
    ),
    "too-complex": (
        "error",
        "The file has more rules than parsers accept. Make it shorter.",
        "規則が多すぎて解析器が受け付けません。短くしてください。",
    ),
    "malformed": (
        "warning",
        "Only forgiving parsers read this line: a misspelt name, a missing colon, or too long. Write it as "
        "`Name: value`, with the name as parsers know it.",
        "寛容な解析器だけがこの行を読みます(名前の綴り誤り、コロンの欠落、長すぎる行)。"
        "正しい名前で「名前: 値」の形に書いてください。",
    ),
    "no-colon": (
        "warning",
        "This line has no colon and says nothing to any parser. Write it as `Name: value`.",
        "コロンがないため、この行は読まれません。「名前: 値」の形で書いてください。",
    ),
    "unknown-record": (
        "warning",
        "No parser knows a record of this name; it stops nobody. Use Disallow or Content-Usage.",
        "この名前の行を知る解析器はなく、何も止めません。Disallow か Content-Usage を使ってください。",
    ),
    "outside-group": (
        "warning",
        "This rule stands before any User-agent line and speaks to nobody. Put it below one.",
        "User-agent 行より前にあるため無効です。User-agent 行の下に移してください。",
    ),
    "between-agents": (
        "error",
        "This record stands between User-agent lines; some parsers (Protego 0.7) end the group here and "
        "allow what the group disallows. Move it below the rules.",
        "User-agent 行の間にあるため、一部の解析器(Protego 0.7)はここでグループを終え、"
        "禁止したものを許可します。規則の下に移してください。",
    ),
    "byte-order-mark": (
        "warning",
        "The file begins with a byte order mark; some parsers lose the first group. Save it without one.",
        "先頭に BOM があり、一部の解析器は最初のグループを失います。BOM なしで保存してください。",
    ),
    "agent-not-token": (
        "warning",
        "A User-agent value should be letters, `-` and `_` only; parsers differ about this one.",
        "User-agent の値は英字と「-」「_」のみにしてください。この値は解析器により解釈が異なります。",
    ),
    "protego-differs": (
        "error",
        "Protego (Scrapy's parser) answers otherwise here than RFC 9309: crawlers that use it go astray.",
        "Protego(Scrapy の解析器)はここで RFC 9309 と異なる判断をします。",
    ),
    "only-named": (
        "warning",
        "Only named crawlers are refused; every other crawler is let in. Add a `User-agent: *` group.",
        "名指しされたクローラーだけが拒否され、他はすべて入れます。"
        "「User-agent: *」のグループを加えてください。",
    ),
    "odd-line-end": (
        "error",
        "Inside this line stands a character (such as U+2028) that parsers in Python (Protego 0.7, for one) "
        "take for its end: they read two lines. Type the line anew.",
        "この行の中に、Python の解析器(Protego 0.7 など)が行末とみなす文字(U+2028 など)があり、"
        "2 行として読まれます。入力し直してください。",
    ),
    "prefix-agent": (
        "warning",
        "Protego (Scrapy's parser) takes this name for every longer one that begins with it, so that "
        "`Google` also speaks to `Google-Extended`; by RFC 9309 it does not. Name both.",
        "Protego(Scrapy の解析器)はこの名前で始まる長い名前にもこの規則を当てます(`Google` が "
        "`Google-Extended` にも)。RFC 9309 では当たりません。両方を書いてください。",
    ),
    "file-barred": (
        "error",
        "Your robots.txt bars this opt-out file, so nobody careful can know what it says: they hold "
        "everything. Allow it.",
        "robots.txt がこのオプトアウトファイルを禁止しているため、慎重なクローラーは内容を知ることができず、"
        "すべて保留します。許可してください。",
    ),
    "file-error": (
        "error",
        "This file could not be had; everybody careful holds all images until it can, the others take them. "
        "Serve it, or answer 404.",
        "このファイルは取得できません。慎重なクローラーはすべての画像を保留し、他は取得します。"
        "配信するか、404 を返してください。",
    ),
    "file-forbidden": (
        "note",
        "Crawlers may not read this file; most take that for: there is none. Serve it to everybody, or "
        "answer 404.",
        "このファイルは読むことが許されず、多くのクローラーは「ない」とみなします。"
        "誰にでも配信するか、404 を返してください。",
    ),
    "soft-404": (
        "warning",
        "A web page comes in the place of this file, so it says nothing. Serve the file, or answer 404.",
        "このファイルの代わりにウェブページが返され、何も表明していません。"
        "ファイルを配信するか、404 を返してください。",
    ),
    "robots-elsewhere": (
        "warning",
        "robots.txt is redirected to another host; some crawlers do not follow, and what it says then is "
        "not heard. Serve it here.",
        "robots.txt が別のホストに転送されています。転送に従わないクローラーには伝わりません。"
        "このホストで配信してください。",
    ),
    "barred": (
        "note",
        "Your robots.txt bars this address to us too, so neither the page nor its images were asked for.",
        "robots.txt がこのアドレスを当監査にも禁止しているため、ページも画像も取得していません。",
    ),
    "page-unread": (
        "note",
        "The page could not be read, so what it and its images say is not known here.",
        "ページを読めなかったため、ページと画像の表示は分かりません。",
    ),
    "image-unread": (
        "note",
        "The headers of this image could not be had, so what they say is not known here.",
        "この画像のヘッダーを取得できなかったため、その表示は分かりません。",
    ),
    "no-images": (
        "note",
        "The page shows no image. Give the address of one that does.",
        "このページには画像がありません。画像のあるページのアドレスを指定してください。",
    ),
    "nothing-said": (
        "note",
        "Nothing here speaks about training: whoever takes silence for a yes takes the images. Say what you "
        "want with --want.",
        "学習利用について何も表明されていません。沈黙を許可とみなす者は画像を取得します。"
        "--want で希望を表明してください。",
    ),
    "only-on-page": (
        "warning",
        "Only the page says no: neither the headers of this image nor the files of its host do. A crawler "
        "that meets the image by its address alone sees no refusal. Say it in the headers of images too.",
        "拒否しているのはページだけで、この画像のヘッダーもホストのファイルも拒否していません。"
        "画像のアドレスだけを知るクローラーには伝わりません。画像にもヘッダーを付けてください。",
    ),
    "llms-txt": (
        "note",
        "llms.txt is no opt-out: it refuses nothing.",
        "llms.txt はオプトアウトではなく、何も拒否しません。",
    ),
    "contradiction": (
        "error",
        "One of your signals says yes and another no for the same address. Crawlers may pick either.",
        "同じアドレスについて、ある表示は許可し、別の表示は拒否しています。",
    ),
    "unreadable": (
        "error",
        "This state cannot be read; we hold every image until it can.",
        "この状態は読み取れません。読めるようになるまで画像はすべて保留します。",
    ),
    "says-no": ("note", "This says no to training.", "学習利用を拒否しています。"),
    "says-yes": ("note", "This says yes to training.", "学習利用を許可しています。"),
}


#: Levels in Japanese.
LEVELS_JA: dict[Level, str] = {"error": "エラー", "warning": "警告", "note": "注記"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `kind` is a key of TEXTS, `line` counts from 1 (0: none), `quote` is verbatim."""

    kind: str
    protocol: str
    where: str
    line: int = 0
    quote: str = ""

    @property
    def level(self) -> Level:
        """How grave it is."""
        return TEXTS[self.kind][0]

    def text(self, lang: str = "en") -> str:
        """What it means and what to do, in `en` or `ja`."""
        return TEXTS[self.kind][2 if lang == "ja" else 1]

    def to_json(self, lang: str = "en") -> dict[str, Any]:
        """All fields, with `level` and `text`."""
        return {**asdict(self), "level": self.level, "text": self.text(lang)}
