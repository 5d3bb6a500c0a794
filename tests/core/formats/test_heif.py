"""HEIC and AVIF: what their decoders give, said before decoding."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageOps

from core.support import exif
from eyeline.core.formats import heif
from eyeline.core.formats.header import Header, boxes
from eyeline.core.size import Size

WIDE = Size(40, 30)
READERS = {"HEIF": heif.heic_header, "AVIF": heif.avif_header}
BOTH = pytest.mark.parametrize("kind", ["HEIF", "AVIF"])


def corners() -> Image.Image:
    """Give a black picture with a corner each in red, green and blue."""
    image = Image.new("RGB", WIDE)
    for colour, place in (("red", (0, 0)), ("lime", (30, 0)), ("blue", (0, 20))):
        image.paste(colour, (*place, place[0] + 10, place[1] + 10))
    return image


@cache
def written(kind: str) -> bytes:
    return encoded(corners(), kind)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(data: bytes, kind: str) -> Image.Image:
    """Give what the decoder of a kind hands out."""
    if kind == "AVIF":
        return Image.open(BytesIO(data))
    opened: Image.Image = pytest.importorskip("pillow_heif").open_heif(BytesIO(data)).to_pillow()
    return opened


def where(image: Image.Image) -> str:
    """Name the colours of the four corners."""
    width, height = image.size
    names = ""
    for place in ((4, 4), (width - 5, 4), (4, height - 5), (width - 5, height - 5)):
        pixel = image.convert("RGB").getpixel(place)
        assert isinstance(pixel, tuple)
        names += "RGB"[pixel.index(max(pixel))] if max(pixel) > 100 else "-"
    return names


def upright(orientation: int) -> tuple[Size, str]:
    """Give the size and the corners of the picture, turned as EXIF says."""
    image = corners()
    image.getexif()[0x0112] = orientation
    turned = ImageOps.exif_transpose(image)
    return Size(*turned.size), where(turned)


# --- containers, built over ---------------------------------------------------------------------


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def irot(quarters: int) -> bytes:
    return box(b"irot", bytes([quarters]))


def imir(axis: int) -> bytes:
    return box(b"imir", bytes([axis]))


def clap(width: int, height: int, parts: int = 1) -> bytes:
    return box(b"clap", struct.pack(">8I", width, parts, height, parts, 0, 1, 0, 1))


def with_properties(
    data: bytes,
    *added: bytes,
    order: Callable[[list[int]], list[int]] = list,
    wide: bool = False,
) -> bytes:
    """Give a file with properties added to its first item, in the order that `order` makes."""
    meta = next((at, end) for kind, at, end in boxes(data, 0, len(data)) if kind == b"meta")
    shift = len(rebuilt(data, meta, added, order, wide, 0)) - (meta[1] - meta[0])
    built = rebuilt(data, meta, added, order, wide, shift)
    return data[: meta[0] - 8] + box(b"meta", built) + data[meta[1] :]


def rebuilt(
    data: bytes,
    meta: tuple[int, int],
    added: tuple[bytes, ...],
    order: Callable[[list[int]], list[int]],
    wide: bool,
    shift: int,
) -> bytes:
    built = data[meta[0] : meta[0] + 4]
    for kind, at, end in boxes(data, meta[0] + 4, meta[1]):
        content = data[at:end]
        if kind == b"iloc":
            content = moved(content, shift)
        elif kind == b"iprp":
            content = b""
            for inner, start, stop in boxes(data, at, end):
                if inner == b"ipco":
                    count = len(list(boxes(data, start, stop)))
                    content += box(inner, data[start:stop] + b"".join(added))
                else:
                    new = [count + 1 + number for number in range(len(added))]
                    content += box(inner, associated(data[start:stop], new, order, wide))
        built += box(kind, content)
    return built


def associated(
    content: bytes, new: list[int], order: Callable[[list[int]], list[int]], wide: bool
) -> bytes:
    """Add the numbers of properties to those of the first item."""
    count = content[10]
    numbers = order([*(number & 0x7F for number in content[11 : 11 + count]), *new])
    if wide:
        head = b"\1\0\0\1" + struct.pack(">IIB", 1, 1, len(numbers))
        return head + b"".join(struct.pack(">H", 0x8000 | number) for number in numbers)
    head = content[:10] + bytes([len(numbers)])
    return head + bytes(0x80 | number for number in numbers) + content[11 + count :]


def moved(content: bytes, shift: int) -> bytes:
    """Move where the items lie; both libraries write four-byte offsets, libheif as a base."""
    made = bytearray(content)
    has_base = made[5] >> 4
    for item in range(struct.unpack_from(">H", made, 6)[0]):
        at = 8 + item * (18 if has_base else 14) + (4 if has_base else 6)
        struct.pack_into(">I", made, at, struct.unpack_from(">I", made, at)[0] + shift)
    return bytes(made)


# --- what the libraries write -------------------------------------------------------------------


@BOTH
def test_plain(kind: str) -> None:
    """Size, without padding that the coding needs, and nothing else."""
    assert READERS[kind](written(kind)) == Header(WIDE)


@BOTH
def test_alpha(kind: str) -> None:
    """An auxiliary picture of the alpha kind makes it see-through."""
    image = corners()
    image.putalpha(99)
    data = encoded(image, kind)
    assert READERS[kind](data) == Header(WIDE, has_alpha=True)
    assert decoded(data, kind).mode == "RGBA"


@BOTH
def test_an_auxiliary_picture_of_another_kind(kind: str) -> None:
    """A depth map is no alpha, nor is the alpha of another picture."""
    image = corners()
    image.putalpha(99)
    data = encoded(image, kind)
    assert not READERS[kind](data.replace(b"urn:mpeg", b"urn:abcd")).has_alpha
    at = data.index(b"auxl") + 4
    assert not READERS[kind](data[:at] + b"\0\2\0\1\0\2" + data[at + 6 :]).has_alpha
    assert not READERS[kind](data[:at] + b"\0\7\0\1\0\1" + data[at + 6 :]).has_alpha


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_an_avif(orientation: int) -> None:
    """Pillow writes the turn into the container, and gives it as EXIF without applying it."""
    data = encoded(corners(), "AVIF", exif=exif(orientation))
    assert heif.avif_header(data) == Header(WIDE, orientation)
    opened = decoded(data, "AVIF")
    assert opened.size == WIDE
    assert opened.getexif().get(0x0112, 1) == orientation


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_of_a_heic_turns_nothing(orientation: int) -> None:
    """An orientation in EXIF without a turn in the container means nothing, here as there."""
    data = encoded(corners(), "HEIF", exif=exif(orientation))
    assert heif.heic_header(data) == Header(WIDE)
    assert (decoded(data, "HEIF").size, where(decoded(data, "HEIF"))) == (WIDE, where(corners()))


def test_a_grid() -> None:
    """A picture put together from tiles has its own size, not that of a tile."""
    data = encoded(Image.new("RGB", (300, 200)), "HEIF", tile_size=128)
    assert b"grid" in data
    assert heif.heic_header(data) == Header(Size(300, 200))


def test_ten_bits() -> None:
    """More than eight bits a sample are named."""
    library = pytest.importorskip("pillow_heif")
    buffer = BytesIO()
    library.from_bytes("RGB;16", WIDE, bytes(WIDE.pixels * 6)).save(buffer)
    assert heif.heic_header(buffer.getvalue()).pixel_kind == "10-bit"


def test_an_animation() -> None:
    """An image sequence is more than one frame."""
    data = encoded(corners(), "AVIF", save_all=True, append_images=[Image.new("RGB", WIDE)])
    assert heif.avif_header(data) == Header(WIDE, frames=2)


# --- transforms ---------------------------------------------------------------------------------

TRANSFORMS = [
    [irot(1)], [irot(2)], [irot(3)], [imir(0)], [imir(1)],
    *([irot(quarters), imir(axis)] for quarters in range(4) for axis in range(2)),
    *([imir(axis), irot(quarters)] for quarters in range(4) for axis in range(2)),
    [irot(1), irot(1)],
]  # fmt: skip


def name(transforms: list[bytes]) -> str:
    return " ".join(f"{each[4:8].decode()}{each[8]}" for each in transforms)


@BOTH
@pytest.mark.parametrize("transforms", TRANSFORMS, ids=name)
def test_turns_and_mirrors(kind: str, transforms: list[bytes]) -> None:
    """The size as stored and the turn are what makes the picture that its decoder shows."""
    data = with_properties(written(kind), *transforms)
    found = READERS[kind](data)
    assert found.size == WIDE
    shown = ImageOps.exif_transpose(decoded(data, kind))
    assert (Size(*shown.size), where(shown)) == upright(found.orientation)


@pytest.mark.parametrize(
    ("first", "second"),
    [(clap(20, 10), irot(1)), (irot(1), clap(20, 10)), (irot(2), clap(71, 30, 2))],
)
def test_a_crop_before_and_after_a_turn(first: bytes, second: bytes) -> None:
    """A crop counts in the picture as it is when its turn comes; fractions are rounded."""
    data = with_properties(written("HEIF"), first, second)
    found = heif.heic_header(data)
    assert decoded(data, "HEIF").size == (
        found.size.turned if found.orientation >= 5 else found.size
    )


def test_a_crop_of_an_avif_is_not_applied() -> None:
    """Pillow shows the whole, so the whole is what is measured."""
    data = with_properties(written("AVIF"), clap(20, 10))
    assert heif.avif_header(data).size == WIDE == decoded(data, "AVIF").size


def test_properties_under_wide_numbers() -> None:
    """Items and properties may be numbered with more bytes."""
    assert heif.avif_header(with_properties(written("AVIF"), irot(3), wide=True)).orientation == 6


# --- which kind it is ---------------------------------------------------------------------------


def brands(*names: bytes) -> bytes:
    return box(b"ftyp", names[0] + b"\0\0\0\0" + b"".join(names[1:]))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (brands(b"heic", b"mif1", b"heic"), "HEIC"),
        (brands(b"hevc"), "HEIC"),
        (brands(b"avif", b"mif1", b"avif"), "AVIF"),
        (brands(b"avis", b"avif"), "AVIF"),
        (brands(b"mif1", b"avif", b"miaf"), "AVIF"),
        (brands(b"mif1", b"heic"), "HEIC"),
        (brands(b"mif1"), "HEIC"),
        (brands(b"isom", b"mp41"), ""),
        (b"\0\0\0\x18moov", ""),
        (b"", ""),
    ],
)
def test_brands(data: bytes, kind: str) -> None:
    """The major brand says which it is, or the compatible ones where it says only HEIF."""
    assert heif.kind(data) == kind


@BOTH
@pytest.mark.parametrize("both", [b"heicavif", b"mif1miaf"])
def test_brands_that_leave_it_open(kind: str, both: bytes) -> None:
    """Where the brands name both or neither, the coding of the primary picture decides."""
    plain = written(kind)
    data = plain[:8] + b"mif1" + plain[12:16] + both + plain[24:]
    data = data.replace(b"mif1heicmiaf", b"mif1mif1miaf").replace(b"MA1B", b"mif1")
    assert heif.kind(data) == {"HEIF": "HEIC", "AVIF": "AVIF"}[kind]


def meta(*parts: bytes) -> bytes:
    return brands(b"mif1") + box(b"meta", b"\0\0\0\0" + b"".join(parts))


def infe(version: int, number: int, kind: bytes) -> bytes:
    layout = ">B3xIH4s" if version == 3 else ">B3xHH4s"
    return box(b"infe", struct.pack(layout, version, number, 0, kind))


PITM = box(b"pitm", b"\0\0\0\0\0\1")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (meta(PITM, box(b"iinf", b"\0\0\0\0\0\1" + infe(3, 1, b"av01"))), "AVIF"),
        (meta(PITM, box(b"iinf", b"\1" + bytes(7) + infe(2, 1, b"av01"))), "AVIF"),
        (meta(PITM, box(b"iinf", b"\0\0\0\0\0\1" + infe(2, 5, b"av01"))), "HEIC"),
        (meta(PITM), "HEIC"),
        (meta(PITM, box(b"iinf", b"")), "HEIC"),
    ],
)
def test_items_of_every_version(data: bytes, kind: str) -> None:
    """The primary item is looked for in lists old and new; where it is not found, it is HEIC."""
    assert heif.kind(data) == kind


# --- files that make no sense -------------------------------------------------------------------


def properties(*made: bytes, associations: bytes = b"") -> bytes:
    content = box(b"ipco", b"".join(made)) + box(b"ipma", b"\0\0\0\0" + associations)
    return box(b"iprp", content)


ISPE = box(b"ispe", b"\0\0\0\0" + struct.pack(">II", *WIDE))
ONE, TWO = b"\0\0\0\1\0\1\1\1", b"\0\0\0\1\0\1\2\1\2"


def test_the_smallest_file() -> None:
    """A primary item and its size are all that is needed."""
    assert heif.heic_header(meta(PITM, properties(ISPE, associations=ONE))) == Header(WIDE)


def test_wide_references() -> None:
    """References between items may be numbered with four bytes."""
    alpha = box(b"auxC", b"\0\0\0\0" + heif.ALPHA_KINDS[0])
    both = b"\0\0\0\2\0\1\1\1\0\2\1\2"
    references = box(b"cdsc", b"") + box(b"auxl", struct.pack(">IHI", 2, 1, 1))
    iref = box(b"iref", b"\1\0\0\0" + references)
    data = meta(PITM, properties(ISPE, alpha, associations=both), iref)
    assert heif.heic_header(data).has_alpha


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (brands(b"heic"), "no picture"),
        (meta(), "no box b'pitm'"),
        (meta(PITM), "no box b'iprp'"),
        (meta(PITM, box(b"iprp", box(b"free", b""))), "names no size"),
        (meta(PITM, properties(ISPE)), "needs more|names no size"),
        (meta(PITM, properties(ISPE, associations=b"\0\0\0\1\0\1\1\7")), "names no size"),
        (meta(PITM, properties(ISPE, associations=b"\0\0\0\1\0\1\1\0")), "names no size"),
        (meta(PITM, properties(ISPE, associations=b"\xff\xff\xff\xff" + b"\0\1\1\1")), "more than"),
        (
            meta(PITM, properties(ISPE, clap(5, 5, 0), associations=TWO)),
            "of zero",
        ),
    ],
)
def test_containers_that_make_no_sense(data: bytes, said: str) -> None:
    """A header without a primary picture, or one without a size, is not guessed at."""
    with pytest.raises(ValueError, match=said):
        heif.heic_header(data)


@BOTH
def test_cut_anywhere(kind: str) -> None:
    """Cut at any byte, the header makes no sense or is the same."""
    data = with_properties(written(kind), irot(1))
    for end in range(len(data)):
        try:
            found = READERS[kind](data[:end])
        except (ValueError, IndexError):
            continue
        assert found == READERS[kind](data)
