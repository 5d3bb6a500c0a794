"""The digest of what an encoded image shows, the same for every lossless way to write it down."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO

from PIL import Image, ImageCms

from eyeline.adapters.colours import is_srgb, plain
from eyeline.adapters.decode import FORMATS, UNDECODABLE
from eyeline.adapters.opening import open_image
from eyeline.core.colour import WHITE
from eyeline.core.formats import png
from eyeline.core.media import PNG

# What a PNG says of its colours beside an ICC profile; sRGB is what everything else is taken for.
SRGB_GAMMA = 0.45455


def digest_pixels(data: bytes, media_type: str) -> str:
    """
    Name the pixels of an image as it is sent: upright, opaque, of the model's size.

    Grey, palette and 1-bit count as the RGB they mean. Colours that do not mean sRGB keep their
    profile, or what the PNG says instead, as part of the name. Gives "" where nothing can be
    decoded.
    """
    try:
        image = open_image(data, FORMATS[media_type])
        image.load()
        coloured = plain(image, WHITE)
        meaning = colours(image, coloured.profile, data if media_type == PNG else b"")
        shown = coloured.image if meaning else coloured.image.convert("RGB")
    except UNDECODABLE:
        return ""
    width_px, height_px = shown.size
    named = sha256(f"{shown.mode} {width_px} {height_px} ".encode() + meaning)
    named.update(shown.tobytes())
    return named.hexdigest()


def colours(image: Image.Image, profile: bytes | None, png_data: bytes) -> bytes:
    """Say what the numbers mean, b"" for sRGB."""
    if profile:
        return b"" if is_like_srgb(profile) else sha256(profile).digest()
    if any(kind == b"cICP" for kind, _, _ in png.chunks(png_data)):
        return sha256(png_data).digest()
    is_srgb_gamma = abs(image.info.get("gamma", SRGB_GAMMA) - SRGB_GAMMA) < 1e-3
    if "srgb" in image.info or is_srgb_gamma:
        return b""
    return repr(image.info["gamma"]).encode()


def is_like_srgb(profile: bytes) -> bool:
    try:
        return is_srgb(ImageCms.ImageCmsProfile(BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return False
