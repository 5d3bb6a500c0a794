"""Photo or graphics, told from the steps between neighbours."""

from __future__ import annotations

import pytest

from eyeline.core.content import TEXT_WORTH, bytes_worth


def steps(**counts: int) -> list[int]:
    made = [0] * 256
    for step, count in counts.items():
        made[int(step.removeprefix("by"))] = count
    return made


@pytest.mark.parametrize(
    ("histogram", "expected"),
    [
        (steps(by0=200, by1=400, by3=300, by80=100), 0.0),
        (steps(by0=900, by1=60, by200=40), TEXT_WORTH),
        (steps(by0=900, by1=100), 1.0),
        (steps(by0=100), TEXT_WORTH),
        (steps(), 0.0),
    ],
    ids=["a photo", "text", "a soft gradient", "one colour", "one column of pixels"],
)
def test_examples(histogram: list[int], expected: float) -> None:
    """Flat with sharp edges is text; flat alone must also be smaller; all else is a photo."""
    assert bytes_worth(histogram) == expected
