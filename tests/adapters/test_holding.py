"""What decoding would hold, told before it begins."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from adapters.pictures import saved
from eyeline.adapters.holding import held_bytes, icon_bytes, is_safe, refuse_hoard
from eyeline.errors import ImageTooLarge


def opened(mode: str, kind: str, **options: object) -> Image.Image:
    return Image.open(BytesIO(saved(Image.new(mode, (100, 50)), kind, **options)))


@pytest.mark.parametrize(
    ("mode", "kind", "frame", "bytes_a_pixel"),
    [
        ("L", "PNG", 0, 1), ("P", "GIF", 0, 1), ("I;16", "PNG", 0, 2), ("RGB", "PNG", 0, 4),
        ("RGBA", "PNG", 0, 4), ("RGB", "PNG", 3, 12), ("P", "GIF", 3, 12), ("RGB", "WEBP", 0, 16),
        ("RGB", "WEBP", 3, 16), ("RGB", "AVIF", 0, 9), ("RGB", "JPEG2000", 0, 17),
        ("RGB", "TIFF", 0, 8),
    ],
)  # fmt: skip
def test_bytes_a_pixel(mode: str, kind: str, frame: int, bytes_a_pixel: int) -> None:
    """It follows from mode and decoder; a TIFF holds a strip beside, here all of it."""
    assert held_bytes(opened(mode, kind), frame, is_slow=False) == bytes_a_pixel * 100 * 50


def test_strips_are_counted() -> None:
    """A TIFF of short strips holds little beside itself."""
    image = opened("L", "TIFF", compression="tiff_lzw", strip_size=1_000)
    assert held_bytes(image, 0, is_slow=False) == 100 * 50 + 100 * 10


def test_what_is_decoded_in_python_holds_more() -> None:
    """The bytes are there as they grow, and all of them at last."""
    assert held_bytes(opened("L", "PNG"), 0, is_slow=True) == 4 * 100 * 50


def test_an_icon_is_as_large_as_what_it_points_to() -> None:
    """Its directory may say anything."""
    assert icon_bytes(saved(Image.new("RGBA", (64, 64)), "ICO")) == 4 * 64 * 64


def test_a_small_file_may_not_hold_much() -> None:
    """The error says how much it would be, and how much is safe for so few bytes."""
    refuse_hoard(150_000_000, b"", "a.png")
    with pytest.raises(ImageTooLarge) as raised:
        refuse_hoard(400_000_000, bytes(100_000), "a.png")
    said = "a.png: 400 MB once decoded, the limit is 175 MB for a file of 100,000 bytes"
    assert str(raised.value) == said


def test_what_is_large_itself_may_hold_more() -> None:
    """A hundred megapixels of a photo are no bomb."""
    assert is_safe(400_000_000, bytes(1_000_000))
