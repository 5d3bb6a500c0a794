"""The answer a user gets."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pytest
from pydantic import BaseModel, Field

from eyeline.core.answer import Answer, SentImage, token_figures
from eyeline.core.cost import Usage

IMAGE = SentImage(
    "a.jpg", "high", "image/jpeg", 4, 3, "image/jpeg", 4, 3, 99, 2, ("turned upright",)
)
ANSWER = Answer(
    text="EXIT 24",
    model="gpt-6-luna",
    engine="openai",
    usage=Usage(1000, 20, 0, 8, 2),
    cost_usd=Decimal("0.000110"),
    images=(IMAGE,),
    latency_s=1.23456,
    request_id="req_1",
)


def test_it_prints_as_its_text() -> None:
    """`print(answer)` is the answer and nothing else."""
    assert str(ANSWER) == "EXIT 24"


def test_the_object_that_is_printed() -> None:
    """`--json` has these fields in this order, and is JSON."""
    made = ANSWER.to_json()
    assert list(made) == [
        "text", "parsed", "model", "engine", "usage", "cost_usd", "cached", "latency_s", "images",
    ]  # fmt: skip
    assert list(made["images"][0]) == [
        "source", "media_type", "width_px", "height_px", "sent_media_type", "sent_width_px",
        "sent_height_px", "sent_bytes", "detail", "tokens", "notes",
    ]  # fmt: skip
    assert (made["cost_usd"], made["latency_s"], made["usage"]["image_tokens"]) == (
        0.00011,
        1.235,
        2,
    )
    assert json.loads(json.dumps(made))["images"][0]["notes"] == ["turned upright"]
    assert replace(ANSWER, cost_usd=None).to_json()["cost_usd"] is None


class Colour(Enum):
    RED = "red"


class Floor(IntEnum):
    FIRST = 1


@dataclass(frozen=True, slots=True)
class Line:
    price: Decimal
    day: date
    colours: tuple[Colour, ...] = ()


class Bill(BaseModel):
    lines: list[Line]
    mean: float = Field(alias="average")


LINE = Line(Decimal("1.50"), date(2026, 11, 22), (Colour.RED,))
PLAIN_LINE = {"price": "1.50", "day": "2026-11-22", "colours": ["red"]}


@pytest.mark.parametrize(
    ("parsed", "expected"),
    [
        (None, None),
        ({"a": [1, 2.5, "x", None, True]}, {"a": [1, 2.5, "x", None, True]}),
        (LINE, PLAIN_LINE),
        (Bill(lines=[LINE], average=2.0), {"lines": [PLAIN_LINE], "mean": 2.0}),
        ({"line": LINE, "price": Decimal("2.0")}, {"line": PLAIN_LINE, "price": "2.0"}),
        ([LINE, Colour.RED, Floor.FIRST], [PLAIN_LINE, "red", 1]),
        ({1: (1, 2)}, {"1": [1, 2]}),
        ([float("nan"), float("inf")], [None, None]),
        (Bill(lines=[], average=float("nan")), {"lines": [], "mean": None}),
    ],
)
def test_the_value_is_printed_as_plain_json(parsed: Any, expected: object) -> None:
    """Whatever the schema made of the answer, its object is JSON."""
    made = replace(ANSWER, parsed=parsed).to_json()["parsed"]
    assert made == expected
    assert json.loads(json.dumps(made, allow_nan=False)) == expected


def test_a_plain_value_imports_nothing() -> None:
    """A value that is JSON already is printed without loading pydantic."""
    code = (
        "import sys\n"
        "from eyeline.core.answer import Answer\n"
        "from eyeline.core.cost import Usage\n"
        "Answer('', '', '', Usage(), None, (), parsed={'a': [1.5]}).to_json()\n"
        "print('pydantic' in sys.modules)"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout == "False\n"


@pytest.mark.parametrize(
    ("answer", "figures"),
    [
        (ANSWER, "gpt-6-luna · 1,000 tokens in · 20 tokens out · $0.00011"),
        (replace(ANSWER, usage=Usage(), cost_usd=None), "gpt-6-luna"),
        (replace(ANSWER, cost_usd=Decimal(0), cached=True),
         "gpt-6-luna · 1,000 tokens in · 20 tokens out · $0 · cached"),
    ],
)  # fmt: skip
def test_in_a_notebook(answer: Answer, figures: str) -> None:
    """A notebook shows the text and one line of figures, unknown ones left out."""
    assert answer._repr_markdown_() == f"EXIT 24\n\n<sub>{figures}</sub>"


def test_figures_nobody_counts_are_left_out() -> None:
    """Neither an unknown count nor the zeros of the reader are shown."""
    assert token_figures(Usage(0, None)) == []
    assert token_figures(Usage(1234, 0)) == ["1,234 tokens in"]


def test_it_crosses_a_process_boundary() -> None:
    """An answer survives pickle."""
    assert pickle.loads(pickle.dumps(ANSWER)) == ANSWER
