"""A draft, and the key that names it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.support import question
from eyeline.core.colour import WHITE
from eyeline.core.draft import Draft, PlannedImage, digest, draft, parameters
from eyeline.core.engine import LOCAL, compatible, openai
from eyeline.core.plan import PreparePlan
from eyeline.core.schema import read_schema
from eyeline.core.size import Size

PLAN = PreparePlan("image/png", Size(4, 3), "high", 2, encode=False)
IMAGE = PlannedImage(digest(b"one"), PLAN)
DRAFT = draft(question(), openai(), (IMAGE,))


def test_what_a_draft_holds() -> None:
    """A draft is the question without pixels, for one engine."""
    assert (
        Draft(
            "https://api.openai.com/v1", "chat", "gpt-6-luna", question().prompt, None, (IMAGE,), {}
        )
        == DRAFT
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "http://127.0.0.1:1/v1"},
        {"api": "responses"},
        {"model": "gpt-4o"},
        {"prompt": "What does the sign say"},
        {"system": ""},
        {"images": ()},
        {"images": (IMAGE, IMAGE)},
        {"images": (replace(IMAGE, digest=digest(b"two")),)},
        {"images": (replace(IMAGE, plan=None),)},
        {"images": (replace(IMAGE, plan=replace(PLAN, detail="low")),)},
        {"images": (replace(IMAGE, plan=replace(PLAN, size=Size(4, 4))),)},
        {"images": (replace(IMAGE, plan=replace(PLAN, orientation=6)),)},
        {"images": (replace(IMAGE, plan=replace(PLAN, frame=1)),)},
        {"images": (replace(IMAGE, plan=replace(PLAN, background=WHITE)),)},
        {"parameters": {"temperature": 0}},
    ],
)
def test_the_key_changes_with_the_meaning(changes: dict[str, Any]) -> None:
    """Whatever could change the answer changes the key."""
    assert replace(DRAFT, **changes).key() != DRAFT.key()


def test_the_key_stays_with_the_meaning() -> None:
    """The order of parameters, time-outs and the use of the cache leave the key as it is."""
    one = replace(DRAFT, parameters={"a": 1, "b": 2})
    other = replace(DRAFT, parameters={"b": 2, "a": 1})
    assert one.key() == other.key()
    later = question(timeout_s=1.0, cache=False)
    assert draft(later, openai(), (IMAGE,)).key() == DRAFT.key()
    assert len(DRAFT.key()) == 64


def test_the_key_of_any_prompt() -> None:
    """Text that is not valid Unicode, as a shell can hand it on, has a key too."""
    assert replace(DRAFT, prompt="caf\udce9").key() != replace(DRAFT, prompt="cafe").key()


SCHEMA = read_schema({"type": "object", "properties": {}})


@pytest.mark.parametrize(
    ("changes", "engine", "expected"),
    [
        ({}, openai(), {}),
        ({"max_output_tokens": 5}, openai(), {"max_completion_tokens": 5}),
        ({"max_output_tokens": 5}, compatible("x", "http://x/v1"), {"max_tokens": 5}),
        ({"max_output_tokens": 5, "api": "responses"}, LOCAL, {"max_output_tokens": 5}),
        ({"temperature": 0.0}, openai(), {"temperature": 0.0}),
        ({"temperature": 0.0, "extra": {"temperature": 1, "n": 2}}, openai(),
         {"temperature": 1, "n": 2}),
        ({"schema": SCHEMA}, openai(), SCHEMA.parameters("chat")),
        ({"schema": SCHEMA, "api": "responses"}, openai(), SCHEMA.parameters("responses")),
        ({"schema": SCHEMA, "extra": {"response_format": None}}, openai(),
         {"response_format": None}),
    ],
)  # fmt: skip
def test_parameters(changes: dict[str, Any], engine: Any, expected: dict[str, Any]) -> None:
    """Each option has the name the API and engine give it; `extra` comes last and wins."""
    assert parameters(question(**changes), engine) == expected
