"""TIFF and PNG files of deep samples, in every layout, written without any image library."""

from __future__ import annotations

import struct
import zlib
from typing import Any, NamedTuple

import numpy as np

# Where BigTIFF has more of its header.
GAP = bytes(8)
KINDS = {"u": 1, "i": 2, "f": 3}


class Layout(NamedTuple):
    """How a TIFF holds its samples; `photometric` 2 is RGB, 1 grey, 0 grey whose zero is white."""

    order: str = "<"
    photometric: int = 2
    is_planar: bool = False
    predictor: int = 1
    tile_px: int = 0
    extra: int | None = None
    orientation: int = 1
    profile: bytes = b""
    is_packed: bool = True


PLAIN = Layout()


def tiff(samples: np.ndarray[Any, Any], layout: Layout = PLAIN, before: bytes = b"") -> bytes:
    """
    Give samples, height × width × channels, as a TIFF of strips of five rows, or of tiles; behind
    the pages of another one.
    """
    height, width, count = samples.shape
    planes = np.moveaxis(samples, 2, 0)[..., None] if layout.is_planar else samples[None]
    pieces = [packed(each, layout) for plane in planes for each in cut(plane, layout.tile_px)]
    kind, bits = samples.dtype.kind, 8 * samples.dtype.itemsize
    tags: dict[int, list[int] | bytes] = {
        256: [width], 257: [height], 258: [bits] * count, 259: [8 if layout.is_packed else 1],
        262: [layout.photometric], 274: [layout.orientation], 277: [count],
        284: [2 if layout.is_planar else 1], 317: [layout.predictor], 339: [KINDS[kind]] * count,
    }  # fmt: skip
    if layout.extra is not None:
        tags[338] = [layout.extra]
    if layout.profile:
        tags[34675] = layout.profile
    start = (len(before) or 8) + len(GAP)
    offsets = [start + sum(map(len, pieces[:at])) for at in range(len(pieces))]
    lengths = [len(piece) for piece in pieces]
    if layout.tile_px:
        tags |= {322: [layout.tile_px], 323: [layout.tile_px], 324: offsets, 325: lengths}
    else:
        tags |= {273: offsets, 278: [5], 279: lengths}
    return directory(tags, GAP + b"".join(pieces), layout.order, before)


def cut(plane: np.ndarray[Any, Any], tile_px: int) -> list[np.ndarray[Any, Any]]:
    height, width, _ = plane.shape
    if not tile_px:
        return [plane[top : top + 5] for top in range(0, height, 5)]
    beyond = [(0, -side % tile_px) for side in (height, width)]
    whole = np.pad(plane, [*beyond, (0, 0)])
    return [
        whole[top : top + tile_px, left : left + tile_px]
        for top in range(0, height, tile_px)
        for left in range(0, width, tile_px)
    ]


def packed(piece: np.ndarray[Any, Any], layout: Layout) -> bytes:
    if layout.predictor == 2:
        numbers = piece.view(f"u{piece.itemsize}").copy()
        numbers[:, 1:] -= numbers[:, :-1].copy()
        piece = numbers
    ordered = piece.astype(piece.dtype.newbyteorder(layout.order)).tobytes()
    if layout.predictor == 3:
        rows, _, count = piece.shape
        each = piece.itemsize
        first_bytes = piece.astype(f">f{each}").view("u1").reshape(rows, -1, each)
        apart = np.moveaxis(first_bytes, 2, 1).reshape(rows, -1)
        differences = apart.copy()
        differences[:, count:] -= apart[:, :-count]
        ordered = differences.tobytes()
    return zlib.compress(ordered) if layout.is_packed else ordered


def directory(
    tags: dict[int, list[int] | bytes], content: bytes, order: str, before: bytes
) -> bytes:
    start = len(before) or 8
    lists, entries, at = b"", b"", start + len(content)
    for tag, value in sorted(tags.items()):
        kind = 7 if isinstance(value, bytes) else 4
        block = value if isinstance(value, bytes) else struct.pack(f"{order}{len(value)}I", *value)
        place = block if len(block) <= 4 else struct.pack(order + "I", at + len(lists))
        entries += struct.pack(order + "HHI", tag, kind, len(value)) + place.ljust(4, b"\0")
        lists += block if len(block) > 4 else b""
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    # The directory that is linked to stands last in what comes before, and its link at the end.
    head = (before[:-4] or mark) + struct.pack(order + "I", at + len(lists))
    return head + content + lists + struct.pack(order + "H", len(tags)) + entries + bytes(4)


def png(samples: np.ndarray[Any, Any], *, key: tuple[int, ...] = (), more: bytes = b"") -> bytes:
    """Give 16-bit samples, height × width × channels, as a PNG; `key` is a transparent colour."""
    height, width, count = samples.shape
    rows = samples.astype(">u2").reshape(height, -1).view("u1")
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[count]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))]
    if key:
        chunks.append((b"tRNS", struct.pack(f">{len(key)}H", *key)))
    filtered = np.pad(rows, ((0, 0), (1, 0))).tobytes()
    chunks += [(b"IDAT", zlib.compress(filtered)), (b"IEND", b"")]
    head, *rest = (chunk(*each) for each in chunks)
    return b"\x89PNG\r\n\x1a\n" + head + more + b"".join(rest)


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content).to_bytes(4)
    return len(content).to_bytes(4) + kind + content + checksum
