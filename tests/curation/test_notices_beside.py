"""What stands beside words of a ban on re-use: its object, an old year, a cross; bans in further words."""

from __future__ import annotations

import pytest

from curation.annotators.notices import Notices
from curation.nets.hangul import UNKNOWN
from curation.phrases import notices
from curation.phrases.folding import is_old, years
from kyodaku.recipe import Annotators
from tests.curation.test_notices import read

JUDGE = Notices.build(Annotators())


def level(text: str) -> str:
    return JUDGE.judge(read(text)).level


@pytest.mark.parametrize(
    "text",
    [
        "Not for redistribution",
        "No reuse",
        "Do not download",
        "please do not download my art",
        "Not for commercial use",
        "Any use without written permission is prohibited",
        "Use without my permission is strictly prohibited",
        "저작권자의 허락 없이 사용 금지",
        f"저작{UNKNOWN}자의 허{UNKNOWN} 없이 사용 금지",
        "작가의 허가 없이 복제 금지",
        "転載❌",
        "転載× 加工×",
        "無断転載は❌",
        "🚫転載",
        "商用利用✕",
        "转载❌",
        "repost ❌",
        "불펌❌",
    ],
)
def test_bans_on_reuse_in_further_words(text: str) -> None:
    assert level(text) == "notice"
    assert level(f"田中えみ\n{text}\n@emi") == "notice"


@pytest.mark.parametrize(
    "text",
    [
        "転載×アート",
        "転載 × 展",
        "自転車❌",
        "Reposted ✕ 2",
        "Not for commercial vehicles",
        "No reuse of bottles",
        "Do not download apps while driving",
        "허가 없이 출입 금지",
        "관리자 허락 없이 사용 금지",
        "작가의 방 허가 없이 출입 금지",
        "보호구 없이 사용 금지",
    ],
)
def test_what_is_like_them_is_none(text: str) -> None:
    assert level(text) == "none"


@pytest.mark.parametrize(
    "text",
    [
        "DO NOT USE WITHOUT EYE PROTECTION",
        "do not use without hard hat",
        "Do not use without guard in place",
        "DO NOT TAKE WITHOUT FOOD",
        "Do not use without eye protection. Ask for help.",
        "Ne pas utiliser sans gants",
        "KEY: DO NOT DUPLICATE",
        "DO NOT DUPLICATE KEY",
        "Do not duplicate this key",
        "KEY DUPLICATION PROHIBITED",
        "合鍵の複製禁止",
        "禁复制钥匙",
        "禁止复制鑰匙",
        "UNAUTHORIZED USE OF THIS LOT PROHIBITED",
        "Unauthorized use of this parking lot prohibited",
        "Unauthorised use of dumpster is prohibited",
        "駐車場の無断使用禁止",
        "禁止商用车通行",
        "禁止商用車通行",
    ],
)
def test_bans_on_other_things_are_none(text: str) -> None:
    assert level(text) == "none"


@pytest.mark.parametrize(
    "text",
    [
        "Do not use without my permission",
        "DO NOT USE WITHOUT CREDIT",
        "do not use without my prior written consent",
        "don't use without asking",
        "Do not take without credit",
        "please do not use without crediting the artist",
        "DO NOT USE WITHOUT A LICENCE",
        "Ne pas utiliser sans mon accord",
        "Ne pas utiliser sans me créditer",
        "DO NOT DUPLICATE",
        "Key art - do not duplicate",
        "© Key\nDo not duplicate",
        "do not duplicate this keyframe",
        "Unauthorized use of this image prohibited",
        "Unauthorized use prohibited",
        "無断使用禁止 駐車場の絵",
        "駐車場の絵 無断使用禁止",
        "禁止商用",
        "禁止商用 车的图",
    ],
)
def test_bans_on_the_picture_beside_the_same_words_are_notices(text: str) -> None:
    assert level(text) == "notice"


OLD = (
    "Nachdruck verboten {}",
    "Carte postale. Reproduction interdite. {}",
    "REPRODUCTION FORBIDDEN {} Photoglob Zurich",
    "不許複製 {}",
    "版權所有 翻印必究\n{}",
    "Riproduzione vietata\n{}",
    "Prohibida la reproducción, {}",
    "Reprodução proibida {}",
    "Vervielfältigung untersagt. Leipzig {}",
)


@pytest.mark.parametrize(
    "year", ["1908", "1955", "明治三十二年", "明治廿八年", "大正元年", "昭和30年", "昭和 二五 年"]
)
@pytest.mark.parametrize("text", OLD)
def test_a_ban_of_an_old_print_is_a_mention(text: str, year: str) -> None:
    assert level(text.format(year)) == "mention"


@pytest.mark.parametrize(
    "year",
    [
        "",
        "1956",
        "2024",
        "1908-2024",
        "昭和31年",
        "昭和六十二年",
        "平成三年",
        "明治神宮",
        "1920x1080",
        "1920 × 1080",
        "1080x1920",
        "1920px",
        "No. 19081",
        "Inv. 1937.1.34",
        "1908 © Jean",
        "1908 @jean",
        "1908 www.jean-photo.fr",
        "1908 令和3年",
    ],
)
@pytest.mark.parametrize("text", OLD)
def test_without_an_old_year_or_with_anything_later_it_is_a_notice(text: str, year: str) -> None:
    assert level(text.format(year)) == "notice"


@pytest.mark.parametrize(
    "text",
    [
        "NO AI TRAINING 1908",
        "AI学習禁止 明治三十二年",
        "Reproduction interdite 1908. Pas d'IA",
        "Reproduction interdite 1908, I forbid AI training",
        "Nachdruck verboten 1908\nDo not feed this to an Al",
        "DO NOT REPOST 1908",
        "Reproduction and reposting prohibited 1908",
        "Reproduction and AI training prohibited 1908",
        "Reproduction or use by AI prohibited, 1908",
        "Reproduktion und Weiterverbreitung verboten 1908",
        "Vervielfältigung, KI-Training verboten 1908",
        "無断転載禁止 大正三年",
        "Do not use without permission 1908",
    ],
)
def test_no_year_takes_anything_from_other_bans(text: str) -> None:
    assert level(text) == "notice"


def test_beside_a_picture_a_year_is_of_what_it_shows_and_spares_nothing() -> None:
    assert notices.refusing(notices.find("Tour Eiffel, 1889. Reproduction interdite"))


def test_years_are_read_in_digits_and_eras() -> None:
    assert years("1793, 明治廿八年 昭和３０年 大正十年 明治二五年 明治元年") == [
        1793,
        1895,
        1955,
        1921,
        1892,
        1868,
    ]
    assert not is_old("no year")
