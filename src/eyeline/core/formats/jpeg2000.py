"""
JPEG 2000: JP2 files and bare codestreams.

Sources: ITU T.800, annexes A.5.1 (SIZ) and I.5.3 (JP2 header).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from eyeline.core.formats.header import Header, Unsafe, boxes, depth_kind, unpack
from eyeline.core.size import Size

CODESTREAM = b"\xff\x4f\xff\x51"
FILE = b"\0\0\0\x0cjP  "
ENUMERATED, CMYK, LAB = 1, 12, 14
COLOUR_SPACES = {CMYK: "CMYK", LAB: "LAB"}
DEPTHS_DIFFER = 255
# 100 megapixels in tiles of 128×128 are 6,104.
TILES_MAX = 10_000
TILE_PART, END, TILE_HEAD_BYTES = b"\xff\x90", b"\xff\xd9", 12
PARTS_MAX = 1_000_000
# The default style of coding; what transform it names stands so many bytes behind its marker.
STYLE, TRANSFORM_AT, REVERSIBLE = b"\xff\x52", 13, b"\x01"


def header(data: bytes) -> Header:
    if data.startswith(CODESTREAM):
        return codestream(data, 0)
    found = None
    for name, at, end in boxes(data, 0, len(data)):
        if name == b"jp2h":
            found = file_header(data, at, end)
        elif name == b"jp2c" and found is not None:
            # The decoder reserves memory by the one size, and we judge by the other.
            if at + 44 <= len(data) and codestream(data, at).size != found.size:
                raise ValueError("file and codestream name two sizes")
            return found._replace(is_lossless=is_reversible(data, at))
    if found is None:
        raise ValueError("no JP2 header")
    return found


def codestream(data: bytes, at: int) -> Header:
    right, bottom, left, top = unpack(">IIII", data, at + 8)
    refuse_tiles(data, at, right, bottom)
    (components,) = unpack(">H", data, at + 40)
    depths = unpack(f"{components * 3}B", data, at + 42)[::3]
    return Header(
        Size(max(0, right - left), max(0, bottom - top)),
        has_alpha=components in (2, 4),
        pixel_kind=deepest(depths),
        is_lossless=is_reversible(data, at),
    )


def is_reversible(data: bytes, start: int) -> bool:
    """Say whether a codestream was made without loss. Source: ITU T.800, A.6.1 (COD)."""
    styles = (at for marker, at in segments(data, start) if marker == STYLE)
    return data[next(styles, len(data)) + TRANSFORM_AT :][:1] == REVERSIBLE


class Components(NamedTuple):
    """Bits of each component, where the first stands, and whether they were coded without loss."""

    depths: tuple[int, ...]
    at: int
    is_reversible: bool


def components(data: bytes) -> Components:
    """Read how deep the components are. Source: ITU T.800, A.5.1 (SIZ)."""
    start = codestream_at(data)
    (count,) = unpack(">H", data, start + 40)
    depths = unpack(f"{count * 3}B", data, start + 42)[::3]
    bits = tuple((depth & 0x7F) + 1 for depth in depths)
    return Components(bits, start + 42, is_reversible(data, start))


def with_depths(data: bytes, found: Components, depths: Iterable[int]) -> bytes:
    """Give the file with other depths said of its components, signed or not as they were."""
    changed = bytearray(data)
    for at, depth in zip(range(found.at, len(data), 3), depths, strict=False):
        changed[at] = (changed[at] & 0x80) | (depth - 1)
    return bytes(changed)


def codestream_at(data: bytes) -> int:
    if data.startswith(CODESTREAM):
        return 0
    return next((at for name, at, _ in boxes(data, 0, len(data)) if name == b"jp2c"), len(data))


def segments(data: bytes, start: int) -> Iterator[tuple[bytes, int]]:
    """Give the marker of each segment of the main header, and where it stands."""
    at = start + 2
    while data[at : at + 2] not in (TILE_PART, b""):
        yield data[at : at + 2], at
        length = int.from_bytes(data[at + 2 : at + 4])
        at += 2 + max(2, length)
    yield data[at : at + 2], at


def fault(data: bytes) -> str:
    """
    Name what is missing; "" for a codestream whose tiles are all there.

    Decoders give a picture that is blurred or grey instead. Source: ITU T.800, A.4.2 (SOT).
    """
    at = after_head(data, codestream_at(data))
    for _ in range(PARTS_MAX):
        if data[at : at + 2] != TILE_PART:
            return "" if data[at : at + 2] in (END, b"") else "what follows a tile is no tile"
        (length,) = unpack(">I", data, at + 6)
        if at + length > len(data):
            return f"a tile ends {at + length - len(data):,} bytes behind the file"
        if length < TILE_HEAD_BYTES:  # 0: up to the end
            return "" if not length and data.rstrip(b"\0").endswith(END) else "no end of the tile"
        at += length
    raise Unsafe(f"more than {PARTS_MAX:,} parts of tiles")


def after_head(data: bytes, start: int) -> int:
    """Give where the first part of a tile begins, behind the main header's segments."""
    *_, (_, at) = segments(data, start)
    if at >= len(data):
        raise ValueError("no tiles")
    return at


def refuse_tiles(data: bytes, at: int, right: int, bottom: int) -> None:
    """Raise Unsafe for more tiles than are safe: a decoder reserves 6 KB for each at once."""
    width, height, left, top = unpack(">IIII", data, at + 24)
    if not (width and height):
        raise ValueError("tiles without size")
    if -(-(right - left) // width) * -(-(bottom - top) // height) > TILES_MAX:
        raise Unsafe(f"more than {TILES_MAX:,} tiles")


def deepest(depths: tuple[int, ...]) -> str:
    """Name the deepest component; the highest bit says that its values are signed."""
    return depth_kind(max(((depth & 0x7F) + 1 for depth in depths), default=8))


def file_header(data: bytes, at: int, end: int) -> Header:
    size, components, space, colours = None, 0, "", 0
    depths: tuple[int, ...] = (0,)
    for name, start, stop in boxes(data, at, end):
        if name == b"ihdr":
            height, width, components, depth = unpack(">IIHB", data, start)
            size = Size(width, height)
            depths = (depth,) if depth != DEPTHS_DIFFER else depths
        elif name == b"bpcc":
            depths = tuple(data[start:stop])
        elif name == b"colr" and unpack("B", data, start) == (ENUMERATED,):
            space = COLOUR_SPACES.get(unpack(">I", data, start + 3)[0], "")
        elif name == b"pclr":
            (colours,) = unpack("B", data, start + 2)
    if size is None:
        raise ValueError("the JP2 header names no size")
    has_alpha = components in (2, 4) or colours == 4
    return Header(
        size, has_alpha=has_alpha and space != "CMYK", pixel_kind=space or deepest(depths)
    )
