"""Any pixels as 8-bit grey or RGB in sRGB, on an opaque ground."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageCms

from eyeline.adapters.bands import bands, narrowed, upright, upright_size
from eyeline.core.colour import Colour

WITH_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
Notes = tuple[str, ...]
# Gives for pixels, all or some rows of a picture, what they become.
Change = Callable[[Image.Image], Image.Image]


class Coloured(NamedTuple):
    """An image, the colour profile its numbers still mean (None for sRGB), and notes."""

    image: Image.Image
    profile: bytes | None
    notes: Notes = ()


class Recipe(NamedTuple):
    """How rows of one picture are made plain, the profile they then still have, and notes."""

    change: Change
    profile: bytes | None
    notes: Notes = ()


class Fit(NamedTuple):
    """How wide a picture is wanted upright, in pixels, on what ground, and how it is to turn."""

    width_px: int
    background: Colour
    orientation: int = 1


def fitted(image: Image.Image, fit: Fit) -> tuple[Image.Image, Notes]:
    """
    Give what `plain` gives, upright, then shrunk along its rows; and notes. The turn comes first,
    so that how a picture is stored changes no pixel; and no second whole picture is held.

    The profile that its numbers still mean stands in `info`.
    """
    width_px, height_px = upright_size(image.size, fit.orientation)
    if is_plain(image) and width_px == fit.width_px:
        return upright(image, fit.orientation), ()
    return fitted_rows(bands(image, fit.orientation), image, height_px, fit)


def fitted_rows(
    rows: Iterable[Image.Image], like: Image.Image, height_px: int, fit: Fit
) -> tuple[Image.Image, Notes]:
    """Do the same with bands of rows, `height_px` together, that are of one kind with `like`."""
    change, profile, notes = recipe(like, fit.background)
    made = narrowed(map(change, rows), fit.width_px, height_px)
    if profile:
        made.info["icc_profile"] = profile
    return made, notes


def plain(image: Image.Image, background: Colour) -> Coloured:
    """
    Give 8-bit grey, RGB or CMYK that can be resized; what is transparent stands on `background`.
    """
    change, profile, notes = recipe(image, background)
    return Coloured(change(image), profile, notes)


def recipe(image: Image.Image, background: Colour) -> Recipe:
    """Say how `image`, whose pixels are there, is made plain, whole or some rows at a time."""
    profile: bytes | None = image.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):
        return eight_bit(image)
    if image.mode == "LAB":
        return Recipe(from_lab(), None)
    if image.has_transparency_data or image.mode in WITH_ALPHA:
        converted, notes = to_srgb_by(profile, "RGBA")

        def on_ground(rows: Image.Image) -> Image.Image:
            return flat(converted(rows.convert("RGBA")), background)

        return Recipe(by_palette(image, on_ground) if image.mode == "P" else on_ground, None, notes)
    if is_plain(image):
        return Recipe(unchanged, profile)
    mode = "L" if image.mode == "1" else "RGB"
    return Recipe(lambda rows: rows.convert(mode), profile)


def is_plain(image: Image.Image) -> bool:
    return image.mode in ("RGB", "L", "YCbCr", "CMYK") and not image.has_transparency_data


def unchanged(rows: Image.Image) -> Image.Image:
    return rows


def by_palette(image: Image.Image, change: Change) -> Change:
    """Do with the colours of a palette what `change` would do with every pixel."""
    all_colours = image.resize((256, 1), Image.Resampling.NEAREST)
    all_colours.frombytes(bytes(range(256)))
    palette = change(all_colours).tobytes()

    def changed(rows: Image.Image) -> Image.Image:
        rows = rows.copy()
        rows.putpalette(palette)
        rows.info.pop("transparency", None)
        return rows.convert("RGB")

    return changed


def flat(rows: Image.Image, background: Colour) -> Image.Image:
    ground = Image.new("RGB", rows.size, background)
    ground.paste(rows, mask=rows)
    return ground


def eight_bit(image: Image.Image) -> Recipe:
    """
    Scale 16-bit, 32-bit and float grey by its real range; Pillow's own conversion would clip it.
    """
    low, high = extrema(image)
    note = (f"{low:g} to {high:g} scaled to 0 to 255",) if high > low else ()
    return Recipe(lambda rows: scaled(rows.convert("F"), low, high), None, note)


def scaled(rows: Image.Image, low: float, high: float) -> Image.Image:
    """Give grey of floats as 8-bit grey, `low` black and `high` white."""
    if not high > low:
        return Image.new("L", rows.size, 255 if low > 0 else 0)
    scale = 255.0 / (high - low)
    return rows.point(lambda value: value * scale + (0.5 - low * scale)).convert("L")


def extrema(image: Image.Image) -> tuple[float, float]:
    """Give the least and the largest number of an image of one channel."""
    found = [rows.convert("F").getextrema() for rows in bands(image)]
    lows, highs = zip(*found, strict=True)
    return min(lows), max(highs)


def from_lab() -> Change:
    profiles = (ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"))
    return applied(ImageCms.buildTransform(*profiles, "LAB", "RGB"))


def applied(transform: ImageCms.ImageCmsTransform) -> Change:
    def change(rows: Image.Image) -> Image.Image:
        made = ImageCms.applyTransform(rows, transform)
        assert made is not None
        return made

    return change


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, Notes]:
    """Convert from an embedded ICC profile; without one CMYK is converted as ink is defined."""
    change, notes = to_srgb_by(profile, image.mode)
    return change(image), notes


def to_srgb_by(profile: bytes | None, mode: str) -> tuple[Change, Notes]:
    """Say how pixels of `mode` are converted, and notes."""
    as_they_are = (lambda rows: rows.convert("RGB")) if mode == "CMYK" else unchanged
    if not profile:
        return as_they_are, ()
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if is_srgb(source) and mode != "CMYK":
            return as_they_are, ()
        name = source.profile.profile_description or "its colour profile"
        stored, made = "RGB" if mode == "YCbCr" else mode, "RGBA" if mode == "RGBA" else "RGB"
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), stored, made)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return as_they_are, ("damaged colour profile ignored",)
    convert, notes = applied(transform), (f"{name} → sRGB",)
    if mode == "YCbCr":
        return (lambda rows: convert(rows.convert("RGB"))), notes
    return convert, notes


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
