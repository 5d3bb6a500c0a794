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
        stream = client.stream("What?", "https://x.org/a.jpg", urls="pass", upload=True)
        for piece in stream:
            assert_type(piece, str)
        assert_type(stream.answer, Answer | None)


async def awaiting() -> None:
    async with AsyncClient(engine="ollama", cache=False, urls="fetch", upload=False) as client:
        assert_type(await client.ask("What?", "a.jpg"), Answer)
        assert_type(client.ask_many("What?", ["a.jpg"]), AsyncIterator[Answer])
        async for piece in client.stream("What?", "a.jpg"):
            assert_type(piece, str)


def official(client: eyeline.OpenAI) -> None:
    completion = client.with_options(repair="warn").chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "What?"}]
    )
    assert_type(completion.choices[0].message.content, str | None)
    made = eyeline.OpenAI(api_key="k", base_url=None, timeout=3, repair="off", urls="auto")
    assert_type(made.copy(max_retries=1), eyeline.OpenAI)
    assert_type(made.responses.create(model="gpt-4o", input="What?").output_text, str)
    eyeline.AzureOpenAI(azure_endpoint="https://x.org", api_version="1")
    Client(sdk=made)


async def official_awaiting(client: eyeline.AsyncOpenAI) -> None:
    response = await client.responses.create(model="gpt-4o", input="What?")
    assert_type(response.output_text, str)
    eyeline.AsyncAzureOpenAI(azure_endpoint="https://x.org", api_version="1")
    AsyncClient(sdk=client)


def bodies() -> None:
    messages = [{"role": "user", "content": "What?"}]
    assert_type(eyeline.check(messages, model="gpt-4o"), list[eyeline.Finding])
    assert_type(eyeline.repair(messages, urls="fetch"), list[dict[str, str]])
    body: dict[str, object] = {"model": "gpt-4o", "messages": messages}
    assert_type(eyeline.repair(body, api="chat"), dict[str, object])
