"""Hostile HEIC and AVIF."""

from __future__ import annotations

import struct
from functools import cache
from io import BytesIO

from PIL import Image

from bombs.register import SIDE_PX, bomb, saved


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
