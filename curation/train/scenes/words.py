"""Words to letter drawings with: meaningless, in the scripts that fonts of the pool write."""

from __future__ import annotations

import numpy as np


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


LATIN: tuple[str, ...] = _words(
    "the of and to in was with for river garden evening market stone winter letter house under city "
    "paper light north bridge morning harbour silver field window great small old mountain king queen "
    "street work sea plate figure study view after from museum volume chapter page tower wind autumn "
    "forest road island Haus und der die das Garten Licht Abend Stadt maison le la les dans jardin "
    "lumiere ville casa della luce monte ponte el puente noche libro calle Saint Anna Maria Johann "
    "William Paris London Wien Roma Tokyo"
)
GREEK: tuple[str, ...] = _words(
    "και το νερό φως πόλη βουνό θάλασσα δρόμος σπίτι κήπος νύχτα βιβλίο γέφυρα άνεμος"
)
CYRILLIC: tuple[str, ...] = _words(
    "и в на свет город река вечер дом книга гора море улица мост ветер зима письмо сад"
)
ARABIC: tuple[str, ...] = _words("نور مدينة نهر مساء بيت كتاب جبل بحر شارع جسر ريح شتاء رسالة حديقة")
HEBREW: tuple[str, ...] = _words("אור עיר נהר ערב בית ספר הר ים רחוב גשר רוח חורף מכתב גן")
DEVA: tuple[str, ...] = _words("प्रकाश शहर नदी शाम घर किताब पहाड़ समुद्र सड़क पुल हवा सर्दी पत्र बगीचा")
THAI: tuple[str, ...] = _words("แสง เมือง แม่น้ำ เย็น บ้าน หนังสือ ภูเขา ทะเล ถนน สะพาน ลม หนาว จดหมาย สวน")
HANGUL: tuple[str, ...] = _words(
    "빛 도시 강 저녁 집 책 산 바다 거리 다리 바람 겨울 편지 정원 그림 아침 나무 이야기"
)
KANJI = (
    "日月山川水火木金土天地人大小中上下左右東西南北春夏秋冬花鳥風雨雪雲空海島江戸京都町村家門寺社橋道"
    "旅松竹梅桜鶴亀富士景百三十六五七八九一二四名所図画筆印絵師年御前新古文字書本語國東海道浪波舟魚"
)
KANA = (
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをんがぎぐげござ"
)
KATAKANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンー"
HANZI = (
    "的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她"
    "里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已"
)

WORDS = {
    "latin": LATIN,
    "greek": GREEK,
    "cyrillic": CYRILLIC,
    "arabic": ARABIC,
    "hebrew": HEBREW,
    "deva": DEVA,
    "thai": THAI,
    "ko": HANGUL,
}
SIGNS = {"ja": KANJI * 2 + KANA * 3 + KATAKANA, "zh": HANZI}


def phrase(rng: np.random.Generator, script: str, count: int) -> str:
    """`count` words; as many pairs of signs where the script has no blanks between words."""
    if script in SIGNS:
        signs = SIGNS[script]
        return "".join(signs[int(rng.integers(len(signs)))] for _ in range(2 * count))
    chosen = [WORDS[script][int(rng.integers(len(WORDS[script])))] for _ in range(count)]
    text = " ".join(chosen)
    return text if rng.random() < 0.7 else text.title() if rng.random() < 0.6 else text.upper()


def paragraph(rng: np.random.Generator, script: str, signs: int) -> str:
    """Running text of about so many signs, with stops."""
    text = ""
    while len(text) < signs:
        stop = "。" if script in SIGNS else ". "
        part = phrase(rng, script, int(rng.integers(4, 12)))
        text += (part if script in SIGNS else part[:1].upper() + part[1:]) + stop
    return text


def kanji(rng: np.random.Generator, count: int) -> str:
    """Chinese signs as they stand on prints and seals."""
    return "".join(KANJI[int(rng.integers(len(KANJI)))] for _ in range(count))
