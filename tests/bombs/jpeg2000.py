"""Hostile JPEG 2000."""

from __future__ import annotations

import struct

from bombs.jpeg import segment
from bombs.register import FAR_PX, SIDE_PX, bomb


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
