"""The keyword rule: rights statements in plain words that say no to AI training.

No protocol defines these words; refusing by them is our policy. English, German, Dutch, French, Spanish,
Italian, Portuguese, Japanese, Chinese and Korean, in the forms that people write under their pictures. A
phrase that fires wrongly loses one picture; one that is missed would take what its owner refused. So `no AI`
refuses whatever follows it, and only words about how a picture was made (`created without AI`) or that grant
nothing and take nothing (`all rights reserved`) are left alone.
"""

from __future__ import annotations

import re
import unicodedata

#: Characters looked at in one text. Callers hold what is longer as unread.
MAX_WORDS = 64 * 1024

#: No word goes on here: a letter of a script written with spaces, or a digit.
_BEFORE = r"(?<![0-9a-z\u0370-\u052f])"
_AFTER = r"(?![0-9a-z\u0370-\u052f])"
#: What stands between two words of one statement: no end of a sentence, and not much.
_GAP = r"[^.!?;\u3002]{0,80}?"
_WORDS = r"(?:[\w'/&-]+,? ){0,4}"

# ------------------------------------------------------------------------------------------ English
_AI = (
    r"(?:(?:gen(?:erative)?[- ]?)?(?:ai|a\.i\.?)|artificial[- ]intelligence|machine[- ]learning"
    r"|deep[- ]learning"
    r"|ai/ml|llms?|generative models?|neural networks?|diffusion models?|midjourney|stable diffusion|chatgpt)"
)
_DO = (
    r"(?:train(?:ing|ed)?|learning|scrap(?:e|ing)|min(?:e|ing)|use|usage|ingestion|development"
    r"|data ?sets?|models?|systems?|tools?|generators?|companies)"
)
_MINING = r"(?:(?:text[- ](?:and|&)[- ])?data[- ]?mining|tdm)"
_TRAINING = (
    rf"(?:{_AI}(?:[- /,]{{1,2}}(?:or|and|ml|model|system|tool)){{0,3}}[- /]{_DO}"
    rf"|(?:train|training|trained|teach|learning|dataset)(?: \w+){{0,3}}? {_AI}|{_MINING}|ai[- ]data ?sets?)"
)
_BAN = (
    r"(?:prohibit\w*|forbid\w*|forbidden|disallow\w*|denied|den(?:y|ies)|refus\w+|reserv\w+|ban(?:s|ned)?"
    r"|exclud\w+"
    r"|opt(?:s|ed|ing)?[- ]?out|object\w* to|oppos\w+|without (?:\w+ ){0,3}(?:permission|consent|licen[cs]e))"
)
_MUST_NOT = (
    r"(?:do not|don'?t|does not|must not|may not|may never|shall not|should not|can ?not|can'?t|never"
    r"|not to be|not (?:be )?"
    r"(?:allow\w*|permit\w*|authori[sz]ed|licensed|granted|intended|available|for))"
)
_THIS = (
    r"(?:this|it|these|those|them|my|our|any of|(?:the|any) (?:art\w*|work|image|picture|photo|drawing)s?)"
)
_LEARN = r"(?:learn|train|be trained|use|copy|copies|ingest|process|imitate|mimic|analy[sz]e|scrape)"
_ENGLISH = (
    rf"{_BEFORE}no {_AI}(?: \w+){{0,2}}? (?:may|shall|must|should|is (?:allowed|permitted) to)"
    rf"(?: ever)? {_LEARN}(?: (?:from|on|with))?(?: {_THIS})?{_AFTER}",
    rf"{_BEFORE}{_MUST_NOT} (?:\w+ ){{0,2}}?(?:let|allow\w*|permit\w*|want|authori[sz]e|consent to)"
    rf" (?:any )?{_AI}(?: \w+){{0,2}}? {_LEARN}(?:ing)?{_AFTER}(?: (?:from|on|with))?(?: {_THIS})?",
    rf"{_BEFORE}{_MUST_NOT} (?:put|insert|import|place|load|paste|give) {_THIS}{_AFTER}(?: [\w'-]+){{0,4}}?"
    rf" (?:in|into|to|through) (?:\w+ ){{0,2}}?{_AI}{_AFTER}",
    rf"{_BEFORE}keep {_THIS}{_AFTER}(?: [\w'-]+){{0,3}}? (?:away from|out of|off) (?:\w+ ){{0,2}}?{_AI}"
    rf"{_AFTER}",
    rf"{_BEFORE}{_AI} (?:use|usage|training|learning|permissions?|rights?) ?[:=-] ?"
    rf"(?:none|never|denied|refused){_AFTER}",
    rf"{_BEFORE}no {_WORDS}{_TRAINING}{_AFTER}",
    rf"{_BEFORE}#?no[-_ ]?(?:gen(?:erative)?[-_ ]?|image[-_ ]?)?(?:ai|a\.i\.?){_AFTER}",
    rf"{_BEFORE}no[- ](?:generative[- ])?(?:artificial[- ]intelligence|(?:machine|deep)[- ]learning|llms?)"
    rf"{_AFTER}",
    rf"{_BEFORE}#?do[-_]?not[-_]?train{_AFTER}(?! (?!on|with|ai|my|this|these|any|the models?|models?)\w)",
    rf"{_BEFORE}no (?:nfts?|reposts?|reuse|copying|edits|theft)(?: ?[,/&+|]| or| and| nor) ?(?:no )?"
    rf"{_BEFORE}{_AI}{_AFTER}",
    rf"{_BEFORE}keep (?:your |the )?{_AI}(?: \w+){{0,2}}? (?:out|off|away){_AFTER}",
    rf"{_BEFORE}{_AI}(?: bots?| crawlers?| scrapers?)? (?:keep|stay) (?:out|off|away){_AFTER}",
    rf"{_BEFORE}{_AI} ?[:=-] ?no{_AFTER}",
    rf"{_BEFORE}not (?:\w+ ){{0,2}}(?:for|to|by|in|with) (?:[\w'/&-]+,? ){{0,3}}?{_AI}{_AFTER}",
    rf"{_BEFORE}{_MUST_NOT}{_AFTER}{_GAP}{_BEFORE}{_TRAINING}{_AFTER}",
    rf"{_BEFORE}{_MUST_NOT} {_GAP}(?:used?|fed|feed|upload\w*|submit\w*|input|enter\w*|post\w*|run)"
    rf"{_GAP} (?:for|in|into|to|by|with|on|through) (?:[\w'/&-]+,? ){{0,5}}?{_AI}{_AFTER}",
    rf"{_BEFORE}do(?: not|n'?t) (?:train|scrape)(?: (?:on|with|from)? ?(?:ai|any|this|these|my|the"
    rf"|models?)){_AFTER}",
    rf"{_BEFORE}{_BAN}{_AFTER}{_GAP}{_BEFORE}{_TRAINING}{_AFTER}",
    rf"{_BEFORE}{_TRAINING}{_AFTER}{_GAP}{_BEFORE}(?:{_BAN}|not (?:be )?(?:allow\w*|permit\w*|authori[sz]ed"
    rf"|licensed|granted|consented|ok(?:ay)?|welcome)|unauthori[sz]ed|illegal){_AFTER}",
    rf"{_BEFORE}{_TRAINING} ?[:=-] ?no{_AFTER}",
    rf"{_BEFORE}no (?:permission|consent|licen[cs]e|rights?|parts?|use|usage|reproduction){_AFTER}{_GAP}"
    rf"{_BEFORE}{_TRAINING}{_AFTER}",
    rf"{_BEFORE}no (?:permission|consent|licen[cs]e)(?! (?:is |are )?(?:needed|required|necessary)){_AFTER}"
    rf"{_GAP} (?:for|to|by|in|with) (?:[\w'/&-]+,? ){{0,3}}?{_AI}{_AFTER}",
    rf"{_BEFORE}{_AI}(?: (?:is|are|use|usage|bots?|crawlers?|art)){{0,4}} ?:? ?(?:strictly |expressly "
    rf"|absolutely )?"
    rf"(?:prohibited|forbidden|banned|disallowed|not (?:allowed|permitted|authori[sz]ed|welcome)){_AFTER}",
    rf"{_BEFORE}(?:opt(?:s|ed|ing)?[- ]?out|unauthori[sz]ed|keep out|stay out){_GAP}{_BEFORE}{_AI}{_AFTER}",
    rf"{_BEFORE}tdm(?:[- ](?:rights|use|is|are|opt)){{0,2}}[-_ :=]{{1,3}}(?:reserved|opt[- ]?out|out"
    rf"|1){_AFTER}",
    rf"{_BEFORE}tdm[-_ ]?reservation[\"' :=]{{1,4}}1{_AFTER}",
    rf"{_BEFORE}reserv{_GAP}(?:2019/790|art(?:icle|\.)? ?4 ?\(3\)){_AFTER}",
    rf"(?:2019/790|{_BEFORE}art(?:icle|\.)? ?4 ?\(3\)){_GAP}{_BEFORE}reserv",
    rf"{_BEFORE}(?:train-(?:gen)?ai|ai-train|ai-input) ?= ?no?{_AFTER}",
    rf"{_BEFORE}dmi-prohibit",
)

# -------------------------------------------------------------------------- German (accents are gone)
_KI = r"(?:(?:generative[rn]? )?(?:ki|ai|llm)|kunstliche[rn]? intelligenz|kuenstliche[rn]? intelligenz)"
_LERNEN = (
    rf"(?:{_KI}[- ]?(?:modelle?n?|systeme?n?)?[- ]?(?:training\w*|trainieren|lernen|nutzung|verwendung"
    rf"|zwecke?n?"
    rf"|modelle?n?|systeme?n?|anwendung\w*)|maschinelle[sn]? lernens?|machine[- ]learning"
    rf"|train(?:ing|ings|ieren|iert)(?: [\w-]+){{0,3}}? {_KI}(?:[- ]\w+)?"
    r"|(?:text[-]? ?(?:und|&|u\.) ?)?data[- ]?mining)"
)
_VERBOT = (
    r"(?:untersag\w+|verboten|verbietet|vorbehalten|vorbehalt|unzulassig|unzulaessig|ausgeschlossen"
    r"|widersprochen"
    r"|widerspr\w+|nicht (?:gestattet|erlaubt|zulassig|zulaessig|gewunscht|gewuenscht|freigegeben|verwende\w+"
    r"|genutzt|benutzt|nutzen))"
)
_GERMAN = (
    rf"{_BEFORE}keine?[nmrs]? {_KI}{_AFTER}",
    rf"{_BEFORE}(?:nein zu |keine? (?:nutzung|verwendung|verwertung|weitergabe)\w{{0,12}} {_GAP})"
    rf"{_BEFORE}{_KI}{_AFTER}",
    rf"{_BEFORE}keine?[nmrs]? {_WORDS}{_LERNEN}{_AFTER}",
    rf"{_BEFORE}nicht (?:[\w-]+ ){{0,3}}?(?:fur|fuer|zum|zur|durch|von|mit) (?:[\w-]+ ){{0,4}}?"
    rf"(?:{_LERNEN}|{_KI}){_AFTER}",
    rf"{_BEFORE}{_LERNEN}{_AFTER}{_GAP}{_BEFORE}{_VERBOT}{_AFTER}",
    rf"{_BEFORE}(?:nutzung|verwendung|verwertung|gebrauch){_AFTER}{_GAP}{_BEFORE}{_KI}{_AFTER}{_GAP}"
    rf"{_BEFORE}{_VERBOT}{_AFTER}",
    rf"{_BEFORE}{_VERBOT}{_AFTER}{_GAP}{_BEFORE}{_LERNEN}{_AFTER}",
    rf"{_BEFORE}{_KI} (?:ist )?(?:verboten|untersagt|unerwunscht|unerwuenscht){_AFTER}",
    rf"{_BEFORE}(?:nutzungs)?vorbehalt\w*{_GAP}44 ?b{_AFTER}",
    rf"44 ?b{_GAP}{_BEFORE}vorbehalt",
)

# --------------------------------------------------------------------------------------------- Dutch
_DUTCH = (
    rf"{_BEFORE}niet (?:te |mogen |worden )?(?:gebruik\w{{0,3}}|bedoeld|bestemd|geschikt|beschikbaar"
    rf"|toegestaan|(?:ge)?train\w{{0,4}})(?: [\w-]+){{0,4}}? (?:voor|door|om|in|van)"
    rf" (?:[\w-]+ ){{0,3}}?{_AI}{_AFTER}",
    rf"{_BEFORE}niet (?:voor|door) {_AI}{_AFTER}",
    rf"{_BEFORE}geen {_AI}{_AFTER}(?! (?:gebruikt|ingezet|toegepast|nodig))",
    rf"{_BEFORE}{_AI}(?:[- ]?(?:training|gebruik))? (?:is |zijn )?(?:verboden|uitgesloten|niet toegestaan)"
    rf"{_AFTER}",
)

# -------------------------------------------------------------------------- French (accents are gone)
_IA = (
    r"(?:(?:l'|d'|une |des |les |aux )?(?:ia|i\.a\.?)(?: generatives?)?"
    r"|(?:l'|d')?intelligences? artificielles?)"
)
_ENTRAINER = (
    rf"(?:(?:entraine(?:ment|r)|apprentissage|alimenter|former)(?: [\w']+){{0,4}}? ?{_IA}"
    r"|apprentissage (?:automatique|machine)|fouille (?:de )?(?:textes?(?: et (?:de )?|/)?)?"
    r"(?:de )?donnees|data[- ]?mining)"
)
_INTERDIT = (
    r"(?:interdit\w*|reserve\w*|prohibe\w*|refuse\w*|exclu\w*|oppos\w+|non autorise\w*|pas autorise\w*"
    r"|pas permis\w*|interdiction)"
)
_FRENCH = (
    rf"{_BEFORE}(?:pas d'|pas de l'|non a l'|non aux |interdit a l'|interdit aux ){_IA}{_AFTER}",
    rf"{_BEFORE}(?:pas|ne|aucune?|ni|non|sans autorisation){_AFTER}{_GAP}{_BEFORE}{_ENTRAINER}{_AFTER}",
    rf"{_BEFORE}(?:ne pas|aucune?) (?:[\w']+ ){{0,4}}?(?:par|pour|dans|avec) "
    rf"(?:[\w']+ ){{0,3}}?{_IA}{_AFTER}",
    rf"{_BEFORE}{_ENTRAINER}{_AFTER}{_GAP}{_BEFORE}{_INTERDIT}{_AFTER}",
    rf"{_BEFORE}{_INTERDIT}{_AFTER}{_GAP}{_BEFORE}{_ENTRAINER}{_AFTER}",
    rf"{_BEFORE}(?:utilisation|usage"
    rf"|exploitation){_GAP}{_BEFORE}{_IA}{_AFTER}{_GAP}{_BEFORE}{_INTERDIT}{_AFTER}",
    rf"{_BEFORE}{_INTERDIT} (?:[\w']+ ){{0,3}}?(?:par|pour|aux?|a|dans|avec) ?"
    rf"(?:[\w']+ ){{0,2}}?{_IA}{_AFTER}",
    rf"{_BEFORE}{_IA} (?:est |sont )?(?:interdit\w{{0,4}}|non autorise\w{{0,4}}){_AFTER}",
)

# --------------------------------------------- Spanish, Italian and Portuguese (accents are gone)
# `ia` alone is Iowa in English, and `ai` alone an Italian word: only the languages' own words ban them.
_SUR_IA = (
    r"(?:(?:l'|d'|all'|dell'|dall'|nell'|un')(?:ia|ai)|ia|i\.a\.?|intelig[ae]ncias? artificia(?:l|is|les)"
    r"|(?:(?:l|d|all|dell|dall|nell|un)')?intelligenz[ae] artificial[ei])(?: generativ[aeo]s?)?"
)
_SUR_TRAIN = (
    r"(?:(?:entren|aliment|trein|addestra|allena)\w{0,12}(?: [\w']{1,30}){0,4}? "
    rf"{_SUR_IA}"
    r"|aprendizaje automatico|aprendizado de maquina|apprendimento automatico"
    r"|(?:mineria|mineracao|estrazione)(?: de| di)? (?:textos? [ey] )?(?:de |di )?(?:datos|dados|dati))"
)
_SUR_BAN = (
    r"(?:prohibid[oa]s?|prohib(?:e|en|imos|o|ir)|proibid[oa]s?|proibit[oaie]|vietat[oaie]|vedad[oa]s?"
    r"|(?:no|nao|non)(?: (?:se|si|e|sono|sao|esta|estan)){0,2} "
    r"(?:permit|permess|autori[zs]|consient|consint|consent|acconsent)\w{0,12}|reservad[oa]s?|riservat[oaie])"
)
_SUR_USE = r"(?:us|utili|emple|aliment|inser|carica|sub)\w{1,12}(?: [\w']{1,30}){0,6}?"
_SOUTHERN = (
    rf"{_BEFORE}(?:no|nao)(?: (?:a|as|la|las|para|pra|con|com|por|de)){{0,2}}? {_SUR_IA}{_AFTER}",
    rf"{_BEFORE}no (?:all'|alle |alla )(?:ia|ai|intelligenz[ae] artificial[ei]){_AFTER}",
    rf"{_BEFORE}(?:no|nao|non|nunca|mai)(?: [\w']{{1,30}}){{0,6}}? {_SUR_TRAIN}{_AFTER}",
    rf"{_BEFORE}(?:no|nao|non) {_SUR_USE} (?:para|por|en|em|con|com|per|nella|da|na|pela|a)(?: las?| as?)? ?"
    rf"{_BEFORE}{_SUR_IA}{_AFTER}",
    rf"{_BEFORE}{_SUR_BAN}{_AFTER}{_GAP}(?:{_BEFORE}|')(?:{_SUR_IA}|{_SUR_TRAIN}){_AFTER}",
    rf"{_BEFORE}(?:{_SUR_IA}|{_SUR_TRAIN}){_AFTER}{_GAP}{_BEFORE}{_SUR_BAN}{_AFTER}",
)

# --------------------------------------------------------------- Japanese (no spaces between its words)
#: A cross that ends what it crosses out; between two words it means "with".
_CROSS = r"[×✕✖✗❌🚫⛔](?!\w)"
_GAP_CJK = r"[^\u3002!?\n]{0,30}?"
_JA_AI = rf"(?:{_BEFORE}ai|人工知能|機械|マシンラーニング|ディープラーニング)"
_JA_STUDY = (
    rf"(?:{_JA_AI}[^\u3002!?\n]{{0,12}}?(?:学習|トレーニング|訓練|ラーニング|利用|使用|読み込|読込|取り込"
    rf"|取込|生成"
    r"|データセット)|無断(?:ai)?学習|学習(?:利用|使用|データ|素材|目的)|マシンラーニング|情報解析"
    r"|データ[・\s]?マイニング|learning)"
)
_JA_BAN = (
    r"(?:禁止|厳禁|不可(?!欠)|禁じ|お断り|おことわり|御断り|拒否|ご遠慮|御遠慮|遠慮|お控え|控えて"
    r"|しないで|させないで|使わないで"
    r"|いないで|込まないで|やめて|お止め|おやめ|認め(?:ない|ません|ておりません|ていません)"
    rf"|許可し(?:ない|ません|ておりません|ていません)|許諾し(?:ない|ません)|できません|だめ|ダメ"
    rf"|{_BEFORE}ng{_AFTER})"
)
_JAPANESE = (
    rf"{_JA_STUDY}{_GAP_CJK}{_JA_BAN}",
    rf"(?:禁止(?:事項|行為)?|{_BEFORE}ng)[ :\]】」・/]{{0,3}}{_GAP_CJK}{_JA_STUDY}",
    rf"{_JA_AI}[ ・、/]?(?:の|は|を|への?|による)?(?:一切)?(?:禁止|厳禁|不可(?!欠)|お断り|拒否)",
    r"学習(?:を|は)?(?:一切)?(?:禁止|厳禁|不可(?!欠)|ng)",
    rf"{_BEFORE}no[-_ ]?ai学習",
    rf"{_JA_STUDY}(?:は|を|も)? ?{_CROSS}",
    rf"{_BEFORE}ai(?:は|を|も)? ?(?:[❌🚫⛔](?!\w)|[×✕✖✗](?! ?\w))",
    rf"[❌🚫⛔] ?ai{_AFTER}",
    r"学習させ(?:ないで|るな|ることを(?:固く)?禁)",
    rf"{_BEFORE}(?:i2i|lora(?:化|作成|学習)?)(?:は|を|も)?(?:一切)?(?:禁止|厳禁|不可(?!欠)|お断り)",
)

# -------------------------------------------------------------------------------------------- Chinese
_ZH_AI = (
    rf"(?:{_BEFORE}(?:ai|aigc){_AFTER}|人工智能|人工智慧|机器学习|機器學習|机器学習|大模型|深度学习|深度學習)"
)
_ZH_STUDY = (
    rf"(?:{_ZH_AI}[^\u3002!?\n]{{0,12}}?(?:训练|訓練|学习|學習|模型|数据集|數據集|资料集|資料集|喂图|餵圖"
    rf"|使用|利用|采集"
    r"|抓取)|机器学习|機器學習|(?:文本|文字)(?:与|和|與|及)?(?:数据|資料|數據)(?:挖掘|探勘)|(?:数据|資料"
    r"|數據)(?:挖掘|探勘)"
    r"|(?:喂|餵|投喂|投餵)(?:给|給|图|圖)?(?:ai|人工智能|人工智慧))"
)
_ZH_BAN = (
    r"(?:禁止|严禁|嚴禁|不得|不可|不允许|不允許|不许|不許|不准|不能|请勿|請勿|切勿|勿|谢绝|謝絕|拒绝|拒絕"
    r"|禁|不同意|不授权"
    r"|不授權|未经\w{0,6}?(?:授权|许可|同意)|未經\w{0,6}?(?:授權|許可|同意)|反对|反對|保留)"
)
_CHINESE = (
    rf"{_ZH_BAN}{_GAP_CJK}{_ZH_STUDY}",
    rf"{_ZH_STUDY}{_GAP_CJK}{_ZH_BAN}",
    rf"(?:禁止|严禁|嚴禁|拒绝|拒絕|谢绝|謝絕|不得|请勿|請勿|禁|勿)(?:用于|用於|用作|使用|利用|给|給|喂给?"
    rf"|餵給?|投喂|投餵|任何|一切"
    rf"|将?其?|生成式| ){{0,6}}{_ZH_AI}",
    rf"{_ZH_AI} ?(?:禁止|勿用|勿喂|勿餵|勿入|不可)",
)

# --------------------------------------------------------------------------------------------- Korean
_KO_AI = rf"(?:{_BEFORE}ai|인공 ?지능|생성형|머신 ?러닝|기계|딥 ?러닝)"
_KO_STUDY = (
    rf"(?:{_KO_AI}[^\u3002!?\n]{{0,12}}?(?:학습|훈련|활용|이용|사용|트레이닝|데이터)|무단 ?학습"
    rf"|머신 ?러닝|기계 ?학습"
    r"|학습(?:용)? ?데이터|데이터 ?마이닝)"
)
_KO_BAN = (
    r"(?:금지|불가|불허|금합|금함|거부|반대|허용하지|허락하지|허가하지|동의하지|(?:사용|이용|활용|학습)"
    r"(?:을|를)? ?하지|하지 ?마"
    r"|말아|말 것|안 ?됩니다|안 ?돼|않습니다|없습니다)"
)
_KOREAN = (
    rf"{_KO_STUDY}{_GAP_CJK}{_KO_BAN}",
    rf"{_KO_STUDY} ?{_CROSS}",
    rf"{_BEFORE}ai ?(?:의|를|는|에)? ?(?:전면 ?)?(?:금지|불가|거부)",
    rf"금지(?: ?사항)? ?[:\]]{_GAP_CJK}{_KO_STUDY}",
)

_RULE = re.compile(
    "|".join((*_ENGLISH, *_GERMAN, *_DUTCH, *_FRENCH, *_SOUTHERN, *_JAPANESE, *_CHINESE, *_KOREAN)), re.DOTALL
)
#: Every phrase of the rule holds one of these; most texts hold none, which is sooner told.
_SPOKEN_OF = re.compile(
    r"(?<![a-z])(?:ai|a\.i|ki|ia|llm|tdm|i2i|lora|dmi)|i\.a|ia(?![a-z])"
    r"|(?:no|gen(?:erative)?|image)[-_ ]?a\.?i"
    r"|intelli|intelig|kunstlich|kuenstlich|machine|deep[- ]|maschine|generative|neural|diffusion|midjourney"
    r"|chatgpt|train|trein|entren|addestra|allena|aliment|scrap|teach|learn|lernen|dataset|mining|apprentissage"
    r"|fouille|former|aprendi|apprendi|mineria|mineracao|estrazione|2019/790|art(?:icle|\.)? ?4|44"
    r"|学|人工|機|ラーニング|情報解析|マイニング|机|大模型|深度|挖掘|探勘|喂|餵|投|인공|생성|러닝|기계|학습|마이닝"
)
#: A name of Japanese syllables, then の愛 or の藍; `AI` in capitals is no such word, nor are English words
#: that look like syllables.
_ROMANISED = re.compile(
    r"\b(?=[A-ZĀĒĪŌŪ])(?!(?i:image|anime|manga|use|made|same|some|here|one|game|site|note|we|so)\b)"
    r"(?:(?i:(?:[kgszthbpmrnj]y|sh|ch|ts|[kgsztdhbpmyrwjfn])?[aeiouāēīōū]|n(?![a-z]))){2,12} no [Aa]i\b"
)
#: How a picture was made; "may not be made with AI" is another thing.
_HOW_MADE = re.compile(r"\bnot (?:made|created|generated|drawn|painted|produced) (?:with|by|using)\b", re.I)
#: Accents that stand alone, and variation selectors.
_MARK = re.compile(r"[\u0300-\u036f\ufe00-\ufe0f]")
_TRANSLATED = str.maketrans({**dict.fromkeys("‐‑‒–—―−⁃－", "-"), **dict.fromkeys("‘’ʼ`´＇", "'"), "ß": "ss"})


def refuses_in_words(text: str) -> str | None:
    """The phrase of `text` that says no to AI training, in folded spelling, or None.

    At most MAX_WORDS characters are looked at.
    """
    folded = fold(text)
    found = _RULE.search(folded) if _SPOKEN_OF.search(folded) else None
    return found.group().strip() if found else None


def refuses_beside(text: str) -> str | None:
    """As `refuses_in_words`, for what stands beside a picture: there, `no ai` behind a word of Japanese
    syllables is of a title (心の愛, "Kokoro no Ai"), and "not made with AI" praises the picture."""
    return refuses_in_words(_HOW_MADE.sub(" ", _ROMANISED.sub(" ", text[:MAX_WORDS])))


def may_refuse(text: str) -> bool:
    """False where `refuses_in_words` says None at once, which costs next to nothing."""
    return _SPOKEN_OF.search(fold(text)) is not None


def fold(text: str) -> str:
    """`text` as phrases are compared: NFKC, case folded, without invisible characters and without the accents
    of Latin letters, all dashes, quotes and white space each of one kind."""
    folded = unicodedata.normalize("NFKC", text[:MAX_WORDS].translate(_TRANSLATED)).casefold()
    if not folded.isascii():
        folded = "".join(_letter(character) for character in folded)
    return " ".join(folded.translate(_TRANSLATED).split())


def _letter(character: str) -> str:
    if character < "\x80":
        return character
    if unicodedata.category(character) == "Cf" or _MARK.match(character):
        return ""
    if character < "\u0250":  # Latin: the letter without its accent
        return unicodedata.normalize("NFD", character)[0]
    return character
