"""What is remembered of a file, and when it may be."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.media import ImageInfo
from eyeline.core.picture import GRAIN_NS, FileState, Picture
from eyeline.core.size import Size

infos = st.builds(
    ImageInfo,
    st.sampled_from(["image/png", "application/pdf"]),
    st.builds(Size, st.integers(1, 9999), st.integers(1, 9999)),
    st.integers(1, 8),
    st.booleans(),
    st.integers(1, 9),
    st.integers(0, 9),
    st.sampled_from(["", "16-bit"]),
    st.booleans(),
)


@given(st.builds(Picture, st.lists(infos, min_size=1).map(tuple), st.text(), st.booleans()))
def test_comes_back_from_its_record(picture: Picture) -> None:
    """A picture kept as JSON comes back the same, every field of it."""
    assert Picture.from_record(json.loads(json.dumps(picture.to_record()))) == picture


@pytest.mark.parametrize(
    ("mtime_ns", "ctime_ns", "is_settled"),
    [(0, 0, True), (1, 0, False), (0, 1, False), (GRAIN_NS, 0, False), (GRAIN_NS * 2, 0, False)],
)
def test_a_state_settles(mtime_ns: int, ctime_ns: int, is_settled: bool) -> None:
    """A state is settled two seconds after the later of its times, and not when that is ahead."""
    assert FileState(1, mtime_ns, ctime_ns, 1, 1).is_settled(GRAIN_NS + 1) is is_settled
