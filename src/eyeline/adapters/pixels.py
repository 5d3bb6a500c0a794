"""Pillow: executes plans, and turns pixels in memory into bytes. Any number of threads may call."""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageOps

from eyeline.core.media import JPEG
from eyeline.core.parts import PreparedImage
from eyeline.core.plan import PreparePlan
from eyeline.errors import BadReference, ImageTruncated

# Chosen by eye and size on photos and screenshots; 4:4:4 keeps coloured text readable.
JPEG_QUALITY = 90
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
# `warnings.catch_warnings` is not safe between threads, so headers are read one at a time.
OPENING = threading.Lock()


def prepare(data: bytes, plan: PreparePlan, source: str) -> PreparedImage:
    """Execute a plan. Raises ImageTruncated where the pixels cannot be decoded."""
    try:
        image = execute(open_image(data), plan)
    except UNDECODABLE as error:
        raise ImageTruncated(source, str(error) or type(error).__name__) from None
    return PreparedImage(save(image, plan.media_type), plan.media_type, plan.size)


def open_image(data: bytes) -> Image.Image:
    """Open without decoding. Pillow's warnings are not for our user: what matters is an error."""
    with OPENING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(BytesIO(data))


def execute(image: Image.Image, plan: PreparePlan) -> Image.Image:
    """Turn upright, flatten on white, and shrink; in this order, each only if planned."""
    stored_size = plan.size.turned if plan.orientation >= 5 else plan.size
    if image.format == "JPEG":
        # Decodes at half, quarter or eighth size where that is still above the target.
        image.draft("RGB", stored_size)
    profile = image.info.get("icc_profile")
    image.load()
    image = ImageOps.exif_transpose(image)
    image = flat(image, transparent=plan.flatten)
    if image.size != plan.size:
        image = image.resize(plan.size, Image.Resampling.LANCZOS)
    if profile and image.mode in ("RGB", "L"):
        image.info["icc_profile"] = profile
    return image


def flat(image: Image.Image, *, transparent: bool) -> Image.Image:
    """Give RGB or grey; transparent pixels become white."""
    if transparent or "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    if image.mode.startswith(("I", "F")):
        return eight_bit(image)
    return image if image.mode in ("RGB", "L") else image.convert("RGB")


def eight_bit(image: Image.Image) -> Image.Image:
    """
    Scale 16-bit and float grey by its real range; Pillow's own conversion would clip it to white.
    """
    image = image.convert("F")
    low, high = image.getextrema()
    assert isinstance(low, float)
    assert isinstance(high, float)
    if high == low:
        return Image.new("L", image.size, 255 if low > 0 else 0)
    scale = 255.0 / (high - low)
    return image.point(lambda value: value * scale - low * scale).convert("L")


def save(image: Image.Image, media_type: str) -> bytes:
    buffer = BytesIO()
    profile = image.info.get("icc_profile")
    if media_type == JPEG:
        image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, icc_profile=profile)
    else:
        image.save(buffer, "PNG", compress_level=6, icc_profile=profile)
    return buffer.getvalue()


def encode(pixels: Any, source: str) -> bytes:
    """
    Give a PIL image or array as uncompressed TIFF bytes: lossless, quick, and with its orientation.

    An array is H×W, H×W×3 or H×W×4, of uint8, or of floats in 0..1. Raises BadReference otherwise.
    """
    image = pixels if isinstance(pixels, Image.Image) else from_array(pixels, source)
    buffer = BytesIO()
    try:
        storable(image).save(buffer, "TIFF", exif=image.getexif())
    except UNDECODABLE as error:  # Pillow reads a file's pixels only here
        raise ImageTruncated(source, str(error) or type(error).__name__) from None
    return buffer.getvalue()


def storable(image: Image.Image) -> Image.Image:
    """Give an image in a mode that TIFF keeps whole; a transparent colour becomes alpha."""
    if image.mode == "La":  # Pillow converts it to LA alone
        return image.convert("LA")
    if image.has_transparency_data and image.mode not in ("LA", "RGBA"):
        return image.convert("RGBA")
    if image.mode in ("I;16B", "I;16L"):  # to RGB Pillow would clip them to white
        return image.convert("I")
    if image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "F"):
        return image
    return image.convert("RGB")


def from_array(array: Any, source: str) -> Image.Image:
    import numpy as np

    array = np.asarray(array)
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if not is_image or 0 in array.shape:
        found = f"an array of shape {array.shape}, expected H×W, H×W×3 or H×W×4"
        raise BadReference(source, found)
    if np.issubdtype(array.dtype, np.floating):
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            found = f"floats from {array.min():g} to {array.max():g}, expected 0 to 1"
            raise BadReference(source, found)
        array = (array * 255).round().astype(np.uint8)
    elif array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    elif array.dtype != np.uint8:
        raise BadReference(source, f"an array of {array.dtype}, expected uint8 or floats in 0..1")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(array))
