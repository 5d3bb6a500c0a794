"""The official clients made right, against a real server on loopback."""

from __future__ import annotations

import asyncio
import base64
import copy
import io
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from api_server import (
    ApiServer,
    Recorded,
    Reply,
    chat_completion,
    error,
    response_object,
    stream_reply,
    whole,
)
from conftest import EXAMPLES
from PIL import Image
from pydantic import BaseModel

import eyeline
from eyeline.core.media import sniff
from eyeline.errors import ImageNotFound, MisplacedImage, SettingsError
from eyeline.testing import tiny_png

PNG = tiny_png(40, 30)
B64 = base64.b64encode(PNG).decode()
DATA_URL = f"data:image/png;base64,{B64}"
WEB = "https://example.org/a.jpg"
SIGN = EXAMPLES / "street-sign.jpg"
MODEL = "gpt-6-luna"


class Sign(BaseModel):
    text: str


@pytest.fixture
def client(api: ApiServer) -> Iterator[eyeline.OpenAI]:
    with eyeline.OpenAI(api_key="sk-test", base_url=api.url, urls="pass") as made:
        yield made


@pytest.fixture(params=["chat", "responses"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def image(kind: str, value: Any) -> list[Any]:
    if kind == "chat":
        part: Any = {"type": "image_url", "image_url": {"url": value}}
        return [{"role": "user", "content": [{"type": "text", "text": "What?"}, part]}]
    part = {"type": "input_image", "image_url": value}
    return [{"role": "user", "content": [{"type": "input_text", "text": "What?"}, part]}]


def ask(client: Any, kind: str, items: Any, **more: Any) -> Any:
    if kind == "chat":
        return client.chat.completions.create(model=MODEL, messages=items, **more)
    return client.responses.create(model=MODEL, input=items, **more)


def content(request: Recorded) -> Any:
    body = request.json
    return body.get("messages", body.get("input"))[0]["content"]


def url(request: Recorded) -> str:
    inner = content(request)[-1]["image_url"]
    found: str = inner if isinstance(inner, str) else inner["url"]
    return found


def stream_of_responses() -> Reply:
    """The events that the SDK's own stream helper needs."""
    message = response_object("A sign.")["output"][1]
    begun = response_object("") | {"output": [], "usage": None, "status": "in_progress"}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    events = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0,
         "item": message | {"content": []}},
        {"type": "response.content_part.added", "part": part, **place},
        {"type": "response.output_text.delta", "delta": "A sign.", "logprobs": [], **place},
        {"type": "response.completed",
         "response": response_object("A sign.") | {"output": [message]}},
    ]  # fmt: skip
    return stream_reply([
        f"event: {event['type']}\ndata: {json.dumps(event | {'sequence_number': number})}\n\n"
        for number, event in enumerate(events)
    ])  # fmt: skip


# --- the three samples that everybody copies ----------------------------------------------------


def test_a_url_inside_the_text(client: eyeline.OpenAI, api: ApiServer) -> None:
    """`f"Here is an image for analysis: {url}"` arrives as text and an image part."""
    image_url = WEB
    with pytest.warns(MisplacedImage, match="image's URL in the text"):
        response = client.chat.completions.create(
            model="gpt-4o",
            messages=[
                {"role": "system", "content": "You are a helpful assistant."},
                {"role": "user", "content": f"Here is an image for analysis: {image_url}"},
            ],
            max_tokens=300,
        )
    assert response.choices[0].message.content == "A sign."
    assert api.requests[0].json == {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": [
                {"type": "text", "text": f"Here is an image for analysis: {WEB}"},
                {"type": "image_url", "image_url": {"url": WEB, "detail": "high"}},
            ]},
        ],
        "max_tokens": 300,
    }  # fmt: skip


def test_a_data_url_as_the_text(client: eyeline.OpenAI, api: ApiServer) -> None:
    """A picture's base64 as the text of a message arrives as an image part, without the blob."""
    base64_image = base64.b64encode(SIGN.read_bytes()).decode("utf-8")
    with pytest.warns(MisplacedImage, match="data URL in the text"):
        client.chat.completions.create(
            model="gpt-4o",
            messages=[
                {"role": "user", "content": "What is in this image?"},
                {"role": "user", "content": f"data:image/jpeg;base64,{base64_image}"},
            ],
        )
    first, second = api.requests[0].json["messages"]
    assert first["content"] == "What is in this image?"
    [part] = second["content"]
    assert part["type"] == "image_url"
    assert part["image_url"]["url"].startswith("data:image/jpeg;base64,/9j/")


def test_a_url_inside_the_text_streamed(client: eyeline.OpenAI, api: ApiServer) -> None:
    """The first sample with `stream=True` gets the same part, and streams."""
    image_url = WEB
    with pytest.warns(MisplacedImage):
        stream = client.chat.completions.create(
            model="gpt-4o",
            messages=[{"role": "user", "content": f"Here is an image for analysis: {image_url}"}],
            stream=True,
        )
    text = "".join(
        chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices
    )  # fmt: skip
    assert text == "A sign."
    assert [part["type"] for part in content(api.requests[0])] == ["text", "image_url"]


# --- values in parts ----------------------------------------------------------------------------


def values(tmp_path: Path) -> list[Any]:
    import numpy as np
    import pillow_heif

    heic = tmp_path / "a.heic"
    pillow_heif.from_pillow(Image.new("RGB", (40, 30), "red")).save(heic)
    return [
        str(SIGN), SIGN, SIGN.resolve().as_uri(), str(heic), PNG, bytearray(PNG),
        Image.new("RGB", (40, 30)), np.zeros((30, 40, 3), np.uint8), io.BytesIO(PNG), B64,
        f"data:image/bmp;base64,{B64}",
    ]  # fmt: skip


def test_values_reach_the_server_as_data_urls(
    client: eyeline.OpenAI, api: ApiServer, kind: str, tmp_path: Path
) -> None:
    """Paths, pixels, bytes, arrays and misspelt base64 pass the SDK, and are no warning."""
    for value in values(tmp_path):
        assert ask(client, kind, image(kind, value))
        head, _, payload = url(api.requests[-1]).partition(",")
        data = base64.b64decode(payload, validate=True)
        assert head == f"data:{sniff(data)};base64"


def test_the_callers_own_lists_are_not_changed(client: eyeline.OpenAI, kind: str) -> None:
    """What was given is what it was."""
    items = image(kind, str(SIGN))
    before = copy.deepcopy(items)
    ask(client, kind, items)
    assert items == before


def test_every_way_of_asking_is_mended(client: eyeline.OpenAI, api: ApiServer, kind: str) -> None:
    """parse, stream, raw and streaming responses all pass through the same hook."""
    items = image(kind, PNG)
    api.text = '{"text": "EXIT"}'
    if kind == "chat":
        parsed = client.chat.completions.parse(model=MODEL, messages=items, response_format=Sign)
        assert parsed.choices[0].message.parsed == Sign(text="EXIT")
        raw: Any = client.chat.completions.with_raw_response.create(model=MODEL, messages=items)
        assert raw.parse().choices[0].message.content == api.text
        with client.chat.completions.with_streaming_response.create(
            model=MODEL, messages=items
        ) as response:
            assert b"EXIT" in response.read()
        with client.chat.completions.stream(model=MODEL, messages=items) as stream:
            assert "content.done" in [event.type for event in stream]
    else:
        answer = client.responses.parse(model=MODEL, input=items, text_format=Sign)
        assert answer.output_parsed == Sign(text="EXIT")
        raw = client.responses.with_raw_response.create(model=MODEL, input=items)
        assert raw.parse().output_text == api.text
        with client.responses.with_streaming_response.create(model=MODEL, input=items) as response:
            assert b"EXIT" in response.read()
        api.script.append(stream_of_responses())
        with client.responses.stream(model=MODEL, input=items) as events:
            assert [event.type for event in events][-1] == "response.completed"
    assert len(api.requests) == 4
    assert {url(request) for request in api.requests} == {DATA_URL}


def test_the_awaiting_client(api: ApiServer, kind: str) -> None:
    """AsyncOpenAI mends the same, whole, parsed and streamed, many at once."""

    async def main() -> None:
        async with eyeline.AsyncOpenAI(api_key="sk-test", base_url=api.url) as client:
            items = image(kind, PNG)
            await asyncio.gather(*(ask(client, kind, items) for _ in range(8)))
            stream = await ask(client, kind, items, stream=True)
            assert [event async for event in stream]
            api.text = '{"text": "EXIT"}'
            if kind == "chat":
                await client.chat.completions.parse(
                    model=MODEL, messages=items, response_format=Sign
                )
                async with client.chat.completions.stream(model=MODEL, messages=items) as events:
                    assert [event async for event in events]
            else:
                await client.responses.parse(model=MODEL, input=items, text_format=Sign)
                api.script.append(stream_of_responses())
                async with client.responses.stream(model=MODEL, input=items) as answers:
                    assert [event async for event in answers]

    asyncio.run(main())
    assert len(api.requests) == 11
    assert {url(request) for request in api.requests} == {DATA_URL}


def test_a_string_input(client: eyeline.OpenAI, api: ApiServer) -> None:
    """A string `input` of Responses with an image in it becomes a message."""
    with pytest.warns(MisplacedImage):
        client.responses.create(model=MODEL, input=f"Look: {DATA_URL}")
    assert url(api.requests[0]) == DATA_URL


def test_raw_posts_and_other_endpoints(client: eyeline.OpenAI, api: ApiServer) -> None:
    """`client.post` with a body is mended; other endpoints, and bytes, are not looked at."""
    api.script += [whole(chat_completion("x")), whole({}), whole({}), whole({"data": []})]
    body: dict[str, Any] = {"model": MODEL, "messages": image("chat", B64)}
    client.post("/chat/completions", cast_to=object, body=body)
    assert url(api.requests[0]) == DATA_URL
    assert body["messages"] == image("chat", B64)
    client.post("/moderations", cast_to=object, body=body)
    assert url(api.requests[1]) == B64
    client.models.list()


# --- warnings, switches, errors -----------------------------------------------------------------


def test_the_warning_points_at_the_users_line(client: eyeline.OpenAI) -> None:
    """It names the file that asked, not the SDK's or ours."""
    with pytest.warns(MisplacedImage) as caught:
        client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": f"See {WEB}"}]
        )
    [warning] = caught
    assert warning.filename == __file__
    assert isinstance(warning.message, MisplacedImage)
    assert (warning.message.where, warning.message.mend) == (
        "messages[0].content",
        "moved into an image part",
    )


def test_the_warning_points_at_the_line_that_awaits(api: ApiServer) -> None:
    """So it does from an event loop, though the work was done in a thread."""

    async def main() -> None:
        async with eyeline.AsyncOpenAI(api_key="sk-test", base_url=api.url) as client:
            await client.responses.create(model=MODEL, input=f"See {WEB}")

    with pytest.warns(MisplacedImage) as caught:
        asyncio.run(main())
    assert [warning.filename for warning in caught] == [__file__]


def test_warn_changes_nothing(api: ApiServer) -> None:
    """With repair="warn" the body goes as it is, and all that is wrong is said."""
    client = eyeline.OpenAI(api_key="sk-test", base_url=api.url, repair="warn")
    with client, pytest.warns(MisplacedImage) as caught:
        ask(client, "chat", image("chat", B64))
    assert url(api.requests[0]) == B64
    assert "data:image" in str(caught[0].message)


def test_off_is_the_official_client(api: ApiServer) -> None:
    """With repair="off" nothing is said or changed."""
    with eyeline.OpenAI(api_key="sk-test", base_url=api.url, repair="off") as client:
        ask(client, "chat", [{"role": "user", "content": DATA_URL}])
    assert content(api.requests[0]) == DATA_URL


def test_copies_keep_the_switch(client: eyeline.OpenAI) -> None:
    """`copy` and `with_options` keep `repair`, or change it, and make clients of our class."""
    off = client.with_options(repair="off")
    assert (client.repair, off.repair, off.copy(timeout=3).repair) == ("fix", "off", "off")
    assert type(off) is eyeline.OpenAI
    assert off.with_options(max_retries=7).max_retries == 7
    assert off.api_key == client.api_key
    with pytest.raises(SettingsError, match="repair: 'maybe'"):
        eyeline.OpenAI(api_key="sk-test", repair="maybe")  # type: ignore[arg-type]


def test_a_path_that_is_not_there(client: eyeline.OpenAI, api: ApiServer) -> None:
    """It is our error, with the nearest name, before anything is sent."""
    with pytest.raises(ImageNotFound) as caught:
        ask(client, "chat", image("chat", str(SIGN.with_name("street-sing.jpg"))))
    assert "street-sign.jpg" in caught.value.hint
    assert api.requests == []


def test_a_broken_data_url_is_the_apis_to_judge(client: eyeline.OpenAI, api: ApiServer) -> None:
    """It goes as it is, with a warning, and what the API says is the SDK's own error."""
    api.script.append(error(400, "The image data you provided does not represent a valid image."))
    with pytest.warns(MisplacedImage, match="not mended"), pytest.raises(openai.BadRequestError):
        ask(client, "chat", image("chat", "data:image/png;base64,AAAA"))


def test_retries_send_the_same_and_mend_once(client: eyeline.OpenAI, api: ApiServer) -> None:
    """The SDK's retries stay; a file object is read once, and a warning given once."""
    busy = error(500, "again", **{"retry-after-ms": "1"})
    api.script += [busy, busy]
    with pytest.warns(MisplacedImage) as caught:
        ask(client, "chat", [*image("chat", io.BytesIO(PNG)), {"role": "user", "content": WEB}])
    assert len(caught) == 1
    assert len(api.requests) == 3
    assert len({request.body for request in api.requests}) == 1
    assert url(api.requests[0]) == DATA_URL


def test_awaited_retries_mend_once_too(api: ApiServer) -> None:
    """The awaiting client remembers for as long as the request lasts."""
    api.script.append(error(500, "again", **{"retry-after-ms": "1"}))

    async def main() -> None:
        async with eyeline.AsyncOpenAI(api_key="sk-test", base_url=api.url) as client:
            await client.responses.create(model=MODEL, input=f"See {WEB}")
            api.script.append(whole({"data": []}))
            await client.models.list()

    with pytest.warns(MisplacedImage) as caught:
        asyncio.run(main())
    assert (len(caught), len(api.requests)) == (1, 3)


def test_the_same_body_again_is_mended_again(client: eyeline.OpenAI, api: ApiServer) -> None:
    """Nothing is remembered from one request to the next."""
    items = image("chat", PNG)
    ask(client, "chat", items)
    items[0]["content"][1]["image_url"]["url"] = DATA_URL.replace("png", "gif")
    ask(client, "chat", items)
    assert url(api.requests[0]) == url(api.requests[1]) == DATA_URL


def test_azure_clients(api: ApiServer) -> None:
    """The Azure twins mend too, on the paths and with the headers of Azure."""
    options: Any = {
        "api_key": "k", "azure_endpoint": api.origin, "api_version": "2026-10-21",
    }  # fmt: skip
    with eyeline.AzureOpenAI(**options) as client:
        ask(client, "chat", image("chat", PNG))
        assert client.with_options(timeout=3).repair == "fix"

    async def main() -> None:
        async with eyeline.AsyncAzureOpenAI(**options) as awaiting:
            await ask(awaiting.with_options(timeout=3), "chat", image("chat", PNG))

    asyncio.run(main())
    for request in api.requests:
        assert request.path.startswith(f"/openai/deployments/{MODEL}/chat/completions?api-version")
        assert request.headers["api-key"] == "k"
        assert url(request) == DATA_URL


def test_they_are_the_official_clients() -> None:
    """Each is a subclass of the package's own."""
    for name in ("OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI"):
        assert issubclass(getattr(eyeline, name), getattr(openai, name))


def test_no_image_no_change(client: eyeline.OpenAI, api: ApiServer) -> None:
    """A body without images goes out byte for byte as the official client sends it."""
    messages: Any = [{"role": "user", "content": "Grüße, https://example.org/page"}]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.chat.completions.create(model=MODEL, messages=messages, temperature=0.5)
    with openai.OpenAI(api_key="sk-test", base_url=api.url) as official:
        official.chat.completions.create(model=MODEL, messages=messages, temperature=0.5)
    assert api.requests[0].body == api.requests[1].body


def test_the_hook_alone(client: eyeline.OpenAI) -> None:
    """Called outside a request, the hook mends all the same."""
    body = {"model": MODEL, "messages": image("chat", PNG)}
    options = openai._models.FinalRequestOptions(  # type: ignore[attr-defined]
        method="post", url="/chat/completions", json_data=body
    )
    made = client._prepare_options(options)
    assert made.json_data["messages"][0]["content"][1]["image_url"]["url"] == DATA_URL
