"""The keyword rule: every phrase that refuses, in ten languages, and what is near one and does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.signals import keywords
from kyodaku.signals.keywords import MAX_WORDS, fold, may_refuse, refuses_beside, refuses_in_words
from tests.tools import cpu_seconds

REFUSES = (
    "© Jane Doe. No AI.",
    "#DoNotTrain",
    "do not train on my work",
    "No NFTs or AI",
    "AI bots keep out",
    "Keep your AI off my art",
    "AI: no",
    "No permission is given to use this for AI",
    "no licence granted to any AI",
    "do not use my art in Midjourney",
    "AI学習×",
    "無断転載✕ AI学習✕",
    "i2i禁止",
    "LoRA化禁止",
    "AI 학습❌",
    "Keine Nutzung durch KI",
    "Nein zu KI",
    "IA non autorisée",
    "No a la IA",
    "Prohibido el uso para IA",
    "Uso en IA prohibido",
    "No autorizo su uso para entrenar IA",
    "No usar para entrenar inteligencia artificial",
    "Vietato l'uso per IA",
    "Non usare per addestrare l'IA",
    "Non autorizzo l'uso per l'intelligenza artificiale",
    "No all'IA",
    "Não à IA",
    "Proibido o uso para treinamento de IA",
    "Não autorizo uso em IA",
    "Uso por inteligência artificial proibido",
    "NoAI",
    "no ai",
    "NO-AI",
    "#NoAI",
    "no\u200bai",
    "ＮＯ　ＡＩ",
    "no_ai",
    "noimageai",
    "No AI training",
    "No generative AI training",
    "No generative AI",
    "not for AI",
    "not for machine learning",
    "Not for use in AI training",
    "no text and data mining",
    "no data mining",
    "TDM reserved",
    "TDM opt-out",
    "tdm-reservation: 1",
    "Do not use this image to train AI",
    "Don't feed my art to AI",
    "May not be used for training artificial intelligence",
    "This work may not be reproduced, distributed or used in any manner for purposes of "
    "training artificial intelligence technologies",
    "All rights are reserved, including those for text and data mining, AI training, and "
    "similar technologies",
    "AI training is strictly prohibited",
    "AI learning prohibited",
    "AI use prohibited",
    "Prohibited for AI/ML training",
    "Prohibited for Generative AI/ML training",
    "Use for AI training or dataset creation is not permitted",
    "I do not consent to AI training",
    "Unauthorized use for AI training",
    "Opted out of AI training",
    "No permission to use for machine learning datasets",
    "Do not repost. Do not use for AI or NFT",
    "never use my work for AI",
    "Do not train on this image",
    "Content-Usage: train-ai=n",
    "Rights reserved under Article 4(3) of Directive (EU) 2019/790",
    "No AI/ML use",
    "(c) 2026 A. Artist. NoAI: not for AI training",
    "no A.I.",
    "no scraping or AI training",
    "AI scraping not allowed",
    "AI is not welcome",
    "Kein KI-Training",
    "Keine KI",
    "Keine Nutzung für KI-Training",
    "Nicht für KI-Training",
    "Nicht zum Training von KI verwenden",
    "Die Nutzung für das Training von KI ist untersagt",
    "KI-Training verboten",
    "Text und Data Mining vorbehalten",
    "Text- und Data-Mining gemäß § 44b UrhG ausdrücklich vorbehalten",
    "Nutzungsvorbehalt nach § 44b UrhG",
    "Verwendung zum maschinellen Lernen nicht gestattet",
    "Kein Text- und Data-Mining",
    "Pas d'IA",
    "Pas d'entraînement d'IA",
    "Interdit à l'IA",
    "Ne pas utiliser pour entraîner une IA",
    "Entraînement d'IA interdit",
    "Utilisation pour l'entraînement de l'intelligence artificielle interdite",
    "Fouille de textes et de données interdite",
    "Opposition à la fouille de textes et de données",
    "Aucune utilisation par l'IA",
    "Toute utilisation par une IA est interdite",
    "Tous droits réservés, y compris fouille de données",
    "AI学習禁止",
    "ＡＩ学習禁止",
    "AI学習不可",
    "AI学習利用禁止",
    "無断学習禁止",
    "無断AI学習禁止",
    "無断転載・AI学習禁止",
    "AI学習を禁じます",
    "AI学習・転載禁止",
    "AI学習への使用はお断りします",
    "AIへの学習を固く禁止します",
    "機械学習への利用を禁止します",
    "AIに学習させないでください",
    "AI学習に使用しないでください",
    "生成AIへの利用禁止",
    "AI使用禁止",
    "AI禁止",
    "学習禁止",
    "禁止事項：AI学習、自作発言",
    "情報解析への利用はご遠慮ください",
    "NO AI学習",
    "AI Learning NG",
    "Ai学習、加工、転載を禁止",
    "禁止AI训练",
    "禁止用于AI训练",
    "不得用于人工智能训练",
    "请勿用于AI学习",
    "禁止喂AI",
    "請勿餵AI",
    "禁止AI學習",
    "禁止AI",
    "拒绝AI",
    "AI训练禁止",
    "未经授权不得用于训练AI模型",
    "嚴禁用於人工智慧訓練",
    "保留文本与数据挖掘权利",
    "AI 학습 금지",
    "AI학습 금지",
    "인공지능 학습 금지",
    "AI 학습을 금지합니다",
    "AI 학습에 사용하지 마세요",
    "무단 학습 금지",
    "무단전재, 재배포 및 AI학습 이용 금지",
    "AI 학습 및 활용 금지",
    "머신러닝 금지",
    "데이터 마이닝 금지",
    "AI 금지",
    "AI 학습 데이터로 사용 불가",
    "AI 학습을 거부합니다",
    "No permission is granted for use in AI training",
    "No part of this image may be used to train AI models",
    "Please don't use this to train your AI",
    "This image is not licensed for AI training",
    "I don't want my art used in AI",
    "Exclude from AI datasets",
    "AI training: no",
    "Nutzung durch KI nicht gestattet",
    "KI-Nutzung nicht erlaubt",
    "Verwendung durch künstliche Intelligenz untersagt",
    "Pas de fouille de données",
    "L'utilisation pour l'entraînement d'une IA est interdite",
    "AIによる学習・生成への利用を固く禁じます",
    "画像生成AIへの使用禁止",
    "AI利用不可",
    "请勿将本作品用于AI训练",
    "禁止將本作品用於AI訓練",
    "本作品の機械学習への使用はご遠慮ください",
    "AI 데이터 학습을 금합니다",
    "Do not let AI learn from this",
    "I do not allow AI to learn from my art",
    "I don't want any AI learning from my drawings",
    "Please keep this away from AI",
    "Keep my art out of AI",
    "No AI may use this",
    "No generative AI system may ever learn from my art",
    "Do not put this into an AI",
    "don't paste my drawings into any AI",
    "AI use: none",
    "AI training: never",
    "学習させないでください",
    "この絵を学習させることを固く禁じます",
    "AI❌",
    "AI×",
    "AI ✕",
    "🚫AI",
    "Niet gebruiken voor AI-training",
    "Mag niet gebruikt worden om AI te trainen",
    "Niet voor AI",
    "Geen AI",
    "Geen AI-training",
    "AI-training niet toegestaan",
)

SAYS_NOTHING = (
    "All rights reserved",
    "© 2026 A. Artist. All rights reserved.",
    "Tous droits réservés",
    "Alle Rechte vorbehalten",
    "無断転載禁止",
    "版权所有 禁止转载",
    "무단 전재 및 재배포 금지",
    "Casino airport",
    "noaid",
    "Piano Aida",
    "created without AI tools",
    "Made without AI",
    "Human made, not AI-generated",
    "AI generated image",
    "Generated by AI",
    "Made with Google AI",
    "Air-to-air photograph",
    "No airbrush",
    "Photo by Noa Ito",
    "Fotografie von Kai Noack",
    "ohne KI erstellt",
    "Keine Kinder",
    "Kino Noir",
    "créé sans IA",
    "Je n'ai pas d'iaourt",
    "Keine Rechte vorbehalten",
    "Certains droits réservés",
    "AI生成画像ではありません",
    "AI不使用",
    "AI学習用",
    "AI生成",
    "機械式時計 無断転載禁止",
    "未使用AI",
    "本图由AI生成",
    "AI 미사용",
    "AI 생성 이미지",
    "learning centre",
    "School of machine learning, Berlin",
    "Free for AI training",
    "CC BY 4.0",
    "No rights reserved",
    "May be used for AI training and data mining",
    "data mining conference 2019",
    "Training of horses",
    "Artificial intelligence lab at MIT. All rights reserved.",
    "Do not bend",
    "Not for resale",
    "For editorial use only. No model release",
    "Copyright Ai Weiwei",
    "Kodak no. A1",
    "學習中心 禁止轉載",
    "学習塾の看板",
    "No restrictions",
    "Sans restriction",
    "Mining museum, no entry",
    "Train station, no parking",
    "No training wheels",
    "data mining, no people, copy space",
    "Machine learning conference. No photos please.",
    "We love AI. No, really.",
    "NoA Italy",
    "Kodomo noir AIR",
    "KIno",
    "AI Weiwei exhibition, no entry",
    "A neural networks textbook",
    "No permission is needed to use this in AI",
    "Text in German: Kind",
    "IA Writer",
    "人工知能学会",
    "無断転載禁止。AI生成。",
    "学習参考書",
    "기계 사진",
    "转载请注明出处",
    "Vietato ai minori",
    "Grant Wood, Ames, IA",
    "Hunting prohibited, Des Moines, IA",
    "Prohibition rally, Des Moines, IA, 1920",
    "Do not train horses here",
    "Made without AI",
    "AI学習×デザイン展",
    "Non si vende ai turisti",
    "Prohibido fumar",
    "Diritti riservati",
    "Todos los derechos reservados",
    "Autorizzato ai residenti",
    "Noia, Spain",
    "Do not let AI win",
    "Don't let AI take your job",
    "Do not let this use up the train",
    "Keep your kids away from AI",
    "Keep calm and stay off AI",
    "Keep this away from children",
    "Do not put your trust in AI",
    "Do not put this in the airport bin",
    "Do not give them to Aidan",
    "AI × デザイン展",
    "AI×アート",
    "AI ✕ ART",
    "よく学習させる方法",
    "学習させないと損",
    "Niet gemaakt met AI",
    "Geen AI gebruikt",
    "Niet geschikt voor kinderen",
    "Niet roken in de trein",
)


@pytest.mark.parametrize("text", ["Derivatives may not be created with AI", "not made for AI"])
def test_what_may_not_be_made_is_a_ban_beside_a_picture_too(text: str) -> None:
    assert refuses_beside(text)
    assert refuses_in_words(text)


@pytest.mark.parametrize(
    "text",
    ["Kokoro no ai", "Umi no Ai, woodblock print", "Fuji no ai", "Not made with AI", "not drawn by AI"],
)
def test_a_romanised_title_or_how_it_was_made_is_none_beside_a_picture(text: str) -> None:
    assert refuses_beside(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Kokoro no AI",
        "please no ai",
        "Kokoro no ai. No AI!",
        "my image no ai",
        "Image no ai",
        "my kokoro no ai",
        "a cat, no ai",
        "no ai",
    ],
)
def test_no_ai_beside_a_picture_refuses(text: str) -> None:
    assert refuses_beside(text) == "no ai"


@given(st.from_regex(keywords._RULE))
def test_what_cannot_refuse_is_told_without_the_rule(text: str) -> None:
    assert may_refuse(text) or keywords._RULE.search(fold(text)) is None


@pytest.mark.parametrize("text", REFUSES)
def test_it_refuses(text: str) -> None:
    assert refuses_in_words(text)
    assert refuses_in_words(f"(c) 2026 A. Artist. {text.upper()}! www.example.com")
    assert refuses_in_words("\n\t" + text.replace(" ", "  \u00a0") + "\n")


@pytest.mark.parametrize("text", SAYS_NOTHING)
def test_it_says_nothing(text: str) -> None:
    assert refuses_in_words(text) is None
    assert refuses_in_words(text.upper()) is None


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("(c) A. NoAI: thanks", "noai"),
        ("Please: No AI training, thank you", "no ai training"),
        ("ＡＩ学習禁止です", "ai学習禁止"),
    ],
)
def test_the_phrase_is_told(text: str, phrase: str) -> None:
    assert refuses_in_words(text) == phrase


def test_sentences_do_not_run_into_each_other() -> None:
    assert refuses_in_words("Do not print this. Free for AI training.") is None
    assert refuses_in_words("Reproduction prohibited. AI training welcome!") is None


def test_folding_takes_away_what_nobody_sees() -> None:
    text = "N\u200bo\u00ad \u2060\uff21\uff29 \u2014 Entra\u00eenement  d\u2019IA"
    assert fold(text) == "no ai - entrainement d'ia"


def test_words_stand_by_themselves() -> None:
    for letter in "abzäß9яλ":
        assert refuses_in_words(f"{letter}no ai") is None
        assert refuses_in_words(f"no ai{letter}") is None
    for mark in '_("#「。・文':
        assert refuses_in_words(f"{mark}no ai{mark}")


@given(st.text(max_size=300))
def test_no_text_makes_it_raise(text: str) -> None:
    phrase = refuses_in_words(text)
    assert phrase is None or phrase in fold(text)


WORST = (
    *(
        "no ",
        "ai ",
        "ai training ",
        "do not use ",
        "prohibited ",
        "ai学習",
        "禁止 ",
        "machine learning ",
        "no a, ",
    ),
    *(
        "train a b c ",
        "ia entrainement ",
        "keine ki-",
        "ne pas de ",
        "ai機械",
        "禁给",
        "use for in to ",
        "no ai-",
    ),
    *("no usar ia ", "vietato l'ia no ", "entrena a no ", "ai keep no nfts or ", "keep ai do not train "),
    *("do not put this a ", "keep my a ", "no ai a may ", "niet gebruikt a voor ", "do not let ai "),
    *("nutzung ki ", "reserv ", "ai is are use ", "tdm is ", "학습 ai ", "not for to by ai"),
)


@pytest.mark.parametrize("words", WORST)
def test_the_longest_text_is_read_in_no_time(words: str) -> None:
    text = (words * MAX_WORDS)[: MAX_WORDS * 2]
    assert cpu_seconds(lambda: refuses_in_words(text), 0.4) < 0.4
