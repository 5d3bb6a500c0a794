"""Format × mode × orientation × alpha × metadata: whatever comes in, what goes out is right."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import pytest
from PIL import Image

from adapters.pictures import (
    BLUE,
    GREEN,
    MAKER,
    RED,
    SERVER,
    STORED,
    WHITE,
    corners,
    near,
    quarters,
    saved,
    see,
    sent,
    with_orientation,
)


class Format(NamedTuple):
    """What a format can hold: modes, whether EXIF, and the options that lose least."""

    modes: tuple[str, ...]
    has_exif: bool = False
    options: dict[str, Any] = {}  # noqa: RUF012  # never changed
    tolerance: int = 2


FORMATS = {
    "JPEG": Format(("L", "RGB", "CMYK"), True, {"quality": 95, "subsampling": 0}, 12),
    "PNG": Format(("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), True),
    "WEBP": Format(("RGB", "RGBA"), True, {"lossless": True}),
    "GIF": Format(("P", "L"), False, {}, 8),
    "BMP": Format(("1", "L", "P", "RGB")),
    "TIFF": Format(("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16", "F"), True, {}, 6),
    "HEIC": Format(("RGB", "RGBA"), True, {"quality": 95}, 16),
    "AVIF": Format(("RGB", "RGBA"), True, {"quality": 95, "subsampling": "4:4:4"}, 16),
    "JPEG2000": Format(("L", "LA", "RGB", "RGBA")),
    "ICO": Format(("RGBA",)),
    "PPM": Format(("1", "L", "RGB")),
}
GREY = {"L", "LA", "I;16", "F"}
WITH_ALPHA = {"LA", "RGBA", "P"}
CASES = [
    (kind, mode, orientation, transparent, marked)
    for kind, form in FORMATS.items()
    for mode, orientation, transparent, marked in product(
        form.modes, STORED, (False, True), (False, True)
    )
    if (orientation == 1 or marked)
    and (form.has_exif or not marked)
    and not (transparent and mode not in WITH_ALPHA)
    and not (transparent and mode == "P" and kind not in ("PNG", "GIF"))
]


def in_mode(mode: str, *, transparent: bool) -> Image.Image:
    """Give the quarters in a mode; transparent, the upper right one is clear over black."""
    image = quarters()
    if mode == "LAB":
        from PIL import ImageCms

        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        made = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
        assert made is not None
        return made
    if mode == "I;16":
        return image.convert("L").convert("I").point(lambda value: value * 257).convert("I;16")
    if mode == "1":
        return image.convert("L").point(lambda value: 255 * (value > 100)).convert("1")
    if mode == "P":
        image = image.quantize(8)
        if transparent:
            image.info["transparency"] = image.getpixel((48, 8))
        return image
    image = image.convert(mode)
    if transparent:
        alpha = Image.new("L", image.size, 255)
        alpha.paste(0, (32, 0, 64, 16))
        image.paste(0 if mode == "LA" else (0, 0, 0), (32, 0, 64, 16))
        image.putalpha(alpha)
    return image


def expected(mode: str, *, transparent: bool) -> list[tuple[int, ...]]:
    """Give the colours of three quarters as they must be seen."""
    shown = [RED, GREEN, WHITE if transparent else BLUE]
    if mode == "1":
        levels = [Image.new("RGB", (1, 1), each).convert("L").getpixel((0, 0)) for each in shown]
        return [(255,) * 3 if level > 100 else (0,) * 3 for level in levels]  # type: ignore[operator]
    if mode in GREY:
        grey = [Image.new("RGB", (1, 1), each).convert("L").getpixel((0, 0)) for each in shown]
        if mode in ("I;16", "F"):  # from black to white, by their real range
            darkest = Image.new("RGB", (1, 1), BLUE).convert("L").getpixel((0, 0))
            grey = [round((each - darkest) * 255 / (255 - darkest)) for each in grey]  # type: ignore[operator]
        return [(each,) * 3 for each in grey]  # type: ignore[misc]
    return shown


@pytest.mark.parametrize(("kind", "mode", "orientation", "transparent", "marked"), CASES)
def test_what_goes_out_is_right(
    kind: str, mode: str, orientation: int, transparent: bool, marked: bool
) -> None:
    """Upright, in true colours, on white, of its own size, in an allowed type, with no metadata."""
    form = FORMATS[kind]
    image, options = in_mode(mode, transparent=transparent), dict(form.options)
    if mode == "P" and transparent:
        options["transparency"] = image.info["transparency"]
    if kind == "ICO":
        options["sizes"] = [image.size]
    if marked:
        data = with_orientation(image, orientation, kind, **options)
        assert MAKER.encode() in data
    else:
        data = saved(image, kind, **options)
    found = sent(data)
    assert found.size == (64, 32)
    assert found.mode in ("1", "L", "P", "RGB")
    shown = expected(mode, transparent=transparent)
    assert all(map(near, corners(found), shown, [form.tolerance + 10] * 3)), (corners(found), shown)
    ((_, prepared),) = see(data)
    assert prepared.media_type in SERVER.media_types
    assert prepared == see(data)[0][1], "the same twice"
    assert MAKER.encode() not in prepared.data
    assert not found.getexif()


LOSSLESS = ("PNG", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000")


@pytest.mark.parametrize("max_tokens", [None, 100], ids=["as it is", "shrunk"])
@pytest.mark.parametrize("kind", LOSSLESS[1:])
def test_the_container_makes_no_difference(kind: str, max_tokens: int | None) -> None:
    """The same pixels in another lossless container are prepared to the same pixels."""
    size = (600, 560)
    image = Image.effect_noise(size, 60).convert("RGB")
    image.paste(RED, (0, 0, size[0] // 2, size[1] // 2))
    options = {"lossless": True} if kind == "WEBP" else {}
    files = (saved(image, "PNG"), saved(image, kind, **options))
    one, other = (sent(each, "gpt-6-luna", max_tokens=max_tokens) for each in files)
    assert (one.size < size) == (max_tokens is not None)
    assert one.convert("RGB").tobytes() == other.convert("RGB").tobytes()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_the_orientation_makes_no_difference(kind: str) -> None:
    """The same pixels stored turned are prepared to the same pixels, shrunk or not."""
    image = Image.effect_noise((700, 430), 60).convert("RGB")
    image.paste(RED, (0, 0, 300, 200))
    options = {"lossless": True} if kind == "WEBP" else {}
    plain = sent(saved(image, "PNG"), "gpt-6-luna", max_tokens=100).convert("RGB")
    assert plain.width < 500
    for orientation in STORED:
        stored = with_orientation(image, orientation, kind, **options)
        found = sent(stored, "gpt-6-luna", max_tokens=100).convert("RGB")
        assert found.tobytes() == plain.tobytes()
