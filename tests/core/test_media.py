"""What bytes are, and the errors for those that are no image."""

from __future__ import annotations

import struct
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.support import SIZE, all_images, encoded, jpegs, picture, pngs
from eyeline.core.media import (
    AVIF,
    HEIC,
    ICO,
    JP2,
    NAMES,
    PDF,
    PIXELS_MAX,
    PNM,
    READERS,
    SIGNATURES,
    SVG,
    UNREAD,
    WHOLE_PIXELS_MAX,
    ImageInfo,
    begins,
    read_info,
    read_pages,
    sniff,
)
from eyeline.core.size import Size
from eyeline.errors import (
    EyelineError,
    ImageEmpty,
    ImageError,
    ImageIsWebPage,
    ImageTooLarge,
    ImageTruncated,
    NotAnImage,
    UnsafeImage,
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
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", ImageTruncated, "no element found"),
        (b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>", UnsafeImage, "declarations of its own"),
        (b"<svg width='0'/>", ImageTruncated, "the header says 0×0 px"),
        (b"\0\0\0\x14ftypheic\0\0\0\0mif1", ImageTruncated, "no picture in the header"),
        (b"\0\0\0\x10ftypmif1\0\0\0\0", ImageTruncated, "no picture in the header"),
        (b"\0\0\0\x10ftypavif\0\0\0\0", ImageTruncated, "no picture in the header"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", ImageTruncated, "no JP2 header"),
        (b"\xff\x4f\xff\x51", ImageTruncated, "needs more than its 4 bytes"),
        (b"\0\0\1\0\1\0", ImageTruncated, "needs more than its 6 bytes"),
        (b"\0\0\2\0\0\0", NotAnImage, "begins 00 00 02"),
        (b"P6 3 2 x", ImageTruncated, "no largest value"),
        (b"P7\nWIDTH 3\n", UnsupportedFormat, "PAM"),
        (b"PF\n3 2\n-1\n", UnsupportedFormat, "PFM"),
        (b"P5 is a town in Texas", NotAnImage, "begins 50 35"),
        (b"8BPS\0\1", UnsupportedFormat, "Photoshop"),
        (b"\xff\x0a\0", UnsupportedFormat, "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", UnsupportedFormat, "JPEG XL"),
        (b"v/1\x01\2\0\0\0", UnsupportedFormat, "OpenEXR"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", UnsupportedFormat, "camera raw"),
        (b"%PDF-1.7", UnsupportedFormat, "PDF"),
        (b"\xef\xbb\xbf\r\n%PDF-1.7", UnsupportedFormat, "PDF"),
        (b"text before %PDF-1.7", NotAnImage, "begins"),
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
    assert read_info(png_of(WHOLE_PIXELS_MAX, 1), "x").size.pixels == WHOLE_PIXELS_MAX
    with pytest.raises(ImageTooLarge, match="the limit is 100 megapixels"):
        read_info(png_of(1, WHOLE_PIXELS_MAX + 1), "x")


def test_a_jpeg_that_is_decoded_row_by_row_may_be_larger() -> None:
    """Baseline JPEG is shrunk while decoding; progressive JPEG is held whole, as all else is."""
    large = Size(17_000, 10_000)
    assert read_info(jpeg_of(*large), "x").size == large
    with pytest.raises(ImageTooLarge, match="the limit is 100 megapixels"):
        read_info(jpeg_of(*large).replace(b"\xff\xc0", b"\xff\xc2"), "x")


def progressive(size: Size, scans: int) -> bytes:
    return jpeg_of(*size).replace(b"\xff\xc0", b"\xff\xc2") + scans * (
        b"\xff\xda\0\x08\1\1\0\1\x3f\0" + b"\0"
    )


def test_a_progressive_bomb_is_refused() -> None:
    """Hundreds of scans over a large picture take minutes to decode; twenty are usual."""
    size = Size(60_000, 1_600)
    assert read_info(progressive(size, 20), "x").size == size
    with pytest.raises(ImageTooLarge) as raised:
        read_info(progressive(size, 700), "x")
    assert str(raised.value) == (
        "x: 60000×1600 px in 700 scans, the limit is 2,000 megapixels over all scans"
    )
    assert read_info(progressive(Size(64, 64), 700), "x").size == Size(64, 64)


def test_pages() -> None:
    """A TIFF has as many pages as it has pictures; everything else is one."""
    pages = read_pages(all_images()["TIFF pages"], "x")
    assert [(page.size, page.frame, page.frames) for page in pages] == [(SIZE, 0, 2), (SIZE, 1, 2)]
    for name in ("TIFF RGB", "GIF animated", "JPEG exif 6"):
        assert read_pages(all_images()[name], "x") == (read_info(all_images()[name], "x"),)


def test_a_page_too_large_is_refused() -> None:
    """Every page is measured, not only the first."""
    pages = [Image.new("1", (9, 9)), Image.new("1", (9, 8))]
    data = bytearray(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    at = max(data.rfind(struct.pack("<HHI", 0x0101, kind, 1)) for kind in (3, 4))
    data[at : at + 12] = struct.pack("<HHII", 0x0101, 4, 1, 100_000_000)
    with pytest.raises(ImageTooLarge, match="9×100000000 px"):
        read_pages(bytes(data), "x")


@pytest.mark.parametrize("data", [b"", b"text", b"%PDF-1.7", b"II*\0"])
def test_pages_of_what_is_no_image(data: bytes) -> None:
    """What has no pages raises as it does for one picture."""
    with pytest.raises(ImageError) as raised:
        read_pages(data, "x")
    with pytest.raises(type(raised.value)):
        read_info(data, "x")


def test_every_type_has_a_name() -> None:
    """Whatever can be read, and PDF, has a short name to be shown."""
    assert {*READERS, PDF} == NAMES.keys()
    assert not READERS.keys() & UNREAD.keys()


@pytest.mark.parametrize(
    ("image", "kind", "media_type"),
    [
        ("RGB", "AVIF", AVIF),
        ("RGB", "HEIF", HEIC),
        ("RGB", "JPEG2000", JP2),
        ("RGB", "PPM", PNM),
        ("RGBA", "ICO", ICO),
    ],
)
def test_the_newer_types(image: str, kind: str, media_type: str) -> None:
    """Each type is known by its first bytes and measured."""
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    info = read_info(encoded(picture(image, Size(32, 32)), kind), "x")
    assert (info.media_type, info.size) == (media_type, Size(32, 32))


def test_svg_is_measured() -> None:
    """A drawing has the size it will be drawn at, and no ground."""
    info = read_info(b"<?xml version='1.0'?>\n<!-- made -->\n<svg width='200' height='300'/>", "x")
    assert info == ImageInfo(SVG, Size(200, 300), has_alpha=True)


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


MORE_SIGNATURES = (
    (4, b"ftypheic", HEIC),
    (4, b"ftypmif1", HEIC),
    (4, b"ftypavif", AVIF),
    (0, b"\0\0\1\0\1\0", ICO),
    (0, b"P6 9 9 ", PNM),
    (0, b"<svg ", SVG),
)


@given(st.sampled_from(SIGNATURES + MORE_SIGNATURES), st.binary(max_size=300))
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


@cache
def newer_images() -> tuple[bytes, ...]:
    """Give a picture of each type that is not in every sample."""
    see_through = picture("RGBA", Size(32, 32))
    made = [encoded(see_through, kind) for kind in ("AVIF", "JPEG2000", "ICO", "PPM", "TIFF")]
    made.append(encoded(see_through, "TIFF", big_tiff=True))
    made.append(b"<svg width='9' viewBox='0 0 3 3'><g id='a'/><use href='#a'/></svg>")
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
        made.append(encoded(see_through, "HEIF"))
    return tuple(made)


@given(
    st.integers(0, 7),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=8),
    st.integers(0, 2000),
)
def test_newer_images_with_changed_bytes(
    number: int, changes: list[tuple[int, int]], end: int
) -> None:
    """Changed or cut, a picture of any type raises nothing but an ImageError, page by page."""
    data = bytearray(newer_images()[number % len(newer_images())])
    for at, value in changes:
        data[at % len(data)] = value
    read_or_image_error(bytes(data))
    read_or_image_error(bytes(data[:end]))


def read_or_image_error(data: bytes) -> None:
    try:
        infos = (read_info(data, "x"), *read_pages(data, "x"))
    except ImageError as error:
        assert str(error).startswith("x: ")  # noqa: PT017
    else:
        for info in infos:
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
