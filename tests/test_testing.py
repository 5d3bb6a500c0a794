"""The scripted transport, the clock and the images that users test with."""

from __future__ import annotations

import asyncio
import json
from io import BytesIO

import pytest
from openai.types import responses
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from PIL import Image
from pydantic import TypeAdapter

import eyeline
from eyeline.core.sse import SseParser
from eyeline.core.wire import Request, Response
from eyeline.errors import BadRequest, TimedOut
from eyeline.testing import FakeTransport, ManualClock, streamed, tiny_png, whole

CHAT = Request("/chat/completions", b'{"model": "gpt-4o"}', stream=False, timeout_s=9)
RESPONSES = Request("/responses", b'{"model": "gpt-4o"}', stream=False, timeout_s=9)
PNG = tiny_png()


def test_answers_from_the_script() -> None:
    """Each step of the script answers one question, whole or streamed; requests are kept."""
    transport = FakeTransport("A sign.", "It is a sign.")
    with eyeline.Client(transport=transport, cache=False) as client:
        assert client.ask("What?", PNG).text == "A sign."
        assert list(client.stream("What?", PNG)) == ["It ", "is ", "a ", "sign."]
    assert [request.stream for request in transport.requests] == [False, True]


def test_answers_awaiting_clients_too() -> None:
    """The same transport serves an AsyncClient."""

    async def ask() -> str:
        async with eyeline.AsyncClient(transport=FakeTransport("A sign.")) as client:
            return (await client.ask("What?", PNG)).text

    assert asyncio.run(ask()) == "A sign."


def test_gives_responses_and_raises_errors() -> None:
    """A Response in the script is given as it is, an exception is raised."""
    refused = Response(400, {}, b'{"error": {"message": "no"}}')
    client = eyeline.Client(transport=FakeTransport(refused, TimedOut("openai", 1)), cache=False)
    with pytest.raises(BadRequest, match="no"):
        client.ask("What?", PNG)
    with pytest.raises(TimedOut):
        client.ask("What?", PNG)


def test_says_when_the_script_is_over() -> None:
    """A request past the script is an AssertionError, without the image in it."""
    with pytest.raises(AssertionError, match="a request past the script") as raised:
        eyeline.Client(transport=FakeTransport(), cache=False).ask("What?", PNG)
    assert "base64" not in str(raised.value)


def test_whole_answers_have_the_api_s_shape() -> None:
    """What is given for text is valid by the official client's own types."""
    ChatCompletion.model_construct(**json.loads(whole(CHAT, "A sign.").body))
    value = json.loads(whole(CHAT, "A sign.").body)
    assert value["choices"][0]["message"]["content"] == "A sign."
    assert value["model"] == "gpt-4o"
    response = responses.Response.construct(**json.loads(whole(RESPONSES, "A sign.").body))
    assert response.output_text == "A sign."


def test_streamed_answers_have_the_api_s_shape() -> None:
    """The events of a stream join to the text, and end as each API ends."""
    parser = SseParser()
    *events, done = parser.feed(streamed(CHAT, "It is a sign.").body)
    assert done == "[DONE]"
    chunks = [ChatCompletionChunk.construct(**json.loads(event)) for event in events]
    assert [chunk.model for chunk in chunks] == ["gpt-4o"] * len(chunks)
    values = [json.loads(event) for event in events]
    deltas = [value["choices"][0]["delta"].get("content", "") for value in values[:-1]]
    assert "".join(deltas) == "It is a sign."
    *events, done = SseParser().feed(streamed(RESPONSES, "It is a sign.").body)
    assert json.loads(events[-1])["type"] == "response.completed"
    assert TypeAdapter(list[dict[str, object]]).validate_python([json.loads(e) for e in events])


def test_a_stream_comes_in_small_pieces() -> None:
    """A fake stream cuts events anywhere, as a network does, and ends with nothing."""
    stream = FakeTransport("It is a sign.").open(CHAT)
    first = stream.read()
    assert 0 < len(first) < 10
    rest = b"".join(iter(stream.read, b""))
    assert first + rest == streamed(CHAT, "It is a sign.").body
    assert stream.read() == b""
    assert not stream.is_closed
    stream.close()
    assert stream.is_closed


def test_the_clock_stands_still() -> None:
    """The clock moves only by what is slept, blocking or awaiting."""
    clock = ManualClock(10.0)
    assert clock.now() == clock.now() == 10.0
    clock.sleep(2.5)
    asyncio.run(clock.async_sleep(0.5))
    assert (clock.now(), clock.slept_s) == (13.0, [2.5, 0.5])


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (300, 7)])
def test_a_tiny_png_is_whole(size: tuple[int, int]) -> None:
    """The image made without a library is read by one, in its size and colour."""
    image = Image.open(BytesIO(tiny_png(*size, (1, 2, 3))))
    image.load()
    assert (image.format, image.size, image.getpixel((0, 0))) == ("PNG", size, (1, 2, 3))
