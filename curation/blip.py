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

from curation.steps import digest_files
from kyodaku.errors import MissingWeightsError, UsageError
from kyodaku.fingerprint import Pixels
from kyodaku.recipe import Recipe

#: COCO evaluation of the BLIP paper: beam 3, at least 5 tokens.
_BEAMS = 3
_MIN_TOKENS = 5


@dataclass(frozen=True)
class BlipSettings:
    """Which captioner, and how. `path` is the local folder of a local model, "" for one from the hub."""

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
        settings = cls(captions.model, captions.revision, captions.batch_size, captions.max_tokens)
        if not settings.is_path and not captions.revision:
            raise UsageError(
                f"captions.revision: pin the commit of {captions.model}; captions must be repeatable"
            )
        return settings

    @property
    def local(self) -> bool:
        """True if the model is a folder on this machine."""
        return Path(self.model).is_dir()

    @property
    def is_path(self) -> bool:
        """True if the model is named as a folder, whether or not it is there."""
        return self.local or self.model.startswith((".", "/", "~"))

    @property
    def label(self) -> str:
        """What records call the model."""
        return Path(self.model).name if self.local else f"{self.model}@{self.revision}"


def weights_folder(settings: BlipSettings) -> Path:
    """The folder that holds the model. Raises MissingWeightsError."""
    if settings.local:
        return Path(settings.model)
    if settings.is_path:
        raise MissingWeightsError(f"no model folder at {settings.model} (captions.model)")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(settings.model, revision=settings.revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError) as error:
        raise MissingWeightsError(
            f"the weights of {settings.model} are not on this machine; fetch them with: "
            f"hf download {settings.model} --revision {settings.revision}"
        ) from error


def weights_digest(settings: BlipSettings) -> str:
    """A digest over every file of the model. Raises MissingWeightsError."""
    folder = weights_folder(settings)
    return digest_files(sorted(path for path in folder.iterdir() if path.is_file()))


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
        model = BlipForConditionalGeneration.from_pretrained(
            folder, local_files_only=True, dtype=torch.bfloat16 if gpu else torch.float32
        )
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
