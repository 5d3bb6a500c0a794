"""Pixels of every mode, in the colours a person sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from adapters.pictures import (
    GREEN,
    RED,
    WHITE,
    near,
    notes,
    palette,
    saved,
    sent,
)
from eyeline.adapters import bands
from eyeline.adapters.arrays import encode
from eyeline.adapters.colours import Fit, fitted, plain
from eyeline.core.colour import Colour, parse_colour

# --- modes --------------------------------------------------------------------------------------

MODES: dict[str, tuple[Any, tuple[int, int, int]]] = {
    "1": (1, WHITE),
    "L": (100, (100, 100, 100)),
    "LA": ((100, 255), (100, 100, 100)),
    "La": ((100, 255), (100, 100, 100)),
    "RGB": (RED, RED),
    "RGBA": ((*RED, 255), RED),
    "RGBa": ((*RED, 255), RED),
    "RGBX": ((*RED, 0), RED),
    "CMYK": ((0, 255, 255, 0), (255, 0, 0)),
    "YCbCr": ((128, 128, 128), (128, 128, 128)),
    "HSV": ((0, 255, 255), (255, 0, 0)),
    "LAB": ((128, 128, 128), (119, 119, 119)),
}


@pytest.mark.parametrize("mode", MODES)
def test_takes_every_mode(mode: str) -> None:
    """A PIL image of any mode is sent in the colours it shows."""
    value, shown = MODES[mode]
    image = sent(encode(Image.new(mode, (8, 4), value), "sign"))
    assert image.mode in ("L", "RGB")
    assert near(image.convert("RGB").getpixel((3, 2)), shown)


@pytest.mark.parametrize("mode", ["I", "I;16", "I;16B", "I;16L", "F"])
@pytest.mark.parametrize("scale", [1, 50_000])
def test_grey_of_many_bits_keeps_its_range(mode: str, scale: int) -> None:
    """Grey of 16 or 32 bits, or floats, is sent from black to white, not clipped to white."""
    if mode == "F":
        image = Image.fromarray(np.array([[0, 0.5, 1]], dtype=np.float32) * scale)
    else:
        levels = {1: [0, 128, 255], 50_000: [0, 25_000, 50_000]}[scale]
        image = Image.new(mode, (3, 1))
        for at, level in enumerate(levels):
            image.putpixel((at, 0), level)
    assert image.mode == mode
    made = sent(encode(image, "sign"))
    found = [made.getpixel((at, 0)) for at in range(3)]
    assert found[0] == 0
    assert abs(found[1] - 128) <= 1
    assert found[2] >= 254


def test_a_sixteen_bit_png_is_scaled() -> None:
    """A PNG of 16 bits is sent with 8, its own range from black to white, and says so."""
    data = saved(Image.fromarray(np.array([[100, 2000, 4095]], dtype=np.uint16)), "PNG")
    image = sent(data)
    assert [image.getpixel((at, 0)) for at in range(3)] == [0, 121, 255]
    assert notes(data) == ("16-bit → 8-bit sRGB", "100 to 4095 scaled to 0 to 255")


def test_a_palette_shows_its_colours() -> None:
    """An image with a palette is sent in the colours of that palette."""
    image = sent(encode(palette(), "sign")).convert("RGB")
    assert (image.getpixel((1, 1)), image.getpixel((6, 1))) == (GREEN, RED)


@pytest.mark.parametrize("form", ["in memory", "GIF", "PNG"])
def test_a_transparent_palette_colour_is_white(form: str) -> None:
    """The transparent colour of a palette becomes white, in memory as in a file."""
    image = palette(transparent=1)
    data = encode(image, "sign") if form == "in memory" else saved(image, form, transparency=1)
    made = sent(data).convert("RGB")
    assert (made.getpixel((1, 1)), made.getpixel((6, 1))) == (GREEN, WHITE)


@pytest.mark.parametrize(("mode", "key"), [("RGB", RED), ("L", 7)])
def test_a_transparent_colour_is_white(mode: str, key: Any) -> None:
    """A colour marked transparent becomes white, in memory as in a file."""
    image = Image.new(mode, (8, 4), key)
    image.info["transparency"] = key
    for data in (encode(image, "sign"), saved(image, "PNG", transparency=key)):
        assert sent(data).convert("RGB").getpixel((3, 2)) == WHITE


@pytest.mark.parametrize("form", ["in memory", "PNG", "WEBP", "TIFF"])
def test_alpha_lies_on_white(form: str) -> None:
    """Transparent pixels become white, half-transparent ones pale, whole ones stay."""
    image = Image.new("RGBA", (3, 1))
    for at, alpha in enumerate((0, 128, 255)):
        image.putpixel((at, 0), (0, 0, 0, alpha))
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    data = encode(image, "sign") if form == "in memory" else saved(image, form, **options)
    made = sent(data).convert("L")
    levels = [made.getpixel((at, 0)) for at in range(3)]
    assert all(abs(a - b) <= 2 for a, b in zip(levels, (255, 127, 0), strict=True))


def wide_gamut() -> bytes:
    """Give the ICC profile of a space whose red and green are swapped: nobody can miss it."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = bytearray(srgb)
    red, green = srgb.index(b"rXYZ"), srgb.index(b"gXYZ")
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(swapped).replace(b"sRGB built-in", b"swap built-in")


def test_a_colour_profile_is_applied() -> None:
    """What is encoded is sRGB: an embedded profile has been applied, and is gone."""
    photo = saved(Image.new("RGB", (3000, 40), (255, 0, 0)), "JPEG", icc_profile=wide_gamut())
    image = sent(photo)
    assert near(image.getpixel((9, 9)), (0, 255, 0))
    assert "icc_profile" not in image.info
    assert any("→ sRGB" in note for note in notes(photo))


def test_a_colour_profile_stays_where_nothing_is_encoded() -> None:
    """What goes as it is keeps its profile, or its colours would change."""
    small = saved(Image.new("RGB", (30, 40), (255, 0, 0)), "JPEG", icc_profile=wide_gamut())
    assert sent(small).info["icc_profile"] == wide_gamut()


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK"])
@pytest.mark.parametrize("profile", [b"junk" * 40, wide_gamut()], ids=["junk", "of RGB"])
def test_a_profile_that_does_not_fit_is_ignored(mode: str, profile: bytes) -> None:
    """A damaged profile, or one of another kind of pixels, leaves the colours as they are."""
    image = Image.new(mode, (3000, 40), 255 if mode == "L" else (0, 0, 0, 255)[: len(mode)])
    data = saved(image, "TIFF", icc_profile=profile)
    assert sent(data).mode in ("L", "RGB")


def test_the_srgb_profile_changes_nothing() -> None:
    """Pixels that are sRGB already are not converted, and nothing is noted."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = saved(Image.new("RGB", (3000, 40), RED), "JPEG", icc_profile=srgb)
    assert near(sent(photo).getpixel((9, 9)), RED)
    assert not any("sRGB" in note for note in notes(photo))


def test_inks_of_adobe_and_of_others() -> None:
    """A CMYK JPEG of Adobe's is stored inverted, one without Adobe's mark is not."""
    photo = saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")
    at = photo.index(b"\xff\xee")
    plain = photo[:at] + photo[at + 2 + int.from_bytes(photo[at + 2 : at + 4]) :]
    assert near(sent(photo).getpixel((8, 8)), (255, 0, 0))
    assert near(sent(plain).getpixel((8, 8)), (0, 0, 0))


@pytest.mark.parametrize(("background", "seen"), [("#00ff00", (0, 255, 0)), ((9, 9, 9), (9, 9, 9))])
def test_the_background_is_the_users(background: Any, seen: Any) -> None:
    """What is transparent shows the colour that was asked for."""
    data = saved(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "PNG")
    colour = parse_colour("background", background)
    assert sent(data, background=colour).convert("RGB").getpixel((4, 4)) == seen


@pytest.mark.parametrize("form", ["P", "LA", "RGBA", "RGB", "1", "I;16", "CMYK"])
def test_in_bands_nothing_changes(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made plain a few rows at a time, a picture is what it is when it is made so at once."""
    grey = Image.linear_gradient("L").resize((64, 48))
    image = grey.convert("I").point(lambda v: v * 90).convert("I;16") if form == "I;16" else (
        grey.convert(form)
    )  # fmt: skip
    if form == "P":
        image.info["transparency"] = bytes(range(256))
    whole = plain(image, Colour(9, 99, 200))
    monkeypatch.setattr(bands, "BAND_PIXELS", 300)
    pieces, notes = fitted(image, Fit(64, Colour(9, 99, 200)))
    assert (pieces.mode, notes) == (whole.image.mode, whole.notes)
    assert pieces.tobytes() == whole.image.tobytes()
