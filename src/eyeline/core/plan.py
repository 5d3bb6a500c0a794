"""
How one image is made fit to send: decided here, as a value, before a pixel is decoded.

The estimate reads a plan's size and tokens, the cache key reads it whole, the pixel worker executes
it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from eyeline.core.catalogue import Model
from eyeline.core.media import BMP, GIF, JPEG, PNG, TIFF, ImageInfo
from eyeline.core.size import Size
from eyeline.core.tokens import Detail, PatchRule, patches
from eyeline.errors import ImageTooLarge

LOSSLESS = {PNG, GIF, BMP, TIFF}
NAMES = {JPEG: "JPEG", PNG: "PNG", GIF: "GIF", BMP: "BMP", TIFF: "TIFF", "image/webp": "WebP"}


@dataclass(frozen=True, slots=True)
class PreparePlan:
    """
    What will be sent for one image.

    `size` is upright, in pixels. With `encode` False the bytes go as they are. `orientation` is the
    EXIF value to undo, `flatten` puts alpha on white. `notes` say each change in a few words.
    """

    media_type: str
    size: Size
    detail: Detail
    tokens: int
    encode: bool
    orientation: int = 1
    flatten: bool = False
    notes: tuple[str, ...] = ()


def plan(
    info: ImageInfo, model: Model, detail: Detail, allowed: Collection[str], source: str
) -> PreparePlan:
    """
    Say how `info` is made fit for `model` at `detail`, in one of the `allowed` media types.

    The size is where the model's own resizing would end: never below it, never enlarged.
    Raises ImageTooLarge if the model would refuse the image for its patches.
    """
    refuse_too_many_patches(info, model, detail, source)
    upright = info.upright_size
    size = model.rule.size(upright, detail) if model.rule else upright
    changed = changes(info, size)
    encode = bool(changed) or info.media_type not in allowed
    media_type = encoded_type(info.media_type) if encode else info.media_type
    return PreparePlan(
        media_type=media_type,
        size=size,
        detail=detail,
        tokens=model.rule.tokens(upright, detail) if model.rule else 0,
        encode=encode,
        orientation=info.orientation,
        flatten=info.has_alpha,
        notes=(*changed, *conversion(info.media_type, media_type), *guesses(model)),
    )


def changes(info: ImageInfo, size: Size) -> tuple[str, ...]:
    """Name what is done to the pixels, in a few words each; empty if nothing is."""
    found = {
        "first of several frames": info.frames > 1,
        "turned upright": info.orientation != 1,
        f"{info.upright_size} → {size}": size != info.upright_size,
        "transparency on white": info.has_alpha,
    }
    return tuple(note for note, applies in found.items() if applies)


def encoded_type(media_type: str) -> str:
    """Give the type an image is encoded in: what came without loss goes without loss."""
    return PNG if media_type in LOSSLESS else JPEG


def conversion(stored: str, sent: str) -> tuple[str, ...]:
    return () if stored == sent else (f"{NAMES[stored]} → {NAMES[sent]}",)


def guesses(model: Model) -> tuple[str, ...]:
    if model.known:
        return ()
    return (f"{model.name} is not in the catalogue: a safe size, tokens are a guess",)


def refuse_too_many_patches(info: ImageInfo, model: Model, detail: Detail, source: str) -> None:
    rule = model.rule
    if isinstance(rule, PatchRule) and rule.is_refused(info.upright_size, detail):
        count = patches(rule.size(info.upright_size, detail))
        found = f"{info.upright_size} px make {count:,} patches at --detail {detail}"
        raise ImageTooLarge(source, found, f"{rule.refuse_over_patches:,} patches")
