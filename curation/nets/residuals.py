"""What is left of a picture when its content is taken away: the inputs of the perturbation detector.

A Laplacian pyramid of luma and two colour differences, and a vector of statistics over it. Sources: Fridrich
and Kodovsky, "Rich Models for Steganalysis of Digital Images" (2012), for the kernels; Burt and Adelson, "The
Laplacian Pyramid as a Compact Image Code" (1983).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

#: Pixels a side of the blocks over which noise floors are taken.
BLOCK = 16

#: How many numbers `residual_features` gives for one tile.
FEATURES = 102

_PERCENTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_LAGS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (0, 4), (4, 0), (0, 8), (8, 0), (0, 16), (16, 0))
#: Where those lags begin among the features: after 50 floors, 4 kurtoses and 6 correlations.
_LAGS_FROM = 60
_COLOUR_LAGS = ((0, 1), (1, 0), (0, 2), (2, 0), (0, 8), (8, 0))
_RINGS = 12


def planes(rgb: Tensor) -> Tensor:
    """float32 (n, 3, h, w), 0 to 255 scale: luma, blue minus luma, red minus luma, of uint8 (n, 3, h, w)."""
    colour = rgb.float()
    red, green, blue = colour[:, 0], colour[:, 1], colour[:, 2]
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return torch.stack([luma, blue - luma, red - luma], 1)


def pyramid(image: Tensor) -> list[Tensor]:
    """Three octaves of differences of Gaussians, finest first, each (n, 3, h / 2^k, w / 2^k); h and w are
    multiples of 16."""
    bands = []
    for _ in range(3):
        bands.append(image - _blur(image))
        image = halved(image)
    return bands


def _blur(image: Tensor) -> Tensor:
    """Binomial, five taps each way, edges repeated. Sums of slices: far faster here than a convolution."""
    for axis in (2, 3):
        p, size = pad(image, (2, 2, 0, 0) if axis == 3 else (0, 0, 2, 2), mode="replicate"), image.shape[axis]
        a, b, c, d, e = (p.narrow(axis, index, size) for index in range(5))
        image = torch.add(a + e, b + d, alpha=4).add_(c, alpha=6).mul_(1 / 16)
    return image


def halved(image: Tensor) -> Tensor:
    """Means of 2 by 2 pixels."""
    rows = image[..., ::2, :] + image[..., 1::2, :]
    return (rows[..., ::2] + rows[..., 1::2]) * 0.25


def block_means(image: Tensor, block: int) -> Tensor:
    """Means by block, (..., h, w) to (..., blocks)."""
    h, w = image.shape[-2:]
    rows = image.unflatten(-2, (h // block, block)).sum(-2)
    return (rows.unflatten(-1, (w // block, block)).sum(-1) / block**2).flatten(-2)


def median3(image: Tensor) -> Tensor:
    """The 3 by 3 median of (n, h, w): exact, by the sorting network of Smith (1996), 19 exchanges."""
    padded = pad(image[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    h, w = image.shape[1:]
    p = [padded[:, y : y + h, x : x + w] for y in range(3) for x in range(3)]
    for a, b in (
        *((1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8), (0, 3), (5, 8), (4, 7)),
        *((3, 6), (1, 4), (2, 5), (4, 7), (4, 2), (6, 4), (4, 2)),
    ):
        p[a], p[b] = torch.minimum(p[a], p[b]), torch.maximum(p[a], p[b])
    return p[4]


def residual_features(whole: Tensor, bands: list[Tensor]) -> Tensor:
    """float32 (n, FEATURES): statistics of each tile, from its `planes` and their `pyramid`, h and w at least
    48.

    Noise floors by percentile for each band and plane and for the median residual; kurtosis and correlation
    of the colours where the tile is flattest; autocorrelation and spectrum of the locally normalised
    residual; 8 by 8 blockiness; and how the floor follows brightness and texture.
    """
    floors = [_energies(band, BLOCK >> level) for level, band in enumerate(bands)]
    median = whole[:, 0] - median3(whole[:, 0])
    median_floor = _energies(median[:, None], BLOCK)
    flat = _flattest(floors[2][:, 0])
    brightness = block_means(whole[:, 0], BLOCK)
    parts = [_percentiles(floor) for floor in (*floors, median_floor)]
    parts.append(_kurtosis(bands, floors, flat))
    parts.append(_colour_correlation(whole, flat))
    even = bands[0] / _spread_out(floors[0], bands[0].shape)
    parts.append(_autocorrelation(even[:, 0], _LAGS))
    parts.append(_autocorrelation(even[:, 1], _COLOUR_LAGS))
    parts.append(_spectrum(even[:, 0]))
    parts.append(_blockiness(whole[:, 0]))
    fine, coarse = floors[0][:, 0].clamp_min(0.05).log2(), floors[2][:, 0].clamp_min(0.05).log2()
    parts.append(torch.stack([_correlation(fine, brightness), _correlation(fine, coarse)], 1))
    clipped = ((whole[:, 0] < 1) | (whole[:, 0] > 254)).float().mean((1, 2))
    hue = whole[:, 1:].abs().mean((1, 2, 3))
    parts.append(torch.stack([whole[:, 0].mean((1, 2)) / 64, brightness.std(1) / 32, hue / 32, clipped], 1))
    return torch.cat(parts, 1)


def from_white(features: Tensor) -> Tensor:
    """(n,): how far the autocorrelation of the residual, in `residual_features`, is from that of white noise
    through the same filter: the largest difference over the six nearest lags."""
    white = torch.tensor([-0.1609, -0.1609, -0.0972, -0.0972, -0.0214, -0.0214], device=features.device)
    return (features[:, _LAGS_FROM : _LAGS_FROM + 6] - white).abs().amax(1)


def _energies(band: Tensor, block: int) -> Tensor:
    """Mean square by block, (n, planes, blocks)."""
    return block_means(band * band, block)


def _percentiles(floor: Tensor) -> Tensor:
    ordered = floor.clamp_min(0.02).log2().sort(-1).values
    last = ordered.shape[-1] - 1
    return ordered[..., [round(share * last) for share in _PERCENTILES]].flatten(1)


def _flattest(coarse: Tensor) -> Tensor:
    """Indices (n, k) of the quarter of all blocks with the least coarse structure."""
    return coarse.topk(max(1, coarse.shape[1] // 4), 1, largest=False).indices


def _kurtosis(bands: list[Tensor], floors: list[Tensor], flat: Tensor) -> Tensor:
    found = []
    for plane, level in ((0, 0), (1, 0), (2, 0), (0, 1)):
        fourth = block_means(bands[level][:, plane].square().square(), BLOCK >> level)
        ratio = (fourth + 0.01) / (floors[level][:, plane] ** 2 + 0.01)
        found.append(ratio.gather(1, flat).clamp_max(20).mean(1) / 3)
    return torch.stack(found, 1)


def _colour_correlation(whole: Tensor, flat: Tensor) -> Tensor:
    colours = torch.stack([whole[:, 0] + whole[:, 2], whole[:, 0] + whole[:, 1], whole[:, 0]], 1)
    found = []
    for level in range(2):
        band = colours - _blur(colours)
        colours = halved(colours)
        block = BLOCK >> level
        energy = _energies(band, block)
        for a, b in ((0, 1), (0, 2), (1, 2)):
            both = block_means(band[:, a] * band[:, b], block).gather(1, flat).mean(1)
            own = energy[:, a].gather(1, flat).mean(1) * energy[:, b].gather(1, flat).mean(1)
            found.append((both + 0.02) / (own.sqrt() + 0.02))
    return torch.stack(found, 1)


def _spread_out(floor: Tensor, shape: torch.Size) -> Tensor:
    """The root of each block's energy, for each of its pixels."""
    n, c, h, w = shape
    root = (floor + 0.25).sqrt().view(n, c, h // BLOCK, 1, w // BLOCK, 1)
    return root.expand(-1, -1, -1, BLOCK, -1, BLOCK).reshape(n, c, h, w)


def _autocorrelation(even: Tensor, lags: tuple[tuple[int, int], ...]) -> Tensor:
    h, w = even.shape[1:]
    power = (even * even).mean((1, 2)) + 0.02
    found = []
    for down, right in lags:
        a = even[:, : h - down, max(0, -right) : w - max(0, right)]
        b = even[:, down:, max(0, right) : w + min(0, right)]
        found.append((a * b).mean((1, 2)) / power)
    return torch.stack(found, 1)


def _spectrum(even: Tensor) -> Tensor:
    """Log share of the power by ring of frequency, and how far the strongest line stands out in four
    bands."""
    h, w = even.shape[1:]
    window = torch.hann_window(h, device=even.device)[:, None] * torch.hann_window(w, device=even.device)
    power = torch.fft.rfft2(even * window).abs().square().flatten(1)
    down = torch.fft.fftfreq(h, device=even.device)[:, None]
    right = torch.fft.rfftfreq(w, device=even.device)
    ring = ((down**2 + right**2).sqrt() * (2 * _RINGS)).long().clamp_max(_RINGS - 1).flatten()
    count = torch.bincount(ring, minlength=_RINGS).clamp_min(1)
    rings = power.new_zeros(len(power), _RINGS).index_add_(1, ring, power) / count
    shares = ((rings + 1e-4) / (rings.mean(1, keepdim=True) + 1e-4)).log2()
    level = power / (rings + 1e-4)[:, ring]
    band = ring * 4 // _RINGS
    peaks = [level[:, band == index].amax(1) for index in range(4)]
    return torch.cat([shares, torch.stack(peaks, 1).clamp_min(1).log2() / 4], 1)


def _blockiness(luma: Tensor) -> Tensor:
    """How far the steps at one phase of eight stand out, across and down."""
    found = []
    for axis in (2, 1):
        steps = luma.diff(dim=axis).abs().clamp_max(24).mean(3 - axis)
        whole = steps[:, : steps.shape[1] // 8 * 8].reshape(len(luma), -1, 8).mean(1)
        found.append(((whole.amax(1) + 0.1) / (whole.mean(1) + 0.1)).log2())
    return torch.stack(found, 1)


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return (a * b).sum(1) / ((a * a).sum(1) * (b * b).sum(1) + 1e-3).sqrt()
