"""Colours as users name them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.colour import NAMED, Colour, parse_colour
from eyeline.errors import SettingsError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("white", (255, 255, 255)),
        (" Navy ", (0, 0, 128)),
        ("#f80", (255, 136, 0)),
        ("#FF8800", (255, 136, 0)),
        ((1, 2, 3), (1, 2, 3)),
        ([0, 0, 0], (0, 0, 0)),
    ],
)
def test_examples(value: object, expected: tuple[int, int, int]) -> None:
    """A name, three or six hexadecimal digits, or three numbers."""
    assert parse_colour("background", value) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("whit", "did you mean white"),
        ("#ff", "#rrggbb"),
        ("#ggg", "#rrggbb"),
        ("#１２３", "#rrggbb"),
        ("", "#rrggbb"),
        ((1, 2), "three numbers"),
        ((1, 2, 256), "three numbers"),
        ((1, 2, 0.5), "three numbers"),
    ],
)
def test_what_is_no_colour(value: object, expected: str) -> None:
    """Anything else is refused with what was expected."""
    with pytest.raises(SettingsError, match=expected) as raised:
        parse_colour("background", value)  # type: ignore[arg-type]
    assert raised.value.name == "background"


@given(st.builds(Colour, *[st.integers(0, 255)] * 3))
def test_what_is_shown_is_read_again(colour: Colour) -> None:
    """A colour shown is the same colour read."""
    assert parse_colour("background", str(colour)) == colour


def test_named_colours_are_shown_by_name() -> None:
    """A named colour reads better than its digits."""
    assert [str(colour) for colour in NAMED.values()] == [*NAMED]
