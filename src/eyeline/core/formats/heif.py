"""
HEIC and AVIF: the primary picture of a HEIF container.

What their decoders do, by which the fields go (pillow-heif 1.8 with libheif, Pillow 13.0 with
libavif): of HEIC every transform is applied while decoding, in the order that the file names them,
so that the pixels come upright and cropped; of AVIF a turn and then a mirror, whatever their
order, come as the EXIF orientation, and a crop is not applied. The orientation in an EXIF block
itself means nothing in either.

Sources: ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12, 6.5 and 6.6; AV1 Image File Format 1.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from eyeline.core.formats.header import Header, Unsafe, boxes, depth_kind, unpack
from eyeline.core.size import Size

HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
AVIF_BRANDS = {b"avif", b"avis"}
STRUCTURE_BRANDS = {b"mif1", b"mif2", b"miaf", b"msf1"}
SEQUENCE_BRANDS = {b"avis", b"msf1", b"hevc", b"hevx", b"hevm", b"hevs"}
AV1_ITEM = b"av01"
ALPHA_KINDS = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", b"urn:mpeg:hevc:2015:auxid:1\0")
ASSOCIATIONS_MAX = 100_000

# A picture mirrored left to right or not, then turned by quarters clockwise, as EXIF says it.
ORIENTATIONS = {
    (False, 0): 1, (True, 0): 2, (False, 2): 3, (True, 2): 4,
    (True, 3): 5, (False, 1): 6, (True, 1): 7, (False, 3): 8,
}  # fmt: skip

Property = tuple[bytes, int, int]
"""A property's kind, and where its content begins and ends."""


def kind(data: bytes) -> str:
    """Tell "HEIC" from "AVIF" by the brands, or "" for another file of boxes."""
    if data[4:8] != b"ftyp":
        return ""
    end = min(int.from_bytes(data[:4]), 512)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, end, 4))]
    if brands[0] in HEIC_BRANDS:
        return "HEIC"
    if brands[0] in AVIF_BRANDS:
        return "AVIF"
    if brands[0] not in STRUCTURE_BRANDS:
        return ""
    if AVIF_BRANDS.isdisjoint(brands) or not HEIC_BRANDS.isdisjoint(brands):
        return "AVIF" if primary_type(data) == AV1_ITEM else "HEIC"
    return "AVIF"


def primary_type(data: bytes) -> bytes:
    """Give the coding of the primary item, or "" where the header does not reach that far."""
    try:
        parts = meta_parts(data)
        primary = primary_id(data, parts)
        at, end = part(parts, b"iinf")
        first = at + (6 if data[at] == 0 else 8)
        for _, item, _ in boxes(data, first, end):
            is_wide = unpack("B", data, item) == (3,)
            if unpack(">I" if is_wide else ">H", data, item + 4) == (primary,):
                return data[item + 10 : item + 14] if is_wide else data[item + 8 : item + 12]
    except (ValueError, IndexError):
        pass
    return b""


def heic_header(data: bytes) -> Header:
    """Read the size after the crop and before the turn."""
    return upright(data, *primary_picture(data))


def avif_header(data: bytes) -> Header:
    """Read the size without the crop and before the turn."""
    header, properties = primary_picture(data)
    firsts = {found[0]: found for found in reversed(properties)}
    turns = [firsts[name] for name in (b"irot", b"imir") if name in firsts]
    return upright(data, header, turns)


def upright(data: bytes, header: Header, transforms: list[Property]) -> Header:
    """Give the header with the orientation and size that the transforms, in this order, make."""
    is_mirrored, turns, size = False, 0, header.size
    for name, at, _ in transforms:
        if name == b"clap":
            size = cropped(data, at, size)
        elif name == b"irot":  # anticlockwise
            turns = (turns - data[at]) % 4
            size = size.turned if data[at] & 1 else size
        elif name == b"imir":  # 0 exchanges top and bottom, 1 left and right
            is_mirrored, turns = not is_mirrored, (-turns if data[at] & 1 else 2 - turns) % 4
    orientation = ORIENTATIONS[is_mirrored, turns]
    return header._replace(size=size.turned if turns & 1 else size, orientation=orientation)


def cropped(data: bytes, at: int, size: Size) -> Size:
    width, width_parts, height, height_parts = unpack(">IIII", data, at)
    if not (width_parts and height_parts):
        raise ValueError("a crop by fractions of zero")
    return Size(
        min(size.width_px, round(width / width_parts)),
        min(size.height_px, round(height / height_parts)),
    )


def primary_picture(data: bytes) -> tuple[Header, list[Property]]:
    """Give the primary item as it is coded, and its properties in their order."""
    parts = meta_parts(data)
    primary = primary_id(data, parts)
    properties = item_properties(data, parts)
    own = properties.get(primary, [])
    size = next((unpack(">II", data, at + 4) for name, at, _ in own if name == b"ispe"), None)
    if size is None:
        raise ValueError("the primary picture names no size")
    depths = [max(data[at + 5 : end], default=0) for name, at, end in own if name == b"pixi"]
    header = Header(
        Size(*size),
        has_alpha=any(
            is_alpha(data, properties[item])
            for item in auxiliaries(data, parts, primary)
            if item in properties
        ),
        frames=2 if data[8:12] in SEQUENCE_BRANDS else 1,
        pixel_kind=depth_kind(max(depths, default=8)),
    )
    return header, own


def meta_parts(data: bytes) -> Mapping[bytes, tuple[int, int]]:
    """Give where the content of each part of the header begins and ends."""
    for name, at, end in boxes(data, 0, len(data)):
        if name == b"meta":
            return {part: (start, stop) for part, start, stop in boxes(data, at + 4, end)}
    raise ValueError("no picture in the header")


def part(parts: Mapping[bytes, tuple[int, int]], name: bytes) -> tuple[int, int]:
    if name not in parts:
        raise ValueError(f"no box {name!r}")
    return parts[name]


def primary_id(data: bytes, parts: Mapping[bytes, tuple[int, int]]) -> int:
    at, _ = part(parts, b"pitm")
    return unpack(">I" if data[at] else ">H", data, at + 4)[0]


def item_properties(
    data: bytes, parts: Mapping[bytes, tuple[int, int]]
) -> dict[int, list[Property]]:
    """Give the properties of each item, in the order in which they apply."""
    at, end = part(parts, b"iprp")
    shared: list[Property] = []
    found: dict[int, list[Property]] = {}
    for name, start, stop in boxes(data, at, end):
        if name == b"ipco":
            shared = list(boxes(data, start, stop))
        elif name == b"ipma":
            for item, number in associations(data, start):
                if 1 <= number <= len(shared):
                    found.setdefault(item, []).append(shared[number - 1])
    return found


def associations(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Give pairs of an item and the number of one of its properties, from 1."""
    version, flags, count = unpack(">B2xBI", data, at)
    id_shape, id_bytes = (">I", 4) if version else (">H", 2)
    shape, width, mask = (">H", 2, 0x7FFF) if flags & 1 else (">B", 1, 0x7F)
    at += 8
    left = ASSOCIATIONS_MAX - count
    for _ in range(count):
        (item,), number = unpack(id_shape, data, at), unpack("B", data, at + id_bytes)[0]
        left -= number
        if left < 0:
            raise Unsafe(f"more than {ASSOCIATIONS_MAX:,} properties")
        at += id_bytes + 1
        for place in range(at, at + width * number, width):
            yield item, unpack(shape, data, place)[0] & mask
        at += width * number


def auxiliaries(data: bytes, parts: Mapping[bytes, tuple[int, int]], primary: int) -> Iterator[int]:
    """Give the items that are auxiliary to the primary one."""
    if b"iref" not in parts:
        return
    at, end = parts[b"iref"]
    letter, width = ("I", 4) if data[at] else ("H", 2)
    for name, start, _ in boxes(data, at + 4, end):
        if name == b"auxl":
            item, count = unpack(f">{letter}H", data, start)
            if primary in unpack(f">{count}{letter}", data, start + width + 2):
                yield item


def is_alpha(data: bytes, properties: list[Property]) -> bool:
    return any(
        name == b"auxC" and data.startswith(ALPHA_KINDS, at + 4) for name, at, _ in properties
    )
