"""Everyday names for the colours of a picture, by the nearest in CIE Lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eyeline.local.facts import Colour

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHARE_MIN = 0.05

SHADES = (
    ("black", (0, 0, 0)),
    ("dark grey", (72, 72, 72)),
    ("grey", (128, 128, 128)),
    ("light grey", (200, 200, 200)),
    ("white", (255, 255, 255)),
    ("beige", (226, 206, 176)),
    ("tan", (194, 154, 108)),
    ("brown", (112, 66, 28)),
    ("brown", (136, 96, 62)),
    ("dark red", (120, 14, 22)),
    ("red", (214, 32, 36)),
    ("pink", (240, 150, 170)),
    ("magenta", (200, 40, 150)),
    ("purple", (110, 50, 140)),
    ("lilac", (190, 160, 215)),
    ("navy", (18, 28, 82)),
    ("navy", (36, 54, 80)),
    ("navy", (0, 0, 128)),
    ("blue", (32, 90, 200)),
    ("blue", (62, 112, 168)),
    ("blue", (0, 0, 255)),
    ("light blue", (140, 190, 235)),
    ("teal", (20, 126, 130)),
    ("turquoise", (72, 209, 204)),
    ("dark green", (18, 72, 32)),
    ("green", (56, 150, 60)),
    ("green", (0, 255, 0)),
    ("light green", (160, 212, 140)),
    ("olive", (118, 116, 44)),
    ("yellow", (244, 214, 46)),
    ("orange", (238, 130, 32)),
)
"""Our own picks in sRGB from the middle of what each word means; some words span more than one."""

NAMES = tuple(dict.fromkeys(name for name, _ in SHADES))


def name_colours(pixels: NDArray[np.uint8]) -> tuple[Colour, ...]:
    """Name the colours of an RGB array that cover more than SHARE_MIN, largest first."""
    import numpy as np

    palette = to_lab(np.array([shade for _, shade in SHADES], dtype=np.float32))
    lab = to_lab(pixels.reshape(-1, 3).astype(np.float32))
    # |a-b|² without the |a|² that all shades share: the nearest stays the nearest.
    distance = (palette**2).sum(axis=1) - 2 * lab @ palette.T
    shares = np.bincount(distance.argmin(axis=1), minlength=len(SHADES)) / len(lab)
    named = dict.fromkeys(NAMES, 0.0)
    for (name, _), share in zip(SHADES, shares, strict=True):
        named[name] += float(share)
    found = [Colour(name, round(share, 4)) for name, share in named.items() if share > SHARE_MIN]
    return tuple(sorted(found, key=lambda colour: colour.share, reverse=True))


def to_lab(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn sRGB from 0 to 255 into CIE L*a*b* under D65 (IEC 61966-2-1; CIE 15:2004)."""
    import numpy as np

    unit = rgb / 255
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]],
        dtype=np.float32,
    )
    xyz = linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089], dtype=np.float32)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    lab = np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )
    return lab.astype(np.float32)
