"""Small local models of the architectures that recipes name, with random or written weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np


def open_clip_folder(folder: Path) -> Path:
    """A CLIP of 32 px and two layers, as open_clip and the hub write it; vectors of 16."""
    from curation.torchvision_shim import make_importable

    make_importable()
    import open_clip
    import torch
    from safetensors.torch import save_file

    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
        "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1},
    }
    torch.manual_seed(1)
    model = open_clip.CLIP(**config)  # type: ignore[arg-type]
    folder.mkdir()
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    mean_std = {"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28]}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": mean_std})
    )
    return folder


def torchscript_file(file: Path) -> Path:
    """A scripted net of the shape of SSCD's: (n, 3, 288, 288) to (n, 512)."""
    import torch
    from torch import nn

    torch.manual_seed(2)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 32, 32), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 512)
    )
    torch.jit.trace(net.eval(), torch.zeros(1, 3, 288, 288)).save(str(file))
    return file


def classifier_folder(folder: Path, labels: Sequence[str]) -> Path:
    """A ViT of 32 px, as transformers writes it."""
    from curation.torchvision_shim import make_importable

    make_importable()
    import torch
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    torch.manual_seed(3)
    config = ViTConfig(
        image_size=32,
        patch_size=8,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def head_file(file: Path, length: int) -> Path:
    """An aesthetic head of LAION's shape, two layers: five times the sum of the vector, and 3."""
    import torch

    first = torch.ones(2, length)
    layers = {
        "layers.0.weight": first,
        "layers.0.bias": torch.zeros(2),
        "layers.2.weight": torch.tensor([[2.0, 3.0]]),
        "layers.2.bias": torch.tensor([3.0]),
    }
    torch.save(layers, file)
    return file


def yunet_file(file: Path, side: int = 64) -> Path:
    """A detector with YuNet's input and outputs that calls every cell of stride 32 a face whose mean is
    above 200, one cell large. Written as ONNX (protocol buffers, onnx.proto) by hand."""
    nodes = b""
    for stride in (8, 16, 32):
        cells = (side // stride) ** 2
        pool = _node(
            "AveragePool", ["input"], [f"mean{stride}"], kernel_shape=[stride] * 2, strides=[stride] * 2
        )
        bright = _node("ReduceMean", [f"mean{stride}"], [f"grey{stride}"], axes=[1], keepdims=1)
        over = _node("Sub", [f"grey{stride}", "limit" if stride == 32 else "never"], [f"over{stride}"])
        sure = _node("Sigmoid", [f"over{stride}"], [f"sure{stride}"])
        nodes += b"".join(_field(1, node) for node in (pool, bright, over, sure))
        for part in ("cls", "obj"):
            shaped = _node("Reshape", [f"sure{stride}", f"shape{stride}"], [f"{part}_{stride}"])
            nodes += _field(1, shaped)
        nodes += _field(1, _node("Identity", [f"boxes{stride}"], [f"bbox_{stride}"]))
        nodes += _field(5, _tensor(f"shape{stride}", np.array([1, cells, 1], np.int64)))
        middle = np.tile(np.array([0.5, 0.5, 0.0, 0.0], np.float32), (1, cells, 1))
        nodes += _field(5, _tensor(f"boxes{stride}", middle))
    for name, value in (("limit", 200.0), ("never", 1000.0)):
        nodes += _field(5, _tensor(name, np.array([value], np.float32)))
    graph = nodes + _field(2, b"graph") + _field(11, _value("input", (1, 3, side, side)))
    for stride in (8, 16, 32):
        for part, width in (("cls", 1), ("obj", 1), ("bbox", 4)):
            graph += _field(12, _value(f"{part}_{stride}", (1, (side // stride) ** 2, width)))
    opset = _field(1, b"") + _number(2, 11)
    file.write_bytes(_number(1, 7) + _field(7, graph) + _field(8, opset))
    return file


# --- protocol buffers: a key (number << 3 | wire type), then a varint (0) or a length and bytes (2) ---


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _number(key: int, value: int) -> bytes:
    return _varint(key << 3) + _varint(value)


def _field(key: int, value: bytes) -> bytes:
    return _varint(key << 3 | 2) + _varint(len(value)) + value


def _node(kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: object) -> bytes:
    body = b"".join(_field(1, name.encode()) for name in inputs)
    body += b"".join(_field(2, name.encode()) for name in outputs) + _field(4, kind.encode())
    for name, value in attributes.items():
        if isinstance(value, int):
            said = _number(3, value) + _number(20, 2)
        else:
            said = b"".join(_number(8, int(item)) for item in value) + _number(20, 7)  # type: ignore[attr-defined]
        body += _field(5, _field(1, name.encode()) + said)
    return body


def _tensor(name: str, values: np.ndarray) -> bytes:
    kind = {np.dtype(np.float32): 1, np.dtype(np.int64): 7}[values.dtype]
    dims = b"".join(_number(1, size) for size in values.shape)
    little = values.astype(values.dtype.newbyteorder("<")).tobytes()
    return dims + _number(2, kind) + _field(8, name.encode()) + _field(9, little)


def _value(name: str, shape: Sequence[int]) -> bytes:
    dims = b"".join(_field(1, _number(1, size)) for size in shape)
    tensor = _number(1, 1) + _field(2, dims)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def named(**models: Path | str) -> Mapping[str, Mapping[str, str]]:
    """The tables of `[annotators]` that name these models."""
    return {name: {"model": str(place)} for name, place in models.items()}
