"""Boxes, and integers that are not there."""

from __future__ import annotations

import struct

import pytest

from eyeline.core.formats.header import boxes, depth_kind, unpack


def test_boxes_of_every_length() -> None:
    """A box has its length in four bytes, in eight, or goes up to the end."""
    data = struct.pack(">I4sH", 10, b"abcd", 1) + struct.pack(">I4sQ", 1, b"efgh", 16)
    data += struct.pack(">I4s", 0, b"ijkl") + b"rest"
    assert list(boxes(data, 0, len(data))) == [
        (b"abcd", 8, 10), (b"efgh", 26, 26), (b"ijkl", 34, 38),
    ]  # fmt: skip


def test_boxes_end_with_what_holds_them() -> None:
    """What is shorter than a box is passed over."""
    assert list(boxes(b"\0" * 7, 0, 7)) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [(struct.pack(">I4s", 7, b"abcd"), "of 7 bytes"), (b"\0\0\0\x08abcd" * 10_001, "10,000 boxes")],
)
def test_boxes_that_lead_nowhere(data: bytes, said: str) -> None:
    """A box shorter than its own head, and endless empty boxes, are refused."""
    with pytest.raises(ValueError, match=said):
        list(boxes(data, 0, len(data)))


@pytest.mark.parametrize(("data", "at"), [(b"abc", 0), (b"abcd", 1), (b"abcd", -1)])
def test_integers_that_are_not_there(data: bytes, at: int) -> None:
    """Reading past the end says how much there is."""
    with pytest.raises(ValueError, match="needs more"):
        unpack(">I", data, at)


def test_depths() -> None:
    """Only more than eight bits need a name."""
    assert [depth_kind(bits) for bits in (1, 8, 10, 16)] == ["", "", "10-bit", "16-bit"]
