"""What bytes are, and the errors for those that are no image."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.support import SIZE, all_images, jpegs, pngs
from eyeline.core.media import PIXELS_MAX, READERS, SIGNATURES, ImageInfo, begins, read_info, sniff
from eyeline.core.size import Size
from eyeline.errors import (
    EyelineError,
    ImageEmpty,
    ImageError,
    ImageIsWebPage,
    ImageTooLarge,
    ImageTruncated,
    NotAnImage,
    UnsupportedFormat,
)

TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WebP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}


@pytest.mark.parametrize("name", all_images())
def test_type_by_signature(name: str) -> None:
    """The type of an image is read from its bytes, never from its name."""
    info = read_info(all_images()[name], "x")
    assert (info.media_type, info.size) == (TYPES[name.partition(" ")[0]], SIZE)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_size(orientation: int) -> None:
    """Orientations 5 to 8 are quarter turns: width and height change places."""
    info = ImageInfo("image/jpeg", Size(4, 3), orientation)
    assert info.upright_size == (Size(3, 4) if orientation >= 5 else Size(4, 3))


@pytest.mark.parametrize(
    ("data", "kind", "said"),
    [
        (b"", ImageEmpty, "x: empty, expected an image"),
        (b"\0", NotAnImage, "begins 00"),
        (b"not an image at all", NotAnImage, "begins 6e 6f 74"),
        (b"<!DOCTYPE html><html>", ImageIsWebPage, "an HTML page"),
        (b"\xef\xbb\xbf \r\n<HTML lang=en>", ImageIsWebPage, "an HTML page"),
        (b"<head><title>", ImageIsWebPage, "an HTML page"),
        (b"<?xml version='1.0'?><note/>", NotAnImage, "begins"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedFormat, "SVG"),
        (b"<?xml version='1.0'?>\n<!-- made -->\n<svg/>", UnsupportedFormat, "SVG"),
        (b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", UnsupportedFormat, "HEIC"),
        (b"\0\0\0\x24ftyphevc\0\0\0\0", UnsupportedFormat, "HEIC"),
        (b"\0\0\0\x24ftypmif1\0\0\0\0", UnsupportedFormat, "HEIC"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", UnsupportedFormat, "AVIF"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", UnsupportedFormat, "JPEG 2000"),
        (b"\xff\x4f\xff\x51", UnsupportedFormat, "JPEG 2000"),
        (b"\0\0\1\0\1\0", UnsupportedFormat, "ICO"),
        (b"8BPS\0\1", UnsupportedFormat, "Photoshop"),
        (b"%PDF-1.7", UnsupportedFormat, "PDF"),
        (b"\xff\xd8\xff", ImageTruncated, "the header ends early"),
        (b"\x89PNG\r\n\x1a\n", ImageTruncated, "needs more than its 8 bytes"),
        (b"GIF89a\0\0\0\0\0\0\0;", ImageTruncated, "the header says 0×0 px"),
        (b"BMW is a maker of cars, and this is a text.", ImageTruncated, "BMP header"),
    ],
)
def test_bytes_that_are_no_image(data: bytes, kind: type[ImageError], said: str) -> None:
    """Everything that is no image gets the error that says what it is instead."""
    with pytest.raises(kind) as raised:
        read_info(data, "x")
    assert type(raised.value) is kind
    assert said in str(raised.value)


def jpeg_of(width: int, height: int) -> bytes:
    return b"\xff\xd8\xff\xc0\0\x0b\x08" + struct.pack(">HH", height, width) + b"\1\1\x11\0"


def png_of(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\2\0\0\0"


@pytest.mark.parametrize(
    "data",
    [
        jpeg_of(65_535, 65_535),
        png_of(2**31 - 1, 2**31 - 1),
        b"BM" + bytes(12) + struct.pack("<Iii", 40, -(2**31), 2**31 - 1),
        b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\0\0\0;",
    ],
)
def test_a_giant_claim_is_refused(data: bytes) -> None:
    """A few bytes that claim more pixels than are safe to decode are refused by their header."""
    with pytest.raises(ImageTooLarge, match=r"the limit is \d+ megapixels"):
        read_info(data, "bomb")


def test_the_largest_safe_size_is_taken() -> None:
    """At the limit itself an image is read, one pixel more is refused."""
    assert read_info(png_of(PIXELS_MAX, 1), "x").size.pixels == PIXELS_MAX
    with pytest.raises(ImageTooLarge):
        read_info(png_of(1, PIXELS_MAX + 1), "x")


@pytest.mark.parametrize("name", all_images())
def test_every_cut_is_named(name: str) -> None:
    """Cut at any byte of its header, an image is empty, not an image, or truncated; or measured."""
    data = all_images()[name]
    for end in range(min(len(data), 800)):
        try:
            info = read_info(data[:end], "x")
        except EyelineError as error:
            assert type(error) in (ImageEmpty, NotAnImage, ImageTruncated)  # noqa: PT017
        else:
            assert info.size == SIZE


@given(st.binary(max_size=300))
def test_any_bytes_give_an_image_error_or_an_info(data: bytes) -> None:
    """Whatever the bytes, nothing but an ImageError is raised."""
    read_or_image_error(data)


@given(st.sampled_from(SIGNATURES), st.binary(max_size=300))
def test_any_bytes_after_a_signature(signature: tuple[int, bytes, str], rest: bytes) -> None:
    """Whatever follows a known signature, nothing but an ImageError is raised."""
    offset, mark, _ = signature
    read_or_image_error(b"RIFF1234"[:offset].ljust(offset, b"\0") + mark + rest)


@given(
    st.sampled_from(sorted(all_images())),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_real_images_with_changed_bytes(name: str, changes: list[tuple[int, int]]) -> None:
    """A real image with some bytes changed raises nothing but an ImageError."""
    data = bytearray(all_images()[name])
    for at, value in changes:
        data[at % len(data)] = value
    read_or_image_error(bytes(data))


def read_or_image_error(data: bytes) -> None:
    try:
        info = read_info(data, "x")
    except ImageError as error:
        assert str(error).startswith("x: ")  # noqa: PT017
    else:
        assert info.media_type in READERS
        assert min(info.size) >= 1
        assert info.size.pixels <= PIXELS_MAX
        assert 1 <= info.orientation <= 8


def test_unknown_bytes_are_shown_by_their_first_twelve() -> None:
    """The error names the first bytes, for that is what one would look up."""
    assert begins(b"\0\1" * 20) == "begins 00 01 00 01 00 01 00 01 00 01 00 01"


def test_sniff_gives_nothing_for_nothing() -> None:
    """Bytes without a signature have no type."""
    assert sniff(b"") == sniff(b"text") == ""
    assert sniff(jpegs()["baseline"]) == "image/jpeg"
    assert sniff(pngs()["RGB"]) == "image/png"
