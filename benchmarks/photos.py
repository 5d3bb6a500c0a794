"""
Made photos: what a camera of 12 megapixels would store, in 2 to 5 MB.

Leaves of all sizes in front of each other (as in nature, with edges at every scale) or a lit
surface, 1/f texture, a lens that blurs by 0.7 pixels, and noise that grows with the light.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageDraw, ImageFilter

WIDTH_PX, HEIGHT_PX = 4032, 3024
# Display P3's red, green and blue in XYZ under D50. Source: SMPTE EG 432-1, adapted by Bradford.
P3 = {
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
}


def saved(image: Image.Image, quality: int, subsampling: str = "4:2:0", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=subsampling, **options)
    return buffer.getvalue()


def photos() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Make the pictures that count, and those that are told apart: not everybody meets them."""
    leafy, lit = photographed(leaves(1), 3, seed=1), photographed(surface(2), 3, seed=2)
    quiet = photographed(leaves(3), 1, seed=3)
    common = {
        "leaves, little noise, q80": saved(quiet, 80),
        "leaves q85": saved(leafy, 85),
        "surface 4:4:4 q85": saved(lit, 85, "4:4:4"),
        "leaves, little noise, q92": saved(quiet, 92),
        "leaves 4:4:4 q90": saved(leafy, 90, "4:4:4"),
        "surface q95": saved(lit, 95),
    }
    apart = {
        "leaves q90, progressive": saved(leafy, 90, progressive=True),
        "leaves q90, Display P3": saved(leafy, 90, icc_profile=display_p3()),
    }
    return common, apart


def display_p3() -> bytes:
    """Give the profile that phones embed: sRGB's curve, wider primaries."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for number in range(int.from_bytes(profile[128:132])):
        tag, at, _ = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        if tag in P3:
            struct.pack_into(">3i", profile, at + 8, *(round(65536 * value) for value in P3[tag]))
    return bytes(profile)


def texture(seed: int, slope: float) -> np.ndarray:
    """Give a field of mean 0 and deviation 1 whose amplitude falls as frequency**-slope."""
    rows = np.fft.fftfreq(HEIGHT_PX)[:, None]
    frequency = np.hypot(np.fft.rfftfreq(WIDTH_PX)[None], rows)
    frequency[0, 0] = 1
    noise = np.random.default_rng(seed).standard_normal((HEIGHT_PX, WIDTH_PX))
    made = np.fft.irfft2(np.fft.rfft2(noise) / frequency**slope, s=noise.shape)
    return ((made - made.mean()) / made.std()).astype(np.float32)


def leaves(seed: int) -> np.ndarray:
    """Paint discs and squares over each other, small ones far more often than large ones."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX))
    draw = ImageDraw.Draw(image)
    for number in range(9000):
        radius_px = min(700.0, 12 * (random.random() + 1e-6) ** -0.6)
        x, y = random.random() * WIDTH_PX, random.random() * HEIGHT_PX
        shade = random.integers(30, 220) + random.normal(0, 22, 3)
        colour = tuple(int(value) for value in np.clip(shade, 0, 255))
        if number % 2:
            draw.circle((x, y), radius_px, fill=colour)
        else:
            turn = random.random() * 90
            draw.regular_polygon((x, y, radius_px), 4, rotation=turn, fill=colour)
    light, red, blue = texture(seed, 1.0), texture(seed + 100, 1.2), texture(seed + 200, 1.2)
    return np.asarray(image) + np.stack(
        (14 * light + 9 * red, 14 * light, 14 * light + 9 * blue), 2
    )


def surface(seed: int) -> np.ndarray:
    """Give a rough wall in soft light."""
    light = np.linspace(70, 200, WIDTH_PX, dtype=np.float32)[None, :, None]
    rough = 18 * texture(seed, 0.9)[..., None]
    tint = 10 * texture(seed + 100, 1.3)[..., None] * np.array([1, 0.2, -1], np.float32)
    return light + rough + tint


def photographed(light: np.ndarray, noise: float, seed: int) -> Image.Image:
    """Blur by the lens and add noise; `noise` is its deviation at middle grey, in levels."""
    sharp = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
    seen = np.asarray(sharp.filter(ImageFilter.GaussianBlur(0.7)), dtype=np.float32)
    grain = np.random.default_rng(seed).standard_normal(seen.shape).astype(np.float32)
    seen = seen + grain * noise * np.sqrt(np.maximum(seen, 8) / 128)
    return Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8))
