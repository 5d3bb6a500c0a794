"""AVIF, JPEG 2000 and what Pillow decodes in Python, in another process."""

from __future__ import annotations

import pytest
from PIL import Image, ImageCms

from adapters.pictures import near, saved
from eyeline.adapters import slow
from eyeline.adapters.apart import Bounds, Refused, decoding_bounds
from eyeline.adapters.colours import Fit
from eyeline.adapters.slow import open_slow
from eyeline.adapters.slow_child import answer
from eyeline.core.colour import WHITE, Colour
from eyeline.errors import BadReference, ImageTooLarge, ImageTruncated

RED, BLUE = (220, 20, 20), (20, 20, 220)


def film() -> bytes:
    frames = [Image.new("RGB", (64, 40), colour) for colour in (RED, BLUE)]
    return saved(frames[0], "AVIF", save_all=True, append_images=frames[1:], quality=90)


@pytest.mark.parametrize(("frame", "colour"), [(0, RED), (1, BLUE)])
def test_the_frame_that_is_meant(frame: int, colour: tuple[int, ...]) -> None:
    """It comes as wide as wanted, and not yet lower."""
    image, notes = open_slow(film(), "AVIF", frame, Fit(16, WHITE), "a.avif")
    assert (image.mode, image.size, notes) == ("RGB", (16, 40), ())
    assert near(image.getpixel((8, 20)), colour)


def test_a_frame_that_is_not_there() -> None:
    """It is named as such."""
    with pytest.raises(BadReference, match=r"a\.avif#7: no such frame"):
        open_slow(film(), "AVIF", 7, Fit(16, WHITE), "a.avif#7")


def test_transparency_and_profile() -> None:
    """What is transparent comes on the ground; a profile comes along, where it is still meant."""
    clear = saved(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "AVIF")
    image, _ = open_slow(clear, "AVIF", 0, Fit(8, Colour(0, 128, 0)), "a.avif")
    assert near(image.getpixel((4, 4)), (0, 128, 0))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    whole = saved(Image.new("RGB", (8, 8), RED), "AVIF", icc_profile=profile)
    image, _ = open_slow(whole, "AVIF", 0, Fit(8, WHITE), "a.avif")
    assert image.info == {"icc_profile": profile}


@pytest.mark.parametrize("kind", ["AVIF", "JPEG2000", "BMP"])
def test_damage(kind: str) -> None:
    """Half a picture is refused with a reason."""
    data = saved(Image.effect_noise((64, 64), 90), kind)
    with pytest.raises(ImageTruncated, match=r"a: truncated or damaged image \(.+\)"):
        open_slow(data[: len(data) // 2], kind, 0, Fit(8, WHITE), "a")
    with pytest.raises(Refused):
        answer(data[: len(data) // 2], [kind, "0", "8", "1", "0", "0", "0"])


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time and memory are bounded, and grow with the bytes."""
    assert decoding_bounds(b"") == Bounds(1.8, 256 * 2**20)
    assert decoding_bounds(bytes(2_000_000)).time_s == 2.8
    assert decoding_bounds(bytes(90_000_000)).time_s == 20.0
    monkeypatch.setattr(slow, "decoding_bounds", lambda data: Bounds(9.0, 20 * 10**6))
    with pytest.raises(ImageTooLarge, match="takes too much memory to decode, the limit is 20 MB"):
        open_slow(film(), "AVIF", 0, Fit(8, WHITE), "a.avif")
    # Long enough for any clock to tell.
    large = saved(Image.effect_noise((3000, 2000), 90), "AVIF", speed=10)
    monkeypatch.setattr(slow, "decoding_bounds", lambda data: Bounds(0.001, 256 * 2**20))
    with pytest.raises(ImageTooLarge, match="takes too long to decode"):
        open_slow(large, "AVIF", 0, Fit(8, WHITE), "a.avif")
