"""
TIFF and BigTIFF: every page; and the orientation in an EXIF block, which is a TIFF file too.

Sources: TIFF 6.0, its technical notes, and libtiff's BigTIFF design; EXIF 2.32.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from eyeline.core.formats.header import Header, Unsafe, depth_kind, unpack
from eyeline.core.size import Size

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
ORIENTATION, SAMPLES, EXTRA_SAMPLES, SAMPLE_FORMAT = 274, 277, 338, 339
READ = {
    SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION, SAMPLES, EXTRA_SAMPLES,
    SAMPLE_FORMAT,
}  # fmt: skip
INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
REDUCED_OR_MASK = 0b101
GREY, RGB, CMYK, LABS = (0, 1), 2, 5, (8, 9, 10)
FLOAT = 3
JPEG_COMPRESSIONS = (6, 7)
PAGES_MAX, ENTRIES_MAX, VALUES_MAX = 10_000, 500_000, 8

Tags = Mapping[int, tuple[int, ...]]


class Layout(NamedTuple):
    """Byte order, and the widths of counts and offsets, as `struct` names them."""

    order: str
    counts: str
    offsets: str

    @property
    def entry_bytes(self) -> int:
        return 4 + 2 * struct.calcsize(self.offsets)


def header(data: bytes) -> Header:
    """Read the first page, and whether it is the only one."""
    found = tuple(islice(pages_of(data), 2))
    return found[0]._replace(frames=len(found))


def pages(data: bytes) -> tuple[Header, ...]:
    """
    Read every page; the `frame` of each is its directory's number, by which Pillow seeks.

    Thumbnails and masks are no pages. Raises ValueError where the directories go past the end.
    """
    found = tuple(pages_of(data))
    return tuple(page._replace(frames=len(found)) for page in found)


def pages_of(data: bytes) -> Iterator[Header]:
    """Give the pages, or the first thumbnail where there is nothing else."""
    pages, thumbnails = 0, list[Header]()
    for frame, tags in enumerate(directories(data)):
        if WIDTH not in tags or HEIGHT not in tags:
            continue
        if not tags.get(SUBFILE, (0,))[0] & REDUCED_OR_MASK:
            pages += 1
            yield page_of(tags, frame)
        elif not thumbnails:
            thumbnails.append(page_of(tags, frame))
    if not pages and not thumbnails:
        raise ValueError("it names no size")
    if not pages:
        yield thumbnails[0]


def page_of(tags: Tags, frame: int) -> Header:
    orientation = tags.get(ORIENTATION, (1,))[0]
    return Header(
        Size(tags[WIDTH][0], tags[HEIGHT][0]),
        orientation if 1 <= orientation <= 8 else 1,
        has_alpha=has_alpha(tags),
        pixel_kind=pixel_kind(tags),
        is_lossless=tags.get(COMPRESSION, (1,))[0] not in JPEG_COMPRESSIONS,
        frame=frame,
    )


def has_alpha(tags: Tags) -> bool:
    photometric, samples = tags.get(PHOTOMETRIC, (RGB,))[0], tags.get(SAMPLES, (1,))[0]
    if photometric == CMYK:
        return False
    if EXTRA_SAMPLES in tags:
        return any(tags[EXTRA_SAMPLES])  # 0 is a sample of no known meaning
    return samples == 2 if photometric in GREY else samples == 4 and photometric == RGB


def pixel_kind(tags: Tags) -> str:
    photometric = tags.get(PHOTOMETRIC, (RGB,))[0]
    if photometric == CMYK:
        return "CMYK"
    if photometric in LABS:
        return "LAB"
    is_float = FLOAT in tags.get(SAMPLE_FORMAT, ())
    return "float" if is_float else depth_kind(max(tags.get(BITS, (1,))))


def exif_orientation(exif: bytes) -> int:
    """Give the orientation 1 to 8 that an EXIF block names; 1 where it names none or is damaged."""
    try:
        layout = layout_of(exif)
        # One by one: what stands after the orientation may be cut or damaged, as it often is.
        for tag, kind, _, at in entries(exif, first_directory(exif, layout), layout):
            if tag == ORIENTATION and kind in (3, 4):
                (value,) = unpack(layout.order + INTEGERS[kind], exif, at)
                return value if 1 <= value <= 8 else 1
    except ValueError:
        return 1
    return 1


def directories(data: bytes) -> Iterator[Tags]:
    """Give the tags read here of each directory."""
    layout = layout_of(data)
    for at in places(data, layout):
        yield tags_at(data, at, layout, READ)


def places(data: bytes, layout: Layout) -> Iterator[int]:
    """Give where each directory stands; a chain that comes back to itself ends there."""
    at, seen, entries_left = first_directory(data, layout), set[int](), ENTRIES_MAX
    while at and at not in seen:
        count = entry_count(data, at, layout)
        entries_left -= count
        if len(seen) == PAGES_MAX or entries_left < 0:
            raise Unsafe(f"more than {PAGES_MAX:,} pages or {ENTRIES_MAX:,} tags")
        seen.add(at)
        yield at
        end = at + struct.calcsize("=" + layout.counts) + layout.entry_bytes * count
        (at,) = unpack(layout.order + layout.offsets, data, end)


def tags_at(
    data: bytes, at: int, layout: Layout, wanted: Collection[int], values_max: int = VALUES_MAX
) -> dict[int, tuple[int, ...]]:
    """Give the tags that are wanted of a directory, the first so many values of each."""
    return {
        tag: values(data, layout, kind, min(number, values_max), number, value_at)
        for tag, kind, number, value_at in entries(data, at, layout)
        if tag in wanted and kind in INTEGERS and number
    }


def layout_of(data: bytes) -> Layout:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise ValueError("no byte order mark")
    is_big = unpack(order + "H", data, 2) == (43,)
    return Layout(order, "Q", "Q") if is_big else Layout(order, "H", "I")


def first_directory(data: bytes, layout: Layout) -> int:
    at = 8 if layout.offsets == "Q" else 4
    return unpack(layout.order + layout.offsets, data, at)[0]


def entry_count(data: bytes, at: int, layout: Layout) -> int:
    return unpack(layout.order + layout.counts, data, at)[0]


def entries(data: bytes, at: int, layout: Layout) -> Iterator[tuple[int, int, int, int]]:
    """Give tag, kind, number of values, and where these or their offset stand, of each entry."""
    shape, length = layout.order + "HH" + layout.offsets, layout.entry_bytes
    start = at + struct.calcsize("=" + layout.counts)
    for entry in range(start, start + length * entry_count(data, at, layout), length):
        tag, kind, number = unpack(shape, data, entry)
        yield tag, kind, number, entry + 4 + struct.calcsize("=" + layout.offsets)


def values(
    data: bytes, layout: Layout, kind: int, wanted: int, number: int, at: int
) -> tuple[int, ...]:
    """Give the first values `wanted` of the `number` that an entry has."""
    width = struct.calcsize("=" + INTEGERS[kind])
    if number * width > struct.calcsize("=" + layout.offsets):
        (at,) = unpack(layout.order + layout.offsets, data, at)
    return unpack(f"{layout.order}{wanted}{INTEGERS[kind]}", data, at)
