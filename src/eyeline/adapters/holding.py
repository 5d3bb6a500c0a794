"""
How much memory decoding takes, told from what the headers say before it begins.

A bomb is small: of each byte of a file some hundred may be held, and of the smallest files as much
as leaves a process below 300 MB. Measured with `python -m bombs` in tests/.
"""

from __future__ import annotations

from PIL import Image

from eyeline.core.formats import ico
from eyeline.errors import ImageTooLarge

# A WebP photo of 24 megapixels in 1 MB, the thinnest met, takes 384 MB. A PNG of zeros, the densest
# there is, may so have 45 megapixels, and takes two seconds.
HELD_BYTES_MAX, HELD_PER_BYTE = 150_000_000, 250
# Bytes a pixel in Pillow; all other modes take four.
MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}
# Of decoders that hold more than that. WebP: two canvases, the bytes it gives, the picture made of
# them. AVIF: planes, bytes, picture. JPEG 2000: 32 bits a sample, three times.
DECODER_BYTES = {"WEBP": 16, "AVIF": 9, "JPEG2000": 17}
# A later frame, what it is drawn over, and what it is to leave behind.
LATER_FRAME_BYTES = 12
# Of what is decoded in Python: the bytes as they grow, all of them at last, the picture.
SLOW_BYTES = 4
TILE_WIDTH, TILE_HEIGHT, STRIP_ROWS = 322, 323, 278


def refuse_hoard(held_bytes: int, data: bytes, source: str) -> None:
    """Raise ImageTooLarge where decoding `data` would hold more than it can explain."""
    if not is_safe(held_bytes, data):
        found = f"{held_bytes // 10**6:,} MB once decoded"
        limit = f"{limit_bytes(data) // 10**6:,} MB for a file of {len(data):,} bytes"
        raise ImageTooLarge(source, found, limit)


def is_safe(held_bytes: int, data: bytes) -> bool:
    return held_bytes <= limit_bytes(data)


def limit_bytes(data: bytes) -> int:
    return HELD_BYTES_MAX + HELD_PER_BYTE * len(data)


def held_bytes(image: Image.Image, frame: int, *, is_slow: bool) -> int:
    """Give what Pillow will hold for a frame of an image it has opened; `is_slow` in Python."""
    mode_bytes, pixels = MODE_BYTES.get(image.mode, 4), image.width * image.height
    if image.format == "TIFF":
        return (pixels + block_pixels(image)) * mode_bytes
    each = DECODER_BYTES.get(str(image.format), LATER_FRAME_BYTES if frame else mode_bytes)
    return pixels * max(each, SLOW_BYTES * is_slow)


def icon_bytes(data: bytes) -> int:
    """Give what opening an icon will hold: Pillow decodes it at once, whatever size it is said."""
    return 4 * ico.header(data).size.pixels


def block_pixels(image: Image.Image) -> int:
    """Give the size of a strip or tile of a TIFF, which is decoded whole."""
    tags = image.tag_v2  # type: ignore[attr-defined]  # of TiffImageFile alone
    if TILE_WIDTH in tags and TILE_HEIGHT in tags:
        return int(tags[TILE_WIDTH]) * int(tags[TILE_HEIGHT])
    return image.width * min(int(tags.get(STRIP_ROWS, image.height)), image.height)
