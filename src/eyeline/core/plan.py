"""
How one image is made fit to send: decided here, as a value, before a pixel is decoded.

The estimate reads a plan's size and tokens, the cache key reads it whole, the pixel worker executes
it, `show` draws it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from eyeline.core.catalogue import Model
from eyeline.core.colour import WHITE, Colour
from eyeline.core.media import BMP, GIF, ICO, JPEG, NAMES, PDF, PNG, PNM, SVG, TIFF, ImageInfo
from eyeline.core.size import Size, fit_within
from eyeline.core.tokens import Detail, PatchRule, VisionRule, patches
from eyeline.errors import ImageTooLarge, ImageTooThin, SettingsError

# The API scales longer sides down to this first. Source: images-vision guide, September 2026.
SIDE_MAX_PX = 65_535


@dataclass(frozen=True, slots=True)
class Look:
    """
    How an image is to be looked at: how closely, at most for how many tokens, on what ground.

    `detail` is what is sent, never "auto".
    """

    detail: Detail = "high"
    max_tokens: int | None = None
    background: Colour = WHITE
    keep_metadata: bool = False


@dataclass(frozen=True, slots=True)
class PreparePlan:
    """
    What will be sent for one image.

    `size` is upright, in pixels. With `encode` False the bytes go as they are. Else `media_type`
    is what to expect: unless `lossless` is asked for, the pixels have the last word. `stored` is
    the type of the bytes, `frame` the frame or page that is meant, from 0, `orientation` the EXIF
    value to undo, `background` what goes behind alpha, None where there is none. `notes` say each
    change in a few words.
    """

    media_type: str
    size: Size
    detail: Detail
    tokens: int
    encode: bool
    stored: str = ""
    frame: int = 0
    orientation: int = 1
    background: Colour | None = None
    lossless: bool = False
    notes: tuple[str, ...] = ()

    @property
    def conversion(self) -> tuple[str, ...]:
        """The note on the type to expect; none where only the pixels can tell."""
        is_open = self.encode and not self.lossless and self.stored in UNDECIDED
        return () if is_open else conversion(self.stored, self.media_type)


# What comes without loss and is made smaller may go either way.
UNDECIDED = {PNG, GIF, BMP, TIFF, ICO, PNM, SVG, PDF}


def plan(
    info: ImageInfo, model: Model, look: Look, allowed: Collection[str], source: str
) -> PreparePlan:
    """
    Say how `info` is made fit for `model`, in one of the `allowed` media types.

    The size is where the model's own resizing would end: never below it, never enlarged, but for
    `look.max_tokens`. Raises ImageTooLarge if the model would refuse the image for its patches,
    ImageTooThin if nothing would be left of it, SettingsError if no size takes so few tokens.
    """
    upright = info.upright_size
    refuse_too_thin(upright, source)
    refuse_too_many_patches(upright, model, look.detail, source)
    size = model.rule.size(upright, look.detail) if model.rule else upright
    if model.rule and look.max_tokens is not None:
        size = fit_tokens(size, model.rule, look, model.name)
    changed = changes(info, size, look.background)
    encode = bool(changed) or info.media_type not in allowed
    lossless = info.is_lossless and size == upright
    return PreparePlan(
        media_type=expected_type(info, lossless=lossless) if encode else info.media_type,
        size=size,
        detail=look.detail,
        tokens=model.rule.tokens(size, look.detail) if model.rule else 0,
        encode=encode,
        stored=info.media_type,
        frame=info.frame,
        orientation=info.orientation,
        background=look.background if info.has_alpha else None,
        lossless=encode and lossless,
        notes=(*changed, *guesses(model)),
    )


def changes(info: ImageInfo, size: Size, background: Colour) -> tuple[str, ...]:
    """Name what is done to the pixels, in a few words each; empty if nothing is."""
    found: list[str] = []
    if info.frames > 1 and info.media_type not in (PDF, TIFF):
        found.append(one_frame(info))
    if info.pixel_kind:
        found.append(f"{info.pixel_kind} → 8-bit sRGB")
    if info.orientation != 1:
        found.append("turned upright")
    if size != info.upright_size:
        found.append(f"{info.upright_size} → {size}")
    if info.has_alpha:
        found.append(f"transparency on {background}")
    return tuple(found)


def one_frame(info: ImageInfo) -> str:
    return f"frame {info.frame} of several" if info.frame else "first of several frames"


def expected_type(info: ImageInfo, *, lossless: bool) -> str:
    """Give the type to expect: what came without loss and keeps its size goes without loss."""
    return PNG if lossless or info.media_type == PNG else JPEG


def conversion(stored: str, sent: str, why: str = "") -> tuple[str, ...]:
    """Note that the type changed, or where it did not, why it was encoded as it is."""
    reason = f" ({why})" if why else ""
    if stored == sent:
        return (f"{NAMES[sent]}{reason}",) if why else ()
    return (f"{NAMES[stored]} → {NAMES[sent]}{reason}",)


def guesses(model: Model) -> tuple[str, ...]:
    if model.known:
        return ()
    return (f"{model.name} is not in the catalogue: a safe size, tokens are a guess",)


# --- limits -------------------------------------------------------------------------------------


def fit_tokens(size: Size, rule: VisionRule, look: Look, model: str) -> Size:
    """
    Shrink `size`, which the model leaves as it is, to the largest that takes at most
    `look.max_tokens`.

    Raises SettingsError if even the smallest takes more.
    """
    assert look.max_tokens is not None

    def tokens(side_px: int) -> int:
        return rule.tokens(fit_within(size, side_px), look.detail)

    if tokens(1) > look.max_tokens:
        expected = f"at least {tokens(1):,} for {model} at --detail {look.detail}"
        raise SettingsError("--max-tokens-per-image", str(look.max_tokens), expected)
    # Tokens never fall as the side grows: the side is found by halving.
    fits_px, too_long_px = 1, max(size) + 1
    while too_long_px - fits_px > 1:
        middle_px = (fits_px + too_long_px) // 2
        if tokens(middle_px) <= look.max_tokens:
            fits_px = middle_px
        else:
            too_long_px = middle_px
    return fit_within(size, fits_px)


def refuse_too_thin(size: Size, source: str) -> None:
    longest_px, shortest_px = max(size), min(size)
    if longest_px > SIDE_MAX_PX and shortest_px * SIDE_MAX_PX < longest_px:
        raise ImageTooThin(source, f"{size} px", f"{SIDE_MAX_PX:,} px")


def refuse_too_many_patches(size: Size, model: Model, detail: Detail, source: str) -> None:
    rule = model.rule
    if isinstance(rule, PatchRule) and rule.is_refused(size, detail):
        count = patches(rule.size(size, detail))
        found = f"{size} px make {count:,} patches at --detail {detail}"
        raise ImageTooLarge(source, found, f"{rule.refuse_over_patches:,} patches")
