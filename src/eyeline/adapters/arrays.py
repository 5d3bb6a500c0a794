"""Pixels in memory, a PIL image or a numpy array, as bytes that travel like a file's."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image

from eyeline.adapters.decode import UNDECODABLE
from eyeline.errors import BadReference, ImageTruncated


def encode(pixels: Any, source: str) -> bytes:
    """
    Give a PIL image or array as uncompressed TIFF bytes: lossless, quick, and with its orientation.

    An array is H×W, H×W×3 or H×W×4, of uint8, or of floats in 0..1; H×W of uint16 too. Raises
    BadReference otherwise.
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
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype != np.uint8 and not (array.dtype == np.uint16 and array.ndim == 2):
        raise BadReference(source, f"an array of {array.dtype}, expected uint8 or floats in 0..1")
    return Image.fromarray(np.ascontiguousarray(array))
