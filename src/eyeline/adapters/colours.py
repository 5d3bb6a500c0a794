"""Any pixels as 8-bit grey or RGB in sRGB, on an opaque ground."""

from __future__ import annotations

from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageCms

from eyeline.core.colour import Colour

WITH_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
Notes = tuple[str, ...]


class Coloured(NamedTuple):
    """An image, the colour profile its numbers still mean (None for sRGB), and notes."""

    image: Image.Image
    profile: bytes | None
    notes: Notes = ()


def plain(image: Image.Image, background: Colour) -> Coloured:
    """
    Give 8-bit grey, RGB or CMYK that can be resized; what is transparent stands on `background`.
    """
    profile: bytes | None = image.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):
        return Coloured(*eight_bit(image))
    if image.mode == "LAB":
        return Coloured(from_lab(image), None)
    if image.has_transparency_data or image.mode in WITH_ALPHA:
        image, notes = to_srgb(image.convert("RGBA"), profile)
        return Coloured(flat(image, background), None, notes)
    if image.mode in ("RGB", "L", "YCbCr", "CMYK"):
        return Coloured(image, profile)
    return Coloured(image.convert("L" if image.mode == "1" else "RGB"), profile)


def flat(image: Image.Image, background: Colour) -> Image.Image:
    image = image.convert("RGBA")
    ground = Image.new("RGBA", image.size, (*background, 255))
    ground.alpha_composite(image)
    return ground.convert("RGB")


def eight_bit(image: Image.Image) -> tuple[Image.Image, None, Notes]:
    """
    Scale 16-bit, 32-bit and float grey by its real range; Pillow's own conversion would clip it.
    """
    image = image.convert("F")
    low, high = image.getextrema()
    assert isinstance(low, float)
    assert isinstance(high, float)
    if not high > low:
        return Image.new("L", image.size, 255 if low > 0 else 0), None, ()
    scale = 255.0 / (high - low)
    scaled = image.point(lambda value: value * scale - low * scale).convert("L")
    return scaled, None, (f"{low:g} to {high:g} scaled to 0 to 255",)


def from_lab(image: Image.Image) -> Image.Image:
    lab = ImageCms.createProfile("LAB")
    made = ImageCms.profileToProfile(image, lab, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert made is not None
    return made


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, Notes]:
    """Convert from an embedded ICC profile; without one CMYK is converted as ink is defined."""
    if not profile:
        return (image.convert("RGB") if image.mode == "CMYK" else image), ()
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if is_srgb(source) and image.mode != "CMYK":
            return image, ()
        if image.mode == "YCbCr":
            image = image.convert("RGB")
        name = source.profile.profile_description or "its colour profile"
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        made = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return (image if image.mode != "CMYK" else image.convert("RGB")), (
            "damaged colour profile ignored",
        )
    assert made is not None
    return made, (f"{name} → sRGB",)


def is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """Say whether a profile is called sRGB and has its primaries; most photos come with one."""
    found, srgb = profile.profile, ImageCms.createProfile("sRGB")
    if not (found.profile_description or "").startswith("sRGB"):
        return False
    primaries = ((found.red_primary, srgb.red_primary), (found.green_primary, srgb.green_primary))
    return all(one and other and alike(one[1], other[1]) for one, other in primaries)


def alike(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Say whether two colours in CIE xyY are the same but for rounding."""
    return all(abs(a - b) < 0.01 for a, b in zip(one, other, strict=True))
