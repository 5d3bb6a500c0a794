"""Headers, read without decoding, say what Pillow says of the same bytes."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from PIL import Image

from core.support import (
    SIZE,
    all_images,
    bmps,
    encoded,
    exif,
    gifs,
    jpegs,
    picture,
    pngs,
    tiffs,
    transparent,
    webps,
)  # fmt: skip
from eyeline.core import headers
from eyeline.core.headers import Header
from eyeline.core.size import Size

READERS = {
    "JPEG": headers.jpeg,
    "PNG": headers.png,
    "GIF": headers.gif,
    "WebP": headers.webp,
    "BMP": headers.bmp,
    "TIFF": headers.tiff,
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


@pytest.mark.parametrize("name", all_images())
def test_agrees_with_pillow(name: str) -> None:
    """Size, orientation, alpha and more than one frame are what Pillow finds in the same bytes."""
    found = read(name)
    assert found._replace(frames=min(2, found.frames)) == pillow(all_images()[name])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("JPEG baseline", Header(SIZE)),
        ("JPEG exif 6", Header(SIZE, 6)),
        ("JPEG thumbnail", Header(SIZE, 6)),
        ("PNG RGBA transparent", Header(SIZE, has_alpha=True)),
        ("PNG P transparent", Header(SIZE, has_alpha=True)),
        ("PNG eXIf 8", Header(SIZE, 8)),
        ("PNG animated", Header(SIZE, frames=3)),
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
    assert read(name) == expected


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


# --- JPEG ---------------------------------------------------------------------------------------


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2) + payload


FRAME = segment(0xC0, b"\x08" + struct.pack(">HH", 7, 9) + b"\x01\x01\x11\0")


@pytest.mark.parametrize(
    ("name", "between"),
    [
        ("nothing", b""),
        ("padding", b"\0\0\0"),
        ("fill bytes", b"\xff\xff\xff"),
        ("a marker without a length", b"\xff\x01\xff\xd0"),
        ("a Huffman table", segment(0xC4, b"\0" * 17)),
        ("an APP1 that is not EXIF", segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0")),
    ],
)
def test_jpeg_passes_over_what_is_not_its_frame(name: str, between: bytes) -> None:
    """Padding, fill bytes and other segments before the frame header change nothing."""
    assert headers.jpeg(b"\xff\xd8" + between + FRAME) == Header(Size(9, 7))


@pytest.mark.parametrize("marker", [0xD9, 0xDA])
def test_jpeg_without_a_frame_header(marker: int) -> None:
    """Image data or the end before a frame header makes no sense."""
    with pytest.raises(ValueError, match="no frame header"):
        headers.jpeg(b"\xff\xd8" + segment(marker, b"\0\0"))


@pytest.mark.parametrize("frame", [0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCA, 0xCF])
def test_jpeg_of_every_process(frame: int) -> None:
    """Baseline, progressive, lossless and arithmetic JPEG name their size alike."""
    assert headers.jpeg(b"\xff\xd8\xff" + bytes([frame]) + FRAME[2:]).size == Size(9, 7)


# --- EXIF ---------------------------------------------------------------------------------------

ENTRY = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
DIRECTORY = b"II*\0\x08\0\0\0"


@pytest.mark.parametrize(
    ("name", "block", "expected"),
    [
        ("whole", DIRECTORY + b"\x01\0" + ENTRY + b"\0\0\0\0", 6),
        ("no next directory", DIRECTORY + b"\x01\0" + ENTRY, 6),
        ("more entries promised than are there", DIRECTORY + b"\x09\0" + ENTRY, 6),
        ("big endian", b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, 8, 0), 8),
        ("no orientation", DIRECTORY + b"\0\0\0\0\0\0", 1),
        ("orientation as text", DIRECTORY + b"\x01\0" + ENTRY.replace(b"\x03", b"\x02", 1), 1),
        ("out of range", DIRECTORY + b"\x01\0" + ENTRY[:8] + b"\x09\0\0\0" + b"\0\0\0\0", 1),
        ("zero", DIRECTORY + b"\x01\0" + ENTRY[:8] + b"\0\0\0\0" + b"\0\0\0\0", 1),
        ("cut inside the entry", DIRECTORY + b"\x01\0" + ENTRY[:6], 1),
        ("no byte order", b"XX*\0\x08\0\0\0", 1),
        ("nothing", b"", 1),
    ],
)
def test_exif_orientation(name: str, block: bytes, expected: int) -> None:
    """An orientation is found as far as the block goes; a damaged block turns nothing."""
    assert headers.exif_orientation(block) == expected


# --- PNG ----------------------------------------------------------------------------------------


def test_png_orientation_after_the_pixels() -> None:
    """An eXIf chunk behind the image data, where some tools put it, turns the picture too."""
    plain = pngs()["RGB"]
    block = exif(6).tobytes().removeprefix(b"Exif\0\0")
    chunk = len(block).to_bytes(4) + b"eXIf" + block + b"\0\0\0\0"
    late = plain[:-12] + chunk + plain[-12:]
    assert headers.png(late) == Header(SIZE, 6)


def test_png_that_does_not_begin_with_its_header() -> None:
    """A chunk before IHDR is not read as a size."""
    plain = pngs()["RGB"]
    with pytest.raises(ValueError, match="IHDR"):
        headers.png(plain[:8] + b"\0\0\0\x04CgBI\0\0\0\0\0\0\0\0" + plain[8:])


def test_png_with_a_cut_frame_count() -> None:
    """A frame count that is not there is an error, not one frame."""
    with pytest.raises(ValueError, match="needs more"):
        headers.png(pngs()["RGB"][:33] + b"\0\0\0\x08acTL")


# --- GIF ----------------------------------------------------------------------------------------


def test_gif_marks_inside_other_blocks_do_not_count() -> None:
    """The bytes of a comment are never taken for a transparency mark or a trailer."""
    assert read("GIF comment") == Header(SIZE)


def test_gif_whose_picture_passes_the_edge_of_its_screen() -> None:
    """The screen grows with its first picture, as decoders grow it."""
    data = bytearray(gifs()["static"])
    data[6:10] = struct.pack("<HH", 1, 1)
    assert headers.gif(bytes(data)) == pillow(bytes(data)) == Header(SIZE)


def test_gif_with_stray_bytes_between_blocks() -> None:
    """Zero bytes between blocks are passed over, as decoders do."""
    data = gifs()["animated"]
    at = data.index(b"\x21\xf9\x04")
    assert headers.gif(data[:at] + b"\0\0" + data[at:]).frames == 2


def test_gif_of_a_screen_alone() -> None:
    """A GIF without any picture still has the size of its screen."""
    assert headers.gif(b"GIF89a\x05\0\x06\0\0\0\0;") == Header(Size(5, 6))


def test_gif_with_a_second_picture_without_control() -> None:
    """Two pictures make an animation, also without loop or timing."""
    bare = b"GIF89a\x01\0\x01\0\x80\0\0" + bytes(6)
    one = b"," + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\x02\x02\x44\x01\0"
    assert headers.gif(bare + one + b";").frames == 1
    assert headers.gif(bare + one + one + b";").frames == 2


# --- WebP, BMP, TIFF ----------------------------------------------------------------------------


def test_webp_of_an_unknown_chunk() -> None:
    """A first chunk that is none of the three kinds makes no sense."""
    with pytest.raises(ValueError, match="VP8Z"):
        headers.webp(b"RIFF\0\0\0\0WEBPVP8Z")


def test_webp_that_promises_exif_and_has_none() -> None:
    """A flag without its chunk turns nothing."""
    data = bytearray(webps()["lossy alpha"])
    data[20] |= 0x08
    assert headers.webp(bytes(data)).orientation == 1


def test_webp_exif_with_a_jpeg_mark() -> None:
    """EXIF that begins as in JPEG, as some writers have it, is read all the same."""
    block = b"Exif\0\0" + exif(6).tobytes().removeprefix(b"Exif\0\0")
    data = bytearray(webps()["lossy alpha"])
    data[20] |= 0x08
    chunk = b"EXIF" + len(block).to_bytes(4, "little") + block
    assert headers.webp(bytes(data) + chunk).orientation == 6


def test_bmp_of_the_oldest_kind() -> None:
    """The 12-byte header of OS/2 holds its size in two bytes each."""
    assert headers.bmp(b"BM" + bytes(12) + struct.pack("<IHH", 12, 640, 480)).size == Size(640, 480)


def test_bmp_stored_from_top_to_bottom() -> None:
    """A negative height is the order of the rows, not a size."""
    data = bytearray(bmps()["RGB"])
    data[22:26] = struct.pack("<i", -SIZE.height_px)
    assert headers.bmp(bytes(data)) == pillow(bytes(data))


def test_bmp_that_is_a_text() -> None:
    """A text that happens to begin with BM is not measured."""
    with pytest.raises(ValueError, match="BMP header"):
        headers.bmp(b"BMW is a maker of cars, and this is a text.")


@pytest.mark.parametrize("missing", [0x0100, 0x0101])
def test_tiff_without_a_size(missing: int) -> None:
    """A directory that names no width or no height makes no sense."""
    data = bytearray(tiffs()["RGB"])
    at = data.index(struct.pack("<HH", missing, 4 if struct.pack("<HH", missing, 4) in data else 3))
    data[at : at + 2] = b"\xff\xfe"
    with pytest.raises(ValueError, match="names no size"):
        headers.tiff(bytes(data))


def test_tiff_with_an_orientation_out_of_range() -> None:
    """An orientation that is none turns nothing."""
    data = bytearray(tiffs()["orientation 5"])
    at = data.index(struct.pack("<HH", 0x0112, 3))
    data[at + 8] = 77
    assert headers.tiff(bytes(data)).orientation == 1


def test_grey_with_alpha_is_seen_in_tiff() -> None:
    """Two samples are grey and alpha, four are RGB and alpha, but for CMYK."""
    assert headers.tiff(encoded(transparent("LA"), "TIFF")).has_alpha
    assert not headers.tiff(encoded(picture("CMYK"), "TIFF")).has_alpha


def test_every_jpeg_sample_is_one() -> None:
    """The samples hold every orientation."""
    assert {headers.jpeg(data).orientation for data in jpegs().values()} == set(range(1, 9))
