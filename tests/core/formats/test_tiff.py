"""TIFF: pages, kinds of pixels, alpha; and the orientation in an EXIF block."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from core.support import SIZE, encoded, picture, tiffs, transparent
from eyeline.core.formats import tiff
from eyeline.core.size import Size

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
    assert tiff.exif_orientation(block) == expected


# --- pages


@pytest.mark.parametrize("missing", [0x0100, 0x0101])
def test_tiff_without_a_size(missing: int) -> None:
    """A directory that names no width or no height makes no sense."""
    data = bytearray(tiffs()["RGB"])
    at = data.index(struct.pack("<HH", missing, 4 if struct.pack("<HH", missing, 4) in data else 3))
    data[at : at + 2] = b"\xff\xfe"
    with pytest.raises(ValueError, match="names no size"):
        tiff.header(bytes(data))


def test_tiff_with_an_orientation_out_of_range() -> None:
    """An orientation that is none turns nothing."""
    data = bytearray(tiffs()["orientation 5"])
    at = data.index(struct.pack("<HH", 0x0112, 3))
    data[at + 8] = 77
    assert tiff.header(bytes(data)).orientation == 1


def test_grey_with_alpha_is_seen_in_tiff() -> None:
    """Two samples are grey and alpha, four are RGB and alpha, but for CMYK."""
    assert tiff.header(encoded(transparent("LA"), "TIFF")).has_alpha
    assert not tiff.header(encoded(picture("CMYK"), "TIFF")).has_alpha


def made(*directories: dict[int, Any], big: bool = False, order: str = "<") -> bytes:
    """Give a TIFF of these directories, tag → number or numbers, all of 16 bits."""
    letter, width, entry = ("Q", 8, "HHQ") if big else ("I", 4, "HHI")
    data = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "H", 43 if big else 42)
    data += struct.pack(order + "HH", 8, 0) if big else b""
    next_at = len(data)
    data += bytes(width)
    for tags in directories:
        values = b""
        at = len(data)
        data = data[:next_at] + struct.pack(order + letter, at) + data[next_at + width :]
        body = struct.pack(order + ("Q" if big else "H"), len(tags))
        behind = at + len(body) + len(tags) * (4 + 2 * width) + width
        for tag, value in tags.items():
            numbers = value if isinstance(value, tuple) else (value,)
            packed = struct.pack(f"{order}{len(numbers)}H", *numbers)
            if len(packed) > width:
                offset = struct.pack(order + letter, behind + len(values))
                values, packed = values + packed, offset
            body += struct.pack(order + entry, tag, 3, len(numbers)) + packed.ljust(width, b"\0")
        next_at = at + len(body)
        data += body + bytes(width) + values
    return data


PAGE = {256: 31, 257: 17}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
def test_pages_each_with_its_own(order: str, big: bool) -> None:
    """Every directory has its size, turn, alpha and kind, in TIFF and BigTIFF of both orders."""
    data = made(
        PAGE | {274: 6},
        {256: 5, 257: 6, 262: 1, 277: 2, 258: (8, 8), 338: 2},
        {256: 7, 257: 8, 262: 2, 277: 3, 258: (16, 16, 16)},
        big=big,
        order=order,
    )
    found = [
        (*page.size, page.orientation, page.has_alpha, page.pixel_kind, page.frame)
        for page in tiff.pages(data)
    ]
    assert found == [
        (31, 17, 6, False, "", 0),
        (5, 6, 1, True, "", 1),
        (7, 8, 1, False, "16-bit", 2),
    ]
    assert {page.frames for page in tiff.pages(data)} == {3}
    assert tiff.header(data) == tiff.pages(data)[0]._replace(frames=2)


def test_pages_that_pillow_wrote() -> None:
    """Pages of different sizes and modes are those that Pillow finds, under the same numbers."""
    images = [picture("RGB"), picture("L", Size(8, 9)), picture("CMYK"), transparent("RGBA")]
    data = encoded(images[0], "TIFF", save_all=True, append_images=images[1:])
    with Image.open(BytesIO(data)) as opened:
        for page in tiff.pages(data):
            opened.seek(page.frame)
            assert opened.size == page.size
            assert opened.has_transparency_data == page.has_alpha
    assert [page.pixel_kind for page in tiff.pages(data)] == ["", "", "CMYK", ""]


def test_a_big_tiff_that_pillow_wrote() -> None:
    """BigTIFF with its eight-byte offsets is read as TIFF is."""
    found = tiff.header(encoded(picture(), "TIFF", big_tiff=True))
    assert (found.size, found.frames) == (SIZE, 1)


def test_thumbnails_and_masks_are_no_pages() -> None:
    """Reduced copies and masks are left out, and each page keeps the number decoders know."""
    data = made(PAGE | {254: 1}, PAGE | {254: 2}, PAGE | {254: 4}, {256: 9, 257: 9})
    assert [(page.frame, page.size) for page in tiff.pages(data)] == [(1, SIZE), (3, Size(9, 9))]
    assert tiff.header(data).frame == 1


def test_a_thumbnail_alone_is_a_page() -> None:
    """Where there is nothing but reduced copies, the first of them is the picture."""
    data = made({1: 1}, PAGE | {254: 1}, {256: 9, 257: 9, 254: 1})
    assert [(page.frame, page.size) for page in tiff.pages(data)] == [(1, SIZE)]


def test_a_chain_that_comes_back_to_itself_ends_there() -> None:
    """A next directory that was read before is the end, as Pillow takes it."""
    data = made(PAGE, PAGE)
    first = struct.unpack("<I", data[4:8])[0]
    assert len(tiff.pages(data[:-4] + struct.pack("<I", first))) == 2


def test_a_second_page_that_is_not_there() -> None:
    """A chain that goes past the end is a cut file, not fewer pages."""
    data = made(PAGE, PAGE)
    with pytest.raises(ValueError, match="needs more"):
        tiff.header(data[:-20])


@pytest.mark.parametrize("order", "<>")
def test_too_many_pages_are_refused(order: str) -> None:
    """A chain of ten thousand directories and more is not walked to its end."""
    count = 10_001
    at = 8
    data = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, at)
    entries = struct.pack(order + "HHIHH", 256, 3, 1, 9, 0) + struct.pack(
        order + "HHIHH", 257, 3, 1, 9, 0
    )
    for number in range(count):
        at += 30
        data += struct.pack(order + "H", 2) + entries
        data += struct.pack(order + "I", at if number < count - 1 else 0)
    with pytest.raises(ValueError, match="more than 10,000 pages"):
        tiff.pages(data)
    assert tiff.header(data).frames == 2


def test_directories_that_lie_in_one_another_are_bounded() -> None:
    """Directories may overlap, so that all of them are long; their tags are counted."""
    step, count = 14, 65_000
    body = bytearray(8 + 14 * 60_000 + 12 * count)
    struct.pack_into("<2sHI", body, 0, b"II", 42, 8)
    for number in range(12):
        at = 8 + number * step
        struct.pack_into("<H", body, at, count)
        struct.pack_into("<I", body, at + 2 + 12 * count, at + step)
    with pytest.raises(ValueError, match=r"500,000 tags"):
        tiff.pages(bytes(body))


@pytest.mark.parametrize(
    ("tags", "kind", "has_alpha"),
    [
        ({262: 5, 277: 4, 258: (8, 8, 8, 8)}, "CMYK", False),
        ({262: 5, 277: 5, 258: (8, 8, 8, 8, 8), 338: 0}, "CMYK", False),
        ({262: 8, 277: 3, 258: (8, 8, 8)}, "LAB", False),
        ({262: 1, 258: 12}, "12-bit", False),
        ({262: 1, 258: 32}, "32-bit", False),
        ({262: 1, 258: 32, 339: 3}, "float", False),
        ({262: 2, 277: 4, 258: (8, 8, 8, 8), 338: 0}, "", False),
        ({262: 2, 277: 5, 258: (8,) * 5, 338: (1, 0)}, "", True),
        ({262: 2, 277: 4, 258: (8, 8, 8, 8)}, "", True),
        ({262: 6, 277: 4, 258: (8, 8, 8, 8)}, "", False),
        ({262: 3, 277: 2, 258: (8, 8), 338: 2}, "", True),
        ({262: 2, 277: 900, 258: (8,) * 900}, "", False),
    ],
)
def test_kinds_and_alpha(tags: dict[int, Any], kind: str, has_alpha: bool) -> None:
    """Inks, Lab, depth and floats are named; alpha is what ExtraSamples says, else what fits."""
    found = tiff.header(made(PAGE | tags))
    assert (found.pixel_kind, found.has_alpha) == (kind, has_alpha)


@pytest.mark.parametrize(("mode", "kind"), [("F", "float"), ("I", "32-bit"), ("LAB", "LAB")])
def test_kinds_that_pillow_wrote(mode: str, kind: str) -> None:
    """Floats, long integers and Lab are seen in what Pillow writes."""
    assert tiff.header(encoded(Image.new(mode, SIZE), "TIFF")).pixel_kind == kind


@pytest.mark.parametrize("compression", ["jpeg", "tiff_lzw"])
def test_jpeg_inside_has_lost(compression: str) -> None:
    """A TIFF is without loss, but for one compressed as JPEG."""
    found = tiff.header(encoded(picture(), "TIFF", compression=compression))
    assert found.is_lossless == (compression != "jpeg")


def test_no_directory() -> None:
    """A file whose first directory is nowhere has no size."""
    with pytest.raises(ValueError, match="names no size"):
        tiff.header(b"II*\0\0\0\0\0")
