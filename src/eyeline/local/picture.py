"""A decoded picture, upright and flat, in the two sizes the parts look at."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eyeline.errors import MissingExtra, NotAnImage
from eyeline.local.facts import Header

if TYPE_CHECKING:
    from types import ModuleType

    from PIL.Image import Exif, Image

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
"""Pillow's other readers are left out: some run programs, none is sent by the API's clients."""

READ_SIDE_PX = 2560
"""Text and codes are looked for at this size at most: smaller print is lost at half of it, and
detection at full size would take a 12-megapixel photo past three seconds."""

SMALL_SIDE_PX = 384
"""Colours and light do not change below this size."""

ORIENTATION, MAKE, MODEL, EXIF_IFD, TAKEN, CHANGED = 0x0112, 0x010F, 0x0110, 0x8769, 0x9003, 0x0132
"""Tags of EXIF 2.32, sections 4.6.4 and 4.6.5."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The upright picture as RGB: `large` to read, `small` to measure."""

    header: Header
    large: Image
    small: Image


def decode(data: bytes) -> Picture:
    """
    Decode the first frame.

    Raises NotAnImage if Pillow cannot, or if what it finds is damaged or cut short; MissingExtra
    without Pillow or numpy.
    """
    image_module = require_pillow()
    try:
        with image_module.open(io.BytesIO(data), formats=FORMATS) as image:
            size = image.size
            # JPEG alone can be decoded at a half or a quarter, which saves most of the time.
            image.draft("RGB", (READ_SIDE_PX, READ_SIDE_PX))
            image.load()
            large = upright(shrink(as_rgb(image), READ_SIDE_PX), turn_of(image))
            header = header_of(image, size)
    except (OSError, ValueError, SyntaxError, EOFError, image_module.DecompressionBombError) as e:
        # Pillow tells damage in all of these, a broken PNG chunk even as SyntaxError.
        raise NotAnImage("image", str(e)) from e
    return Picture(header, large, shrink(large, SMALL_SIDE_PX))


def require_pillow() -> ModuleType:
    """Import Pillow's `Image`, and numpy to see that it is there."""
    try:
        import numpy  # noqa: F401  # heavy: only once a picture is looked at
        from PIL import Image
    except ImportError as e:
        raise MissingExtra("the built-in reader", "local", e.name or "pillow") from e
    return Image


def header_of(image: Image, size: tuple[int, int]) -> Header:
    """Read what the file says of itself; `size` is as stored, in pixels."""
    exif = image.getexif()
    width_px, height_px = size[::-1] if turn_of(image) >= 5 else size
    taken = exif.get_ifd(EXIF_IFD).get(TAKEN) or exif.get(CHANGED)
    # Phones write MPO: one photo and its thumbnails or depth map, not frames to a user.
    is_mpo = image.format == "MPO"
    return Header(
        format="JPEG" if is_mpo else image.format or "",
        width_px=width_px,
        height_px=height_px,
        frames=1 if is_mpo else getattr(image, "n_frames", 1),
        has_alpha=image.has_transparency_data,
        camera=camera_of(exif),
        taken=tidy(taken),
    )


def camera_of(exif: Exif) -> str | None:
    """Name the camera; makers who repeat themselves in the model are named once."""
    make, model = tidy(exif.get(MAKE)), tidy(exif.get(MODEL))
    if make and model and not model.casefold().startswith(make.split()[0].casefold()):
        return f"{make} {model}"
    return model or make


def tidy(value: object) -> str | None:
    """Give an EXIF text without padding and control characters, or None if nothing is left."""
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:80] or None


def turn_of(image: Image) -> int:
    """Give the EXIF orientation, 1 to 8; anything else counts as upright."""
    turn = image.getexif().get(ORIENTATION, 1)
    return turn if turn in range(1, 9) else 1


def upright(image: Image, turn: int) -> Image:
    """Turn and mirror `image` as EXIF orientation `turn` asks for."""
    from PIL.Image import Transpose

    # EXIF 2.32, table 6: the transposition that undoes each orientation.
    undo = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(undo[turn]) if turn in undo else image


def as_rgb(image: Image) -> Image:
    """Give `image` as 8-bit RGB, on a ground that its opaque part stands out from."""
    if image.mode.startswith(("I", "F")):
        return from_deep(image).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    return flatten(image.convert("RGBA"))


def from_deep(image: Image) -> Image:
    """Bring more than 8 bits down to 8: 16-bit by its known range, anything else by its own."""
    import numpy as np
    from PIL.Image import fromarray

    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    low, high = (0.0, 65535.0) if values.min() >= 0 and values.max() > 255 else (0.0, 255.0)
    if values.min() < low or values.max() > high or image.mode == "F":
        low, high = values.min(), max(values.max(), values.min() + 1)
    return fromarray(((values - low) / (high - low) * 255).astype(np.uint8))


def flatten(image: Image) -> Image:
    """Lay `image` on white, or on black if what is opaque in it is light: light print stays."""
    import numpy as np
    from PIL.Image import new

    opaque = np.asarray(image.getchannel("A")) > 127
    luma = np.asarray(image.convert("RGB").convert("L"))
    is_light = bool(opaque.any()) and float(luma[opaque].mean()) > 200
    ground = new("RGB", image.size, "black" if is_light else "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def shrink(image: Image, side_px: int) -> Image:
    """Scale `image` down until its longer side is at most `side_px`; never enlarge."""
    from PIL.Image import Resampling

    scale = side_px / max(image.size)
    if scale >= 1:
        return image
    width_px, height_px = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width_px, height_px), Resampling.BICUBIC, reducing_gap=2.0)
