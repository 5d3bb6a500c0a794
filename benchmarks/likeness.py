"""How like one picture is to another: PSNR and SSIM, over RGB and over luma."""

from __future__ import annotations

from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image


class Likeness(NamedTuple):
    """PSNR in dB; SSIM up to 1, over RGB the mean of the channels."""

    psnr_rgb_db: float
    psnr_luma_db: float
    ssim_rgb: float
    ssim_luma: float

    def above(self, other: Likeness) -> Likeness:
        return Likeness(*(own - its for own, its in zip(self, other, strict=True)))


def likeness(reference: Image.Image, encoded: bytes) -> Likeness:
    """Compare an encoded picture with RGB pixels of the same size."""
    wanted = np.asarray(reference, dtype=np.float32)
    found = np.asarray(Image.open(BytesIO(encoded)).convert("RGB"), dtype=np.float32)
    channels = [ssim(wanted[..., at], found[..., at]) for at in range(3)]
    return Likeness(
        psnr_db(wanted, found),
        psnr_db(luma(wanted), luma(found)),
        sum(channels) / 3,
        ssim(luma(wanted), luma(found)),
    )


def psnr_db(first: np.ndarray, second: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((first - second) ** 2)))


def luma(pixels: np.ndarray) -> np.ndarray:
    """Source: ITU-R BT.601, as in JFIF."""
    return np.asarray(pixels @ np.array([0.299, 0.587, 0.114], np.float32))


def ssim(first: np.ndarray, second: np.ndarray) -> float:
    """Source: Wang, Bovik, Sheikh, Simoncelli 2004, equation 13, K1 = 0.01 and K2 = 0.03."""
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean1, mean2 = windowed(first), windowed(second)
    variance1 = windowed(first * first) - mean1 * mean1
    variance2 = windowed(second * second) - mean2 * mean2
    covariance = windowed(first * second) - mean1 * mean2
    like = (2 * mean1 * mean2 + c1) * (2 * covariance + c2)
    return float(np.mean(like / ((mean1**2 + mean2**2 + c1) * (variance1 + variance2 + c2))))


def windowed(values: np.ndarray) -> np.ndarray:
    """Average under an 11×11 Gaussian window of σ 1.5, where it fits whole."""
    weights = np.exp(-np.square(np.arange(-5, 6)) / (2 * 1.5**2))
    weights = (weights / weights.sum()).astype(np.float32)
    height, width = values.shape[0] - 10, values.shape[1] - 10
    across = sum(w * values[:, i : i + width] for i, w in enumerate(weights))
    return np.asarray(sum(w * across[i : i + height] for i, w in enumerate(weights)))
