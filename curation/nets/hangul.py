"""HangulNet: what a level line of Korean says, for the phrases that refuse.

Convolutions down to one row of features at an eighth of the width, then connectionist temporal classification
(Graves et al., 2006). It knows the syllables of `SIGNS` only; any other sign of any script is OTHER.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Height of a line in pixels, and pixels of width for each step.
HEIGHT, STEP = 48, 8

#: The class of "nothing here", and that of a sign that is none of SIGNS.
BLANK, OTHER = 0, 1

#: What OTHER is written as.
UNKNOWN = "\N{WHITE SQUARE}"

#: The syllables of the phrases of curation/phrases/notices.toml (a test holds the two together), those that
#: people put round them, Latin letters and figures. Class i + 2 is SIGNS[i].
SIGNS = (
    "가거게계고공구그금기김까나내네는능니다단당데도동됩드들떤래러로를리마만말매며면모목무문물및미바반배버법복본부불사"
    "상생서설성세소수스습시식실십아안않어업에여영예오와요용우원위유으은을음의이인일임입있자작재저적전절제조주중즈지진"
    "차처체출침카크타터테트파퍼펌펴포표품프하학한할함합해행허형화확후벤떠없했"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)


def alphabet() -> tuple[str, ...]:
    """What each class stands for: "" for BLANK, UNKNOWN for OTHER, then SIGNS, each once."""
    return ("", UNKNOWN, *dict.fromkeys(SIGNS))


class _Conv(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, kernel: tuple[int, int], stride: int = 1) -> None:
        padding = (0 if kernel[0] > 3 else kernel[0] // 2, kernel[1] // 2)
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _Conv(width, width, (3, 3)),
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


class HangulNet(nn.Module):
    """float32 (n, 3, 48, w), -1 to 1, w a multiple of 8, to logits (n, w / 8, classes). 0.8 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _Conv(3, 24, (3, 3), 2),
            _Block(24),
            _Conv(24, 48, (3, 3), 2),
            _Block(48),
            _Conv(48, 96, (3, 3), 2),
            _Block(96),
            _Conv(96, 192, (6, 3)),
            _Conv(192, 192, (1, 5)),
        )
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(192, len(alphabet()))

    def forward(self, lines: Tensor) -> Tensor:
        row = self.body(lines)[:, :, 0].transpose(1, 2)
        return torch.as_tensor(self.head(self.drop(row)))
