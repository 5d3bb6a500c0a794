"""Pillow: executes plans. Any number of threads may call."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageChops

from eyeline.adapters.bands import upright
from eyeline.adapters.colours import Notes, plain, to_srgb
from eyeline.adapters.decode import UNDECODABLE, Decoded, decode
from eyeline.adapters.resize import Box, resized
from eyeline.core.colour import WHITE
from eyeline.core.content import bytes_worth, has_edges
from eyeline.core.media import JPEG, PNG
from eyeline.core.parts import PreparedImage
from eyeline.core.plan import PreparePlan, conversion
from eyeline.core.size import Size
from eyeline.errors import BadReference, ImageTruncated

# At this quality and 4:2:0 the result is nowhere worse than a full decode at 85, which everybody
# sends today; measured in benchmarks/preparation.py.
JPEG_QUALITY = 91
LANCZOS, BILINEAR = Image.Resampling.LANCZOS, Image.Resampling.BILINEAR
# By plane of YCbCr: chroma is halved again by 4:2:0, so a cheap filter costs it nothing visible.
FILTERS = (LANCZOS, BILINEAR, BILINEAR)
Filters = tuple[Image.Resampling, ...]


def prepare(data: bytes, plan: PreparePlan, source: str) -> PreparedImage:
    """
    Execute a plan. Raises ImageTruncated where the pixels cannot be decoded, BadReference for a
    frame that is not there.
    """
    try:
        made = executed(data, plan, source)
    except UNDECODABLE as error:
        if plan.frame and isinstance(error, EOFError):
            raise BadReference(source, "no such frame, the file has fewer") from None
        raise ImageTruncated(source, str(error) or type(error).__name__) from None
    encoded, media_type, why = encode(made, plan)
    notes = (*made.notes, *conversion(plan.stored, media_type, why))
    return PreparedImage(encoded, media_type, plan.size, notes)


class Made(NamedTuple):
    """Pixels as they are to be sent, notes, and how neighbours differ, see `steps`."""

    image: Image.Image
    notes: Notes
    steps: Sequence[int]


def executed(data: bytes, plan: PreparePlan, source: str) -> Made:
    """Decode and execute; once more in full where scaling while decoding would blur text."""
    made, is_scaled = once(decode(data, plan, source), plan)
    if is_scaled and has_edges(made.steps):
        made, _ = once(decode(data, plan, source, in_full=True), plan)
    return made


def once(decoded: Decoded, plan: PreparePlan) -> tuple[Made, bool]:
    """Execute a plan, and say whether what it was done to came scaled."""
    image, notes = execute(decoded, plan)
    found = () if plan.lossless else steps(image)
    return Made(image, (*decoded.notes, *notes), found), decoded.is_scaled


def execute(decoded: Decoded, plan: PreparePlan) -> tuple[Image.Image, Notes]:
    """
    Put on the background, shrink, turn a JPEG upright, make it sRGB: what is slow on few pixels.
    """
    image, profile, notes = plain(decoded.image, plan.background or WHITE)
    orientation = plan.orientation if plan.stored == JPEG else 1
    filters = FILTERS if decoded.is_scaled else (LANCZOS,) * 3
    size = plan.size.turned if orientation >= 5 else plan.size
    image = shrink(image, size, decoded.box, filters)
    image = upright(image, orientation)
    image, converted = to_srgb(image, profile)
    image.info = {}  # Pillow would write what stands there: the old profile, a transparent colour
    return image, (*notes, *converted)


def shrink(image: Image.Image, size: Size, box: Box, filters: Filters) -> Image.Image:
    """Resize what is in `box` to `size`, where it is not that already; YCbCr plane by plane."""
    if image.size == size and box == (0, 0, *size):
        return image
    if image.mode != "YCbCr":
        made = resized(image, size, box)
        image.close()  # a third of the peak, while the caller still holds it
        return made
    planes = list(image.split())
    image.close()  # as above
    for at, kind in enumerate(filters):
        planes[at] = planes[at].resize(size, kind, box)
    return Image.merge("YCbCr", planes)


def encode(made: Made, plan: PreparePlan) -> tuple[bytes, str, str]:
    """Give the bytes, their media type, and why it is that one: the pixels decide, if they may."""
    if plan.lossless:
        return png(made.image), PNG, ""
    photo, worth = jpeg(made.image, is_sharp=has_edges(made.steps)), bytes_worth(made.steps)
    if worth:
        graphics = png(made.image)
        if len(graphics) <= worth * len(photo):
            return graphics, PNG, "graphics"
    return photo, JPEG, "photo"


def steps(image: Image.Image) -> list[int]:
    """Count how much each pixel differs from the one to its left: 256 counts, by difference."""
    # Luma, whoever decoded: the choice must not hang on what is installed.
    detail = image.getchannel(0) if image.mode == "YCbCr" else image.convert("L")
    width_px, height_px = image.size
    right = detail.crop((1, 0, width_px, height_px))
    left = detail.crop((0, 0, width_px - 1, height_px))
    return ImageChops.difference(left, right).histogram()


def jpeg(image: Image.Image, *, is_sharp: bool = False) -> bytes:
    """Encode as 4:2:0, or 4:4:4 where coloured edges would smear."""
    return saved(image, "JPEG", quality=JPEG_QUALITY, subsampling=0 if is_sharp else 2)


def png(image: Image.Image) -> bytes:
    image = image.convert("RGB") if image.mode == "YCbCr" else image
    return saved(image, "PNG", compress_level=6)


def saved(image: Image.Image, kind: str, **options: int) -> bytes:
    """Encode into a nameless file of the system's, where other threads run while Pillow writes."""
    if sys.platform != "linux":
        buffer = BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()
    with os.fdopen(os.memfd_create(kind), "w+b", buffering=0) as file:
        image.save(file, kind, **options)
        file.seek(0)
        return file.read()
