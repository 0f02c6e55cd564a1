"""Captions by BLIP, from the hub's cache or a local folder, through transformers.

Nothing is downloaded here: weights that are missing are an error that names the command which fetches
them. Batches always have the same shape, so that a picture's caption does not depend on its neighbours
(floats differ between batch shapes).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from curation.weights import Weights
from kyodaku.errors import MissingWeightsError
from kyodaku.fingerprint import Pixels
from kyodaku.recipe import Recipe

#: COCO evaluation of the BLIP paper: beam 3, at least 5 tokens.
_BEAMS = 3
_MIN_TOKENS = 5


@dataclass(frozen=True)
class BlipSettings:
    """Which captioner, and how. Raises UsageError for a hub model without a revision."""

    model: str
    revision: str
    batch_size: int
    max_tokens: int

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> BlipSettings | None:
        """The captioner a recipe names, or None. Raises UsageError for a hub model without a revision."""
        captions = recipe.captions
        if not captions.model:
            return None
        return cls(captions.model, captions.revision, captions.batch_size, captions.max_tokens)

    def __post_init__(self) -> None:
        _ = self.weights

    @property
    def weights(self) -> Weights:
        """The model itself. Raises UsageError for a hub model without a revision."""
        return Weights(self.model, self.revision, "captions")

    @property
    def label(self) -> str:
        """What records call the model."""
        return self.weights.label


def weights_folder(settings: BlipSettings) -> Path:
    """The folder that holds the model. Raises MissingWeightsError."""
    return settings.weights.folder()


def weights_digest(settings: BlipSettings) -> str:
    """A digest over every file of the model. Raises MissingWeightsError."""
    return settings.weights.digest()


def caption_images(pictures: Iterable[Pixels], settings: BlipSettings) -> list[str]:
    """One caption for each picture, uint8 (height, width, 3), in order. Raises MissingWeightsError."""
    folder = str(weights_folder(settings))
    captions: list[str] = []
    for batch in _batches(pictures, settings.batch_size):
        captions += _caption_batch(batch, folder, settings)
    return captions


def _caption_batch(batch: list[Pixels], folder: str, settings: BlipSettings) -> list[str]:
    import torch

    model, processor = _load(folder)
    padded = batch + [batch[-1]] * (settings.batch_size - len(batch))
    inputs = processor(images=padded, return_tensors="pt").to(model.device, model.dtype)
    with torch.inference_mode():
        tokens = model.generate(
            pixel_values=inputs["pixel_values"],
            num_beams=_BEAMS,
            do_sample=False,
            max_new_tokens=settings.max_tokens,
            min_new_tokens=min(_MIN_TOKENS, settings.max_tokens),
        )
    texts = processor.tokenizer.batch_decode(tokens[: len(batch)], skip_special_tokens=True)
    return [" ".join(text.split()) for text in texts]


@cache
def _load(folder: str) -> tuple[Any, Any]:
    """Model and processor of a folder, once in a process: bfloat16 on a GPU, float32 without."""
    from curation.torchvision_shim import make_importable

    make_importable()  # BLIP's image processor imports torchvision
    import torch
    from transformers import BlipForConditionalGeneration, BlipProcessor
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # the stage has its own
    gpu = torch.cuda.is_available()
    try:
        processor = BlipProcessor.from_pretrained(folder, local_files_only=True)
        model, said = BlipForConditionalGeneration.from_pretrained(
            folder,
            local_files_only=True,
            dtype=torch.bfloat16 if gpu else torch.float32,
            output_loading_info=True,
        )
        if missing := sorted(said["missing_keys"]):  # they would stay random, and say anything
            raise ValueError(f"its weights lack {', '.join(missing[:3])}")
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise MissingWeightsError(f"{folder} does not hold a BLIP captioner: {reason}") from error
    model.eval()
    model.to(torch.device("cuda" if gpu else "cpu"))
    return model, processor


def _batches(pictures: Iterable[Pixels], size: int) -> Iterator[list[Pixels]]:
    batch: list[Pixels] = []
    for picture in pictures:
        batch.append(picture)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
