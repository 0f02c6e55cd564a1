"""The annotator, the filter and the objection `perturbation`."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from curation.annotators.base import Finding, Picture, Status, look_at_all
from curation.annotators.perturbation import LEAST, Perturbation
from curation.cloak_words import Beside, beside
from curation.filters import first_objection
from curation.judges.perturbation import TILE, WHITE, places, unrepeated
from curation.nets.perturbation import TILES, PerturbNet
from curation.nets.residuals import FEATURES, from_white, median3, planes, pyramid, residual_features
from curation.objections import objection
from curation.train.perturbation.attacks import Attack, attacked, random_encoder
from curation.train.perturbation.cloaks import PATTERNS, lay
from curation.train.textures import LOOKALIKES, film_grain
from kyodaku.fingerprint import Pixels
from kyodaku.reasons import FilterReason, QuarantineReason, RefuseReason
from kyodaku.recipe import Filters
from kyodaku.recipe.filters import Perturbation as Table
from kyodaku.records import Candidate
from kyodaku.safedecode import SafeDecoder
from tests.curation.fixtures import encoded
from tests.curation.looking import ruled
from tests.web.protected import cloaked


def png(pixels: Pixels) -> bytes:
    return encoded(Image.fromarray(pixels), "PNG")


def photos() -> list[Pixels]:
    """CC0 and NASA photographs."""
    return [
        np.ascontiguousarray(one) for one in (data.astronaut(), data.coffee(), data.rocket(), data.chelsea())
    ]


def looked(*bodies: bytes) -> list[Finding]:
    """What the annotator says of files, decoded in one child."""
    with SafeDecoder() as decoder:
        pictures = [Picture(body, decoder.decode(body)) for body in bodies]
    return [row["perturbation"] for row in look_at_all([Perturbation()], pictures)]


def found(level: str) -> Finding:
    return Finding("perturbation", "1", Status.OK, score=0.5, level=level)


def test_photographs_and_grain_are_not_likely_and_computed_attacks_are_seen() -> None:
    rng = np.random.default_rng(3)
    clean = [png(pixels) for pixels in photos()]
    grained = [png(film_grain(rng, pixels)) for pixels in photos()]
    laid = [png(np.asarray(cloaked(n, 8)(Image.fromarray(pixels)))) for n, pixels in enumerate(photos())]
    findings = looked(*clean, *grained, *laid)
    assert [one.status for one in findings] == [Status.OK] * 12
    assert [one.level for one in findings[:4]] == ["none"] * 4
    assert "likely" not in [one.level for one in findings[4:8]]
    assert "none" not in [one.level for one in findings[8:]]
    for one in findings:
        assert 0 <= one.score <= 1
        assert (one.level == "none") == (one.mask == b"")
        assert one.text == ("" if one.level == "none" else f"adversarial-like perturbation: {one.level}")
    mask = Image.open(io.BytesIO(next(one.mask for one in findings if one.mask)))
    assert (mask.mode, max(mask.size)) == ("L", 64)


@pytest.mark.deep
def test_most_strong_lattices_of_strides_are_seen() -> None:
    laid = []
    for seed in (3, 4, 5):
        rng = np.random.default_rng(seed)
        laid += [png(lay(one, PATTERNS["strided"](rng, *one.shape[:2], one), 14)) for one in photos()]
    assert sum(one.level != "none" for one in looked(*laid)) >= 9


def blown_up(pixels: Pixels, times: int) -> Pixels:
    """Each pixel repeated, after the picture was made that much smaller."""
    height, width = (side // times for side in pixels.shape[:2])
    small = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX))
    return small.repeat(times, 0).repeat(times, 1)


@pytest.mark.parametrize("times", [2, 3, 4, 5, 8])
def test_repeated_pixels_are_no_perturbation(times: int) -> None:
    large = [np.asarray(Image.fromarray(one).resize((1024, 1024))) for one in photos()[:2]]
    blown = [blown_up(one, times) for one in large]
    files = [encoded(Image.fromarray(one), "JPEG", quality=90) for one in blown]
    assert {one.level for one in looked(*map(png, blown), *files)} == {"none"}
    for one in blown:
        assert unrepeated(one[3:, 5:]).shape[0] in ((one.shape[0] - 3) // times, one.shape[0] // times)
        assert np.array_equal(unrepeated(one), one[::times, ::times])
        assert unrepeated(one[::times, ::times]).shape == one[::times, ::times].shape


def test_a_cloak_below_repeated_pixels_is_seen() -> None:
    laid = [np.asarray(cloaked(n, 8)(Image.fromarray(pixels))) for n, pixels in enumerate(photos())]
    for one in laid:
        assert np.array_equal(unrepeated(one), one)
    assert "none" not in {one.level for one in looked(*(png(one.repeat(2, 0).repeat(2, 1)) for one in laid))}


def test_what_is_too_small_is_unknown_and_set_aside() -> None:
    small, enough = (png(photos()[0][: LEAST - less, :200]) for less in (1, 0))
    findings = looked(small, enough)
    assert [one.status for one in findings] == [Status.UNKNOWN, Status.OK]
    assert ruled(Filters(), findings[0]) is QuarantineReason.NOT_LOOKED_AT


@pytest.mark.parametrize(
    "size", [(64, 64), (100, 5000), (191, 192), (192, 300), (1024, 683), (3000, 4000), (70, 999)]
)
def test_tiles_lie_inside_and_reach_both_edges(size: tuple[int, int]) -> None:
    spots = places(*size)
    assert 1 <= len(spots) <= TILES
    assert len(set(spots)) == len(spots)
    for top, left, height, width in spots:
        assert 0 <= top <= top + height <= size[0]
        assert 0 <= left <= left + width <= size[1]
        assert height % 16 == width % 16 == 0
        assert height == min(TILE, size[0] // 16 * 16)
    if min(size) >= 2 * TILE:
        assert min(spot[0] for spot in spots) == 0
        assert max(spot[0] + spot[2] for spot in spots) == size[0]


def test_white_noise_is_near_white_noise_and_a_pattern_is_not() -> None:
    rng = np.random.default_rng(0)
    noise = np.clip(128 + rng.normal(0, 12, (192, 192, 3)), 0, 255).astype(np.uint8)
    pattern = lay(np.full((192, 192, 3), 128, np.uint8), PATTERNS["strokes"](rng, 192, 192, noise), 12)
    distances = []
    for pixels in (noise, pattern):
        whole = planes(torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None])
        distances.append(float(from_white(residual_features(whole, pyramid(whole)))[0]))
    assert distances[0] < WHITE / 3 < WHITE < distances[1]


def test_the_median_is_the_median() -> None:
    image = torch.randint(0, 255, (2, 17, 23), generator=torch.Generator().manual_seed(0)).float()
    padded = torch.nn.functional.pad(image[:, None], (1, 1, 1, 1), mode="replicate")
    nine = padded.unfold(2, 3, 1).unfold(3, 3, 1).reshape(2, 17, 23, 9)
    assert torch.equal(median3(image), nine.median(-1).values)


@pytest.mark.parametrize("size", [(64, 64), (192, 192), (96, 176)])
def test_features_and_net_take_every_tile(size: tuple[int, int]) -> None:
    for pixels in (
        np.zeros((*size, 3), np.uint8),
        np.full((*size, 3), 255, np.uint8),
        photos()[0][: size[0], : size[1]],
    ):
        whole = planes(torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None])
        bands = pyramid(whole)
        features = residual_features(whole, bands)
        assert features.shape == (1, FEATURES)
        assert torch.isfinite(features).all()
        with torch.inference_mode():
            told = PerturbNet().eval()(whole, bands)
        assert told.logit.shape == (1,)
        assert told.map.shape == (1, size[0] // 4, size[1] // 4)


@pytest.mark.parametrize(
    ("level", "table", "reason"),
    [
        ("none", Table(), None),
        ("possible", Table(), QuarantineReason.PERTURBATION_POSSIBLE),
        ("possible", Table(possible="drop"), FilterReason.PERTURBATION),
        ("possible", Table(possible="keep"), None),
        ("likely", Table(), FilterReason.PERTURBATION),
        ("likely", Table(likely="quarantine", possible="keep"), QuarantineReason.PERTURBATION_LIKELY),
    ],
)
def test_the_recipe_says_what_follows(level: str, table: Table, reason: object) -> None:
    assert ruled(Filters(perturbation=table), found(level)) is reason


BESIDE = Candidate("c", "https://a.example/1.png", "https://a.example/", "a.example", alt="A fox. #NoAI")


@pytest.mark.parametrize(
    ("candidate", "level", "refused"),
    [
        (BESIDE, "likely", True),
        (BESIDE, "possible", False),
        (BESIDE, "none", False),
        (replace(BESIDE, alt="A fox"), "likely", False),
        (replace(BESIDE, alt="", page_title="イラスト ＡＩ学習禁止"), "likely", True),
        (replace(BESIDE, alt="", schema_description="Glazed & Nightshaded."), "likely", True),
    ],
)
def test_words_beside_a_likely_perturbation_refuse(candidate: Candidate, level: str, refused: bool) -> None:
    annotation = {"findings": {"perturbation": found(level)}}
    assert objection(candidate, annotation) is (RefuseReason.CLOAKED if refused else None)


def test_without_a_look_nothing_is_refused_and_nothing_kept() -> None:
    annotation = {"width": 800, "height": 600, "findings": {}, "rated": False, "protected": False}
    assert objection(BESIDE, annotation) is None
    assert first_objection(annotation, Filters()) is QuarantineReason.NOT_LOOKED_AT


@pytest.mark.parametrize(
    "text",
    [
        "Bowl with celadon glaze over moulded decoration",
        "Ai Weiwei, glazed porcelain seeds",
        "Enchanter's nightshade; deadly nightshade, poisoned arrows",
        "Mount Fuji in the mist, from a series by Hokusai",
        "Kokoro no ai",
        "Cloaked figure, glazed terracotta",
        "Semiglazed, antiair, noaim",
        "Empire-style cloak, ca. 1810",
        "国防AI展",
        "预防AIDS海报 1988",
        "反AIDS運動",
        "違反AI検出システム",
        "Shanghai対策会議",
        "学校のAI対策セミナー",
        "Optimist加工",
        "Do not train horses",
        "AI disruption in newspapers",
        "Adversarial noise, figure 3",
        "No AIDS, poster",
        "Not made with AI",
    ],
)
def test_words_of_potters_botanists_and_painters_say_nothing(text: str) -> None:
    assert beside(replace(BESIDE, alt=text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "protected with Glaze against A.I. scrapers",
        "glaze + nightshade",
        "This piece was nightshaded",
        "Anti-AI art",
        "AI 学習 禁止",
        "AI 학습 금지",
        "禁止AI訓練",
        "Glaze加工済み",
        "AI学習を禁止します",
        "AI学習・無断転載禁止",
        "Do not use for AI training",
        "AI use prohibited",
        "© Jane Doe. No AI.",
        "#NoToAIArt",
        "#StopAI",
        "Protected by Glaze",
        "my art ai学習禁止",
        "AIイラスト禁止",
        "Glaze使用",
        "ノイズ加工済み",
        "エモりました",
        "AI退散",
        "抵制AI",
        "AI 그림 금지",
        "글레이즈 처리",
        "Vor KI geschützt",
        "Protégé contre l'IA",
        "Protegido contra IA",
        "Vietato l'uso per IA",
        "無断転載禁止",
        "Do not repost, do not use without permission",
        "무단 전재 금지",
    ],
)
def test_words_of_protection_are_found(text: str) -> None:
    found = beside(replace(BESIDE, alt="", caption=text))
    assert found is not None
    assert (found.column, found.text) == ("caption", text)
    assert found.phrase


def test_what_says_no_is_told_with_its_column() -> None:
    assert beside(BESIDE) == Beside("alt", "#noai", "A fox. #NoAI")


def test_an_attack_stays_inside_its_bound_and_moves_the_code() -> None:
    generator = torch.Generator().manual_seed(1)
    images, targets = (torch.rand(1, 3, 64, 64, generator=generator) * 0.8 + 0.1 for _ in range(2))
    encoder = random_encoder(3).requires_grad_(False)
    change = (
        torch.from_numpy(attacked(images, targets, encoder, Attack("toward", 8, 6), 0)).permute(0, 3, 1, 2)
        / 255
    )
    assert change.abs().max() * 255 <= 8.01
    wanted = encoder(targets)
    assert (encoder(images + change) - wanted).square().mean() < 0.9 * (
        encoder(images) - wanted
    ).square().mean()


@pytest.mark.parametrize("name", LOOKALIKES)
def test_lookalikes_change_a_picture_and_keep_its_shape(name: str) -> None:
    image = photos()[3][:96, :112]
    changed = LOOKALIKES[name](np.random.default_rng(2), image)
    assert (changed.shape, changed.dtype) == (image.shape, image.dtype)
    assert (changed != image).any()
