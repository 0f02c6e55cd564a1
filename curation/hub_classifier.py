"""An image classifier that a recipe names: transformers or timm, a pinned hub id or a local folder.

Nothing is downloaded: weights that are missing are an error that names the command which fetches them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from curation.annotators.base import Picture
from curation.weights import Weights
from kyodaku.errors import MissingWeightsError, UsageError
from kyodaku.fingerprint import Pixels


class Classifier(Weights):
    """An image classifier: a folder of transformers or of timm."""

    def probabilities(self, pictures: Sequence[Picture], label: str) -> list[float]:
        """The probability of the class that `label` names, for each. Raises MissingWeightsError."""
        net = _load(str(self.folder()))
        index = label_index(net.labels, label, self.key)
        return [float(net(picture.pixels)[index]) for picture in pictures]

    def every_probability(self, pictures: Sequence[Picture]) -> list[dict[str, float]]:
        """By label, for each. Raises MissingWeightsError."""
        net = _load(str(self.folder()))
        return [
            {label: float(share) for label, share in zip(net.labels, net(one.pixels), strict=True)}
            for one in pictures
        ]


def label_index(labels: Sequence[str], wanted: str, key: str) -> int:
    """Which label says `wanted` and does not deny it. Raises UsageError unless it is exactly one."""
    plain = [re.sub(r"[^a-z]+", " ", label.lower()).strip() for label in labels]
    denied = re.compile(r"\b(no|not|non|un|without|clean|free)\b|^un|^non|^no(?=" + wanted + ")")
    found = [at for at, label in enumerate(plain) if wanted in label and not denied.search(label)]
    if len(found) != 1:
        raise UsageError(f"{key}.model: none or several of its labels mean {wanted}: {', '.join(labels)}")
    return found[0]


class _Net(Protocol):
    labels: Sequence[str]

    def __call__(self, pixels: Pixels) -> Any: ...


@cache
def _load(folder: str) -> _Net:
    """The model of a folder, once in a process. Raises MissingWeightsError for a folder that holds none."""
    try:
        config = json.loads((Path(folder) / "config.json").read_text("utf-8"))
        return _Timm(Path(folder), config) if "architecture" in config else _Transformers(folder)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MissingWeightsError(f"{folder} does not hold an image classifier: {reason}") from error


class _Transformers:
    """A model of `AutoModelForImageClassification`."""

    def __init__(self, folder: str) -> None:
        from curation.torchvision_shim import make_importable

        make_importable()  # image processors import torchvision
        import torch
        from transformers import AutoImageProcessor, AutoModelForImageClassification

        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        model, said = AutoModelForImageClassification.from_pretrained(
            folder, local_files_only=True, output_loading_info=True
        )
        if missing := sorted(said["missing_keys"]):  # they would stay random, and say anything
            raise ValueError(f"its weights lack {', '.join(missing[:3])}")
        self._model = model.eval().to(self._device)
        names = model.config.id2label
        self.labels: Sequence[str] = [names[at] for at in range(len(names))]

    def __call__(self, pixels: Pixels) -> Any:
        import torch
        from PIL import Image

        inputs = self._processor(images=Image.fromarray(pixels), return_tensors="pt").to(self._device)
        with torch.inference_mode():
            return self._model(**inputs).logits[0].float().softmax(0).cpu().numpy()


class _Timm:
    """A folder as timm's hub writes it: config.json with `architecture`, model.safetensors."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        from curation.torchvision_shim import make_importable

        make_importable()
        import timm
        import torch
        from safetensors.torch import load_file

        settings = config.get("pretrained_cfg", config)
        count = int(config.get("num_classes", settings.get("num_classes", 0)))
        self._model = timm.create_model(
            config["architecture"], num_classes=count, **config.get("model_args", {})
        )
        self._model.load_state_dict(load_file(folder / "model.safetensors"))
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model.eval().to(self._device)
        names = config.get("label_names", settings.get("label_names", []))
        self.labels: Sequence[str] = list(names)
        self._side = int(settings.get("input_size", (3, 224, 224))[-1])
        self._mean = np.array(settings.get("mean", (0.485, 0.456, 0.406)), np.float32)
        self._std = np.array(settings.get("std", (0.229, 0.224, 0.225)), np.float32)

    def __call__(self, pixels: Pixels) -> Any:
        import torch
        from PIL import Image

        image = Image.fromarray(pixels).resize((self._side, self._side), Image.Resampling.BICUBIC)
        values = (np.asarray(image, np.float32) / 255 - self._mean) / self._std
        inputs = torch.from_numpy(values).permute(2, 0, 1)[None].to(self._device)
        with torch.inference_mode():
            return self._model(inputs)[0].float().softmax(0).cpu().numpy()
