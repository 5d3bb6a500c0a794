"""JPEG 2000: files and codestreams."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from core.support import SIZE, encoded, picture, transparent
from eyeline.core.formats import jpeg2000
from eyeline.core.formats.header import Header, Unsafe
from eyeline.core.size import Size

MODES = ["L", "LA", "RGB", "RGBA", "I;16"]


def image(mode: str) -> Image.Image:
    return transparent(mode) if mode.endswith("A") else picture(mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("bare", "lossy"), [(False, False), (True, False), (False, True)])
def test_what_pillow_wrote(mode: str, bare: bool, lossy: bool) -> None:
    """File and codestream say size, alpha, depth and loss alike, as Pillow finds them."""
    data = encoded(image(mode), "JPEG2000", no_jp2=bare, irreversible=lossy)
    kind = "16-bit" if mode == "I;16" else ""
    assert jpeg2000.header(data) == Header(
        SIZE, has_alpha="A" in mode, pixel_kind=kind, is_lossless=not lossy
    )
    assert Image.open(BytesIO(data)).size == SIZE


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def jp2(*parts: bytes) -> bytes:
    return box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 ") + box(b"jp2h", b"".join(parts))


def ihdr(components: int, depth: int = 7) -> bytes:
    return box(b"ihdr", struct.pack(">IIHBBBB", 17, 31, components, depth, 7, 0, 0))


def colr(space: int) -> bytes:
    return box(b"colr", struct.pack(">BBBI", 1, 0, 0, space))


@pytest.mark.parametrize(
    ("parts", "has_alpha", "kind"),
    [
        ([ihdr(4), colr(16)], True, ""),
        ([ihdr(4), colr(12)], False, "CMYK"),
        ([ihdr(3), colr(14)], False, "LAB"),
        ([ihdr(3, 255), box(b"bpcc", bytes([7, 11, 0x80 | 7]))], False, "12-bit"),
        ([ihdr(3, 255)], False, ""),
        ([ihdr(1), box(b"colr", b"\2\0\0profile")], False, ""),
        ([ihdr(1), box(b"pclr", b"\0\2\4\7\7\7\7")], True, ""),
        ([ihdr(1), box(b"pclr", b"\0\2\3\7\7\7")], False, ""),
    ],
)
def test_headers_of_files(parts: list[bytes], has_alpha: bool, kind: str) -> None:
    """Colour space, depth of each component and palette decide what it is."""
    assert jpeg2000.header(jp2(*parts)) == Header(SIZE, has_alpha=has_alpha, pixel_kind=kind)


def test_a_codestream_of_another_size_is_refused() -> None:
    """The size that is judged is the size that is decoded."""
    data = bytearray(encoded(picture(), "JPEG2000"))
    at = data.index(jpeg2000.CODESTREAM)
    data[at + 8 : at + 12] = struct.pack(">I", 60_000)
    with pytest.raises(ValueError, match="two sizes"):
        jpeg2000.header(bytes(data))
    assert jpeg2000.header(bytes(data[: at + 20])).size == SIZE


@pytest.mark.parametrize(
    ("data", "said"),
    [(jp2(), "names no size"), (jp2()[:12], "no JP2 header"), (box(b"jp2c", b""), "no JP2")],
)
def test_files_without_a_header(data: bytes, said: str) -> None:
    """A file that names no size makes no sense."""
    with pytest.raises(ValueError, match=said):
        jpeg2000.header(data)


def test_a_codestream_that_shows_nothing() -> None:
    """An offset behind the edge leaves no picture."""
    data = jpeg2000.CODESTREAM + struct.pack(">HHIIIIIIIIH", 41, 0, 5, 5, 9, 9, 9, 9, 0, 0, 0)
    assert jpeg2000.header(data).size == Size(0, 0)


@pytest.mark.parametrize(
    ("side", "error", "said"),
    [(0, ValueError, "tiles without size"), (99, Unsafe, "more than 10,000 tiles")],
)
def test_tiles_that_are_no_good(side: int, error: type[ValueError], said: str) -> None:
    """A decoder would reserve memory for each of them."""
    sides = (9_999, 9_999, 0, 0, side, side, 0, 0, 1)
    with pytest.raises(error, match=said):
        jpeg2000.header(jpeg2000.CODESTREAM + struct.pack(">HHIIIIIIIIH3B", 41, 0, *sides, 7, 1, 1))


@pytest.mark.parametrize("bare", [False, True])
def test_a_whole_file_is_whole(bare: bool) -> None:
    """What an encoder wrote has no fault, in one tile or many, and without its end mark either."""
    data = encoded(image("RGB"), "JPEG2000", no_jp2=bare)
    tiled = encoded(image("RGB"), "JPEG2000", no_jp2=bare, tile_size=(8, 8))
    assert jpeg2000.fault(data) == jpeg2000.fault(tiled) == ""
    assert jpeg2000.fault(data[:-2]) == ""


@pytest.mark.parametrize("options", [{}, {"tile_size": (16, 16)}, {"no_jp2": True}])
def test_every_cut_within_a_tile_is_a_fault(options: dict[str, Any]) -> None:
    """Cut anywhere in its first tile it has a fault, or its header is not all there."""
    data = encoded(image("RGB"), "JPEG2000", **options)
    first = data.index(jpeg2000.TILE_PART)
    for end in range(first + int.from_bytes(data[first + 6 : first + 10])):
        assert fault_of(data[:end]), end


def fault_of(data: bytes) -> str:
    try:
        jpeg2000.header(data)
        return jpeg2000.fault(data)
    except (ValueError, IndexError) as error:
        return str(error)


def part(length: int, rest: bytes = b"") -> bytes:
    head = jpeg2000.CODESTREAM + b"\0\2" + b"\xff\x90\0\x0a\0\0"
    return head + struct.pack(">I", length) + rest


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (part(0, b"\0\1\xff\xd9"), ""),
        (part(0, b"\0\1"), "no end of the tile"),
        (part(5, b"\0\1"), "no end of the tile"),
        (part(13, b"\0\1"), "a tile ends 1 bytes behind the file"),
        (part(12, b"\0\1\xff\x52"), "what follows a tile is no tile"),
        (part(12, b"\0\1"), ""),
    ],
)
def test_tiles_by_hand(data: bytes, said: str) -> None:
    """A length of 0 goes up to the end; behind a tile stands the next one, or the end."""
    assert jpeg2000.fault(data) == said


def test_a_header_without_tiles() -> None:
    """Where the header is all, nothing is to be seen."""
    with pytest.raises(ValueError, match="no tiles"):
        jpeg2000.fault(jpeg2000.CODESTREAM + b"\0\2")


def test_parts_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million parts of nothing are not walked through."""
    monkeypatch.setattr(jpeg2000, "PARTS_MAX", 3)
    tile = part(12, b"\0\1")[6:]
    with pytest.raises(Unsafe, match="more than 3 parts"):
        jpeg2000.fault(jpeg2000.CODESTREAM + b"\0\2" + tile * 9)


def test_depths_are_read_and_said() -> None:
    """Each component has one, signed or not, in a file as in a bare codestream."""
    image = Image.new("RGB", (8, 8), (9, 99, 200))
    for data in (encoded(image, "JPEG2000"), encoded(image, "JPEG2000", no_jp2=True)):
        found = jpeg2000.components(data)
        assert (found.depths, found.is_reversible) == ((8, 8, 8), True)
        deeper = jpeg2000.with_depths(data, found, (12, 13, 16))
        assert jpeg2000.components(deeper).depths == (12, 13, 16)
        signed = data[: found.at] + bytes([data[found.at] | 0x80]) + data[found.at + 1 :]
        assert jpeg2000.components(signed).depths == (8, 8, 8)
    lossy = encoded(image, "JPEG2000", irreversible=True)
    assert not jpeg2000.components(lossy).is_reversible
