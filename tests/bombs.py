"""
Hostile files, each made by a named function; `python tests/bombs.py` shows what they take.

Each is run in a process of its own, the whole way from the path to the content parts. Names on the
command line choose among them: `python tests/bombs.py png large`.
"""

from __future__ import annotations

import json
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image

Maker = Callable[[], bytes]


class Bomb(NamedTuple):
    """A hostile file: who makes it, how its name ends, and the frame that is asked for."""

    make: Maker
    ending: str


BOMBS: dict[str, Bomb] = {}
# Just below what a header may say, and far above.
SIDE_PX, FAR_PX = 9_999, 50_000


def bomb(ending: str) -> Callable[[Maker], Maker]:
    """Name a maker among the bombs, with what follows the name of its file."""

    def named(make: Maker) -> Maker:
        BOMBS[make.__name__] = Bomb(make, ending)
        return make

    return named


@cache
def zeros(size_bytes: int) -> bytes:
    """Give so many zeros as a zlib stream, without ever holding them."""
    packer, block = zlib.compressobj(9), bytes(2**20)
    # After a full flush the same bytes pack to the same bytes again.
    first, again = (packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    whole, rest = divmod(size_bytes, 2**20)
    if whole < 2:
        return zlib.compress(bytes(size_bytes), 9)
    tail = zlib.compressobj(9, wbits=-15)
    ending = tail.compress(bytes(rest)) + tail.flush()
    checksum = (size_bytes % 65_521) << 16 | 1  # Adler-32 of zeros
    return first + again * (whole - 1) + ending + checksum.to_bytes(4)


# --- PNG ----------------------------------------------------------------------------------------

PNG_MARK = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, RGBA = 0, 2, 3, 6
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, RGBA: 4}


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content).to_bytes(4)
    return len(content).to_bytes(4) + kind + content + checksum


def ihdr(width: int, height: int, depth: int, colour: int, interlace: int = 0) -> bytes:
    fields = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return chunk(b"IHDR", fields)


def png(
    width: int, height: int, colour: int = RGB, depth: int = 8, *, interlace: int = 0,
    more: bytes = b"", packed: bytes | None = None,
) -> bytes:  # fmt: skip
    """Give a PNG of zeros, with more chunks before its pixels."""
    if packed is None:
        row_bytes = 1 + -(-width * SAMPLES[colour] * depth // 8)
        # An interlaced one has more rows, each with its filter.
        packed = zeros(row_bytes * height + (height * 2 if interlace else 0))
    head = ihdr(width, height, depth, colour, interlace)
    return PNG_MARK + head + more + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@bomb(".png")
def png_50000() -> bytes:
    """2.5 gigapixels of zeros."""
    return png(FAR_PX, FAR_PX, packed=zeros(50_000_000))


@bomb(".png")
def png_12000() -> bytes:
    """144 megapixels of zeros, all there."""
    return png(12_000, 12_000)


@bomb(".png")
def png_rgb() -> bytes:
    """100 megapixels of colour in 300 KB."""
    return png(SIDE_PX, SIDE_PX)


@bomb(".png")
def png_rgba() -> bytes:
    """100 transparent megapixels in 400 KB."""
    return png(SIDE_PX, SIDE_PX, RGBA)


@bomb(".png")
def png_rgba_7000() -> bytes:
    """49 transparent megapixels in 200 KB, below the limit of memory."""
    return png(7_000, 7_000, RGBA)


@bomb(".png")
def png_rgba_16_bit() -> bytes:
    """49 megapixels of eight bytes each."""
    return png(7_000, 7_000, RGBA, 16)


@bomb(".png")
def png_grey() -> bytes:
    """100 megapixels of grey, one byte each."""
    return png(SIDE_PX, SIDE_PX, GREY)


@bomb(".png")
def png_grey_16_bit() -> bytes:
    """100 megapixels of 16-bit grey, to be scaled by their range."""
    return png(SIDE_PX, SIDE_PX, GREY, 16)


@bomb(".png")
def png_1_bit() -> bytes:
    """100 megapixels in 12 KB."""
    return png(SIDE_PX, SIDE_PX, GREY, 1)


@bomb(".png")
def png_palette() -> bytes:
    """100 megapixels by a palette with a transparent colour."""
    more = chunk(b"PLTE", bytes(range(6))) + chunk(b"tRNS", b"\x80")
    return png(SIDE_PX, SIDE_PX, PALETTE, 1, more=more)


@bomb(".png")
def png_interlaced() -> bytes:
    """49 megapixels in seven passes."""
    return png(7_000, 7_000, RGB, interlace=1)


@bomb(".png")
def png_ztxt() -> bytes:
    """A compressed text of 1 GB beside one pixel that has to be encoded anew."""
    return png(4, 4, RGBA, more=chunk(b"zTXt", b"a\0\0" + zeros(10**9)))


@bomb(".png")
def png_itxt() -> bytes:
    """An international text of 1 GB."""
    return png(4, 4, RGBA, more=chunk(b"iTXt", b"a\0\1\0\0\0" + zeros(10**9)))


@bomb(".png")
def png_iccp() -> bytes:
    """A colour profile of 1 GB."""
    return png(4, 4, RGBA, more=chunk(b"iCCP", b"a\0\0" + zeros(10**9)))


@bomb(".png")
def png_many_texts() -> bytes:
    """A thousand texts of 1 MB each, every one below what a decoder refuses."""
    return png(4, 4, RGBA, more=chunk(b"zTXt", b"a\0\0" + zeros(1_000_000)) * 1_000)


@bomb(".png")
def png_many_chunks() -> bytes:
    """A million chunks of nothing."""
    return png(4, 4, RGBA, more=chunk(b"teXt", b"") * 1_000_000)


@bomb(".png")
def png_two_headers() -> bytes:
    """A small header, then a large one."""
    return png(4, 4, RGBA, more=ihdr(FAR_PX, FAR_PX, 8, RGBA), packed=zeros(10**8))


@bomb(".png")
def png_more_data() -> bytes:
    """A gigabyte of pixels behind a header of 64×64."""
    return png(64, 64, RGBA, packed=zeros(10**9))


@bomb(".png")
def png_less_data() -> bytes:
    """A header of 64 megapixels before sixteen pixels."""
    return png(8_000, 8_000, packed=zeros(52))


@bomb(".png")
def png_no_size() -> bytes:
    """Nothing by nothing."""
    return png(0, 0, packed=zeros(1))


@bomb(".png")
def png_line() -> bytes:
    """A line of one by 100,000."""
    return png(1, 100_000)


@bomb(".png")
def png_column() -> bytes:
    """A line of 100,000 by one."""
    return png(100_000, 1)


def frame(number: int, width: int, height: int, left: int = 0) -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, left, 0, 1, 1, 0, 0))


@bomb(".png#5000")
def apng_far_frame() -> bytes:
    """Four thousand million frames, as the header says; the 5,000th."""
    more = chunk(b"acTL", struct.pack(">II", 2**32 - 1, 0)) + frame(0, 64, 64)
    return png(64, 64, RGBA, more=more)


@bomb(".png#1")
def apng_lying_frame() -> bytes:
    """A second frame larger than the picture."""
    head = ihdr(64, 64, 8, RGBA) + chunk(b"acTL", struct.pack(">II", 2, 0)) + frame(0, 64, 64)
    first = chunk(b"IDAT", zeros(257 * 64))
    second = frame(1, FAR_PX, FAR_PX) + chunk(b"fdAT", b"\0\0\0\2" + zeros(10**8))
    return PNG_MARK + head + first + second + chunk(b"IEND", b"")


@bomb(".png#99")
def apng_large_frames() -> bytes:
    """A hundred frames of 4 megapixels, each drawn over the last."""
    head = ihdr(2_000, 2_000, 8, RGBA) + chunk(b"acTL", struct.pack(">II", 100, 0))
    packed = zeros(8_001 * 2_000)
    frames = [frame(0, 2_000, 2_000) + chunk(b"IDAT", packed)]
    for at in range(1, 100):
        data = chunk(b"fdAT", struct.pack(">I", 2 * at) + packed)
        frames.append(frame(2 * at - 1, 2_000, 2_000) + data)
    return PNG_MARK + head + b"".join(frames) + chunk(b"IEND", b"")


# --- GIF ----------------------------------------------------------------------------------------


def gif(width: int, height: int, pictures: Iterable[bytes]) -> bytes:
    """Give a GIF of two colours."""
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(range(6))
    return b"GIF89a" + screen + b"".join(pictures) + b";"


def picture(width: int, height: int, left: int = 0, packed: bytes = b"\x02\x44\x01") -> bytes:
    """Give one picture; its pixels are one, or what `packed` has behind the width of its codes."""
    codes, packed = packed[:1], packed[1:]
    blocks = (packed[at : at + 255] for at in range(0, len(packed), 255))
    data = b"".join(bytes([len(block)]) + block for block in blocks)
    return b"," + struct.pack("<HHHHB", left, 0, width, height, 0) + codes + data + b"\0"


def flat_gif(side_px: int) -> bytes:
    """Give the packed pixels of a square of one colour."""
    data = saved(Image.new("P", (side_px, side_px)), "GIF")
    at = data.index(b",") + 10
    return data[at : at + 1] + b"".join(sub_blocks(data, at + 1))


def sub_blocks(data: bytes, at: int) -> Iterator[bytes]:
    while data[at]:
        yield data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@bomb(".gif")
def gif_canvas() -> bytes:
    """A screen of 65,535×65,535 with a picture of one pixel."""
    return gif(65_535, 65_535, [picture(1, 1)])


@bomb(".gif")
def gif_hollow() -> bytes:
    """A screen of 100 megapixels with a picture of one pixel."""
    return gif(SIDE_PX, SIDE_PX, [picture(1, 1)] * 2)


@bomb(".gif")
def gif_flat() -> bytes:
    """64 megapixels of one colour, all there."""
    side_px = 8_000
    return saved(Image.new("P", (side_px, side_px)), "GIF")


@bomb(".gif#5000")
def gif_far_frame() -> bytes:
    """Ten thousand frames of one pixel; the 5,000th."""
    return gif(1, 1, [picture(1, 1)] * 10_000)


@bomb(".gif#99000")
def gif_farthest_frame() -> bytes:
    """A hundred thousand frames of one pixel; nearly the last."""
    return gif(1, 1, [picture(1, 1)] * 99_990)


@bomb(".gif#999")
def gif_frames() -> bytes:
    """A thousand frames of half a megapixel, each drawn over the last."""
    return gif(700, 700, [picture(700, 700, packed=flat_gif(700))] * 1_000)


@bomb(".gif#59")
def gif_large_frames() -> bytes:
    """A hundred frames of 4 megapixels."""
    return gif(2_000, 2_000, [picture(2_000, 2_000, packed=flat_gif(2_000))] * 100)


@bomb(".gif#1")
def gif_lying_frame() -> bytes:
    """A second frame far outside the screen."""
    return gif(64, 64, [picture(64, 64), picture(65_000, 65_000, 500)])


@bomb(".gif")
def gif_blocks() -> bytes:
    """A hundred thousand empty comments before the picture."""
    return gif(64, 64, [b"!\xfe\0"] * 100_000 + [picture(64, 64)])


# --- TIFF ---------------------------------------------------------------------------------------

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


# --- JPEG ---------------------------------------------------------------------------------------


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2) + content


def frame_header(marker: int, width: int, height: int, components: int = 1) -> bytes:
    each = b"".join(bytes((number, 0x11, 0)) for number in range(1, components + 1))
    return segment(marker, struct.pack(">BHHB", 8, height, width, components) + each)


# Every table has one code of one bit, for a difference of nothing, the end of a block, and in
# progressive scans a run of 32,767 empty blocks.
TABLES = segment(0xDB, b"\0" + b"\1" * 64) + segment(0xC4, b"\0\1" + bytes(16))
TABLE_OF_ENDS, TABLE_OF_RUNS = (
    segment(0xC4, b"\x10\1" + bytes(15) + symbol) for symbol in (b"\0", b"\xe0")
)


def scan(first: int, last: int, content: bytes, components: int = 1) -> bytes:
    each = b"".join(bytes((number, 0)) for number in range(1, components + 1))
    head = segment(0xDA, bytes((components,)) + each + bytes((first, last, 0)))
    return head + content


def jpeg(width: int, height: int, content: bytes, components: int = 1, more: bytes = b"") -> bytes:
    """Give a JPEG of one row-by-row scan; two bits a block and component are enough."""
    head = TABLES + TABLE_OF_ENDS + more + frame_header(0xC0, width, height, components)
    return b"\xff\xd8" + head + scan(0, 63, content, components) + b"\xff\xd9"


def blocks(width: int, height: int) -> int:
    return -(-width // 8) * -(-height // 8)


@bomb(".jpg")
def jpeg_65500() -> bytes:
    """4.3 gigapixels in the header."""
    return jpeg(65_500, 65_500, bytes(1_000))


@bomb(".jpg")
def jpeg_grey() -> bytes:
    """169 megapixels of grey in 660 KB, all there."""
    return jpeg(13_000, 13_000, bytes(blocks(13_000, 13_000) // 4 + 1))


@bomb(".jpg")
def jpeg_colour() -> bytes:
    """169 megapixels of colour, no channel halved."""
    return jpeg(13_000, 13_000, bytes(3 * blocks(13_000, 13_000) // 4 + 3), 3)


@bomb(".jpg")
def jpeg_cut() -> bytes:
    """169 megapixels, of which a thousandth is there."""
    return jpeg(13_000, 13_000, bytes(1_000))


def progressive(width: int, height: int, scans: int, components: int = 1) -> bytes:
    runs = -(-blocks(width, height) // 32_767)
    each = segment(0xDA, b"\1\1\0\1\x3f\0") + bytes(2 * runs + 2)
    first = scan(0, 0, bytes(components * blocks(width, height) // 8 + 1), components)
    head = TABLES + TABLE_OF_RUNS + frame_header(0xC2, width, height, components)
    return b"\xff\xd8" + head + first + each * scans + b"\xff\xd9"


@bomb(".jpg")
def jpeg_scans() -> bytes:
    """Five hundred scans over 16 megapixels."""
    return progressive(4_000, 4_000, 500)


@bomb(".jpg")
def jpeg_scans_allowed() -> bytes:
    """A hundred scans over 20 megapixels, just below the limit."""
    return progressive(4_400, 4_400, 100)


@bomb(".jpg")
def jpeg_progressive() -> bytes:
    """100 megapixels of colour, whose coefficients are all held: 600 MB."""
    return progressive(SIDE_PX, SIDE_PX, 1, 3)


@bomb(".jpg")
def jpeg_tables() -> bytes:
    """Nine thousand Huffman tables."""
    return jpeg(64, 64, bytes(99), more=TABLE_OF_ENDS * 9_000)


@bomb(".jpg")
def jpeg_table_counts() -> bytes:
    """A Huffman table of 4,080 codes, sixteen times what there can be."""
    return jpeg(64, 64, bytes(99), more=segment(0xC4, b"\0" + b"\xff" * 16 + bytes(4_080)))


def icc_part(number: int, count: int, content: bytes) -> bytes:
    return segment(0xE2, b"ICC_PROFILE\0" + bytes((number, count)) + content)


@bomb(".jpg")
def jpeg_icc_parts() -> bytes:
    """Nine thousand parts of a colour profile, 64 KB each."""
    part = icc_part(1, 255, bytes(1_000))
    return jpeg(2_100, 2_100, bytes(20_000), more=part * 9_000)


@bomb(".jpg")
def jpeg_icc_claim() -> bytes:
    """One part of a colour profile that says it has 255."""
    return jpeg(2_100, 2_100, bytes(20_000), more=icc_part(1, 255, bytes(128)))


@bomb(".jpg")
def jpeg_exif_loop() -> bytes:
    """EXIF whose directory names itself as the next, and as its own part."""
    directory = struct.pack("<HHHIIHHIII", 2, 0x8769, 4, 1, 8, 0x0112, 3, 1, 6, 8)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + directory
    return jpeg(2_100, 2_100, bytes(20_000), more=segment(0xE1, exif))


@bomb(".jpg")
def jpeg_two_frames() -> bytes:
    """A small frame header, then a large one."""
    return jpeg(64, 64, bytes(99), more=frame_header(0xC0, 60_000, 60_000))


@bomb(".jpg")
def jpeg_no_size() -> bytes:
    """Nothing by nothing."""
    return jpeg(0, 0, bytes(9))


@bomb(".jpg")
def jpeg_line() -> bytes:
    """A line of 65,500 by one."""
    return jpeg(65_500, 1, bytes(5_000))


# --- WebP ---------------------------------------------------------------------------------------


def riff(*chunks: bytes) -> bytes:
    content = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def riff_chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) & 1)


def lossless(width: int, height: int, alpha: int = 0) -> bytes:
    """Give a picture of one colour, which takes no bits at all, however large."""
    bits = (width - 1) | (height - 1) << 14 | alpha << 28
    code = 0b0001  # a simple code of one symbol of one bit, which is 0
    codes = sum(code << 3 + 4 * at for at in range(5))
    return riff_chunk(b"VP8L", b"\x2f" + struct.pack("<I", bits) + struct.pack("<Q", codes))


def canvas(width: int, height: int, flags: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff_chunk(b"VP8X", bytes((flags, 0, 0, 0)) + sides)


def animated(width: int, height: int, frames: int, inner: tuple[int, int] | None = None) -> bytes:
    inner = inner or (width, height)
    place = bytes(6) + b"".join((side - 1).to_bytes(3, "little") for side in inner)
    each = riff_chunk(b"ANMF", place + b"\1\0\0\0" + lossless(*inner))
    control = riff_chunk(b"ANIM", bytes(6))
    return riff(canvas(width, height, 0x02), control, *[each] * frames)


@bomb(".webp")
def webp_16383() -> bytes:
    """268 megapixels in 40 bytes."""
    return riff(lossless(16_383, 16_383))


@bomb(".webp")
def webp_9999() -> bytes:
    """100 megapixels in 40 bytes, below the limit of pixels."""
    return riff(lossless(SIDE_PX, SIDE_PX))


@bomb(".webp")
def webp_4000() -> bytes:
    """16 transparent megapixels in 40 bytes."""
    return riff(lossless(4_000, 4_000, 1))


@bomb(".webp")
def webp_canvas() -> bytes:
    """A canvas of 16,777,216 by 16,777,216."""
    return riff(canvas(2**24, 2**24, 0x10), lossless(64, 64))


@bomb(".webp")
def webp_lying() -> bytes:
    """A small canvas around a large picture."""
    return riff(canvas(64, 64, 0x10), lossless(16_383, 16_383))


@bomb(".webp#5000")
def webp_far_frame() -> bytes:
    """Ten thousand frames of 200×200; the 5,000th."""
    return animated(200, 200, 10_000)


@bomb(".webp#59")
def webp_large_frames() -> bytes:
    """A hundred frames of 4 megapixels."""
    return animated(2_000, 2_000, 100)


@bomb(".webp#1")
def webp_lying_frame() -> bytes:
    """Frames larger than their canvas."""
    return animated(64, 64, 3, (16_383, 16_383))


# --- BMP, ICO, PNM ------------------------------------------------------------------------------


def bmp(width: int, height: int, bits: int, compression: int, content: bytes) -> bytes:
    table = bytes(4 << bits) if bits <= 8 else b""
    fields = (40, width, height, 1, bits, compression, len(content), 0, 0, 0, 0)
    head = struct.pack("<IiiHHIIiiII", *fields) + table
    at = 14 + len(head)
    return b"BM" + struct.pack("<IHHI", at + len(content), 0, 0, at) + head + content


@bomb(".bmp")
def bmp_rle_line_ends() -> bytes:
    """100 megapixels of which each row is one pixel and the end of the line."""
    return bmp(60_000, 1_600, 8, 1, b"\1\0\0\0" * 1_600)


@bomb(".bmp")
def bmp_rle_runs() -> bytes:
    """100 megapixels in runs of 255."""
    return bmp(SIDE_PX, SIDE_PX, 8, 1, (b"\xff\0" * 40 + b"\0\0") * SIDE_PX)


@bomb(".bmp")
def bmp_rle_pixels() -> bytes:
    """One megapixel in runs of one pixel, as noise would be."""
    return bmp(1_000, 1_000, 8, 1, (b"\1\0" * 1_000 + b"\0\0") * 1_000)


@bomb(".bmp")
def bmp_rle_steps() -> bytes:
    """100 megapixels of steps of 255 rows."""
    return bmp(SIDE_PX, SIDE_PX, 4, 2, b"\0\2\0\xff" * 99)


@bomb(".bmp")
def bmp_less_data() -> bytes:
    """100 megapixels in the header, one in the file."""
    return bmp(SIDE_PX, SIDE_PX, 24, 0, bytes(3))


@bomb(".bmp")
def bmp_far() -> bytes:
    """A width and height of two thousand million."""
    return bmp(2**31 - 1, -(2**31), 24, 0, bytes(3))


def ico(content: bytes, count: int = 1) -> bytes:
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(content), 6 + 16 * count)
    return struct.pack("<HHH", 0, 1, count) + entry * count + content


@bomb(".ico")
def ico_png() -> bytes:
    """An icon of 16×16 that is a PNG of 100 megapixels."""
    return ico(png(SIDE_PX, SIDE_PX, RGBA))


@bomb(".ico")
def ico_png_50000() -> bytes:
    """An icon of 16×16 that is a PNG of 2.5 gigapixels."""
    return ico(png(FAR_PX, FAR_PX, RGBA, packed=zeros(10**7)))


@bomb(".ico")
def ico_entries() -> bytes:
    """65,535 entries, all the same PNG of 49 megapixels."""
    return ico(png(7_000, 7_000, RGBA), 65_535)


@bomb(".ico")
def ico_bitmap() -> bytes:
    """An icon of 16×16 that is a bitmap of 100 megapixels."""
    return ico(bmp(SIDE_PX, 2 * SIDE_PX, 32, 0, bytes(64))[14:])


@bomb(".ppm")
def pnm_lie() -> bytes:
    """100 megapixels in the header and nothing behind it."""
    return b"P6 9999 9999 255\n"


@bomb(".ppm")
def pnm_far() -> bytes:
    """A header of ten digits by ten digits."""
    return b"P6 9999999999 9999999999 255\n"


@bomb(".pgm")
def pnm_odd_maximum() -> bytes:
    """Nine megapixels of a largest value that Pillow reads pixel by pixel in Python."""
    return b"P5 3000 3000 65534\n" + bytes(2 * 9_000_000)


@bomb(".ppm")
def pnm_odd_colours() -> bytes:
    """Nine megapixels of colour up to 100."""
    return b"P6 3000 3000 100\n" + bytes(3 * 9_000_000)


@bomb(".ppm")
def pnm_plain() -> bytes:
    """One megapixel written as text."""
    return b"P3 1000 1000 255\n" + b"1 " * 3_000_000


@bomb(".pgm")
def pnm_comment() -> bytes:
    """A comment of 20 MB in the header."""
    return b"P5 #" + b"x" * 20_000_000 + b"\n64 64 255\n" + bytes(4_096)


@bomb(".pbm")
def pnm_bits() -> bytes:
    """100 megapixels of one bit."""
    return b"P4 9999 9999\n" + bytes(1_250 * SIDE_PX)


# --- JPEG 2000 ----------------------------------------------------------------------------------


def jpeg2000(
    width: int, height: int, *, tile: int = 0, components: int = 3, levels: int = 5,
    layers: int = 1, content: bytes = b"",
) -> bytes:  # fmt: skip
    """Give a codestream, its packets all empty."""
    tile_width, tile_height = (tile, tile) if tile else (width, height)
    sizes = struct.pack(
        ">HIIIIIIIIH", 0, width, height, 0, 0, tile_width, tile_height, 0, 0, components
    )
    siz = segment(0x51, sizes + b"\7\1\1" * components)
    cod = segment(0x52, struct.pack(">BBHBBBBBB", 0, 0, layers, 0, levels, 4, 4, 0, 1))
    qcd = segment(0x5C, b"\x40" + b"\x40" * (3 * levels + 1))
    tiles = -(-width // tile_width) * -(-height // tile_height)
    packets = content or bytes(layers * components * (levels + 1))
    parts = b"".join(
        segment(0x90, struct.pack(">HIBB", at, len(packets) + 14, 0, 1)) + b"\xff\x93" + packets
        for at in range(min(tiles, 65_535))
    )
    return b"\xff\x4f" + siz + cod + qcd + parts + b"\xff\xd9"


@bomb(".j2k")
def jp2_50000() -> bytes:
    """2.5 gigapixels in the header."""
    return jpeg2000(FAR_PX, FAR_PX, tile=4_096)


@bomb(".j2k")
def jp2_empty() -> bytes:
    """100 megapixels, every packet empty."""
    return jpeg2000(SIDE_PX, SIDE_PX)


@bomb(".j2k")
def jp2_empty_tiles() -> bytes:
    """100 megapixels in tiles, every packet empty."""
    return jpeg2000(SIDE_PX, SIDE_PX, tile=1_024)


@bomb(".j2k")
def jp2_empty_16() -> bytes:
    """16 megapixels, every packet empty."""
    return jpeg2000(4_000, 4_000)


@bomb(".j2k")
def jp2_tiles() -> bytes:
    """65,000 tiles of 32×32."""
    return jpeg2000(8_192, 8_000, tile=32, components=1)


@bomb(".j2k")
def jp2_tiles_allowed() -> bytes:
    """9,900 tiles, just below the limit."""
    return jpeg2000(3_168, 3_168, tile=32, components=1)


@bomb(".j2k")
def jp2_deep() -> bytes:
    """32 levels and 65,535 layers."""
    return jpeg2000(256, 256, components=1, levels=32, layers=65_535)


@bomb(".j2k")
def jp2_components() -> bytes:
    """16,384 components."""
    return jpeg2000(1_000, 1_000, components=16_384, levels=0)


# --- HEIC and AVIF ------------------------------------------------------------------------------


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full(kind: bytes, *content: bytes, version: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24), *content)


def part_of(data: bytes, kind: bytes) -> bytes:
    at = data.index(kind) - 4
    return data[at : at + int.from_bytes(data[at : at + 4])]


@cache
def tile(kind: str, side_px: int) -> bytes:
    """Give a HEIC or AVIF of one colour."""
    image = Image.new("RGB", (side_px, side_px), "red")
    if kind == "AVIF":
        return saved(image, kind, quality=30, speed=10)
    import pillow_heif

    buffer = BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=30)
    return buffer.getvalue()


def grid(kind: str, side_px: int, across: int, said: int = 0) -> bytes:
    """
    Give a picture of a grid whose tiles are items of their own that share the same bytes, and
    which may say another side than it has.
    """
    whole = tile(kind, side_px)
    config = part_of(whole, b"av1C" if kind == "AVIF" else b"hvcC")
    coded = whole[whole.index(b"mdat") + 4 :]
    count, side = across**2, said or side_px * across
    content = bytes((0, 1, across - 1, across - 1)) + struct.pack(">II", side, side)
    name = b"av01" if kind == "AVIF" else b"hvc1"
    names = [*((at, name) for at in range(2, count + 2)), (1, b"grid")]
    items = [full(b"infe", struct.pack(">HH", at, 0), of, b"\0", version=2) for at, of in names]
    pixel = full(b"pixi", b"\3\10\10\10")
    ispe = [full(b"ispe", struct.pack(">II", each, each)) for each in (side_px, side)]
    links = b"".join(struct.pack(">HB", at, 3) + b"\x81\2\4" for at in range(2, count + 2))
    ipma = struct.pack(">I", count + 1) + struct.pack(">HB", 1, 2) + b"\3\4" + links
    head = [
        full(b"hdlr", bytes(4), b"pict", bytes(13)),
        full(b"pitm", b"\0\1"),
        full(b"iinf", struct.pack(">H", len(items)), *items),
        full(b"iref", box(b"dimg", struct.pack(f">HH{count}H", 1, count, *range(2, count + 2)))),
        box(b"iprp", box(b"ipco", config, *ispe, pixel), full(b"ipma", ipma)),
    ]

    def meta(base: int) -> bytes:
        places = struct.pack(">HHHII", 1, 0, 1, base + len(coded), len(content))
        for at in range(2, count + 2):
            places += struct.pack(">HHHII", at, 0, 1, base, len(coded))
        return full(b"meta", *head, full(b"iloc", b"\x44\0" + struct.pack(">H", count + 1), places))

    brand = b"avif\0\0\0\0mif1avif" if kind == "AVIF" else b"heic\0\0\0\0mif1heic"
    kinds = box(b"ftyp", brand)
    return kinds + meta(len(kinds) + len(meta(0)) + 8) + box(b"mdat", coded, content)


def with_side(data: bytes, side_px: int) -> bytes:
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", side_px, side_px) + data[at + 8 :]


@bomb(".heic")
def heic_grid() -> bytes:
    """100 megapixels, a tile of 1 megapixel a hundred times."""
    return grid("HEIC", 1_000, 9)


@bomb(".heic")
def heic_grid_48() -> bytes:
    """49 megapixels of tiles of 256 KB, the size of a phone's largest."""
    return grid("HEIC", 500, 14)


@bomb(".heic")
def heic_lying_grid() -> bytes:
    """64×64 in the header, 64 megapixels to decode."""
    return grid("HEIC", 1_000, 8, said=64)


@bomb(".heic")
def heic_size() -> bytes:
    """A small picture that says it is 9,999×9,999."""
    return with_side(tile("HEIC", 64), SIDE_PX)


@bomb(".heic")
def heic_far_size() -> bytes:
    """A small picture that says it is a hundred thousand wide."""
    return with_side(tile("HEIC", 64), 100_000)


@bomb(".avif")
def avif_grid() -> bytes:
    """81 megapixels, a tile of 1 megapixel 81 times."""
    return grid("AVIF", 1_000, 9)


@bomb(".avif")
def avif_grid_25() -> bytes:
    """25 megapixels, a tile of 1 megapixel 25 times."""
    return grid("AVIF", 1_000, 5)


@bomb(".avif")
def avif_lying_grid() -> bytes:
    """64×64 in the header, 64 megapixels to decode."""
    return grid("AVIF", 1_000, 8, said=64)


@bomb(".avif")
def avif_size() -> bytes:
    """A small picture that says it is 9,999×9,999."""
    return with_side(tile("AVIF", 64), SIDE_PX)


@bomb(".avif")
def avif_small_size() -> bytes:
    """A picture of 4 megapixels that says it is 64×64."""
    return with_side(tile("AVIF", 2_000), 64)


@bomb(".avif#500")
def avif_far_frame() -> bytes:
    """A thousand frames; the 500th."""
    frames = [Image.new("RGB", (64, 64), (at, 0, 0)) for at in range(60)]
    return saved(frames[0], "AVIF", save_all=True, append_images=frames[1:], speed=10)


# --- SVG ----------------------------------------------------------------------------------------

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '


def svg(content: str, size: str = 'width="2000" height="2000"', before: str = "") -> bytes:
    return f"{before}{SVG}{size}>{content}</svg>".encode()


@bomb(".svg")
def svg_entities() -> bytes:
    """Entities of entities, a thousand million laughs."""
    named = "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10}">' for at in range(1, 10))
    return svg("<text>&e9;</text>", before=f'<!DOCTYPE svg [<!ENTITY e0 "ha">{named}]>')


@bomb(".svg")
def svg_external_entity() -> bytes:
    """An entity that is a file of this machine."""
    before = '<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    return svg("<text>&e;</text>", before=before)


def uses(levels: int) -> str:
    made = "".join(
        f'<g id="u{at}">{f"""<use href="#u{at - 1}"/>""" * 10}</g>' for at in range(1, levels + 1)
    )
    return f'<defs><rect id="u0" width="9" height="9"/>{made}</defs><use href="#u{levels}"/>'


@bomb(".svg")
def svg_uses() -> bytes:
    """Ten uses of ten uses, nine times."""
    return svg(uses(9))


@bomb(".svg")
def svg_uses_allowed() -> bytes:
    """200,000 elements and uses by four levels of uses, just below the limit."""
    return svg(uses(4) + '<use href="#u4"/>' * 9)


@bomb(".svg")
def svg_self_use() -> bytes:
    """A group that shows itself."""
    return svg('<g id="a"><use href="#a"/></g>')


@bomb(".svg")
def svg_patterns() -> bytes:
    """Twenty patterns, each showing the next one twice."""
    rect = '<rect width="999" height="999" fill="url(#p{})"/>'
    chain = "".join(
        f'<pattern id="p{at}" width="1" height="1">{rect.format(at + 1) * 2}</pattern>'
        for at in range(20)
    )
    return svg(chain + rect.format(0))


def filtered(effect: str, area: str = 'x="0" y="0" width="1" height="1"') -> bytes:
    rect = '<rect width="2000" height="2000" fill="red" filter="url(#f)"/>'
    return svg(f'<filter id="f" {area}>{effect}</filter>{rect}')


@bomb(".svg")
def svg_noise() -> bytes:
    """Noise of a million octaves."""
    return filtered('<feTurbulence baseFrequency=".05" numOctaves="1000000"/>')


@bomb(".svg")
def svg_blurs() -> bytes:
    """A thousand blurs, one after the other."""
    return filtered('<feGaussianBlur stdDeviation="50"/>' * 1_000)


@bomb(".svg")
def svg_layers() -> bytes:
    """Ninety layers of the whole picture, each within the last."""
    return svg('<g opacity=".9">' * 90 + '<rect width="2000" height="2000"/>' + "</g>" * 90)


@bomb(".svg")
def svg_size() -> bytes:
    """A million million pixels wide."""
    return svg('<rect width="9" height="9"/>', 'width="1e12" height="1e12"')


@bomb(".svg")
def svg_thin() -> bytes:
    """A million times as long as high."""
    return svg('<rect width="9" height="9"/>', 'width="1000000" height="1"')


@bomb(".svg")
def svg_path() -> bytes:
    """A path of 20 MB."""
    return svg(f'<path d="M0 0{"L1 1 9 3" * 2_450_000}"/>')


@bomb(".svg")
def svg_path_allowed() -> bytes:
    """A path of 9.9 MB, just below the limit."""
    return svg(f'<path d="M0 0{"L1 1 9 3" * 1_240_000}"/>')


@bomb(".svg")
def svg_text() -> bytes:
    """9 MB of text to set."""
    return svg(f'<text y="50">{"ha " * 3_000_000}</text>')


@bomb(".svg")
def svg_elements() -> bytes:
    """Two million elements."""
    return svg("<g/>" * 2_000_000)


@bomb(".svg")
def svg_nested() -> bytes:
    """A million groups, each in the last."""
    return svg("<g>" * 1_000_000 + "</g>" * 1_000_000)


@bomb(".svg")
def svg_attributes() -> bytes:
    """800,000 attributes of one element."""
    return svg("<g " + " ".join(f'a{at}=""' for at in range(800_000)) + "/>")


@bomb(".svg")
def svg_styles() -> bytes:
    """A style sheet of a hundred thousand rules for ten thousand elements."""
    rules = "".join(f".a{at} g{{fill:red}}" for at in range(100_000))
    return svg(f"<style>{rules}</style>" + '<g class="b"/>' * 10_000)


@bomb(".svg")
def svg_png() -> bytes:
    """A picture within that is a PNG of 100 megapixels."""
    from base64 import b64encode

    inner = b64encode(png(SIDE_PX, SIDE_PX)).decode()
    return svg(f'<image width="9" height="9" href="data:image/png;base64,{inner}"/>')


@bomb(".svg")
def svg_pngs() -> bytes:
    """A picture of 16 megapixels shown a hundred times."""
    from base64 import b64encode

    inner = b64encode(png(4_000, 4_000)).decode()
    image = f'<image id="i" width="999" height="999" href="data:image/png;base64,{inner}"/>'
    return svg(image + '<use href="#i"/>' * 100)


# --- PDF ----------------------------------------------------------------------------------------

CATALOG, A4 = b"<</Type/Catalog/Pages 2 0 R>>", b"[0 0 595 842]"


def pdf(objects: Sequence[bytes]) -> bytes:
    """Number the objects from 1, the first one the catalog."""
    made, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, len(made))
    return bytes(made) + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (entries, len(content), content)


def page(content: bytes, resources: bytes = b"", more: Sequence[bytes] = ()) -> bytes:
    """Give a PDF of one page; `more` are objects from 5 on."""
    entries = A4, resources
    one = b"<</Type/Page/Parent 2 0 R/MediaBox %b/Contents 4 0 R/Resources<<%b>>>>" % entries
    return pdf([CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", one, content, *more])


@bomb(".pdf")
def pdf_loop() -> bytes:
    """A tree of pages that is its own child."""
    return pdf([CATALOG, b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 99>>"])


@bomb(".pdf")
def pdf_deep() -> bytes:
    """A tree of pages ten thousand deep."""
    nodes = [b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (at + 3) for at in range(10_000)]
    return pdf([CATALOG, *nodes, b"<</Type/Page/MediaBox[0 0 9 9]>>"])


@bomb(".pdf")
def pdf_pages() -> bytes:
    """A hundred thousand pages."""
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 100_003))
    tree = b"<</Type/Pages/MediaBox[0 0 72 72]/Count 100000/Kids[%b]>>" % kids
    return pdf([CATALOG, tree, *[b"<</Type/Page/Parent 2 0 R>>"] * 100_000])


@bomb(".pdf")
def pdf_huge_page() -> bytes:
    """A page of a kilometre."""
    return pdf([CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 3000000 3000000]>>"])  # fmt: skip


@bomb(".pdf")
def pdf_image() -> bytes:
    """A page that shows 900 megapixels."""
    entries = (
        b"/Type/XObject/Subtype/Image/Width 30000/Height 30000/ColorSpace/DeviceRGB"
        b"/BitsPerComponent 8/Filter/FlateDecode"
    )
    image = stream(zeros(3 * 30_000**2), entries)
    return page(stream(b"600 0 0 842 0 0 cm /I Do"), b"/XObject<</I 5 0 R>>", [image])


@bomb(".pdf")
def pdf_forms() -> bytes:
    """Ten forms, each showing the next one ten times."""
    head = b"/Type/XObject/Subtype/Form/BBox[0 0 999 999]"
    shown = [
        stream(b"/F Do " * 10, head + b"/Resources<</XObject<</F %d 0 R>>>>" % number)
        for number in range(6, 16)
    ]
    return page(stream(b"/F Do"), b"/XObject<</F 5 0 R>>", [*shown, stream(b"0 0 9 9 re f", head)])


@bomb(".pdf")
def pdf_content() -> bytes:
    """A gigabyte of spaces as the content of a page."""
    return page(stream(zeros(10**9), b"/Filter/FlateDecode"))


@bomb(".pdf")
def pdf_filters() -> bytes:
    """Zeros packed, packed again, and packed once more."""
    content = zlib.compress(zlib.compress(zeros(10**9)))
    return page(stream(content, b"/Filter[/FlateDecode/FlateDecode/FlateDecode]"))


@bomb(".pdf")
def pdf_functions() -> bytes:
    """A shading whose function runs for every pixel, ten thousand times."""
    function = stream(
        b"{" + b"dup mul " * 10_000 + b"}", b"/FunctionType 4/Domain[0 1 0 1]/Range[0 1 0 1 0 1]"
    )
    shading = b"<</ShadingType 1/ColorSpace/DeviceRGB/Function 6 0 R/Matrix[600 0 0 850 0 0]>>"
    return page(stream(b"/S sh"), b"/Shading<</S 5 0 R>>", [shading, function])


# --- beginnings and ends ------------------------------------------------------------------------


@cache
def small() -> dict[str, bytes]:
    """Give one small right file of each format, by the end of its name."""
    image = Image.linear_gradient("L").convert("RGB").resize((48, 40))
    frames: dict[str, object] = {"save_all": True, "append_images": [image.rotate(90)]}
    return {
        ".jpg": saved(image, "JPEG"),
        ".progressive.jpg": saved(image, "JPEG", progressive=True),
        ".png": saved(image.convert("RGBA"), "PNG"),
        ".gif": saved(image, "GIF", **frames),
        ".webp": saved(image, "WEBP", **frames),
        ".bmp": saved(image, "BMP"),
        ".tif": saved(image, "TIFF", compression="tiff_lzw"),
        ".avif": saved(image, "AVIF"),
        ".heic": tile("HEIC", 64),
        ".jp2": saved(image, "JPEG2000"),
        ".ico": saved(image, "ICO"),
        ".ppm": saved(image, "PPM"),
        ".svg": svg("<text>a</text>"),
        ".pdf": page(stream(b"0 0 99 99 re f")),
    }


SIGNATURES = {
    "jpg": b"\xff\xd8\xff\xe0", "png": PNG_MARK, "gif": b"GIF89a", "webp": b"RIFF\x99\0\0\0WEBP",
    "bmp": b"BM", "tif": b"II*\0", "big.tif": b"II+\0\x08\0\0\0", "ico": b"\0\0\1\0\1\0",
    "j2k": b"\xff\x4f\xff\x51", "jp2": b"\0\0\0\x0cjP  \r\n\x87\n", "ppm": b"P6 ",
    "avif": b"\0\0\0\x1cftypavif", "heic": b"\0\0\0\x1cftypheic", "svg": b"<svg ",
    "pdf": b"%PDF-1.7",
}  # fmt: skip


def scraps() -> Iterator[tuple[str, bytes]]:
    """Give names and bytes of what is hardly a file: empty, cut anywhere, garbage behind a mark."""
    yield "empty.png", b""
    yield "one_byte.png", b"\xff"
    yield "zeros.png", bytes(10_000)
    garbage = bytes(at * 167 % 251 for at in range(4_000))
    for ending, mark in SIGNATURES.items():
        yield f"garbage.{ending}", mark + garbage
        yield f"ones.{ending}", mark + b"\xff" * 4_000
        yield f"mark.{ending}", mark
    for ending, data in small().items():
        points = 3 if ending in (".heic", ".avif", ".jp2", ".svg", ".pdf") else 8
        for at in range(1, points + 1):
            yield f"cut{at}{ending}", data[: len(data) * at // (points + 1)]


# --- large and right ----------------------------------------------------------------------------


def grain(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Give a picture as a camera gives it: soft shapes under the noise of a sensor."""
    square = Image.effect_noise((1_000, 1_000), 12)
    noise = Image.new("L", (width, height))
    for left in range(0, width, 1_000):
        for top in range(0, height, 1_000):
            noise.paste(square.rotate((left * 7 + top * 3) // 1_000 * 90), (left, top))
    image = Image.blend(Image.radial_gradient("L").resize((width, height)), noise, 0.3)
    return image if mode == "L" else Image.merge(mode, [image] * len(mode))


def heic_photo() -> bytes:
    """48 megapixels, as a phone's largest."""
    import pillow_heif

    buffer = BytesIO()
    pillow_heif.from_pillow(grain(8_064, 6_048)).save(buffer, quality=50)
    return buffer.getvalue()


def large_pdf() -> bytes:
    """Twelve pages of A4, each a scan at 200 dpi."""
    images = [grain(1_654, 2_339) for _ in range(12)]
    return saved(images[0], "PDF", save_all=True, append_images=images[1:], resolution=200)


LARGE: dict[str, Bomb] = {
    "large_jpeg_100": Bomb(lambda: saved(grain(12_000, 8_400), "JPEG"), ".jpg"),
    "large_progressive_50": Bomb(
        lambda: saved(grain(8_660, 5_774), "JPEG", progressive=True), ".jpg"
    ),
    "large_png_60": Bomb(lambda: saved(grain(9_500, 6_320), "PNG", compress_level=1), ".png"),
    "large_png_alpha_60": Bomb(
        lambda: saved(grain(9_500, 6_320, "RGBA"), "PNG", compress_level=1), ".png"
    ),
    "large_png_100": Bomb(lambda: saved(grain(11_500, 8_690), "PNG", compress_level=1), ".png"),
    "large_heic_48": Bomb(heic_photo, ".heic"),
    "large_avif_24": Bomb(lambda: saved(grain(6_000, 4_000), "AVIF", speed=10), ".avif"),
    "large_webp_24": Bomb(lambda: saved(grain(6_000, 4_000), "WEBP", method=0), ".webp"),
    "large_jp2_12": Bomb(
        lambda: saved(grain(4_000, 3_000), "JPEG2000", quality_mode="rates", quality_layers=[10]),
        ".jp2",
    ),
    "large_tiff_lzw_20": Bomb(
        lambda: saved(grain(5_500, 3_640), "TIFF", compression="tiff_lzw"), ".tif"
    ),
    "large_pdf_12_pages": Bomb(large_pdf, ".pdf"),
}


# --- what they take -----------------------------------------------------------------------------


class Taken(NamedTuple):
    """
    What one file took: how it ended, seconds, and the peak of memory of this process and of any
    it started.
    """

    name: str
    ending: str
    wall_s: float
    cpu_s: float
    here_mb: float
    apart_mb: float


def run(path: str, task: str) -> Taken:
    """Take one file the whole way, in this process."""
    before_kb, spent_s, begin_s = children_kb(), cpu_s(), time.monotonic()
    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
    ending = outcome(path, task)
    wall_s, taken_s = time.monotonic() - begin_s, cpu_s() - spent_s
    here_kb = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    # Of all children together the system tells the peak; what is below an earlier one is not told.
    apart_kb = children_kb() if children_kb() > before_kb else 0
    return Taken(Path(path).name, ending, wall_s, taken_s, here_kb / 1024, apart_kb / 1024)


def outcome(path: str, task: str) -> str:
    import eyeline

    try:
        if task == "estimate":
            return f"{eyeline.estimate(path, model='gpt-4o').tokens:,} tokens"
        parts = eyeline.content_parts("?", path, model="gpt-4o")
        return f"{len(parts) - 1} images"
    except eyeline.EyelineError as error:
        return f"{type(error).__name__}: {error} [{error.exit_code}]".replace(path, "it")
    except BaseException as error:  # what this is for: no other may come out
        return f"!! {type(error).__name__}: {error}"


def cpu_s() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


def children_kb() -> int:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def serve() -> None:
    """Be the process that takes them: a task and a path a line in, a line of JSON out."""
    import eyeline

    # So that imports are counted for none.
    eyeline.content_parts("?", small()[".png"], model="gpt-4o")
    for line in sys.stdin:
        task, _, path = line.rstrip("\n").partition(" ")
        print(json.dumps(run(path, task)), flush=True)


def take(paths: Sequence[str], task: str = "parts") -> list[Taken]:
    """Take files in one new process; what it did not live to tell is told as a crash."""
    lines = "".join(f"{task} {path}\n" for path in paths).encode()
    command = [sys.executable, str(Path(__file__).resolve()), "--serve"]
    # Pillow and the model's notices say what nobody asked for.
    done = subprocess.run(
        command, input=lines, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300
    )
    taken = [Taken(*json.loads(line)) for line in done.stdout.splitlines()]
    lost = paths[len(taken) :]
    crash = f"!! the process ended with {done.returncode}"
    return [*taken, *(Taken(path, crash, 0, 0, 0, 0) for path in lost)]


def written(folder: Path, name: str, bomb: Bomb) -> str:
    """Write one file; give its path, with the frame that is asked for."""
    suffix, mark, number = bomb.ending.partition("#")
    path = folder / f"{name}{suffix}"
    path.write_bytes(bomb.make())
    return f"{path}{mark}{number}"


def main(chosen: Sequence[str]) -> None:
    """Print what each file takes, and what its estimate does."""
    titles = ("", "bytes", "wall s", "CPU s", "MB", "apart", "estimate s", "MB")
    print("{:24}{:>12}{:>8}{:>7}{:>6}{:>7}{:>12}{:>5}".format(*titles))
    for name, each in {**BOMBS, **LARGE}.items():
        if not chosen or any(word in name for word in chosen):
            with tempfile.TemporaryDirectory() as folder:
                print(line(name, written(Path(folder), name, each)), flush=True)


def line(name: str, path: str) -> str:
    """Give what one file takes, each task in a process of its own."""
    size_bytes = Path(path.partition("#")[0]).stat().st_size
    (parts,), (estimate,) = take([path]), take([path], "estimate")
    figures = f"{parts.wall_s:8.2f}{parts.cpu_s:7.2f}{parts.here_mb:6.0f}{parts.apart_mb:7.0f}"
    estimated = f"{estimate.wall_s:12.2f}{estimate.here_mb:5.0f}"
    return f"{name:24}{size_bytes:12,}{figures}{estimated}  {parts.ending}"


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        main(sys.argv[1:])
