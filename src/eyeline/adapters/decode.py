"""Encoded bytes as Pillow images: the library that fits the type, and the frame that is meant."""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageChops, features
from PIL.JpegImagePlugin import JpegImageFile

from eyeline.core.media import (
    AVIF,
    BMP,
    GIF,
    HEIC,
    ICO,
    JP2,
    JPEG,
    PDF,
    PNG,
    PNM,
    SVG,
    TIFF,
    WEBP,
)
from eyeline.core.plan import PreparePlan
from eyeline.core.size import Size

Box = tuple[float, float, float, float]

# What Pillow raises for damage of all kinds, a broken PNG chunk even as SyntaxError.
UNDECODABLE = (
    Image.DecompressionBombError,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    IndexError,
)
# The readers of Pillow's that each type may reach, whatever else the bytes resemble.
FORMATS = {
    JPEG: ["JPEG"],
    PNG: ["PNG"],
    GIF: ["GIF"],
    WEBP: ["WEBP"],
    BMP: ["BMP"],
    TIFF: ["TIFF"],
    AVIF: ["AVIF"],
    JP2: ["JPEG2000"],
    ICO: ["ICO", "CUR"],
    PNM: ["PPM"],
}
# What comes upright out of its decoder; all else is turned here.
TURNED_BY_DECODER = {HEIC, TIFF}
# `warnings.catch_warnings` is not safe between threads, so headers are read one at a time.
OPENING = threading.Lock()


class Decoded(NamedTuple):
    """
    A frame or page, the part of it that the picture fills (left, top, right, bottom in pixels), and
    notes.
    """

    image: Image.Image
    box: Box
    notes: tuple[str, ...] = ()


def decode(data: bytes, plan: PreparePlan, source: str) -> Decoded:
    """
    Decode the frame or page that is meant.

    A JPEG comes smaller where that is still as large as planned; what is drawn (SVG, PDF) has the
    planned size. Raises one of UNDECODABLE, or an ImageError.
    """
    match plan.stored:
        case str(kind) if kind == SVG:
            from eyeline.adapters.svg import draw

            image, notes = draw(data, plan.size, source)
            return Decoded(image, whole(image), notes)
        case str(kind) if kind == PDF:
            from eyeline.adapters.pdf import render

            image = render(data, plan.frame, plan.size, source)
        case str(kind) if kind == HEIC:
            from eyeline.adapters.heif import open_heif

            image = open_heif(data, source)
        case str(kind) if kind == JPEG:
            return decode_jpeg(open_image(data, FORMATS[JPEG]), plan)
        case _:
            image = open_image(data, FORMATS[plan.stored])
            if plan.frame:
                image.seek(plan.frame)
            image.load()
    return Decoded(image, whole(image))


def whole(image: Image.Image) -> Box:
    return (0, 0, *image.size)


def open_image(data: bytes, kinds: list[str]) -> Image.Image:
    """Open without decoding. Pillow's warnings are not for our user: what matters is an error."""
    with OPENING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(BytesIO(data), formats=kinds)


# --- JPEG ---------------------------------------------------------------------------------------


def decode_jpeg(image: Image.Image, plan: PreparePlan) -> Decoded:
    """Decode at a fraction of the size, as YCbCr where it is stored so: two conversions less."""
    assert isinstance(image, JpegImageFile)
    box = drafted(image, plan.size.turned if plan.orientation >= 5 else plan.size)
    image.load()
    if image.mode == "CMYK" and "adobe" not in image.info:
        # Pillow takes every CMYK JPEG for one of Adobe's, which are inverted.
        return Decoded(ImageChops.invert(image), box)
    return Decoded(image, box)


def drafted(image: JpegImageFile, size: Size) -> Box:
    """
    Have an image decoded smaller, never below `size`; give the box that the picture then fills,
    since a decoder rounds its sides up.
    """
    full = image.size
    drafted = image.draft("YCbCr" if is_ycc(image) else "RGB", size)
    if drafted is None:
        return whole(image)
    if image.decoderconfig == (2, 0) and fits_three_eighths(Size(*full), size):
        # libjpeg scales by any eighth, and Pillow only by halves. Source: libjpeg.txt of
        # libjpeg-turbo 3.2, "scale_num"; three eighths is what a 12-megapixel photo wants.
        width_px, height_px = full
        image._size = (-(-3 * width_px // 8), -(-3 * height_px // 8))
        image.tile = [image.tile[0]._replace(extents=(0, 0, *image.size))]
        image.decoderconfig = (3, 0)
        return (0, 0, width_px * 3 / 8, height_px * 3 / 8)
    return drafted[1]


def is_ycc(image: JpegImageFile) -> bool:
    """Say whether the components are luma and chroma; one of RGB cannot be decoded as such."""
    ids = [component[0] for component in image.layer]
    return ids == [1, 2, 3] and image.info.get("adobe_transform", 1) == 1


def fits_three_eighths(full: Size, size: Size) -> bool:
    is_turbo = features.check_feature("libjpeg_turbo")
    return bool(is_turbo) and all(3 * a >= 8 * b for a, b in zip(full, size, strict=True))
