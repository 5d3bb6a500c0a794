"""What the tests of core share: questions ready to ask, and real images made with Pillow."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image

from eyeline.core import catalogue
from eyeline.core.question import Question
from eyeline.core.reference import FileRef
from eyeline.core.size import Size
from eyeline.core.tokens import VisionRule

SIZE = Size(31, 17)
ORIENTATIONS = range(1, 9)


def question(model: str = "gpt-6-luna", **changes: Any) -> Question:
    asked = Question(
        prompt="What does the sign say?",
        references=(FileRef("street.jpg"),),  # type: ignore[arg-type]  # never opened
        model=catalogue.find(model),
        api="chat",
    )
    return replace(asked, **changes)


def rule(model: str) -> VisionRule:
    """Give the rule of a model that has one."""
    found = catalogue.find(model).rule
    assert found is not None
    return found


# --- pictures -----------------------------------------------------------------------------------


def picture(mode: str = "RGB", size: Size = SIZE) -> Image.Image:
    """Give a picture with an edge and a gradient, in any mode."""
    colour = Image.linear_gradient("L").resize(size).convert("RGB")
    colour.paste((200, 30, 60), (0, 0, size.width_px // 2, size.height_px // 2))
    if mode == "I;16":
        return colour.convert("I").point(lambda value: value * 257).convert("I;16")
    return colour.convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    return made


def transparent(mode: str) -> Image.Image:
    """Give a picture in `mode` with a see-through half, its edge soft where the mode allows."""
    image = picture("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(SIZE).point(lambda value: max(0, value - 99)))
    if mode == "P":
        image = picture("P")
        image.info["transparency"] = 0
        return image
    return image.convert(mode)


def jpeg_with_thumbnail() -> bytes:
    """Give a JPEG as cameras write it: a small JPEG inside its EXIF, with end marks of its own."""
    block = b"Exif\0\0" + exif(6).tobytes().removeprefix(b"Exif\0\0")
    block += encoded(picture(size=Size(8, 8)), "JPEG")
    plain = encoded(picture(), "JPEG")
    return plain[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2) + block + plain[2:]


@cache
def jpegs() -> dict[str, bytes]:
    made = {
        "baseline": encoded(picture(), "JPEG"),
        "progressive": encoded(picture(), "JPEG", progressive=True),
        "grey": encoded(picture("L"), "JPEG"),
        "cmyk": encoded(picture("CMYK"), "JPEG"),
        "restart marks": encoded(picture(), "JPEG", restart_marker_blocks=1),
        "comment": encoded(picture(), "JPEG", comment=b"\xff\xd9 is no end here"),
        "thumbnail": jpeg_with_thumbnail(),
    }
    for orientation in ORIENTATIONS:
        made[f"exif {orientation}"] = encoded(picture(), "JPEG", exif=exif(orientation))
    return made


@cache
def pngs() -> dict[str, bytes]:
    made = {mode: encoded(picture(mode), "PNG") for mode in ("1", "L", "P", "RGB", "I;16")}
    for mode in ("LA", "RGBA", "P"):
        made[f"{mode} transparent"] = encoded(transparent(mode), "PNG")
    made["tRNS on RGB"] = encoded(picture(), "PNG", transparency=(1, 2, 3))
    for orientation in ORIENTATIONS:
        made[f"eXIf {orientation}"] = encoded(picture(), "PNG", exif=exif(orientation))
    frames = [picture().rotate(90 * turn) for turn in range(3)]
    made["animated"] = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])
    return made


@cache
def gifs() -> dict[str, bytes]:
    frames = [picture(size=Size(31, 17 - turn)).resize(SIZE) for turn in range(3)]
    see_through = transparent("RGBA")
    return {
        "static": encoded(picture("P"), "GIF"),
        "grey": encoded(picture("L"), "GIF"),
        "comment": encoded(picture("P"), "GIF", comment=b"a ; is no trailer; !\xf9\x04\x01"),
        "static with a loop": encoded(picture("P"), "GIF", loop=0),
        "transparent": encoded(see_through, "GIF"),
        "animated": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0),
        "animated once": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
    }


@cache
def webps() -> dict[str, bytes]:
    frames = [picture().rotate(90 * turn) for turn in range(3)]
    made = {
        "lossy": encoded(picture(), "WEBP"),
        "lossless": encoded(picture(), "WEBP", lossless=True),
        "lossy alpha": encoded(transparent("RGBA"), "WEBP"),
        "lossless alpha": encoded(transparent("RGBA"), "WEBP", lossless=True),
        "animated": encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
    }
    for orientation in ORIENTATIONS:
        made[f"exif {orientation}"] = encoded(picture(), "WEBP", exif=exif(orientation))
    return made


@cache
def bmps() -> dict[str, bytes]:
    return {mode: encoded(picture(mode), "BMP") for mode in ("1", "L", "P", "RGB")}


@cache
def tiffs() -> dict[str, bytes]:
    made = {mode: encoded(picture(mode), "TIFF") for mode in ("1", "L", "P", "RGB", "CMYK", "I;16")}
    for mode in ("LA", "RGBA"):
        made[f"{mode} transparent"] = encoded(transparent(mode), "TIFF")
    made["big endian"] = encoded(picture(), "TIFF", big_endian=True)
    for orientation in ORIENTATIONS:
        made[f"orientation {orientation}"] = encoded(picture(), "TIFF", exif=exif(orientation))
    pages = [picture(), picture("L")]
    made["pages"] = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    return made


@cache
def all_images() -> dict[str, bytes]:
    """Give every picture above, named by its format and kind."""
    groups = {"JPEG": jpegs, "PNG": pngs, "GIF": gifs, "WebP": webps, "BMP": bmps, "TIFF": tiffs}
    return {
        f"{kind} {name}": data for kind, make in groups.items() for name, data in make().items()
    }
