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
        "Only forgiving parsers read this line. Write it as `Name: value`.",
        "寛容な解析器だけがこの行を読みます。「名前: 値」の形で書いてください。",
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
