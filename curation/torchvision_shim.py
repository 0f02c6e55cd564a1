"""Lets `import torchvision` work beside a CPU build of torch.

The only torchvision wheel for torch 2.13 is built for CUDA. Beside a CPU torch its compiled operators do
not load, and the import ends in `operator torchvision::nms does not exist`: it registers shape functions
for two operators that nobody declared. Declaring their schemas is enough for transforms, which is all that
transformers and open_clip use; calling the operators still fails, as it should. Where the compiled
operators load, nothing is done here.
"""

from __future__ import annotations

from functools import cache

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


@cache
def make_importable() -> bool:
    """Declare the missing operators, if they are missing; True if it was needed. Call before torchvision."""
    import torch

    if _torchvision_loads():
        return False
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name, schema in _SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            library.define(schema)
    # The declarations live as long as the library object, so the function holds it for good.
    make_importable.library = library  # type: ignore[attr-defined]
    return True


def _torchvision_loads() -> bool:
    """Whether the compiled operators are there, tried without leaving half an import behind."""
    import sys

    before = set(sys.modules)
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError, OSError):
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == "torchvision":
                del sys.modules[name]
        return False
    return True
