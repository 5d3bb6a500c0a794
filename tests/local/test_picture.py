from __future__ import annotations

import numpy as np
import pytest
from local_samples import EXAMPLES, png
from PIL import Image, ImageDraw

from eyeline.errors import NotAnImage
from eyeline.local.picture import READ_SIDE_PX, decode


def left_dark(mode: str = "RGB") -> Image.Image:
    """Draw a picture, 60×40, whose left half is black and whose right half is white."""
    image = Image.new("L", (60, 40), 255)
    ImageDraw.Draw(image).rectangle((0, 0, 29, 39), 0)
    return image.convert(mode)


MODES = ("RGB", "L", "P", "1", "LA", "RGBA", "CMYK", "I;16")


@pytest.mark.parametrize(
    ("mode", "form"),
    # PNG knows no CMYK.
    [(m, f) for m in MODES for f in ("PNG", "TIFF") if (m, f) != ("CMYK", "PNG")],
)
def test_every_mode_becomes_rgb(mode: str, form: str) -> None:
    """Palette, 16-bit, CMYK and alpha show the same picture."""
    image = left_dark("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    picture = decode(png(image, form))
    assert (picture.large.mode, picture.large.size) == ("RGB", (60, 40))
    assert picture.large.getpixel((2, 20)) == (0, 0, 0)
    assert picture.large.getpixel((57, 20)) == (255, 255, 255)
    assert picture.header.has_alpha == (mode in ("LA", "RGBA"))


@pytest.mark.parametrize(
    ("turn", "dark"),
    [
        (1, (5, 20)),
        (2, (55, 20)),
        (3, (55, 20)),
        (4, (5, 20)),
        (5, (20, 5)),
        (6, (20, 5)),
        (7, (20, 55)),
        (8, (20, 55)),
    ],
)
def test_pictures_are_turned_upright(turn: int, dark: tuple[int, int]) -> None:
    """All eight EXIF orientations are undone, and the size is that of the upright picture."""
    exif = Image.Exif()
    exif[0x0112] = turn
    picture = decode(png(left_dark(), exif=exif))
    assert picture.large.size == (picture.header.width_px, picture.header.height_px)
    assert picture.large.size == ((60, 40) if turn < 5 else (40, 60))
    assert picture.large.getpixel(dark) == (0, 0, 0)


@pytest.mark.parametrize("ink", ["black", "white"])
def test_print_on_a_clear_ground_stays_readable(ink: str) -> None:
    """Dark print is laid on white and light print on black."""
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((10, 10, 20, 20), ink)
    shown = decode(png(image)).large
    assert shown.getpixel((15, 15)) != shown.getpixel((35, 35))


def test_camera_and_time_are_read() -> None:
    """EXIF is given tidied, with the maker named once."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon\0", "Canon EOS R5"
    exif.get_ifd(0x8769)[0x9003] = "2026:11:21 17:42:05"
    header = decode(png(Image.new("RGB", (8, 8)), "JPEG", exif=exif)).header
    assert (header.camera, header.taken) == ("Canon EOS R5", "2026:11:21 17:42:05")


def test_frames_are_counted() -> None:
    """Of an animation the first frame is decoded and all are counted."""
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "green", "blue")]
    header = decode(png(frames[0], "GIF", save_all=True, append_images=frames[1:])).header
    assert (header.format, header.frames) == ("GIF", 3)


def test_large_pictures_are_looked_at_smaller() -> None:
    """The size told is the stored one; what is looked at is bounded."""
    picture = decode(png(Image.new("RGB", (5200, 1000)), "JPEG"))
    assert (picture.header.width_px, picture.header.height_px) == (5200, 1000)
    assert max(picture.large.size) == READ_SIDE_PX


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not an image",
        png()[:60],
        (EXAMPLES / "cat.jpg").read_bytes()[:9000],
        (EXAMPLES / "chart.png").read_bytes()[:9000],
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_what_does_not_decode_is_no_image(data: bytes) -> None:
    """Other bytes, damaged pictures and formats that run programs are refused alike."""
    with pytest.raises(NotAnImage):
        decode(data)
