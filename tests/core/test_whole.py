"""Half an image is recognised before it is sent."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest

from core.support import gifs, jpegs, pngs, webps
from eyeline.core.formats import png
from eyeline.core.media import GIF, JPEG, PNG, WEBP, ImageInfo
from eyeline.core.size import Size
from eyeline.core.whole import check_pixels, check_whole, is_unpacked_here
from eyeline.errors import ImageTruncated, UnsafeImage

IMAGES = [
    (media_type, name, data)
    for media_type, group in ((JPEG, jpegs), (PNG, pngs), (GIF, gifs), (WEBP, webps))
    for name, data in group().items()
]
NAMES = [f"{media_type} {name}" for media_type, name, _ in IMAGES]


@pytest.mark.parametrize(("media_type", "name", "data"), IMAGES, ids=NAMES)
def test_a_whole_image_passes(media_type: str, name: str, data: bytes) -> None:
    """An image as its encoder made it is whole, and stays so with bytes behind its end."""
    check_whole(data, media_type, "x")
    check_whole(data + b"\0\0trailing", media_type, "x")


@pytest.mark.parametrize(("media_type", "name", "data"), IMAGES, ids=NAMES)
def test_every_prefix_is_truncated(media_type: str, name: str, data: bytes) -> None:
    """An image cut at any byte is truncated, also inside its EXIF, a comment or a thumbnail."""
    for end in range(len(data)):
        with pytest.raises(ImageTruncated, match=r"x: truncated or damaged image \(.+\)"):
            check_whole(data[:end], media_type, "x")


def test_a_png_with_a_changed_byte_is_damaged() -> None:
    """A chunk that fails its checksum is named, with nothing a terminal would obey."""
    data = bytearray(pngs()["RGB"])
    data[20] ^= 1
    with pytest.raises(ImageTruncated, match=r"chunk b'IHDR' fails its checksum"):
        check_whole(bytes(data), PNG, "x")


def test_a_gif_without_a_picture_is_not_whole() -> None:
    """A trailer alone does not make an image."""
    with pytest.raises(ImageTruncated, match="no image"):
        check_whole(b"GIF89a\x05\0\x06\0\0\0\0;", GIF, "x")


def test_a_camera_photo_cut_behind_its_thumbnail() -> None:
    """The end mark of the thumbnail in the EXIF is not taken for that of the picture."""
    data = jpegs()["thumbnail"]
    assert data.count(b"\xff\xd9") == 2
    with pytest.raises(ImageTruncated, match="no end-of-image mark"):
        check_whole(data[:-2], JPEG, "x")


def test_a_file_that_is_nothing_but_structure() -> None:
    """Endless empty parts are named as what they are."""
    data = pngs()["RGB"][:33] + b"\0\0\0\0IDAT\x35\xaf\x06\x1e" * 100_001
    with pytest.raises(UnsafeImage, match="more than 100,000 chunks"):
        check_whole(data, PNG, "x")


def test_a_jpeg_without_a_frame() -> None:
    """A scan and an end alone are no picture."""
    with pytest.raises(ImageTruncated, match="no frame header"):
        check_whole(b"\xff\xd8\xff\xda\0\2\xff\xd9", JPEG, "x")


def test_an_end_mark_among_the_tables_is_no_end() -> None:
    """Cut behind a comment between two scans, the mark inside the comment does not count."""
    data = jpegs()["progressive"]
    at = data.rindex(b"\xff\xda")
    with pytest.raises(ImageTruncated, match="no end-of-image mark"):
        check_whole(data[:at] + b"\xff\xfe\0\x06\xff\xd9\0\0", JPEG, "x")


def test_a_mark_inside_a_scan_is_damage() -> None:
    """Garbage between right marks is full of marks that mean nothing there."""
    data = jpegs()["baseline"]
    start = data.index(b"\xff\xda") + 14
    garbage = bytes(at * 167 % 251 for at in range(len(data) - start - 2))
    damaged = data[:start] + garbage[:40] + b"\xff\x3c" + garbage[42:] + data[-2:]
    with pytest.raises(ImageTruncated, match="a mark FF 3C inside the picture"):
        check_whole(damaged, JPEG, "x")


# --- the pixels of a PNG


def with_pixels(packed: bytes, *, name: str = "RGB") -> bytes:
    """Give a PNG whose pixels are these packed ones, its checksums right."""
    data = pngs()[name]
    start, end = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    content = b"IDAT" + packed
    chunk = len(packed).to_bytes(4) + content + zlib.crc32(content).to_bytes(4)
    return data[:start] + chunk + data[end:]


def unpacked_pixels(name: str = "RGB") -> bytes:
    return b"".join(png.inflated(pngs()[name]))


@pytest.mark.parametrize("name", pngs())
def test_pixels_that_unpack(name: str) -> None:
    """Every PNG as its encoder made it unpacks, whatever its depth, and with pixels too many."""
    check_pixels(pngs()[name], "x")
    more = unpacked_pixels(name) + bytes(99)
    check_pixels(with_pixels(zlib.compress(more), name=name), "x")


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (5, 2), (9, 9), (33, 17)])
@pytest.mark.parametrize(("colour", "depth"), [(0, 1), (2, 8), (3, 4), (4, 16), (6, 8)])
def test_interlaced_pixels(size: tuple[int, int], colour: int, depth: int) -> None:
    """Of seven passes each has rows of its own, or none."""
    head = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 1)
    before = png.SIGNATURE + len(head).to_bytes(4) + b"IHDR" + head + bytes(4)
    rows = b"".join(bytes(row_bytes) * rows for row_bytes, rows in png.passes(before))
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    assert len(rows) >= size[0] * size[1] * samples * depth // 8 + 1
    for there, fault in ((rows, ""), (rows[:-1], "fewer pixels than its size says")):
        packed = zlib.compress(there)
        data = before + len(packed).to_bytes(4) + b"IDAT" + packed + bytes(4)
        assert png.pixel_fault(data) == fault


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda rows: zlib.compress(rows[:-20]), "fewer pixels"),
        (lambda rows: b"", "fewer pixels"),
        (lambda rows: zlib.compress(rows)[:-9], "fewer pixels"),
        (lambda rows: zlib.compress(b"\x05" + rows[1:]), "a row of pixels that no filter made"),
        (lambda rows: zlib.compress(rows)[:-1] + b"\0", "incorrect data check"),
        (lambda rows: b"no stream at all", "incorrect header check"),
        (lambda rows: zlib.compress(rows)[:9] + bytes(99), "Error -3"),
    ],
)  # fmt: skip
def test_pixels_that_do_not_unpack(damage: Callable[[bytes], bytes], found: str) -> None:
    """Damage behind right checksums is found where the pixels are unpacked."""
    data = with_pixels(damage(unpacked_pixels()))
    check_whole(data, PNG, "x")
    with pytest.raises(ImageTruncated, match=f"x: truncated or damaged image .*{found}"):
        check_pixels(data, "x")


def test_pixels_in_many_chunks() -> None:
    """They are one stream, however it is cut."""
    data = pngs()["RGB"]
    start, end = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    packed = data[start + 8 : end - 4]
    chunks = (b"IDAT" + packed[at : at + 1] for at in range(len(packed)))
    each = (b"\0\0\0\1" + content + zlib.crc32(content).to_bytes(4) for content in chunks)
    check_pixels(data[:start] + b"".join(each) + data[end:], "x")


def test_a_flood_of_pixels_is_not_unpacked() -> None:
    """A gigabyte behind a small header is left where it is."""
    packer = zlib.compressobj(9)
    flood = b"".join(packer.compress(bytes(10**6)) for _ in range(300)) + packer.flush()
    check_pixels(with_pixels(flood), "x")


def test_who_unpacks() -> None:
    """A PNG of up to a megapixel is unpacked at once, all else elsewhere or never."""
    assert is_unpacked_here(ImageInfo(PNG, Size(1000, 1000)))
    assert not is_unpacked_here(ImageInfo(PNG, Size(1001, 1000)))
    assert not is_unpacked_here(ImageInfo(GIF, Size(8, 8)))


# --- WebP


def test_a_webp_that_is_damaged() -> None:
    """A chunk that goes on behind the file, no picture, and a frame that is none, are named."""
    lossy = webps()["lossy"]
    at = lossy.index(b"VP8 ")
    for data, found in (
        (lossy[: at + 4] + b"\xff\xff\0\0" + lossy[at + 8 :], "ends behind the file"),
        (lossy.replace(b"VP8 ", b"JUNK"), "no picture"),
        (lossy[: at + 11] + b"???" + lossy[at + 14 :], "no start of a picture"),
        (lossy[: at + 8] + b"\xf0\xff\xff" + lossy[at + 11 :], "bytes of pixels"),
    ):
        with pytest.raises(ImageTruncated, match=found):
            check_whole(data, WEBP, "x")
