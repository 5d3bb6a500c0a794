"""The engine in this process as the whole API: what a test suite would ask of it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from eyeline.testing import tiny_png
from gateway.running import Running

EXAMPLES = Path(__file__).parents[2] / "examples"


def data_url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


SIGN = data_url((EXAMPLES / "street-sign.jpg").read_bytes(), "jpeg")
SMALL = data_url(tiny_png(64, 32), "png")


def user(url: str, text: str = "What does the sign say?", **more: Any) -> list[Any]:
    image = {"type": "image_url", "image_url": {"url": url, **more}}
    return [{"role": "user", "content": [{"type": "text", "text": text}, image]}]


def items(*parts: dict[str, Any], text: str = "How large is it?") -> list[Any]:
    return [{"role": "user", "content": [{"type": "input_text", "text": text}, *parts]}]


def image(url: str) -> dict[str, Any]:
    return {"type": "input_image", "image_url": url, "detail": "auto"}


@pytest.fixture
def client(offline: Running) -> Iterator[openai.OpenAI]:
    with offline.client() as made:
        yield made


# --- answers --------------------------------------------------------------------------------------


def test_a_chat_completion_is_whole(client: openai.OpenAI) -> None:
    """The model that was named answers, as far as its type and its tokens go."""
    made = client.chat.completions.create(model="gpt-6-luna", messages=user(SIGN))
    ChatCompletion.model_validate(made.to_dict(), strict=True)
    assert "EXIT 24" in (made.choices[0].message.content or "")
    assert made.model == "gpt-6-luna"
    assert made.usage
    assert made.usage.prompt_tokens_details
    # 1280×960 is 40×30 patches, at 1.2 tokens each.
    assert made.usage.prompt_tokens_details.image_tokens == 1440
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens


@pytest.mark.parametrize(("model", "detail", "tokens"), [
    ("gpt-4o", "high", 255), ("gpt-4o", "low", 85), ("gpt-4o-mini", "auto", 8500),
    ("gpt-6-luna", "auto", 3), ("of-my-own", "high", 3),
])  # fmt: skip
def test_images_are_counted_by_the_named_models_rules(
    client: openai.OpenAI, model: str, detail: str, tokens: int
) -> None:
    """Tile models count tiles, patch models patches, an unknown one is counted safely."""
    small = user(SMALL, text="How large is it?", detail=detail)
    raw = client.chat.completions.with_raw_response.create(model=model, messages=small)
    usage = raw.parse().usage
    assert usage
    assert usage.prompt_tokens_details
    assert usage.prompt_tokens_details.image_tokens == tokens
    assert raw.headers["x-eyeline-cost-usd"] == "0"


def test_chunks_are_whole(client: openai.OpenAI) -> None:
    """A streamed completion ends with its reason and usage; each of n choices is streamed."""
    stream = client.chat.completions.create(
        model="gpt-4o", messages=user(SIGN), stream=True, n=2,
        stream_options={"include_usage": True},
    )  # fmt: skip
    texts, last = {0: "", 1: ""}, None
    for last in stream:
        ChatCompletionChunk.model_validate(last.to_dict(), strict=True)
        for choice in last.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts[0] == texts[1] != ""
    assert last
    assert last.usage
    assert last.usage.completion_tokens > 0


def test_structured_output_is_filled(client: openai.OpenAI) -> None:
    """`parse` gives the user's own type, filled with what was read."""

    class Sign(BaseModel):
        text: str | None
        total: float | None

    made = client.chat.completions.parse(
        model="gpt-4o", messages=user(SIGN), response_format=Sign
    ).choices[0].message.parsed  # fmt: skip
    assert made
    assert made.text
    assert "EXIT 24" in made.text
    assert made.total is None
    also = client.responses.parse(
        model="gpt-4o", input=items(image(SIGN), text="Read it."), text_format=Sign
    )
    assert also.output_parsed == made


def test_a_response_is_whole_and_repeats_its_request(client: openai.OpenAI) -> None:
    """Of the Responses API every field that a request may set is there again."""
    made = client.responses.create(
        model="gpt-4o", input=items(image(SMALL)), instructions="Be short.", temperature=0.5,
        metadata={"a": "b"},
    )  # fmt: skip
    Response.model_validate(made.to_dict())
    assert "64" in made.output_text
    assert (made.model, made.status, made.instructions) == ("gpt-4o", "completed", "Be short.")
    assert (made.temperature, made.metadata) == (0.5, {"a": "b"})
    assert made.usage
    assert made.usage.input_tokens > 255


def test_events_are_whole(client: openai.OpenAI) -> None:
    """A streamed response is the API's sequence of events, each of its own type."""
    adapter: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
    asked: dict[str, Any] = {"model": "gpt-4o", "input": items(image(SMALL))}
    events = client.responses.create(**asked, stream=True)
    kinds = [adapter.validate_python(event.to_dict()).type for event in events]
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    with client.responses.stream(**asked) as stream:
        assert "64" in stream.get_final_response().output_text


def test_the_awaiting_client_is_served_too(offline: Running) -> None:
    """Several questions at once, from an event loop."""

    async def ask() -> list[str | None]:
        async with openai.AsyncOpenAI(api_key="any", base_url=offline.url) as client:
            asked = [
                client.chat.completions.create(model="gpt-4o", messages=user(SMALL, "How large?"))
                for _ in range(3)
            ]
            return [made.choices[0].message.content for made in await asyncio.gather(*asked)]

    assert all("64" in (text or "") for text in asyncio.run(ask()))


def test_an_answer_is_cut_at_its_limit(client: openai.OpenAI) -> None:
    """A limit on the answer is kept, and both APIs say so."""
    chat = client.chat.completions.create(model="gpt-4o", messages=user(SIGN), max_tokens=1)
    assert (chat.choices[0].finish_reason, len(chat.choices[0].message.content or "")) == (
        "length",
        4,
    )
    made = client.responses.create(model="gpt-4o", input=items(image(SMALL)), max_output_tokens=1)
    assert made.status == "incomplete"
    assert made.incomplete_details
    assert made.incomplete_details.reason == "max_output_tokens"


def test_text_alone_is_answered(client: openai.OpenAI) -> None:
    """Without a picture the reader says what it is, in a whole answer."""
    made = client.responses.create(model="gpt-4o", input="Who are you?")
    assert "not a language model" in made.output_text


def test_a_url_in_words_stays_words(client: openai.OpenAI) -> None:
    """Nothing is downloaded here for a picture that is only spoken of."""
    words = "How large is it? Not https://a.example/b.png"
    made = client.chat.completions.create(model="gpt-4o", messages=user(SMALL, words))
    assert made.choices[0].finish_reason == "stop"


# --- what is kept ---------------------------------------------------------------------------------


def test_responses_are_kept_and_continued(client: openai.OpenAI) -> None:
    """A response can be read again, asked further about its picture, and deleted."""
    first = client.responses.create(model="gpt-4o", input=items(image(SMALL)))
    assert client.responses.retrieve(first.id).output_text == first.output_text
    [item] = client.responses.input_items.list(first.id)
    assert (item.type, len(item.content)) == ("message", 2)  # type: ignore[union-attr]
    further = client.responses.create(
        model="gpt-4o", input="How large is it?", previous_response_id=first.id
    )
    assert "64" in further.output_text
    assert further.previous_response_id == first.id
    with pytest.raises(openai.BadRequestError, match="synchronous"):
        client.responses.cancel(first.id)
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError, match=first.id):
        client.responses.retrieve(first.id)
    with pytest.raises(openai.BadRequestError, match="not found") as caught:
        client.responses.create(model="gpt-4o", input="And?", previous_response_id=first.id)
    assert caught.value.code == "previous_response_not_found"
    loose = client.responses.create(model="gpt-4o", input=items(image(SMALL)), store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(loose.id)


def test_files_are_kept_and_looked_at(client: openai.OpenAI) -> None:
    """An uploaded picture is listed, read back, looked at by its id, and deleted."""
    data = tiny_png(64, 32)
    made = client.files.create(file=("a.png", data), purpose="vision")
    assert (made.bytes, made.filename, made.status) == (len(data), "a.png", "processed")
    assert made.id in [file.id for file in client.files.list(purpose="vision")]
    assert made.id not in [file.id for file in client.files.list(purpose="batch")]
    assert client.files.retrieve(made.id) == made
    assert client.files.content(made.id).content == data
    named = {"type": "input_image", "file_id": made.id, "detail": "auto"}
    assert "64" in client.responses.create(model="gpt-4o", input=items(named)).output_text
    assert client.files.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError, match="No such File object"):
        client.files.retrieve(made.id)
    with pytest.raises(openai.BadRequestError, match="No such File object"):
        client.responses.create(model="gpt-4o", input=items(named))
    with pytest.raises(openai.BadRequestError, match="is not one of"):
        client.files.create(file=b"x", purpose="other")  # type: ignore[arg-type]


def test_tokens_are_counted_without_asking(client: openai.OpenAI) -> None:
    """The counting endpoint counts pictures and text by the model's rules."""
    counted = client.responses.input_tokens.count(model="gpt-4o", input=items(image(SMALL)))
    made = client.responses.create(model="gpt-4o", input=items(image(SMALL)))
    assert made.usage
    assert counted.input_tokens == made.usage.input_tokens


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("url", "code", "words"), [
    ("data:image/png;base64,", "invalid_value", "got empty base64-encoded bytes"),
    ("data:image/png;base64,!!!!", "invalid_value", "got an invalid base64-encoded value"),
    ("data:image/png;base64,AAAA", "invalid_image_format", "You uploaded an unsupported image"),
    ("photo.jpg", "invalid_value", "got a value without the 'data:' prefix"),
    ("http://127.0.0.1:9/a.png", "invalid_image_url", "Error while downloading"),
])  # fmt: skip
def test_images_are_refused_in_the_apis_words(
    client: openai.OpenAI, url: str, code: str, words: str
) -> None:
    """A client's own handling of bad pictures can be tested against it."""
    with pytest.raises(openai.BadRequestError, match=words.replace("(", r"\(")) as caught:
        client.chat.completions.create(model="gpt-4o", messages=user(url))
    assert (caught.value.code, caught.value.type) == (code, "invalid_request_error")


def test_models_that_do_not_see_say_so(client: openai.OpenAI) -> None:
    """A model without vision refuses a picture as the API does, and takes text."""
    with pytest.raises(openai.BadRequestError, match="only supported by certain models") as caught:
        client.chat.completions.create(model="gpt-3.5-turbo", messages=user(SMALL))
    assert caught.value.param == "messages.[0].content.[1].type"


@pytest.mark.parametrize(("body", "words"), [
    ({"messages": []}, "you must provide a model parameter"),
    ({"model": "gpt-4o", "messages": []}, "empty array"),
    ({"model": "gpt-4o"}, "Missing required parameter: 'messages'"),
    ({"model": "gpt-4o", "messages": user(SMALL), "stream_options": {"include_usage": True}},
     "only allowed when 'stream' is enabled"),
    ({"model": "gpt-4o", "messages": user(SMALL), "n": 10**9}, "Invalid 'n': integer above"),
    ({"model": "gpt-4o", "messages": user(SMALL), "max_tokens": 0}, "'max_tokens': integer below"),
])  # fmt: skip
def test_requests_are_checked(client: openai.OpenAI, body: dict[str, Any], words: str) -> None:
    """What is missing from a request is said in the API's words."""
    with pytest.raises(openai.BadRequestError, match=words):
        client.post("/chat/completions", body=body, cast_to=object)


@pytest.mark.parametrize("item", ["a", 1, None])
def test_an_item_that_is_no_object_is_refused(client: openai.OpenAI, item: Any) -> None:
    """What could not be listed afterwards is not kept."""
    with pytest.raises(openai.BadRequestError, match=r"Invalid type for 'input\[0\]'"):
        client.post("/responses", body={"model": "m", "input": [item]}, cast_to=object)


def test_half_a_character_is_answered(client: openai.OpenAI) -> None:
    """JSON may hold what UTF-8 cannot: it comes back as a question mark."""
    body = rb'{"model":"\ud800","input":"Hi","metadata":{"a":"\udfff"}}'
    answer = httpx.post(f"{client.base_url}responses", content=body)
    assert answer.status_code == 200
    assert answer.json()["metadata"] == {"a": "?"}


# --- a client of another make ---------------------------------------------------------------------


def test_llm_is_served(offline: Running, tmp_path: Path) -> None:
    """Simon Willison's `llm` asks about a picture through the gateway, as it would OpenAI."""
    models = [{"model_id": "seen", "model_name": "gpt-4o", "api_base": offline.url, "vision": True}]
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps(models))
    (tmp_path / "small.png").write_bytes(tiny_png(64, 32))
    command = [sys.executable, "-m", "llm", "-m", "seen", "How large is it?", "-a", "small.png"]
    surroundings = {**os.environ, "LLM_USER_PATH": str(tmp_path), "OPENAI_API_KEY": "any"}
    done = subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "64" in done.stdout
