"""Plans executed: upright, of the planned size, the frame that is meant, or refused."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFont

from adapters.pictures import (
    BLACK,
    BLUE,
    GREEN,
    RED,
    SERVER,
    STORED,
    WHITE,
    corners,
    near,
    notes,
    quarters,
    saved,
    see,
    sent,
    with_orientation,
)
from eyeline.adapters.arrays import encode
from eyeline.adapters.pixels import prepare
from eyeline.core.catalogue import find
from eyeline.core.media import read_info
from eyeline.core.plan import Look, PreparePlan, plan
from eyeline.core.size import Size
from eyeline.core.tokens import Detail
from eyeline.errors import BadReference, ImageTruncated

GPT_4O = find("gpt-4o")


def planned(data: bytes, detail: Detail = "high") -> PreparePlan:
    return plan(read_info(data, "sign"), GPT_4O, Look(detail), SERVER.media_types, "sign")


# --- turned upright -----------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_turns_and_shrinks(orientation: int) -> None:
    """A large photo, decoded at a fraction of its size, ends upright and of the exact size."""
    data = with_orientation(quarters(3001, 1499), orientation, "JPEG")
    image = sent(data)
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
        assert prepare(data, made, "sign").size == made.size
        assert sent(data, detail=detail).size == made.size


# --- frames -------------------------------------------------------------------------------------


def film(kind: str, **options: Any) -> bytes:
    """Give three frames, red, green and blue."""
    red, *others = (Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE))
    return saved(red, kind, save_all=True, append_images=others, **options)


FILMS = {
    "gif": film("GIF"),
    "png": film("PNG", default_image=False),
    "webp": film("WEBP", lossless=True),
    "avif": film("AVIF", quality=95),
}


@pytest.mark.parametrize("extension", FILMS)
@pytest.mark.parametrize(
    ("number", "colour"), [("", RED), ("#0", RED), ("#1", GREEN), ("#2", BLUE)]
)
def test_a_frame_can_be_named(tmp_path: Path, extension: str, number: str, colour: Any) -> None:
    """An animation stands for its first frame, and any other can be named; notes say which."""
    path = tmp_path / f"clip.{extension}"
    path.write_bytes(FILMS[extension])
    assert near(sent(f"{path}{number}").convert("RGB").getpixel((4, 4)), colour)
    which = "first of several frames" if colour == RED else f"frame {number[1:]} of several"
    assert notes(f"{path}{number}")[0] == which


@pytest.mark.parametrize("extension", FILMS)
def test_a_frame_that_is_not_there(tmp_path: Path, extension: str) -> None:
    """A frame behind the last is an error that names it."""
    path = tmp_path / f"clip.{extension}"
    path.write_bytes(FILMS[extension])
    with pytest.raises(BadReference, match="#9: no such frame"):
        sent(f"{path}#9")


def test_a_tiff_stands_for_its_pages(tmp_path: Path) -> None:
    """Every page is sent, each with its own size and colours; one can be named."""
    path = tmp_path / "scan.tif"
    pages = [Image.new("RGB", (8 + at, 8), colour) for at, colour in enumerate((RED, GREEN))]
    path.write_bytes(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    seen = see(path)
    assert [image.source for image, _ in seen] == [f"{path}#1", f"{path}#2"]
    assert [prepared.size for _, prepared in seen] == [(8, 8), (9, 8)]
    assert near(sent(f"{path}#2").getpixel((4, 4)), GREEN)


# --- encoded by what they show ------------------------------------------------------------------


def screenshot() -> Image.Image:
    image = Image.new("RGB", (2600, 1700), WHITE)
    canvas = ImageDraw.Draw(image)
    canvas.rectangle((0, 0, 2600, 120), (30, 60, 140))
    font = ImageFont.load_default(40)
    for line in range(200, 1600, 90):
        canvas.text((80, line), "The quick brown fox jumps over the lazy dog. " * 2, BLACK, font)
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_text_goes_without_loss(kind: str) -> None:
    """A screenshot is sent as PNG whatever it came as: JPEG would smear its text."""
    ((_, prepared),) = see(saved(screenshot(), kind))
    assert prepared.media_type == "image/png"
    assert prepared.notes[-1].endswith("PNG (graphics)")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_photos_go_as_jpeg(kind: str) -> None:
    """A photo is sent as JPEG whatever it came as: PNG would be ten times the bytes."""
    ((_, prepared),) = see(saved(photo(), kind))
    assert prepared.media_type == "image/jpeg"
    assert prepared.notes[-1].endswith("JPEG (photo)")


def test_what_keeps_its_size_keeps_its_pixels() -> None:
    """Where nothing but the container changes nothing is lost, a photo or not."""
    image = photo().crop((0, 0, 300, 200))
    assert sent(saved(image, "BMP")).tobytes() == image.tobytes()


def photo() -> Image.Image:
    """Give soft shapes under the grain of a sensor."""
    grain = Image.effect_noise((2600, 1700), 12)
    shapes = Image.radial_gradient("L").resize((2600, 1700))
    return Image.merge("RGB", [ImageChops.add(shapes, grain, 1, shift) for shift in (-140, -90, 0)])


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
