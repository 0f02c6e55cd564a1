"""BLIP through the real loading code, with a tiny model of random weights that is made here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from curation.blip import BlipSettings, caption_images, weights_digest
from curation.stage import curate
from kyodaku.errors import MissingWeightsError, UsageError
from kyodaku.fingerprint import Pixels
from tests.curation.fixtures import Found, context, jpeg, make_run, recipe

WORDS = [
    *("a", "picture", "of", "red", "blue", "green", "boat"),
    *("tree", "house", "sky", "sea", "wave", "fox", "bird"),
]


@pytest.fixture(scope="session")
def tiny_blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A captioner of 64 px and two layers, saved as a hub model is."""
    from curation.torchvision_shim import make_importable

    make_importable()
    import torch
    from transformers import (
        BertTokenizer,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
    )

    folder = tmp_path_factory.mktemp("tiny-blip")
    vocab = {
        word: n for n, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", *WORDS])
    }
    tokenizer = BertTokenizer(vocab=vocab, bos_token="[DEC]")
    size = {"height": 64, "width": 64}
    BlipProcessor(BlipImageProcessor(size=size), tokenizer).save_pretrained(folder)
    layers: dict[str, float] = {
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
    }
    layers["initializer_range"] = 0.6  # large enough for the picture to show in the words
    text = {
        **layers,
        "vocab_size": len(vocab),
        "bos_token_id": 5,
        "sep_token_id": 3,
        "eos_token_id": 3,
        "pad_token_id": 0,
        "encoder_hidden_size": 32,
        "projection_dim": 32,
        "max_position_embeddings": 64,
    }
    vision = {**layers, "image_size": 64, "patch_size": 16, "projection_dim": 32}
    torch.manual_seed(1)
    torch.set_num_threads(1)  # layers this small only wait for each other
    BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=vision)).save_pretrained(folder)
    return folder


def settings(folder: Path | str, batch_size: int = 4) -> BlipSettings:
    return BlipSettings(str(folder), "", batch_size, 12)


def pictures(count: int) -> list[Pixels]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 255, (40 + 10 * n, 60, 3), dtype=np.uint8) for n in range(count)]


def test_captions_do_not_depend_on_their_neighbours(tiny_blip: Path) -> None:
    many = pictures(6)
    captions = caption_images(many, settings(tiny_blip))
    assert len(captions) == 6
    assert all(set(caption.split()) <= {*WORDS, "[UNK]"} for caption in captions)
    assert len(set(captions)) > 2
    assert caption_images(many, settings(tiny_blip)) == captions
    assert [caption_images([one], settings(tiny_blip))[0] for one in many] == captions


def test_synthetic_text_fills_only_where_no_web_text_passed(tmp_path: Path, tiny_blip: Path) -> None:
    said = Found("said", jpeg(1), alt="Evening rain over the bridge")
    mute = Found("mute", jpeg(2), alt="IMG_0001.jpg")
    run = make_run(tmp_path, [said, mute])
    using = recipe(captions={"model": str(tiny_blip), "batch_size": 2, "max_tokens": 8})
    assert curate(context(run, using)).counts["released"] == 2
    rows = {row["uid"]: row for row in pq.read_table(run.captions / "00000.parquet").to_pylist()}
    assert (rows[said.uid]["source"], rows[said.uid]["synthetic_text"]) == ("alt", "")
    assert rows[mute.uid]["source"] == "synthetic"
    assert rows[mute.uid]["text"] == rows[mute.uid]["synthetic_text"] != ""
    assert rows[mute.uid]["model"] == tiny_blip.name


def test_other_weights_are_another_digest(tiny_blip: Path, tmp_path: Path) -> None:
    first = weights_digest(settings(tiny_blip))
    (tmp_path / "config.json").write_text("{}")
    assert weights_digest(settings(tmp_path)) != first == weights_digest(settings(tiny_blip))


def test_missing_weights_name_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    hub = BlipSettings(
        "Salesforce/blip-image-captioning-base", "82a37760796d32b1411fe092ab5d4e227313294b", 4, 12
    )
    with pytest.raises(
        MissingWeightsError, match=r"hf download Salesforce/blip-image-captioning-base --revision 82a3"
    ):
        weights_digest(hub)
    with pytest.raises(MissingWeightsError, match="no model at /nowhere"):
        weights_digest(settings("/nowhere/blip"))
    with pytest.raises(MissingWeightsError, match="does not hold a BLIP captioner"):
        caption_images(pictures(1), settings(tmp_path))


def test_missing_weights_stop_a_run_before_captions(tmp_path: Path) -> None:
    run = make_run(tmp_path, [Found("a", jpeg(1))])
    using = recipe(captions={"model": "./no-such-model"})
    with pytest.raises(MissingWeightsError):
        curate(context(run, using))


def test_a_hub_model_needs_a_pinned_revision() -> None:
    with pytest.raises(UsageError, match="revision"):
        BlipSettings.from_recipe(recipe(captions={"model": "Salesforce/blip-image-captioning-base"}))
    assert BlipSettings.from_recipe(recipe()) is None


SHIM = """
import sys, types
from curation.torchvision_shim import make_importable
{before}
needed = make_importable()
import torchvision
from torchvision.transforms import v2
print(needed, hasattr(torchvision, "__version__"), bool(v2.Resize))
"""

#: A torchvision whose compiled operators load: importing it raises nothing.
WORKING = """
package = types.ModuleType("torchvision"); package.__version__ = "1"; package.__path__ = []
transforms = types.ModuleType("torchvision.transforms"); transforms.v2 = types.SimpleNamespace(Resize=1)
sys.modules.update({"torchvision": package, "torchvision.transforms": transforms})
import torch
torch.library.Library = None  # any declaration would now fail
"""


@pytest.mark.deep
def test_the_shim_makes_torchvision_importable_and_does_nothing_where_it_is() -> None:
    for before, wanted in (("", {"True True True", "False True True"}), (WORKING, {"False True True"})):
        out = subprocess.run(
            [sys.executable, "-c", SHIM.format(before=before)], capture_output=True, text=True, timeout=120
        )
        assert out.stdout.strip() in wanted, out.stderr
