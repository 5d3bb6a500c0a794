"""Pictures in every format and mode, and the way of one image as a client goes it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pillow_heif
from PIL import Image

from eyeline.adapters.images import Images
from eyeline.core.catalogue import find
from eyeline.core.engine import compatible
from eyeline.core.parts import PreparedImage
from eyeline.core.plan import Look
from eyeline.core.question import Question
from eyeline.core.reference import Reference, parse_reference
from eyeline.drivers import Driver, Outside
from eyeline.exchange import Asking
from eyeline.flow import LookedAt, views
from eyeline.policy.limits import Limits
from eyeline.policy.retry import Retry

SERVER = compatible("server", "http://127.0.0.1:1/v1")
RED, GREEN, BLUE, WHITE, BLACK = (
    (220, 20, 20), (20, 200, 20), (20, 20, 220), (255, 255, 255), (0, 0, 0),
)  # fmt: skip
ORIENTATION = 0x0112
MAKER = "camera maker"

# How the stored picture came to be, so that undoing an orientation gives the upright one again.
STORED: dict[int, Callable[[Image.Image], Image.Image]] = {
    1: lambda image: image,
    2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
    4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
    7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
}


def see(value: object, model: str = "gpt-4o", **look: Any) -> list[tuple[LookedAt, PreparedImage]]:
    """Load, plan and prepare what `value` names, as a question to a compatible server does it."""
    reference: Reference = parse_reference(value)
    question = Question("?", (reference,), find(model), "chat", Look(**look))
    images = Images()
    driver = Driver(Outside(images, images, Limits()), None)
    return driver.run(views(Asking(question, SERVER, Retry())))


def sent(value: object, model: str = "gpt-4o", **look: Any) -> Image.Image:
    """Give the one image that would be sent, opened."""
    ((image, prepared),) = see(value, model, **look)
    opened = Image.open(BytesIO(prepared.data))
    opened.load()
    assert Image.MIME[str(opened.format)] == prepared.media_type
    assert opened.size == prepared.size == image.plan.size
    return opened


def notes(value: object, model: str = "gpt-4o", **look: Any) -> tuple[str, ...]:
    """Give all that is noted of the one image that would be sent."""
    ((image, prepared),) = see(value, model, **look)
    return (*image.plan.notes, *prepared.notes)


def quarters(width: int = 64, height: int = 32) -> Image.Image:
    """Give red over green on the left, blue over white on the right: no turn looks like another."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (0, height // 2, width // 2, height))
    image.paste(BLUE, (width // 2, 0, width, height // 2))
    return image


def palette(transparent: int | None = None) -> Image.Image:
    """Give red and green by a palette whose colour number 1, red, may be transparent."""
    image = Image.new("P", (8, 4), 1)
    image.putpalette([*BLACK, *RED, *GREEN])
    image.paste(2, (0, 0, 4, 4))
    if transparent is not None:
        image.info["transparency"] = transparent
    return image


def corners(image: Image.Image) -> list[Any]:
    """Give the middle of the first three quarters: upper left, lower left, upper right."""
    width, height = image.size
    at = [(width // 4, height // 4), (width // 4, 3 * height // 4), (3 * width // 4, height // 4)]
    return [image.convert("RGB").getpixel(each) for each in at]


def near(found: Any, expected: tuple[int, ...], tolerance: int = 12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(found, expected, strict=True))


def camera_exif(orientation: int = 1) -> Image.Exif:
    """Give EXIF as a phone writes it: maker, turn, and where the picture was taken."""
    exif = Image.Exif()
    exif[0x010F] = MAKER
    exif[ORIENTATION] = orientation
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return exif


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Encode with Pillow, or for HEIC with pillow-heif."""
    buffer = BytesIO()
    if kind == "HEIC":
        pillow_heif.from_pillow(image).save(buffer, **({"quality": 95} | options))
    else:
        image.save(buffer, kind, **options)
    return buffer.getvalue()


def with_orientation(image: Image.Image, orientation: int, kind: str, **options: Any) -> bytes:
    """Store a picture turned, with the orientation that turns it back."""
    exif = camera_exif(orientation)
    if kind == "HEIC":
        # Of an image with EXIF pillow-heif turns the pixels itself, and writes HEIC's own turn.
        # Of the two quarter turns pillow-heif 1.8 writes the one for the other.
        image = image.rotate(180) if orientation in (6, 8) else image.copy()
        image.info["exif"] = exif.tobytes()
        return saved(image, kind, **options)
    if kind == "JPEG":
        options = {"quality": 95, "subsampling": 0} | options
    return saved(STORED[orientation](image), kind, exif=exif, **options)
