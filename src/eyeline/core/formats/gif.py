"""GIF: screen, pictures, metadata, wholeness. Source: GIF89a."""

from __future__ import annotations

from collections.abc import Iterator

from eyeline.core.formats.header import Header, Unsafe, unpack
from eyeline.core.size import Size

EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
CONTROL, COMMENT, APPLICATION = 0xF9, 0xFE, 0xFF
# Sub-blocks of 255 bytes, as every encoder writes them, would fill half a gigabyte.
BLOCKS_MAX, SUB_BLOCKS_MAX = 100_000, 2_000_000


def header(data: bytes) -> Header:
    (width, height), frames, has_alpha = unpack("<HH", data, 6), 0, False
    for kind, at in blocks(data):
        if kind == IMAGE:
            frames += 1
            if frames == 2:
                break
            # Decoders widen the screen where the first picture passes its edge.
            left, top, across, down = unpack("<HHHH", data, at + 1)
            width, height = max(width, left + across), max(height, top + down)
        elif kind == EXTENSION and data[at + 1] == CONTROL and not frames:
            has_alpha = bool(data[at + 3] & 1)
    return Header(Size(width, height), has_alpha=has_alpha, frames=max(1, frames), is_lossless=True)


def blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Give each block's first byte and where it stands, up to the trailer or as far as it goes."""
    at, left = 13 + table_bytes(data[10]), SUB_BLOCKS_MAX
    for _ in range(BLOCKS_MAX):
        if at >= len(data):
            return
        kind = data[at]
        yield kind, at
        if kind == TRAILER:
            return
        at, is_chain = after_head(data, at)
        while is_chain and at < len(data):
            at, left, is_chain = at + 1 + data[at], left - 1, data[at] > 0
            if not left:
                raise Unsafe(f"more than {SUB_BLOCKS_MAX:,} sub-blocks")
    raise Unsafe(f"more than {BLOCKS_MAX:,} blocks")


def after_head(data: bytes, at: int) -> tuple[int, bool]:
    """Give where a block goes on behind its head, and whether with a chain of sub-blocks."""
    if data[at] == IMAGE:
        return at + 11 + table_bytes(data[at + 9]), True
    if data[at] == EXTENSION:
        return at + 2, True
    return at + 1, False  # a stray byte between blocks, tolerated by every decoder


def table_bytes(flags: int) -> int:
    """Give the length of the colour table that a screen or image descriptor announces."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def pieces(data: bytes) -> Iterator[memoryview]:
    """Give the blocks but comments and application data; a still picture needs neither."""
    view, starts = memoryview(data), [at for _, at in blocks(data)]
    yield view[: starts[0]]
    for at, end in zip(starts, [*starts[1:], len(data)], strict=True):
        if not (data[at] == EXTENSION and data[at + 1] in (COMMENT, APPLICATION)):
            yield view[at : at + 1] if data[at] == TRAILER else view[at:end]


def fault(data: bytes) -> str:
    kinds = {kind for kind, _ in blocks(data)}
    return "" if {IMAGE, TRAILER} <= kinds else "no image or no trailer"
