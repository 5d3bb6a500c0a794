"""Pillow's images opened, and what it would do to decode them; nothing is decoded here."""

from __future__ import annotations

import threading
import warnings
from io import BytesIO

from PIL import Image, UnidentifiedImageError

# `warnings.catch_warnings` is not safe between threads, so headers are read one at a time.
OPENING = threading.Lock()


def open_image(data: bytes, kinds: list[str]) -> Image.Image:
    """Open without decoding. Pillow's warnings are not for our user: what matters is an error."""
    with OPENING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Image.open(BytesIO(data), formats=kinds)
        except UnidentifiedImageError:
            raise ValueError(f"no {kinds[0]} that Pillow reads") from None


def decoder(image: Image.Image) -> str:
    """Name Pillow's decoder for an opened image; "" where the format has its own way."""
    tile = getattr(image, "tile", None)
    return tile[0].codec_name if tile else ""


def rawmode(image: Image.Image) -> str:
    """Name what Pillow's decoder makes pixels of; "" where the format has its own way."""
    tile = getattr(image, "tile", None)
    if not tile:
        return ""
    return str(tile[0].args if isinstance(tile[0].args, str) else tile[0].args[0])
