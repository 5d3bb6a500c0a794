"""Hostile GIF."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from PIL import Image

from bombs.register import SIDE_PX, bomb, saved


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
