"""Headers, read without decoding, say what Pillow says of the same bytes."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from core.support import (
    SIZE,
    all_images,
    jpegs,
)  # fmt: skip
from eyeline.core.formats import bmp, gif, jpeg, png, tiff, webp
from eyeline.core.formats.header import Header
from eyeline.core.size import Size

READERS = {
    "JPEG": jpeg.header,
    "PNG": png.header,
    "GIF": gif.header,
    "WebP": webp.header,
    "BMP": bmp.header,
    "TIFF": tiff.header,
}


def read(name: str) -> Header:
    return READERS[name.partition(" ")[0]](all_images()[name])


def pillow(data: bytes) -> Header:
    """Give the header as Pillow reads it; frames counted as one or more."""
    with Image.open(BytesIO(data)) as image:
        orientation = image.getexif().get(0x0112, 1)
        frames = min(2, getattr(image, "n_frames", 1))
        # Pillow gives the size of a TIFF as it is after the turn, of all others as stored.
        turned = image.format == "TIFF" and orientation >= 5
        size = Size(*image.size).turned if turned else Size(*image.size)
        return Header(size, orientation, image.has_transparency_data, frames)


def seen(header: Header) -> Header:
    """Leave what Pillow does not say."""
    return Header(header.size, header.orientation, header.has_alpha, min(2, header.frames))


@pytest.mark.parametrize("name", all_images())
def test_agrees_with_pillow(name: str) -> None:
    """Size, orientation, alpha and more than one frame are what Pillow finds in the same bytes."""
    assert seen(read(name)) == pillow(all_images()[name])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("JPEG baseline", Header(SIZE)),
        ("JPEG exif 6", Header(SIZE, 6)),
        ("JPEG thumbnail", Header(SIZE, 6)),
        ("PNG RGBA transparent", Header(SIZE, has_alpha=True)),
        ("PNG P transparent", Header(SIZE, has_alpha=True)),
        ("PNG eXIf 8", Header(SIZE, 8)),
        ("PNG animated", Header(SIZE, frames=2)),
        ("GIF static with a loop", Header(SIZE)),
        ("GIF transparent", Header(SIZE, has_alpha=True)),
        ("GIF animated", Header(SIZE, frames=2)),
        ("GIF animated once", Header(SIZE, frames=2)),
        ("WebP lossy alpha", Header(SIZE, has_alpha=True)),
        ("WebP lossless alpha", Header(SIZE, has_alpha=True)),
        ("WebP exif 3", Header(SIZE, 3)),
        ("BMP RGB", Header(SIZE)),
        ("TIFF CMYK", Header(SIZE)),
        ("TIFF big endian", Header(SIZE)),
        ("TIFF orientation 5", Header(SIZE, 5)),
        ("TIFF pages", Header(SIZE, frames=2)),
    ],
)
def test_examples(name: str, expected: Header) -> None:
    """What the bytes were made with is what is read from them."""
    assert seen(read(name)) == expected


@pytest.mark.parametrize("name", all_images())
def test_a_cut_header_is_an_error_of_two_kinds(name: str) -> None:
    """Cut at any byte, a header raises ValueError or IndexError, or is read with the same size."""
    reader, data = READERS[name.partition(" ")[0]], all_images()[name]
    for end in range(12, min(len(data), 800)):
        try:
            found = reader(data[:end])
        except (ValueError, IndexError):
            continue
        assert found.size == SIZE


def test_every_jpeg_sample_is_one() -> None:
    """The samples hold every orientation."""
    assert {jpeg.header(data).orientation for data in jpegs().values()} == set(range(1, 9))


LOSSLESS = ("PNG", "GIF", "BMP", "TIFF", "WebP lossless")


@pytest.mark.parametrize("name", all_images())
def test_what_came_without_loss(name: str) -> None:
    """JPEG and lossy WebP lose, everything else keeps every pixel."""
    assert read(name).is_lossless == name.startswith(LOSSLESS)


KINDS = {
    "JPEG cmyk": "CMYK",
    "PNG I;16": "16-bit",
    "TIFF I;16": "16-bit",
    "TIFF CMYK": "CMYK",
}


@pytest.mark.parametrize("name", all_images())
def test_the_kind_of_pixels(name: str) -> None:
    """What is more than 8-bit grey, RGB or a palette is named; nothing else is."""
    assert read(name).pixel_kind == KINDS.get(name, "")
