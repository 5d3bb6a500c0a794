"""Photo or graphics, told from the steps between neighbours."""

from __future__ import annotations

import pytest

from eyeline.core.content import TEXT_WORTH, bytes_worth, has_edges


def steps(**counts: int) -> list[int]:
    made = [0] * 256
    for step, count in counts.items():
        made[int(step.removeprefix("by"))] = count
    return made


@pytest.mark.parametrize(
    ("histogram", "expected"),
    [
        (steps(by0=240, by1=400, by3=300, by80=60), 0.0),
        (steps(by0=900, by1=60, by200=40), TEXT_WORTH),
        (steps(by0=900, by1=100), 1.0),
        (steps(by0=100), TEXT_WORTH),
        (steps(), 0.0),
        (steps(by0=300, by20=400, by90=300), TEXT_WORTH),
    ],
    ids=["a photo", "text", "a soft gradient", "one colour", "one column of pixels", "dense text"],
)
def test_examples(histogram: list[int], expected: float) -> None:
    """Flat with sharp edges is text; flat alone must also be smaller; all else is a photo."""
    assert bytes_worth(histogram) == expected


@pytest.mark.parametrize(
    ("histogram", "expected"),
    [
        (steps(by0=300, by20=400, by90=300), True),
        (steps(by0=500, by3=470, by90=30), False),
        (steps(), False),
    ],
)
def test_edges(histogram: list[int], expected: bool) -> None:
    """Text has edges that a scaled decode would blur; photos have few."""
    assert has_edges(histogram) is expected
