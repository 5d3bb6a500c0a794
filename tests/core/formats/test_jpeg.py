"""JPEG: frames, scans, orientation, metadata, and the end."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from PIL import Image

from core.support import SIZE, encoded, exif, jpegs, picture
from eyeline.core.formats import jpeg
from eyeline.core.formats.header import Header
from eyeline.core.size import Size


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2) + payload


FRAME = segment(0xC0, b"\x08" + struct.pack(">HH", 7, 9) + b"\x01\x01\x11\0")


@pytest.mark.parametrize(
    ("name", "between"),
    [
        ("nothing", b""),
        ("padding", b"\0\0\0"),
        ("fill bytes", b"\xff\xff\xff"),
        ("a marker without a length", b"\xff\x01\xff\xd0\xff\xd7"),
        ("a Huffman table", segment(0xC4, b"\0" * 17)),
        ("an APP1 that is not EXIF", segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0")),
    ],
)
def test_jpeg_passes_over_what_is_not_its_frame(name: str, between: bytes) -> None:
    """Padding, fill bytes and other segments before the frame header change nothing."""
    assert jpeg.header(b"\xff\xd8" + between + FRAME) == Header(Size(9, 7), is_scalable=True)


@pytest.mark.parametrize("marker", [0xD9, 0xDA])
def test_jpeg_without_a_frame_header(marker: int) -> None:
    """Image data or the end before a frame header makes no sense."""
    with pytest.raises(ValueError, match="no frame header"):
        jpeg.header(b"\xff\xd8" + segment(marker, b"\0\0"))


@pytest.mark.parametrize("frame", [0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCA, 0xCF])
def test_jpeg_of_every_process(frame: int) -> None:
    """Baseline, progressive, lossless and arithmetic JPEG name their size alike."""
    assert jpeg.header(b"\xff\xd8\xff" + bytes([frame]) + FRAME[2:]).size == Size(9, 7)


@pytest.mark.parametrize("end", [5, 7, 9])
def test_jpeg_that_ends_in_its_frame_header(end: int) -> None:
    """A frame header that is cut is no size."""
    with pytest.raises(ValueError, match=r"ends early|needs more"):
        jpeg.header((b"\xff\xd8" + FRAME)[:end])


@pytest.mark.parametrize(
    ("marker", "precision", "components", "kind"),
    [
        (0xC0, 8, 1, ""),
        (0xC1, 12, 3, "12-bit"),
        (0xC2, 8, 4, "CMYK"),
        (0xC3, 8, 3, "lossless JPEG"),
        (0xC5, 8, 3, "hierarchical JPEG"),
        (0xC9, 8, 3, "arithmetic-coded"),
        (0xCF, 8, 3, "hierarchical JPEG"),
    ],
)
def test_the_kind_of_jpeg(marker: int, precision: int, components: int, kind: str) -> None:
    """Few decoders read more than eight bits in baseline or progressive JPEG of up to three."""
    frame = struct.pack(">BHHB", precision, 7, 9, components) + bytes(3 * components)
    assert jpeg.header(b"\xff\xd8" + segment(marker, frame)).pixel_kind == kind


def test_the_first_exif_turns() -> None:
    """Of two EXIF blocks the first is meant, as decoders take it."""
    one, other = (segment(0xE1, exif(value).tobytes()) for value in (6, 3))
    data = b"\xff\xd8" + one + other + jpegs()["baseline"][2:]
    assert jpeg.header(data).orientation == 6
    assert Image.open(BytesIO(data)).getexif()[0x0112] == 6


# --- scans --------------------------------------------------------------------------------------


def test_scans_of_a_progressive_file() -> None:
    """A progressive file is passed over several times, and never held in part."""
    found = jpeg.header(jpegs()["progressive"])
    assert found.scans == jpegs()["progressive"].count(b"\xff\xda") > 5
    assert not found.is_scalable


def test_a_baseline_file_is_read_once_and_row_by_row() -> None:
    """All components in one scan: marks behind it, as in a second picture, are no scans."""
    data = jpegs()["baseline"]
    found = jpeg.header(data + data)
    assert (found.scans, found.is_scalable) == (1, True)


def test_a_baseline_file_of_several_scans_is_held_whole() -> None:
    """A first scan of one component among three says that more will come."""
    frame = segment(0xC0, struct.pack(">BHHB", 8, 7, 9, 3) + bytes(9))
    scan = segment(0xDA, b"\x01\x01\0\0\x3f\0") + b"\x12\xff\0\x34"
    found = jpeg.header(b"\xff\xd8" + frame + 3 * scan + b"\xff\xd9" + scan)
    assert (found.scans, found.is_scalable) == (3, False)


def test_scans_are_counted_through_restart_marks_and_comments() -> None:
    """A mark in a comment between scans is no scan, and hides none."""
    data = encoded(picture(), "JPEG", progressive=True, restart_marker_blocks=1)
    at = data.rindex(b"\xff\xda")
    hidden = data[:at] + segment(0xFE, b"\xff\xd9\xff\xda") + data[at:]
    assert jpeg.header(hidden).scans == jpeg.header(data).scans


def test_millions_of_segments_are_refused() -> None:
    """A file of empty segments is not walked to its end."""
    with pytest.raises(ValueError, match="more than 10,000 segments"):
        jpeg.header(b"\xff\xd8" + segment(0xC4, b"") * 10_001)


# --- metadata and the end -----------------------------------------------------------------------


def test_metadata_between_scans_goes_too() -> None:
    """A comment between two scans is found and left out."""
    data = jpegs()["progressive"]
    at = data.rindex(b"\xff\xda")
    assert b"".join(jpeg.pieces(data[:at] + segment(0xFE, b"secret") + data[at:])) == data


def test_a_colour_profile_stays_and_other_data_of_that_number_goes() -> None:
    """Of application segment 2 the profile is kept, the index of further pictures is not."""
    kept, gone = segment(0xE2, b"ICC_PROFILE\0\1\1x"), segment(0xE2, b"MPF\0index")
    data = b"\xff\xd8" + kept + gone + jpegs()["baseline"][2:]
    assert b"".join(jpeg.pieces(data)) == b"\xff\xd8" + kept + jpegs()["baseline"][2:]


def test_an_end_mark_without_a_scan_is_no_end() -> None:
    """A file that ends before its first scan is not whole."""
    assert jpeg.fault(b"\xff\xd8" + FRAME + b"\xff\xd9") == "no end-of-image mark"
    assert jpeg.header(jpegs()["baseline"]).size == SIZE


def test_two_frame_headers() -> None:
    """Of two frame headers none is believed."""
    with pytest.raises(ValueError, match="two frame headers"):
        jpeg.header(b"\xff\xd8" + FRAME + FRAME)


@pytest.mark.parametrize(
    ("name", "bytes_a_pixel"), [("baseline", 0), ("progressive", 3), ("grey", 0), ("cmyk", 0)]
)
def test_coefficients_that_are_held(name: str, bytes_a_pixel: int) -> None:
    """Two bytes a sample of what comes in several scans, of which 4:2:0 has one and a half."""
    held = jpeg.coefficient_bytes(jpegs()[name])
    assert held == bytes_a_pixel * SIZE.pixels // 2 * 2


@pytest.mark.parametrize("name", jpegs())
def test_a_real_picture_has_bytes_enough(name: str) -> None:
    """No picture that an encoder wrote has less than a decoder needs."""
    assert jpeg.shortage(jpegs()[name]) == ""


@pytest.mark.parametrize(("name", "least"), [("grey", 262_144), ("progressive", 196_608)])
def test_a_size_that_cannot_be(name: str, least: int) -> None:
    """Where the header says more than the bytes can hold, that is said: it would be grey."""
    data = bytearray(jpegs()[name])
    marker = b"\xff\xc0" if name == "grey" else b"\xff\xc2"
    at = data.index(marker) + 5
    data[at : at + 4] = struct.pack(">HH", 8_192, 8_192)
    assert f"at least {least:,} expected" in jpeg.shortage(bytes(data))


def test_other_processes_are_not_judged() -> None:
    """Arithmetic coding may take less than a bit."""
    data = jpegs()["grey"].replace(b"\xff\xc0", b"\xff\xc9")
    assert jpeg.shortage(data) == ""


def test_factors_of_nothing() -> None:
    """Sampling factors of zero, which no decoder takes, count as one."""
    frame = segment(0xC2, b"\x08" + struct.pack(">HH", 8, 8) + b"\x01\x01\0\0")
    assert jpeg.coefficient_bytes(b"\xff\xd8" + frame + segment(0xDA, b"\1\1\0")) == 0
