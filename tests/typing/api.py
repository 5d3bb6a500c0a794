"""The public API as a user writes it, for mypy and pyright; never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import assert_type

import eyeline
from eyeline import Answer, AsyncClient, Client, Estimate, FileId, ImageEstimate


def calls() -> None:
    answer = eyeline.ask("What?", "a.jpg", Path("b.png"), b"...", model="gpt-4o", detail="low")
    assert_type(answer, Answer)
    assert_type(answer.text, str)
    assert_type(answer.cost_usd, Decimal | None)
    assert_type(answer.cached, bool)
    assert_type(answer.usage.input_tokens, int | None)
    assert_type(answer.images[0].tokens, int | None)
    for piece in eyeline.stream("What?", "a.jpg", temperature=0.2, extra={"store": False}):
        assert_type(piece, str)
    guess = eyeline.estimate("a.jpg", "b.jpg", model="gpt-6-luna")
    assert_type(guess, Estimate)
    assert_type(guess.images, tuple[ImageEstimate, ...])
    eyeline.content_parts("What?", "a.jpg", api="responses")


def blocking() -> None:
    with Client(
        model="gpt-6-luna", base_url=None, api_key=None, api="auto", budget_usd=5
    ) as client:
        assert_type(client.ask("What?", FileId("file-1"), schema={"type": "object"}), Answer)
        assert_type(client.ask_many("What?", ["a.jpg", ["b.jpg", "c.jpg"]]), Iterator[Answer])
        stream = client.stream("What?", "a.jpg")
        for piece in stream:
            assert_type(piece, str)
        assert_type(stream.answer, Answer | None)


async def awaiting() -> None:
    async with AsyncClient(engine="ollama", cache=False) as client:
        assert_type(await client.ask("What?", "a.jpg"), Answer)
        assert_type(client.ask_many("What?", ["a.jpg"]), AsyncIterator[Answer])
        async for piece in client.stream("What?", "a.jpg"):
            assert_type(piece, str)
