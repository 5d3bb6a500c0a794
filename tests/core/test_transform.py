"""Points and boxes a model names, mapped back to the picture as given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.answer import SentImage
from eyeline.core.size import Size
from eyeline.core.transform import TURNED_BACK, to_stored

STORED, SENT = Size(4032, 3024), Size(1024, 768)


def sent(orientation: int = 1) -> SentImage:
    size = SENT.turned if orientation >= 5 else SENT
    return SentImage(
        "a.jpg", "high", width_px=4032, height_px=3024,
        sent_width_px=size.width_px, sent_height_px=size.height_px, orientation=orientation,
    )  # fmt: skip


# Where the top left corner of the upright picture lies in the stored one; EXIF 2.32, 4.6.4.
TOP_LEFT = {
    1: (0, 0), 2: (4032, 0), 3: (4032, 3024), 4: (0, 3024),
    5: (0, 0), 6: (0, 3024), 7: (4032, 3024), 8: (4032, 0),
}  # fmt: skip


@pytest.mark.parametrize("orientation", TURNED_BACK)
def test_corners(orientation: int) -> None:
    """The upright picture's first corner is where the turn took it from."""
    image = sent(orientation)
    assert image.to_source(0, 0) == TOP_LEFT[orientation]
    assert image.to_source(0, 0, upright=True) == (0, 0)
    middle = image.to_source(image.sent_width_px / 2, image.sent_height_px / 2)  # type: ignore[operator]
    assert middle == (2016, 1512)


def test_a_sideways_photo() -> None:
    """Right in the upright photo is down in the stored one, in pixels of the original."""
    assert sent(6).to_source(192, 256) == (1008, 3024 - 756)
    assert sent(6).to_source(192, 256, upright=True) == (756, 1008)


def test_a_box() -> None:
    """A box stays a box: left before right, top before bottom, also after a turn."""
    assert sent(6).box_to_source(192, 256, 384, 512) == (1008, 1512, 2016, 2268)
    assert sent(3).box_to_source(0, 0, 256, 256) == pytest.approx((3024, 2016, 4032, 3024))
    assert sent(6).box_to_source(192, 256, 384, 512, upright=True) == (756, 1008, 1512, 2016)


def test_an_uploaded_file_has_no_size() -> None:
    """Of a file id nothing is known that a point could be mapped to."""
    with pytest.raises(ValueError, match="file-1"):
        SentImage("file-1", "high").to_source(1, 1)


@given(
    st.sampled_from([*TURNED_BACK]), st.floats(0, 1), st.floats(0, 1),
    st.builds(Size, st.integers(1, 9000), st.integers(1, 9000)),
)  # fmt: skip
def test_points_stay_inside(orientation: int, across: float, down: float, stored: Size) -> None:
    """Whatever the turn and the sizes, a point of the image is a point of the picture."""
    x, y = to_stored(across * 640, down * 480, Size(640, 480), stored, orientation)
    assert -1e-6 <= x <= stored.width_px + 1e-6
    assert -1e-6 <= y <= stored.height_px + 1e-6
