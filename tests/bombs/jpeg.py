"""Hostile JPEG."""

from __future__ import annotations

import struct

from bombs.register import SIDE_PX, bomb


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
