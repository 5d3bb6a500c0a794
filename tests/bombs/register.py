"""Hostile files, each made by a named function, and what they are made with."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
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


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
