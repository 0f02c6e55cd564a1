"""Notices: phrases that refuse, however they are written or misread; talk about them, and signs, are none."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.annotators.base import Finding, Status
from curation.annotators.notices import Notices
from curation.filters import first_objection
from curation.objections import objection
from curation.phrases import notices
from curation.phrases.doc import notices_text
from curation.phrases.folding import END, fold, folded
from kyodaku.reasons import QuarantineReason, RefuseReason
from kyodaku.recipe import Annotators, Filters
from tests.curation.test_outcomes import ONE

_FILE = Path(__file__).with_name("notices.jsonl")
VECTORS = [json.loads(line) for line in _FILE.read_text(encoding="utf-8").splitlines()]

JUDGE = Notices.build(Annotators())


def read(text: str) -> Finding:
    return Finding("text", "1", Status.OK, 0.9, "text", text, {"unread": 0.0}, b"mask")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["text"][:40])
def test_vectors(vector: dict[str, Any]) -> None:
    found = JUDGE.judge(read(vector["text"]))
    assert found.level == vector["level"]
    assert sorted(name for name in ("ai", "reuse") if found.values.get(name)) == vector.get("categories", [])
    assert found.mask == (b"mask" if found.level == "notice" else b"")


def test_every_phrase_of_the_list_is_found_as_it_is_written() -> None:
    missed = [text for text in notices.all_phrases() if not notices.refusing(notices.find(text))]
    assert missed == []


def test_every_phrase_is_found_beside_a_name_and_a_date() -> None:
    for group in notices.groups():
        for text in (*group.get("phrases", ()), *group.get("alone", ())):
            assert notices.refusing(notices.find(f"© 2024 Kyo\n{text}\n@kyo")), text


BESIDE = [
    "【{}】\n田中えみ",
    "「{}」\n田中えみ",
    "田中【{}】",
    "“{}”\nJane Doe 2024",
    "《{}》\n作者：小明",
    "Bob Smith - {}",
    "© Robert Miller 2024\n{}",
    "{} © Lisa Martin",
    "Art by Jacob Lee / {}",
    "October 2024\n{}",
    "{}\nartwork by Emi",
    "all artwork and works by Emi Tanaka\n{}",
    "Support human artists!\n{}",
    "This artwork is protected - {}",
    "Imagine Studio\n{}",
    "if you like it, tell me\n{}",
    "{}\nlabel: XYZ records",
]


def test_what_signers_write_beside_a_phrase_takes_nothing_away() -> None:
    alone = {text for group in notices.groups() for text in group.get("alone", ())}
    missed = []
    for number, phrase in enumerate(notices.all_phrases()):
        for beside in (BESIDE[number % len(BESIDE)], BESIDE[7 * number % len(BESIDE)]):
            if phrase not in alone and JUDGE.judge(read(beside.format(phrase))).level != "notice":
                missed.append(beside.format(phrase))
    assert missed == []


def test_a_ban_in_quotation_marks_on_a_line_of_its_own_refuses_on_a_page_too() -> None:
    page = "\n".join(["The cat sat on the mat and looked at the sea. It was late. Nobody came."] * 6)
    assert JUDGE.judge(read(f"{page}\n“NO AI TRAINING”")).level == "notice"
    assert JUDGE.judge(read(f"{page}\nOn the door it read “NO AI TRAINING” in red.")).level == "mention"


def test_a_sheet_of_many_lines_without_sentences_is_no_page_of_prose() -> None:
    sheet = "\n".join(["CHARACTER SHEET", "name: Momo the cat", "age twelve, likes fish and naps"] * 6)
    assert JUDGE.judge(read(f"{sheet}\nplease do not repost my artwork")).level == "notice"


@given(st.text())
def test_folding_never_raises_and_folds_once(text: str) -> None:
    flat = fold(text)
    assert len(flat.breaks) == len(flat.signs) + 1
    assert len(flat.places) == len(flat.signs)
    assert flat.breaks[-1] == END
    assert folded(flat.signs) == flat.signs
    notices.find(text)


@given(st.lists(st.sampled_from([" ", "・", ".", "-", "’", "，"]), min_size=6, max_size=6))
def test_what_stands_between_signs_does_not_matter(between: list[str]) -> None:
    text = "".join(a + b for a, b in zip("AI学習禁止", between, strict=True))
    assert notices.refusing(notices.find(text))


@given(st.integers(0, 5), st.sampled_from("口木ABあ0"))
def test_one_wrong_sign_is_forgiven(at: int, sign: str) -> None:
    phrase = "無断転載禁止"
    assert notices.refusing(notices.find(phrase[:at] + sign + phrase[at + 1 :]))
    assert notices.refusing(notices.find(phrase[:at] + sign + phrase[at:]))


@pytest.mark.parametrize("unit", ["禁止AI", "no ai ", "donot", "転載", "「", "a\n", "無断転載禁止"])
def test_time_is_linear(unit: str) -> None:
    def seconds(signs: int) -> float:
        text = (unit * signs)[:signs]
        start = time.process_time()
        notices.find(text)
        return time.process_time() - start

    notices.find(unit)
    short, long = seconds(1500), seconds(6000)
    assert long < 12 * max(short, 0.05)


def test_a_notice_in_a_busy_picture_is_found_and_one_in_an_article_is_not() -> None:
    prose = [
        "Many artists are worried, and a watermark that says no AI training may help",
        "for a while, but nobody knows whether a court would care about it, and the",
        "companies do not say what they have used. In this chapter we look at what a",
        "notice can do and what it cannot, at metadata, at robots files and at other",
        "signs that a machine can read. The first step is to find out where pictures",
        "of yours are shown, by whom, and whether you were ever asked for permission.",
    ]
    assert not notices.refusing(notices.find("\n".join(prose)))
    assert notices.refusing(notices.find("\n".join([*prose, "NO AI TRAINING"])))
    assert notices.refusing(notices.find("\n".join(["無断転載禁止"] * 40))), "tiled"


def test_where_nobody_read_nothing_is_known_and_nothing_is_kept() -> None:
    failed = Finding("text", "1", Status.FAILED, text="ModelsMissing")
    for text in (None, failed):
        found = JUDGE.judge(text)
        assert found.status is Status.UNKNOWN
        row = {"width": 800, "height": 600, "rated": False, "protected": False}
        row |= {"findings": {"notices": found}}
        assert objection(ONE, row) is None
        assert first_objection(row, Filters()) is QuarantineReason.NOT_LOOKED_AT


def test_a_notice_refuses() -> None:
    noticed, mentioned = (JUDGE.judge(read(text)) for text in ("AI学習禁止", "「AI学習禁止」とは"))
    assert objection(ONE, {"findings": {"notices": noticed}}) is RefuseReason.WRITTEN_NOTICE
    assert mentioned.level == "mention"
    assert objection(ONE, {"findings": {"notices": mentioned}}) is None


def test_the_page_for_creators_is_made_from_the_lists() -> None:
    page = Path(__file__).parents[2] / "docs" / "notices.md"
    assert page.read_text(encoding="utf-8") == notices_text(), (
        "python -m curation.phrases.doc > docs/notices.md"
    )
    assert all(f"`{phrase}`" in page.read_text(encoding="utf-8") for phrase in notices.all_phrases())


@pytest.mark.parametrize(
    "text",
    [
        "Jane Doe. No AI.",
        "AI NOT ALLOWED",
        "AI: NO",
        "please no AI",
        "no ai, no nft",
        "無断転載× AI学習×",
        "Vietato l'uso per IA",
        "Proibido o uso para IA",
        "Reprint is prohibited",
        "無断使用だめ",
        "Reproducción prohibida",
        "Riproduzione vietata",
        "Proibida a reprodução",
    ],
)
def test_bans_in_other_words_are_notices(text: str) -> None:
    assert notices.refusing(notices.read(text))


@pytest.mark.parametrize(
    "text",
    [
        "Kokoro no ai",
        "no AI was used",
        "There is no AI that can",
        "AI学習教室立入禁止",
        "火気厳禁 AI学習教室",
        "撮影禁止\nAI学習教室",
        "Vietato fumare",
    ],
)
def test_what_speaks_of_something_else_is_none(text: str) -> None:
    assert notices.read(text) == []


#: A comic page: enough lines, signs and sentences that phrases deep in its sentences are running text.
COMIC = """WHAT A DAY!
THE TRAIN LEFT WITHOUT US AGAIN!
AND NOW THE RAIN HAS COME DOWN OVER THE WHOLE VALLEY
WE SHOULD WALK TO THE OLD INN BEFORE THE NIGHT FALLS.
THE KEEPER THERE IS AN OLD FRIEND OF MY FATHER AND SHE NEVER SLEEPS.
"""
MANGA = """今日は本当にいい天気だね！
駅までみんなで歩いて行こうと思うんだけど、君も一緒に来ないかい？
それはいい考えだ。父さんもきっと喜ぶに違いないし、弁当も作ってあるんだ。
川沿いの道をまっすぐ行けば、昼前には着くはずだから急ぐことはないさ。
でもあの橋は去年の洪水で流されてしまったと聞いたよ。別の道を探さないと。
山の向こうに古い宿がある。そこで一晩泊まってから、朝早くに出発しよう。
おばあさんが一人で守っている宿で、温泉がとても気持ちいいらしい。
"""


@pytest.mark.parametrize(
    "line", ["I WONDER WHY", "A PAGE FOR ARTISTS", "IF YOU SAY SO", "SHE WROTE ME", "I IMAGINE"]
)
@pytest.mark.parametrize(
    "notice", ["DO NOT REPOST", "NO AI TRAINING", "Please do not repost or use for AI training"]
)
def test_the_line_above_a_notice_of_its_own_line_takes_nothing_away(line: str, notice: str) -> None:
    assert notices.refusing(notices.read(f"{COMIC}{line}\n{notice}"))


@pytest.mark.parametrize("line", ["もし雨が降ったら", "なぜ泣くの", "どうして"])
@pytest.mark.parametrize("notice", ["無断転載禁止", "AI学習禁止", "無断転載・AI学習禁止 ©絵美"])
def test_the_line_above_a_japanese_notice_takes_nothing_away(line: str, notice: str) -> None:
    assert notices.refusing(notices.read(f"{MANGA}{line}\n{notice}"))


@pytest.mark.parametrize(
    "text",
    [
        "I DO NOT CONSENT TO MY ART\nBEING USED FOR AI",
        "THIS ART MAY NOT BE ENTERED\nINTO ANY AI GENERATOR",
        "My art may not\nbe used to train\nAI models",
        "生成AIに\n読み込ませることを\n禁止します",
        "Interdit d'utiliser\npour l'IA",
    ],
)
def test_a_ban_that_breaks_over_lines_is_one(text: str) -> None:
    assert notices.refusing(notices.read(text))
    assert notices.refusing(notices.read(f"Kyo 2026\n{text}\nspring"))


@pytest.mark.parametrize(
    "ban",
    [
        "Interdit d'utiliser pour l'IA",
        "Prohibido usar para IA",
        "Keine Nutzung für KI",
        "Vietato l'uso per IA",
        "Opt-out AI",
        "I DO NOT CONSENT TO THIS BEING USED FOR AI",
    ],
)
@pytest.mark.parametrize("above", [COMIC, 'What does "do not repost" mean?\n', "AI学習禁止とは\n"])
def test_a_ban_of_the_rule_is_heard_below_a_page_and_beside_a_mention(ban: str, above: str) -> None:
    assert notices.refusing(notices.read(above + ban))


@pytest.mark.parametrize("text", ["AI\nno\nyes", "AI?\nYes\nNo", "Model\nwe\ntrain\nAI"])
def test_words_of_a_chart_are_no_ban(text: str) -> None:
    assert notices.refusing(notices.read(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "Can you please not repost my art?",
        "Could you please not use my art for AI training?",
        "Would you please do not repost?",
        "No permission is given to use this for AI",
        "未經授權請勿使用",
        "未经授权请勿使用",
        "未經許可請勿轉用",
    ],
)
def test_who_asks_politely_refuses(text: str) -> None:
    assert notices.refusing(notices.read(text))


@pytest.mark.parametrize("text", ["Can AI training be forbidden?", 'What does "do not repost" mean?'])
def test_who_asks_what_it_means_does_not_refuse(text: str) -> None:
    assert notices.refusing(notices.read(text)) == []
