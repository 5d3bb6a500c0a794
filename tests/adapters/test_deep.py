"""Deep colours, in every layout of TIFF and PNG: scaled by their real range, to the right place."""

from __future__ import annotations

import struct
from io import BytesIO
from itertools import product
from typing import Any

import numpy as np
import pytest
from core.support import exif
from PIL import Image, ImageCms

from adapters.deep_files import Layout, chunk, png, tiff
from adapters.pictures import STORED, notes, see, sent
from eyeline.adapters.deep_tiff import deep_tiff
from eyeline.core.formats.tiff_samples import Samples
from eyeline.core.size import Size
from eyeline.errors import ImageTooLarge, ImageTruncated, UnsupportedFormat

WIDTH, HEIGHT = 37, 23
ACROSS, DOWN = np.meshgrid(np.linspace(0, 1, WIDTH), np.linspace(0, 1, HEIGHT))
RAMPS = np.stack([ACROSS, DOWN, (ACROSS + DOWN) / 2], axis=2)
ALPHA = (ACROSS * DOWN)[..., None]
MOST = {"u2": 65_535, "i2": 32_767, "u4": 2**32 - 1, "i4": 2**31 - 1, "f2": 1, "f4": 1, "f8": 1}


def samples(kind: str, *, alpha: bool = False, share: float = 1) -> Any:
    """Give the ramps as numbers of a kind, up to a share of the most there are."""
    values = np.concatenate([RAMPS * share, ALPHA], axis=2) if alpha else RAMPS * share
    return (values * MOST[kind]).astype(kind)


def shown(data: bytes) -> Any:
    return np.asarray(sent(data).convert("RGB")).astype(float)


def assert_near(found: Any, expected: Any, tolerance: float = 1.01) -> None:
    """Compare with parts of white."""
    assert found.shape == expected.shape
    assert abs(found - expected * 255).max() <= tolerance


@pytest.mark.parametrize(
    ("kind", "order", "predictor", "is_planar", "tile_px"),
    [
        *product(("u2", "f4"), "<>", (1, 2), (False, True), (0, 16)),
        *product(("f2", "f4", "f8"), "<>", (3,), (False, True), (0, 16)),
        *product(("i2", "u4", "i4", "f2", "f8"), "<>", (1, 2), (False,), (0,)),
    ],
)
def test_every_layout(kind: str, order: str, predictor: int, is_planar: bool, tile_px: int) -> None:
    """Colours of any depth and kind come in their places, however a TIFF holds them."""
    layout = Layout(order, predictor=predictor, is_planar=is_planar, tile_px=tile_px)
    assert_near(shown(tiff(samples(kind), layout)), RAMPS)


@pytest.mark.parametrize("is_planar", [False, True])
@pytest.mark.parametrize("kind", ["u2", "f4"])
def test_alpha(kind: str, is_planar: bool) -> None:
    """Alpha, straight or multiplied, lies on white; a fourth sample that is none is left out."""
    on_white = RAMPS * ALPHA + 1 - ALPHA
    straight = samples(kind, alpha=True)
    multiplied = np.concatenate([RAMPS * ALPHA, ALPHA], axis=2) * MOST[kind]
    layout = Layout(is_planar=is_planar)
    assert_near(shown(tiff(straight, layout._replace(extra=2))), on_white, 2)
    assert_near(shown(tiff(multiplied.astype(kind), layout._replace(extra=1))), on_white, 3)
    assert_near(shown(tiff(straight, layout._replace(extra=0))), RAMPS)


@pytest.mark.parametrize("predictor", [1, 2])
def test_grey_with_alpha(predictor: int) -> None:
    """Deep grey with alpha, which Pillow does not read from a TIFF, lies on white."""
    grey = np.concatenate([RAMPS[..., :1], ALPHA], axis=2)
    expected = np.repeat(RAMPS[..., :1] * ALPHA + 1 - ALPHA, 3, axis=2)
    data = (grey * 65_535).astype("u2")
    layout = Layout(photometric=1, predictor=predictor, extra=2)
    assert_near(shown(tiff(data, layout)), expected, 2)
    assert_near(shown(png(data)), expected, 2)


@pytest.mark.parametrize("kind", ["u2", "f4"])
def test_grey_whose_zero_is_white(kind: str) -> None:
    """It is turned round."""
    data = tiff(samples(kind)[..., :1], Layout(photometric=0))
    assert_near(shown(data), 1 - np.repeat(RAMPS[..., :1], 3, axis=2))


def test_an_unnamed_second_sample_is_alpha() -> None:
    """Of two samples a pixel the second is taken for alpha, where nothing says otherwise."""
    grey = (np.concatenate([RAMPS[..., :1], ALPHA], axis=2) * 65_535).astype("u2")
    data = tiff(grey, Layout(photometric=1))
    assert data == tiff(grey, Layout(photometric=1, extra=None))
    assert_near(shown(data), np.repeat(RAMPS[..., :1] * ALPHA + 1 - ALPHA, 3, axis=2), 2)


def test_a_png_of_16_bits() -> None:
    """Colours, with and without alpha, are read to their last bit and scaled."""
    assert_near(shown(png(samples("u2"))), RAMPS)
    assert_near(shown(png(samples("u2", alpha=True))), RAMPS * ALPHA + 1 - ALPHA, 2)
    eight = (RAMPS * 255).astype("u1")
    assert (shown(png(eight.astype("u2") * 257)) == eight).all()


@pytest.mark.parametrize("key", [(0,), (0, 0, 0)])
def test_a_transparent_colour_of_16_bits(key: tuple[int, ...]) -> None:
    """Only what is that colour to its last bit becomes white."""
    pixels = np.zeros((1, 3, len(key)), "u2")
    pixels[0, 1], pixels[0, 2] = 1, 65_535
    assert shown(png(pixels, key=key))[0, :, 0].tolist() == [255, 0, 255]


@pytest.mark.parametrize("form", [png, tiff], ids=["PNG", "TIFF"])
@pytest.mark.parametrize(
    ("kind", "share", "top", "note"),
    [
        ("u2", 1 / 16, 1, "0 to 4095 scaled to 0 to 255"),
        ("u2", 0.9, 0.9, "0 to 65535 scaled to 0 to 255"),
        ("f4", 4, 1, "0 to 4 scaled to 0 to 255"),
        ("f4", 0.9, 0.9, "0 to 1 scaled to 0 to 255"),
    ],
)
def test_the_real_range(form: Any, kind: str, share: float, top: float, note: str) -> None:
    """
    What uses a small part of its range, or goes beyond, is stretched; what uses it is as it was.
    """
    if form is png and kind == "f4":
        pytest.skip("no floats in a PNG")
    data = form(samples(kind, share=share))
    assert_near(shown(data), RAMPS * top)
    assert note in notes(data)


def test_the_same_pixels_in_other_containers() -> None:
    """Deep pixels of a PNG, a TIFF and a PPM are prepared to the same pixels, shrunk too."""
    noise = np.random.default_rng(1).integers(0, 5_000, (900, 1200, 3)).astype("u2")
    ppm = b"P6 1200 900 65535\n" + noise.astype(">u2").tobytes()
    one, *others = (shown(each) for each in (png(noise), tiff(noise), ppm))
    assert all((one == other).all() for other in others)


@pytest.mark.parametrize("orientation", STORED)
def test_turned(orientation: int) -> None:
    """A deep picture comes upright, from every layout."""
    stored = [np.asarray(STORED[orientation](Image.fromarray(each))) for each in
              np.moveaxis((RAMPS * 255).astype("u1"), 2, 0)]  # fmt: skip
    turned = np.stack(stored, axis=2).astype("u2") * 257
    whole, planes = Layout(orientation=orientation), Layout("<", 2, True, 2, 16, None, orientation)
    eight = (RAMPS * 255).astype("u1")
    block = exif(orientation).tobytes().removeprefix(b"Exif\0\0")
    for data in (
        tiff(turned, whole), tiff(turned, planes), png(turned, more=chunk(b"eXIf", block)),
    ):  # fmt: skip
        assert (shown(data) == eight).all()


@pytest.mark.parametrize("is_planar", [False, True])
def test_a_profile_is_applied(is_planar: bool) -> None:
    """The colour profile of a deep picture is not lost."""
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    data = tiff(samples("u2"), Layout(is_planar=is_planar, profile=linear))
    assert "damaged colour profile ignored" in notes(data)


def test_a_later_page() -> None:
    """Each page of a TIFF is read by its own layout."""
    data = tiff(samples("f4"), Layout(is_planar=True), before=tiff(samples("u2", share=0.9)))
    first, second = (Image.open(BytesIO(prepared.data)) for _, prepared in see(data))
    assert_near(np.asarray(first).astype(float), RAMPS * 0.9)
    assert_near(np.asarray(second).astype(float), RAMPS)


def test_what_is_not_read() -> None:
    """Long integers, unknown predictors and odd colours are named, and are no damage."""
    with pytest.raises(UnsupportedFormat, match=r"TIFF of 64-bit numbers, predictor 1"):
        sent(tiff(samples("u4").astype("u8")))
    with pytest.raises(UnsupportedFormat, match=r"TIFF of samples that Pillow does not know"):
        sent(tiff(samples("u2"), Layout(photometric=8)))
    packed = tiff((RAMPS * 255).astype("u1"))
    deflate, webp = (struct.pack("<HHIH", 259, 4, 1, kind) for kind in (8, 50_001))
    assert deflate in packed
    with pytest.raises(UnsupportedFormat, match=r"TIFF packed as WebP"):
        sent(packed.replace(deflate, webp))
    unknown = Layout(is_planar=True, predictor=9)
    with pytest.raises(UnsupportedFormat, match=r"TIFF of 16-bit numbers, predictor 9"):
        sent(tiff(samples("u2"), unknown))


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_without_end(number: float) -> None:
    """A picture whose range has no end cannot be scaled."""
    with pytest.raises(ImageTruncated, match="no finite numbers"):
        sent(tiff(np.full((4, 4, 3), number, "f4")))


def test_one_colour() -> None:
    """A deep picture of one grey is white, and of black black."""
    assert shown(tiff(np.full((4, 4, 3), 0.1, "f4"))).min() == 255
    assert shown(tiff(np.zeros((4, 4, 3), "f4"))).max() == 0


def test_a_flood() -> None:
    """A few bytes that would become gigabytes are refused before they do."""
    with pytest.raises(ImageTooLarge, match="240 MB once decoded"):
        sent(tiff(np.zeros((4_000, 5_000, 3), "f4")))


def test_more_than_a_plane_may_hold() -> None:
    """Deep samples beyond what Pillow opens are refused as too large, not as damaged."""
    size = Size(20_000, 20_000)
    found = Samples(size, 3, 16, 1, "<", 2, 0, False, 1, 20_000)
    with pytest.raises(ImageTooLarge, match="2,400 MB, the limit is 357 MB"):
        deep_tiff(b"", 0, found, "sky.tif")
