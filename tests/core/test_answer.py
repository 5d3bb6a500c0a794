"""The answer a user gets."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from decimal import Decimal

import pytest

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
        "text", "parsed", "model", "engine", "usage", "cost_usd", "cached", "latency_s", "ending",
        "request_id", "images",
    ]  # fmt: skip
    assert list(made["images"][0]) == [
        "source", "detail", "media_type", "width_px", "height_px", "sent_media_type",
        "sent_width_px", "sent_height_px", "sent_bytes", "tokens", "notes",
    ]  # fmt: skip
    assert (made["cost_usd"], made["latency_s"], made["usage"]["image_tokens"]) == (
        0.00011,
        1.235,
        2,
    )
    assert json.loads(json.dumps(made))["images"][0]["notes"] == ["turned upright"]
    assert replace(ANSWER, cost_usd=None).to_json()["cost_usd"] is None


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
