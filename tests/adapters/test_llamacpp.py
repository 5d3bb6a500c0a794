"""Both clients against llama.cpp's own server, which decodes images and reports errors itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from eyeline import Answer, AsyncClient, Client
from eyeline.errors import ApiError, ImageTruncated
from eyeline.testing import tiny_png

PNG = tiny_png(56, 56)
LIMIT = 8


def saved(kind: str) -> bytes:
    buffer = BytesIO()
    Image.effect_mandelbrot((60, 40), (-2, -1.5, 1, 1.5), 50).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture(params=["chat", "responses"])
def options(request: pytest.FixtureRequest, vlm_server: str) -> dict[str, Any]:
    return {"base_url": vlm_server, "api": request.param, "model": "tiny", "cache": False}


@pytest.fixture
def client(options: dict[str, Any]) -> Iterator[Client]:
    with Client(**options) as client:
        yield client


def check(answer: Answer) -> None:
    assert answer.text
    assert answer.ending in ("stop", "length")
    assert answer.usage.output_tokens is not None
    assert 0 < answer.usage.output_tokens <= LIMIT
    assert answer.usage.input_tokens is not None
    assert answer.cost_usd is None


def test_asks(client: Client) -> None:
    """A question about an image is answered, with its tokens counted by the server."""
    check(client.ask("What is it?", PNG, max_output_tokens=LIMIT))


def test_streams(client: Client) -> None:
    """The pieces of a streamed answer are those of its text."""
    stream = client.stream("What is it?", PNG, max_output_tokens=LIMIT, temperature=0)
    pieces = list(stream)
    assert stream.answer is not None
    check(stream.answer)
    assert "".join(pieces) == stream.answer.text


def test_asks_and_streams_awaiting(options: dict[str, Any]) -> None:
    """The awaiting client gets the same from it."""

    async def ask() -> tuple[Answer, str, Answer | None]:
        async with AsyncClient(**options) as client:
            answer = await client.ask("What is it?", PNG, max_output_tokens=LIMIT)
            stream = client.stream("What is it?", PNG, max_output_tokens=LIMIT)
            text = "".join([piece async for piece in stream])
            return answer, text, stream.answer

    answer, text, streamed = asyncio.run(ask())
    check(answer)
    assert streamed is not None
    check(streamed)
    assert streamed.text == text


def test_several_images_are_seen(client: Client) -> None:
    """Each further image adds tokens to what the server read."""
    one = client.ask("?", PNG, max_output_tokens=LIMIT)
    two = client.ask("?", PNG, saved("PNG"), max_output_tokens=LIMIT)
    assert two.usage.input_tokens > one.usage.input_tokens


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "BMP", "TIFF"])
def test_what_it_does_not_take_is_converted(client: Client, kind: str) -> None:
    """Formats that this server refuses are sent in one that it takes, and the answer says so."""
    answer = client.ask("What is it?", saved(kind), max_output_tokens=LIMIT)
    check(answer)
    (image,) = answer.images
    assert image.sent_media_type in ("image/jpeg", "image/png")
    assert any("→" in note for note in image.notes)


def test_a_bad_image_is_told_before_it_is_sent(client: Client) -> None:
    """Half an image is an error here, not there."""
    with pytest.raises(ImageTruncated):
        client.ask("What is it?", saved("PNG")[:200])


def test_what_it_says_of_a_bad_image_is_told(client: Client) -> None:
    """An image that only the server finds bad is its error, in its words, without the bytes."""
    data = of_unknown_part(saved("JPEG"))
    with pytest.raises(ApiError) as raised:
        client.ask("What is it?", data, max_output_tokens=LIMIT)
    assert raised.value.status >= 400
    assert raised.value.message
    assert "iVBOR" not in str(raised.value)


def of_unknown_part(data: bytes) -> bytes:
    """Give a JPEG whose scan is of a colour it has not: none of this shows without decoding."""
    scan = data.index(b"\xff\xda")
    return data[: scan + 5] + b"\x09" + data[scan + 6 :]
