"""Encoded bytes as Pillow images: the library that fits the type, and the frame that is meant."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from PIL import Image, ImageChops, features
from PIL.JpegImagePlugin import JpegImageFile

from eyeline.adapters.colours import Fit, Notes, fitted
from eyeline.adapters.deep import Deep, fitted_deep, from_halves, is_halved
from eyeline.adapters.deep_tiff import deep_tiff
from eyeline.adapters.holding import held_bytes, icon_bytes, is_safe, refuse_hoard
from eyeline.adapters.netpbm import netpbm
from eyeline.adapters.opening import decoder, open_image
from eyeline.adapters.resize import Box, simd
from eyeline.core.colour import WHITE
from eyeline.core.formats import jpeg, jpeg2000
from eyeline.core.formats.tiff_samples import deep_samples
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
from eyeline.errors import ImageTruncated, UnsupportedFormat

# What Pillow raises for damage of all kinds, a broken PNG chunk even as SyntaxError.
UNDECODABLE = (
    Image.DecompressionBombError,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    LookupError,
    OverflowError,
    TypeError,
    RuntimeError,
    MemoryError,
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
# What can take seconds whatever its size: whole types, and decoders that are written in Python.
SLOW_TYPES, SLOW_DECODERS = {AVIF, JP2}, {"bmp_rle", "ppm_plain"}
# What comes upright out of its decoder; all else is turned here.
TURNED_BY_DECODER = {HEIC, TIFF}


class Decoded(NamedTuple):
    """
    A frame or page, the part of it that the picture fills (left, top, right, bottom in pixels),
    notes, and whether it was scaled while it was decoded.
    """

    image: Image.Image
    box: Box
    notes: Notes = ()
    is_scaled: bool = False


def decode(data: bytes, plan: PreparePlan, source: str, *, in_full: bool = False) -> Decoded:
    """
    Decode the frame or page that is meant.

    A JPEG comes smaller where that is still as large as planned, unless it is wanted `in_full` and
    that is safe, and as it is stored. All else comes upright: what is drawn (SVG, PDF) in the
    planned size, the rest in the planned width.
    Raises one of UNDECODABLE, or an ImageError.
    """
    if plan.stored == JPEG:
        if fault := jpeg.shortage(data):
            raise ImageTruncated(source, fault)
        refuse_hoard(jpeg.coefficient_bytes(data), data, source)
        return decode_jpeg(data, plan, in_full=in_full)
    image, notes = picture(data, plan, source)
    return Decoded(image, whole(image), notes)


def picture(data: bytes, plan: PreparePlan, source: str) -> tuple[Image.Image, Notes]:
    """Decode what is no JPEG: plain, upright, as wide as planned, not yet as high; and notes."""
    orientation = 1 if plan.stored in TURNED_BY_DECODER else plan.orientation
    fit = Fit(plan.size.width_px, plan.background or WHITE, orientation)
    match plan.stored:
        case str(kind) if kind == SVG:
            from eyeline.adapters.svg import draw

            drawn, notes = draw(data, plan.size, source)
            image, more = fitted(drawn, fit)
            return image, notes + more
        case str(kind) if kind == PDF:
            from eyeline.adapters.pdf import render

            return fitted(render(data, plan.frame, plan.size, source), fit)
        case str(kind) if kind == HEIC:
            from eyeline.adapters.heif import open_heif

            return open_heif(data, source, fit)
    return by_pillow(data, plan, fit, source)


def by_pillow(data: bytes, plan: PreparePlan, fit: Fit, source: str) -> tuple[Image.Image, Notes]:
    if plan.stored == ICO:
        refuse_hoard(icon_bytes(data), data, source)
    if plan.stored == JP2 and (fault := jpeg2000.fault(data)):
        raise ImageTruncated(source, fault)
    if plan.stored == TIFF and (found := deep_samples(data, plan.frame)):
        # What was predicted is put together in Python, a tenth of a second for 4 MB.
        times = 1 if found.predictor == 1 else 2
        refuse_hoard(times * found.total_bytes + len(data), data, source)
        deep = deep_tiff(data, plan.frame, found, source)
        return fitted_deep(deep, fit._replace(orientation=plan.orientation))
    image = opened(data, plan, source)
    is_slow = decoder(image) in SLOW_DECODERS
    held = held_bytes(image, plan.frame, is_slow=is_slow)
    refuse_hoard(held, data, source)
    if decoder(image) == "ppm":
        made = netpbm(data)
        return fitted_deep(made, fit) if isinstance(made, Deep) else fitted(made, fit)
    if plan.stored in SLOW_TYPES or is_slow:
        from eyeline.adapters.slow import open_slow

        return open_slow(data, str(image.format), plan.frame, fit, source)
    image = sought(image, plan.frame)
    if is_halved(image):
        refuse_hoard(2 * held, data, source)
        deep = from_halves(image, lambda: sought(opened(data, plan, source), plan.frame))
        return fitted_deep(deep, fit)
    image.load()
    return fitted(image, fit)


def opened(data: bytes, plan: PreparePlan, source: str) -> Image.Image:
    """Open without decoding. A TIFF that Pillow does not know is whole: its header was read."""
    try:
        image = open_image(data, FORMATS[plan.stored])
    except ValueError:
        if plan.stored != TIFF:
            raise
        raise UnsupportedFormat(source, "TIFF of samples that Pillow does not know") from None
    if plan.stored == TIFF and image.info.get("compression") == "webp":  # its libtiff cannot
        raise UnsupportedFormat(source, "TIFF packed as WebP")
    return image


def sought(image: Image.Image, frame: int) -> Image.Image:
    if frame:
        image.seek(frame)
    return image


def whole(image: Image.Image) -> Box:
    return (0, 0, *image.size)


# --- JPEG ---------------------------------------------------------------------------------------


def decode_jpeg(data: bytes, plan: PreparePlan, *, in_full: bool) -> Decoded:
    """Decode at a fraction of the size, where it can be."""
    image = open_image(data, FORMATS[JPEG])
    assert isinstance(image, JpegImageFile)
    full = Size(*image.size)
    stored_size = plan.size.turned if plan.orientation >= 5 else plan.size
    is_wanted_full = in_full and is_safe(4 * full.pixels, data)
    box = drafted(image, full if is_wanted_full else stored_size)
    image.load()
    is_scaled = image.size != full
    if image.mode == "CMYK" and "adobe" not in image.info:
        # Pillow takes every CMYK JPEG for one of Adobe's, which are inverted.
        return Decoded(ImageChops.invert(image), box, is_scaled=is_scaled)
    return Decoded(image, box, is_scaled=is_scaled)


def drafted(image: JpegImageFile, size: Size) -> Box:
    """
    Have an image decoded smaller, never below `size`; give the box that the picture then fills,
    since a decoder rounds its sides up.
    """
    full = image.size
    # Resizing by Pillow takes as long as decoding: that on planes, each in its way, and on few
    # pixels. By SIMD it takes next to nothing, and halves are decoded by SIMD too.
    is_slow = simd() is None
    drafted = image.draft("YCbCr" if is_slow and is_ycc(image) else "RGB", size)
    if drafted is None:
        return whole(image)
    is_half = image.decoderconfig == (2, 0)
    if is_slow and is_half and fits_three_eighths(Size(*full), size):
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
