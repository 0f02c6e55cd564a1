"""Smooth and natural scenes: what is computed, and what is made of photographs of the pool."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from curation.train.scenes.hand import PAPERS, Floats, Hand, blurred, floats, image, luma


def landscape(hand: Hand) -> Image.Image:
    """Ridges in haze below a cloudy sky, sometimes over water."""
    height, width = hand.height, hand.width
    top, low = np.array(hand.colour(60, 230), float), np.array(hand.colour(140, 255), float)
    fall = np.linspace(0, 1, height)[:, None, None]
    clouds = np.clip(hand.noise(3, 7) * 2.2 - hand.between(0.6, 1.4), 0, 1)[..., None]
    scene = (top * (1 - fall) + low * fall) * (1 - 0.7 * clouds) + 245 * 0.7 * clouds
    near = np.array(hand.colour(10, 110), float)
    layers = hand.whole(2, 6)
    rows = np.arange(height)[:, None]
    for layer in range(layers):
        share = (layer + 1) / layers
        crest = height * (0.35 + 0.5 * share) - hand.ridge(width, 2 + 3 * share) * height * hand.between(
            0.1, 0.35
        )
        inside = np.clip(rows - crest[None, :] + 0.5, 0, 1)[..., None]
        ground = hand.noise(12 + 30 * share, 6)[..., None] * 60 * share - 30 * share
        tone = low * (1 - share) + near * share + ground
        scene = scene * (1 - inside) + tone * inside
    if hand.chance(0.3):
        shore = int(height * hand.between(0.65, 0.85))
        mirror = scene[max(0, 2 * shore - height) : shore][::-1][: height - shore]
        ripple = (hand.noise(40, 4)[shore : shore + len(mirror)] - 0.5)[..., None] * 40
        scene[shore : shore + len(mirror)] = mirror * 0.8 + ripple + 10
    return image(scene)


def gradient(hand: Hand) -> Image.Image:
    """Two to four colours that run into each other, with or without banding and dither."""
    angle = hand.between(0, 2 * np.pi)
    y, x = np.mgrid[0 : hand.height, 0 : hand.width] / max(hand.size)
    if hand.chance(0.4):
        place = np.hypot(x - hand.between(0, 1), y - hand.between(0, 1))
    else:
        place = np.cos(angle) * x + np.sin(angle) * y
    place = (place - place.min()) / (np.ptp(place) + 1e-6)
    stops = np.array([hand.colour() for _ in range(hand.whole(2, 4))], float)
    knots = np.linspace(0, 1, len(stops))
    scene = np.stack([np.interp(place, knots, stops[:, part]) for part in range(3)], -1)
    if hand.chance(0.3):
        scene += hand.rng.normal(0, hand.between(0.3, 3), scene.shape)
    return image(scene)


def soft(hand: Hand) -> Image.Image:
    """Lights out of focus over a slow ground."""
    ground = np.stack([hand.noise(2, 3) * hand.between(60, 220) for _ in range(3)], -1)
    picture = image(ground)
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(hand.whole(5, 60)):
        radius, x, y = (
            hand.unit * hand.between(1, 8),
            hand.between(0, hand.width),
            hand.between(0, hand.height),
        )
        draw.ellipse(
            (x - radius, y - radius, x + radius, y + radius), fill=(*hand.colour(90), hand.whole(30, 120))
        )
    return picture.filter(ImageFilter.GaussianBlur(hand.unit * hand.between(0.2, 1.5)))


def fractal(hand: Hand) -> Image.Image:
    """Coloured noise: marble, cloud, rust."""
    bands = hand.noise(hand.between(2, 8), 7)
    if hand.chance(0.5):
        bands = 0.5 + 0.5 * np.sin(bands * hand.between(8, 40))
    one, other = np.array(hand.colour(), float), np.array(hand.colour(), float)
    return image(one * bands[..., None] + other * (1 - bands[..., None]))


def blank(hand: Hand) -> Image.Image:
    """Nothing: one tone, bare paper, or the inside of a lid, with the noise of whatever took it."""
    choice = hand.between(0, 1)
    if choice < 0.3:
        tone = hand.whole(0, 255) if hand.chance(0.3) else hand.one_of((0, 255, 250, 8, 128))
        scene = np.full((hand.height, hand.width, 3), tone, float)
    elif choice < 0.8:
        scene = floats(hand.paper(hand.near(hand.one_of(PAPERS), 14))).astype(float)
    else:
        scene = np.broadcast_to(np.array(hand.colour(), float), (hand.height, hand.width, 3)).copy()
        scene += ((hand.noise(1.5, 2) - 0.5) * hand.between(2, 20))[..., None]
    if hand.chance(0.6):
        scene += hand.rng.normal(0, hand.between(0.2, 3), scene.shape)
    return image(scene)


# --------------------------------------------------------------------------- of photographs


def base(hand: Hand, *kinds: str) -> Image.Image:
    """A photograph of the pool in the hand's size; a computed landscape without any."""
    return hand.stock.crop(hand.rng, hand.size, *(kinds or ("photo",))) or landscape(hand)


def graded(hand: Hand, picture: Image.Image) -> Image.Image:
    """A photograph mirrored, cast, brightened or bleached, as the same few must serve many times."""
    if hand.chance(0.5):
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    scene = floats(picture) / 255
    gains = np.array([hand.between(0.88, 1.12) for _ in range(3)], np.float32)
    scene = np.clip(scene * gains, 0, 1) ** hand.between(0.75, 1.35)
    if hand.chance(0.15):
        scene = np.repeat((scene @ np.array([0.3, 0.59, 0.11], np.float32))[..., None], 3, -1)
        if hand.chance(0.5):
            scene = scene * np.array([1.0, 0.94, 0.82], np.float32)
    return image(scene * 255)


def photograph(hand: Hand) -> Image.Image:
    """A part of a photograph, graded anew."""
    return graded(hand, base(hand))


def night(hand: Hand) -> Image.Image:
    """A photograph at night: dark, lamps, and the noise of high sensitivity, denoised in-camera or not."""
    scene = floats(graded(hand, base(hand))) / 255
    lights = Image.new("RGB", hand.size)
    draw = ImageDraw.Draw(lights)
    for _ in range(hand.whole(0, 25)):
        x, y, radius = (
            hand.between(0, hand.width),
            hand.between(0, hand.height),
            hand.unit * hand.between(0.1, 0.6),
        )
        colour = hand.near(
            hand.one_of(((255, 214, 150), (255, 250, 235), (180, 210, 255), (255, 90, 60))), 20
        )
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    glow = floats(lights.filter(ImageFilter.GaussianBlur(hand.unit))) / 255
    halo = floats(lights.filter(ImageFilter.GaussianBlur(hand.unit * 5))) / 255
    scene = scene ** hand.between(1.4, 2.4) * hand.between(0.15, 0.6) + glow * 1.5 + halo * 2
    noisy = scene * 255 + sensor_noise(hand, scene.astype(np.float32), hand.between(3, 22))
    picture = image(noisy)
    return picture.filter(ImageFilter.MedianFilter(3)) if hand.chance(0.3) else picture


def sensor_noise(hand: Hand, scene: Floats, strength: float) -> Floats:
    """High-ISO noise (h, w, 3): stronger in bright parts by its root, coloured, blotchy by demosaicing."""
    amount = strength * (0.35 + np.sqrt(np.clip(scene, 0, 1)))
    white = hand.rng.normal(0, 1, scene.shape).astype(np.float32)
    chroma = Image.fromarray(
        (np.clip(hand.rng.normal(128, 40, (hand.height // 2 + 1, hand.width // 2 + 1, 3)), 0, 255)).astype(
            np.uint8
        )
    )
    blotches = (np.asarray(chroma.resize(hand.size, Image.Resampling.BICUBIC), np.float32) - 128) / 40
    grey = white.mean(-1, keepdims=True) * 1.2
    return np.asarray(amount * (0.7 * grey + 0.3 * white + hand.between(0, 0.8) * blotches), np.float32)


def grain(hand: Hand) -> Image.Image:
    """A photograph on film: grain of a size, most in the middle tones, sometimes black and white or faded."""
    picture = graded(hand, base(hand))
    if hand.chance(0.45):
        picture = picture.convert("L").convert("RGB")
    return filmed(hand, picture, hand.between(4, 26))


def filmed(hand: Hand, picture: Image.Image, strength: float) -> Image.Image:
    """The same picture with film grain of `strength` grey levels."""
    scene = floats(picture)
    layers = 1 if hand.chance(0.6) else 3
    size = hand.between(0.4, 1.6)
    cloud = []
    for _ in range(layers):
        raw = hand.rng.normal(0, 1, (hand.height, hand.width)).astype(np.float32)
        clumps = blurred(raw, size)
        cloud.append(clumps / (clumps.std() + 1e-6))
    middle = 1.1 - 1.6 * (luma(picture) - 0.5) ** 2 * 2
    return image(scene + np.stack(cloud, -1) * (strength * middle)[..., None])
