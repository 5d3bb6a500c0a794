"""HEIC as Pillow images: upright, eight bits, the primary picture, and bombs refused."""

from __future__ import annotations

import struct
import threading
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageChops, ImageCms

from eyeline.adapters import heif_child
from eyeline.adapters.apart import Refused
from eyeline.adapters.colours import Fit
from eyeline.adapters.heif import open_heif
from eyeline.core.colour import Colour
from eyeline.core.formats.heif import heic_header
from eyeline.errors import ImageTooLarge, ImageTruncated

RED, WHITE, BLUE = (254, 0, 0), (255, 255, 255), (0, 0, 254)


def heic(image: Image.Image, **options: object) -> bytes:
    buffer = BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=-1, **options)
    return buffer.getvalue()


def sign() -> Image.Image:
    """White, 60×40, its upper left corner red."""
    image = Image.new("RGB", (60, 40), "white")
    image.paste("red", (0, 0, 20, 10))
    return image


def oriented(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return heic(sign(), exif=exif.tobytes())


def opened(data: bytes) -> Image.Image:
    image, notes = open_heif(data)
    assert notes == ()
    return image


def near(found: object, wanted: tuple[int, ...]) -> bool:
    assert isinstance(found, tuple)
    return all(abs(a - b) <= 3 for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_come_as_the_file_turns_them(orientation: int) -> None:
    """A turn and a mirror stored as properties are applied, once, and leave no EXIF behind."""
    image = opened(oriented(orientation))
    corner = {
        1: (0, 0),
        2: (1, 0),
        3: (1, 1),
        4: (0, 1),
        5: (0, 0),
        6: (1, 0),
        7: (1, 1),
        8: (0, 1),
    }
    right, low = corner[orientation]
    place = (image.width - 4 if right else 3, image.height - 4 if low else 3)
    assert image.size == ((60, 40) if orientation < 5 else (40, 60))
    assert near(image.getpixel(place), RED)
    assert image.getexif().get(0x0112, 1) == 1


def test_exif_orientation_alone_turns_nothing() -> None:
    """Without the property, an EXIF orientation is ignored, as the format demands."""
    data = bytearray(oriented(1))
    tag = data.rindex(bytes.fromhex("0112000300000001"))
    data[tag + 8 : tag + 10] = b"\0\6"
    image = opened(bytes(data))
    assert image.size == (60, 40)
    assert near(image.getpixel((3, 3)), RED)
    assert image.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize(
    ("mode", "channels", "expected"),
    [("RGB;16", 3, "RGB"), ("RGBA;16", 4, "RGBA"), ("L;16", 1, "RGB")],
)
@pytest.mark.parametrize("is_twelve", [False, True])
def test_more_than_eight_bits_become_eight(
    mode: str, channels: int, expected: str, is_twelve: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10 and 12 bits, in colour, with alpha and grey, keep their brightness in eight."""
    monkeypatch.setattr(pillow_heif.options, "SAVE_HDR_TO_12_BIT", is_twelve)
    pixels = np.full((64, 64, channels), 40_000, dtype="<u2").tobytes()
    buffer = BytesIO()
    pillow_heif.from_bytes(mode, (64, 64), pixels).save(buffer, quality=-1, chroma=444)
    image = opened(buffer.getvalue())
    assert image.mode == expected
    assert near(image.getpixel((9, 9)), (156,) * len(expected))


@pytest.mark.parametrize(
    ("stored", "expected"), [("L", "RGB"), ("LA", "RGBA"), ("RGBA", "RGBA"), ("RGBa", "RGBA")]
)
def test_gives_rgb_or_rgba(stored: str, expected: str) -> None:
    """Grey becomes RGB, and alpha, premultiplied or not, RGBA."""
    image = opened(heic(Image.new(stored, (64, 64), 200 if stored == "L" else None)))
    assert (image.mode, image.size) == (expected, (64, 64))


def test_keeps_the_colour_profile() -> None:
    """An ICC profile comes whole; without one, what the file says of its colours in short."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert opened(heic(sign(), icc_profile=profile)).info == {"icc_profile": profile}
    display_p3 = heic(sign(), color_primaries=12, transfer_characteristics=13)
    assert opened(display_p3).info["nclx_profile"]["color_primaries"] == 12


def test_comes_as_small_as_it_is_wanted() -> None:
    """With a Fit it comes as wide as wanted, on its ground, and not yet smaller in height."""
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image, notes = open_heif(heic(clear), fit=Fit(16, Colour(0, 128, 0)))
    assert (image.mode, image.size, notes) == ("RGB", (16, 64), ())
    assert near(image.getpixel((9, 9)), (0, 128, 0))


def test_gives_the_primary_picture() -> None:
    """Of several pictures it is the one the file calls primary, wherever it stands."""
    pictures = pillow_heif.from_pillow(sign())
    pictures.add_from_pillow(Image.new("RGB", (80, 80), "blue"))
    buffer = BytesIO()
    pictures.save(buffer, primary_index=1, quality=-1)
    image = opened(buffer.getvalue())
    assert image.size == (80, 80)
    assert near(image.getpixel((9, 9)), BLUE)


def test_is_what_the_library_gives() -> None:
    """The way through another process changes no pixel, at any width of the rows."""
    image = Image.effect_noise((333, 77), 60).convert("RGB")
    data = heic(image)
    assert not ImageChops.difference(
        opened(data), pillow_heif.open_heif(data).to_pillow()
    ).getbbox()


def test_leaves_pillow_and_pillow_heif_as_they_were() -> None:
    """No opener is registered and no option changed in the user's process."""
    before = (dict(Image.OPEN), pillow_heif.options.DECODE_THREADS, pillow_heif.options.THUMBNAILS)
    open_heif(heic(sign()))
    after = (dict(Image.OPEN), pillow_heif.options.DECODE_THREADS, pillow_heif.options.THUMBNAILS)
    assert after == before


def test_threads_decode_at_the_same_time() -> None:
    """Any number of threads may call."""
    data, made = heic(sign()), []
    threads = [threading.Thread(target=lambda: made.append(opened(data))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [image.size for image in made] == [(60, 40)] * 6


# --- damage and bombs ---------------------------------------------------------------------------


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full(kind: bytes, *content: bytes, version: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24), *content)


def derived(kind: bytes, side_px: int, content: bytes, tiles: int) -> bytes:
    """Make a picture of 64×64 that shows one flat tile of `side_px` many times."""
    tile = heic(Image.new("RGB", (side_px, side_px), "red"))
    at = tile.index(b"hvcC") - 4
    config = tile[at : at + int.from_bytes(tile[at : at + 4])]
    coded = tile[tile.index(b"mdat") + 4 :]
    item = lambda number, kind: full(b"infe", struct.pack(">HH", number, 0), kind, b"\0", version=2)  # noqa: E731
    items = full(b"iinf", b"\0\2", item(1, b"hvc1"), item(2, kind))
    sizes = [full(b"ispe", struct.pack(">II", side, side)) for side in (side_px, 64)]
    properties = box(
        b"iprp",
        box(b"ipco", config, *sizes),
        full(b"ipma", bytes.fromhex("00000002 0001 02 81 02  0002 01 03")),
    )
    refers = full(b"iref", box(b"dimg", struct.pack(">HH", 2, tiles), b"\0\1" * tiles))

    def head(base: int) -> bytes:
        extents = (1, 0, 1, base, len(coded)), (2, 0, 1, base + len(coded), len(content))
        places = b"".join(struct.pack(">HHHII", *extent) for extent in extents)
        return full(
            b"meta",
            full(b"hdlr", bytes(4), b"pict", bytes(13)),
            full(b"pitm", b"\0\2"),
            full(b"iloc", b"\x44\0\0\2", places),
            items,
            refers,
            properties,
        )

    kinds = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    return kinds + head(len(kinds) + len(head(0)) + 8) + box(b"mdat", coded, content)


def grid(tiles_a_side: int) -> bytes:
    return bytes((0, 0, tiles_a_side - 1, tiles_a_side - 1)) + struct.pack(">HH", 64, 64)


def test_a_grid_of_one_tile_is_decoded() -> None:
    """The bomb below, with one tile only, is a picture like any other."""
    assert opened(derived(b"grid", 64, grid(1), 1)).size == (64, 64)


def test_a_picture_that_decodes_thousands_of_times_its_size_is_refused() -> None:
    """A few KB that are 64×64 and decode 256 large tiles end in an error, not in half a minute."""
    bomb = derived(b"grid", 2048, grid(16), 256)
    assert len(bomb) < 5_000
    assert heic_header(bomb).size == (64, 64)
    with pytest.raises(ImageTooLarge, match=r"bomb\.heic: takes too long"):
        open_heif(bomb, "bomb.heic")


def test_another_picture_is_never_given_for_the_primary_one() -> None:
    """Where the primary picture cannot be read, the error says so; pillow-heif takes the next."""
    overlay = bytes(10) + struct.pack(">HH", 64, 64) + bytes(4 * 20)
    with pytest.raises(ImageTruncated, match="primary picture"):
        open_heif(derived(b"iovl", 64, overlay, 20))


def test_every_cut_is_an_error() -> None:
    """Cut anywhere, a file is refused by its header or by the decoder."""
    data = heic(sign())
    for end in range(0, len(data) - 1, len(data) // 12):
        with pytest.raises(ImageTruncated):
            open_heif(data[:end])


@pytest.mark.parametrize("size", [(61, 40), (16, 16), (30_000, 3_000), (60_000, 60_000)])
def test_a_size_that_is_not_true_is_refused(size: tuple[int, int]) -> None:
    """What decodes to another size than the header says is damaged."""
    data = bytearray(heic(sign()))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", *size)
    with pytest.raises(ImageTruncated):
        open_heif(bytes(data))


def test_the_child_says_what_is_wrong() -> None:
    """What libheif cannot read is refused with its own reason."""
    with pytest.raises(Refused, match="File size too small"):
        heif_child.answer(b"short", [])
