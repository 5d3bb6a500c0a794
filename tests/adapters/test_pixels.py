"""Pixels as Pillow and numpy have them: upright, on white, of the planned size, or refused."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from eyeline.adapters.pixels import encode, from_array, prepare
from eyeline.core.catalogue import find
from eyeline.core.engine import compatible
from eyeline.core.media import read_info
from eyeline.core.parts import PreparedImage
from eyeline.core.plan import PreparePlan, plan
from eyeline.core.size import Size
from eyeline.core.tokens import Detail
from eyeline.errors import BadReference, ImageTruncated

GPT_4O = find("gpt-4o")
ALLOWED = compatible("server", "http://127.0.0.1:1/v1").media_types
RED, GREEN, BLUE, WHITE, BLACK = (
    (220, 20, 20), (20, 200, 20), (20, 20, 220), (255, 255, 255), (0, 0, 0),
)  # fmt: skip
ORIENTATION = 0x0112


def planned(data: bytes, detail: Detail = "high") -> PreparePlan:
    return plan(read_info(data, "sign"), GPT_4O, detail, ALLOWED, "sign")


def prepared(data: bytes, detail: Detail = "high") -> Image.Image:
    """Prepare as the flow does and open what would be sent."""
    made = prepare(data, planned(data, detail), "sign")
    return opened(made)


def opened(made: PreparedImage) -> Image.Image:
    image = Image.open(BytesIO(made.data))
    image.load()
    assert made.media_type == Image.MIME[str(image.format)]
    assert image.size == made.size
    return image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def near(found: Any, expected: tuple[int, int, int], tolerance: int = 12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(found, expected, strict=True))


# --- turned upright -----------------------------------------------------------------------------


def quarters(width: int = 64, height: int = 32) -> Image.Image:
    """Give red over green on the left, blue over white on the right: no turn looks like another."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (0, height // 2, width // 2, height))
    image.paste(BLUE, (width // 2, 0, width, height // 2))
    return image


# How the stored picture came to be, so that undoing `orientation` gives `quarters` again.
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


def with_orientation(image: Image.Image, orientation: int, kind: str) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    return saved(STORED[orientation](image), kind, exif=exif, **options)


def corners(image: Image.Image) -> list[Any]:
    width, height = image.size
    at = [(width // 4, height // 4), (width // 4, 3 * height // 4), (3 * width // 4, height // 4)]
    return [image.convert("RGB").getpixel(each) for each in at]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", STORED)
def test_turns_upright(orientation: int, kind: str) -> None:
    """Whatever way a camera held, what is sent stands upright and no longer asks to be turned."""
    data = with_orientation(quarters(), orientation, kind)
    if orientation == 1 and kind in ("JPEG", "PNG"):
        assert not planned(data).encode
        return
    image = prepared(data)
    assert image.size == (64, 32)
    assert all(map(near, corners(image), [RED, GREEN, BLUE]))
    assert image.getexif().get(ORIENTATION, 1) == 1


@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_turns_and_shrinks(orientation: int) -> None:
    """A large photo, decoded at a fraction of its size, ends upright and of the exact size."""
    data = with_orientation(quarters(3001, 1499), orientation, "JPEG")
    image = prepared(data)
    assert image.size == tuple(GPT_4O.rule.size(Size(3001, 1499), "high"))
    assert all(map(near, corners(image), [RED, GREEN, BLUE]))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 1700), st.integers(1, 1700), st.sampled_from(["low", "high"]),
    st.sampled_from([*STORED]),
)  # fmt: skip
def test_sizes_are_as_planned(width: int, height: int, detail: Detail, orientation: int) -> None:
    """What is encoded has the planned size to the pixel, for any size, detail and turn."""
    data = with_orientation(Image.new("RGB", (width, height), RED), orientation, "JPEG")
    made = planned(data, detail)
    if made.encode:
        assert opened(prepare(data, made, "sign")).size == made.size


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
    image = prepared(encode(Image.new(mode, (8, 4), value), "sign"))
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
    sent = prepared(encode(image, "sign"))
    found = [sent.getpixel((at, 0)) for at in range(3)]
    assert found[0] == 0
    assert abs(found[1] - 128) <= 1
    assert found[2] >= 254


def test_a_sixteen_bit_png_is_sent_as_is() -> None:
    """A PNG of 16 bits is right as it is, and goes untouched."""
    grey = Image.fromarray(np.array([[0, 60_000]], dtype=np.uint16))
    assert not planned(saved(grey, "PNG")).encode


def palette(transparent: int | None = None) -> Image.Image:
    image = Image.new("P", (8, 4), 1)
    image.putpalette([*BLACK, *RED, *GREEN])
    image.paste(2, (0, 0, 4, 4))
    if transparent is not None:
        image.info["transparency"] = transparent
    return image


def test_a_palette_shows_its_colours() -> None:
    """An image with a palette is sent in the colours of that palette."""
    image = prepared(encode(palette(), "sign")).convert("RGB")
    assert (image.getpixel((1, 1)), image.getpixel((6, 1))) == (GREEN, RED)


@pytest.mark.parametrize("form", ["in memory", "GIF", "PNG"])
def test_a_transparent_palette_colour_is_white(form: str) -> None:
    """The transparent colour of a palette becomes white, in memory as in a file."""
    image = palette(transparent=1)
    data = encode(image, "sign") if form == "in memory" else saved(image, form, transparency=1)
    sent = prepared(data).convert("RGB")
    assert (sent.getpixel((1, 1)), sent.getpixel((6, 1))) == (GREEN, WHITE)


@pytest.mark.parametrize(("mode", "key"), [("RGB", RED), ("L", 7)])
def test_a_transparent_colour_is_white(mode: str, key: Any) -> None:
    """A colour marked transparent becomes white, in memory as in a file."""
    image = Image.new(mode, (8, 4), key)
    image.info["transparency"] = key
    for data in (encode(image, "sign"), saved(image, "PNG", transparency=key)):
        assert prepared(data).convert("RGB").getpixel((3, 2)) == WHITE


@pytest.mark.parametrize("form", ["in memory", "PNG", "WEBP", "TIFF"])
def test_alpha_lies_on_white(form: str) -> None:
    """Transparent pixels become white, half-transparent ones pale, whole ones stay."""
    image = Image.new("RGBA", (3, 1))
    for at, alpha in enumerate((0, 128, 255)):
        image.putpixel((at, 0), (0, 0, 0, alpha))
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    data = encode(image, "sign") if form == "in memory" else saved(image, form, **options)
    sent = prepared(data).convert("L")
    levels = [sent.getpixel((at, 0)) for at in range(3)]
    tolerance = 40 if form == "WEBP" else 2  # it goes on as JPEG, three pixels wide
    assert all(abs(a - b) <= tolerance for a, b in zip(levels, (255, 127, 0), strict=True))


def test_keeps_the_colour_profile() -> None:
    """A profile stays with colours it describes, and goes where they were converted."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = saved(Image.new("RGB", (3000, 40), RED), "JPEG", icc_profile=profile)
    assert prepared(photo).info["icc_profile"] == profile
    cut_out = saved(Image.new("CMYK", (3000, 40)), "JPEG", icc_profile=profile)
    assert prepared(cut_out).mode == "RGB"


def test_sends_no_metadata() -> None:
    """What a camera wrote beside the picture, its place among it, is not in what is encoded."""
    exif = Image.Exif()
    exif[0x010F] = "camera maker"
    exif[ORIENTATION] = 6
    data = saved(quarters(), "JPEG", exif=exif)
    assert b"camera maker" in data
    made = prepare(data, planned(data), "sign")
    assert b"camera maker" not in made.data


def test_the_first_frame_stands_for_all() -> None:
    """Of an animation the first frame is sent."""
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert near(prepared(data).convert("RGB").getpixel((4, 4)), RED)


# --- damage -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_half_an_image_is_refused(kind: str, part: float) -> None:
    """An image that ends too early is refused by who decodes it, never sent with a grey half."""
    noise = np.random.default_rng(0).integers(0, 255, (80, 2400, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind)
    made = planned(data)
    assert made.encode
    with pytest.raises(ImageTruncated):
        prepare(data[: int(len(data) * part)], made, "sign")


def test_damage_is_refused() -> None:
    """A PNG whose pixels do not inflate is refused with a reason."""
    data = bytearray(saved(quarters(3000, 40), "PNG"))
    at = data.index(b"IDAT") + 6
    data[at : at + 20] = bytes(20)
    with pytest.raises(ImageTruncated) as raised:
        prepare(bytes(data), planned(bytes(data)), "sign")
    assert str(raised.value).startswith("sign: truncated or damaged image (")


def test_half_an_image_in_pillow_s_hands_is_refused() -> None:
    """A PIL image that turns out cut when its pixels are read is refused alike."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), "JPEG")
    with pytest.raises(ImageTruncated):
        encode(Image.open(BytesIO(data[: len(data) // 2])), "sign")


# --- in memory ----------------------------------------------------------------------------------


def test_a_photo_in_memory_keeps_its_turn() -> None:
    """A PIL image opened from a phone's file is sent upright, as the file itself would be."""
    photo = Image.open(BytesIO(with_orientation(quarters(), 6, "JPEG")))
    assert photo.size == (32, 64)
    image = prepared(encode(photo, "sign"))
    assert image.size == (64, 32)
    assert all(map(near, corners(image), [RED, GREEN, BLUE]))


def test_encoding_leaves_the_image_alone() -> None:
    """The user's image is the same afterwards."""
    image = palette(transparent=1)
    before = image.copy()
    encode(image, "sign")
    assert (image.mode, image.info, image.tobytes()) == (before.mode, before.info, before.tobytes())


GREY, COLOUR = np.arange(12, dtype=np.uint8).reshape(3, 4), np.zeros((3, 4, 3), np.uint8)


@pytest.mark.parametrize(
    ("array", "mode"),
    [
        (GREY, "L"),
        (GREY[:, :, None], "L"),
        (COLOUR, "RGB"),
        (np.zeros((3, 4, 4), np.uint8), "RGBA"),
        (GREY / 12, "L"),
        (COLOUR.astype(np.float32), "RGB"),
        (np.ones((3, 4, 3), np.float16), "RGB"),
        (GREY > 5, "L"),
        (GREY[::-1, ::-1], "L"),
        (np.zeros((6, 8, 3), np.uint8)[::2, ::2], "RGB"),
        (COLOUR[:, :, ::-1], "RGB"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.dtype}{value.shape}",
)
def test_takes_arrays(array: Any, mode: str) -> None:
    """Arrays of height × width, alone or with 1, 3 or 4 channels, are images; views of them too."""
    image = from_array(array, "array")
    assert (image.mode, image.size) == (mode, (4, 3))
    assert read_info(encode(array, "array"), "array").size == (4, 3)


def test_an_array_keeps_its_values() -> None:
    """Bytes stay as they are; floats from 0 to 1 and truths go from black to white."""
    assert np.array_equal(np.asarray(from_array(GREY[::-1], "array")), GREY[::-1])
    assert [*from_array(np.array([[0, 0.5, 1.0]]), "array").tobytes()] == [0, 128, 255]
    assert [*from_array(np.array([[False, True]]), "array").tobytes()] == [0, 255]


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros(4, np.uint8), "shape (4,), expected H×W, H×W×3 or H×W×4"),
        (np.float32(1), "shape ()"),
        (np.zeros((3, 8, 8), np.uint8), "shape (3, 8, 8)"),
        (np.zeros((2, 4, 4, 3), np.uint8), "shape (2, 4, 4, 3)"),
        (np.zeros((4, 4, 2), np.uint8), "shape (4, 4, 2)"),
        (np.zeros((0, 4), np.uint8), "shape (0, 4)"),
        (np.zeros((4, 4), np.uint16), "an array of uint16, expected uint8 or floats in 0..1"),
        (np.zeros((4, 4), np.int64), "an array of int64"),
        (np.zeros((4, 4), np.complex64), "an array of complex64"),
        (np.zeros((4, 4), object), "an array of object"),
        (np.array([["a", "b"]]), "an array of <U1"),
        (np.full((4, 4), 255.0), "floats from 255 to 255, expected 0 to 1"),
        (np.full((4, 4), -0.1), "floats from -0.1"),
        (np.full((4, 4), np.nan), "floats from nan"),
    ],
)
def test_refuses_other_arrays(array: Any, found: str) -> None:
    """An array that could mean several pictures is refused, with what was found and expected."""
    with pytest.raises(BadReference) as raised:
        encode(array, "ndarray in memory")
    assert found in str(raised.value)
