"""What a client gets through the gateway: images made right, all else as the engine gave it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import openai
import pytest
from api_server import (
    ApiServer,
    Recorded,
    Reply,
    chat_completion,
    chat_events,
    error,
    response_events,
    stream_reply,
    whole,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from eyeline.gateway.options import Bounds
from eyeline.testing import tiny_png
from gateway.running import Running, gateway

PNG = tiny_png(40, 30)


def sideways_jpeg() -> bytes:
    """Make a picture that its metadata alone turns upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 32), "red").save(made := io.BytesIO(), "JPEG", exif=exif)
    return made.getvalue()


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def user(*urls: str, text: str = "What is this?", detail: str | None = None) -> list[Any]:
    look = {"detail": detail} if detail else {}
    parts = [{"type": "image_url", "image_url": {"url": url, **look}} for url in urls]
    return [{"role": "user", "content": [{"type": "text", "text": text}, *parts]}]


def items(*urls: str) -> list[Any]:
    parts = [{"type": "input_image", "image_url": url, "detail": "high"} for url in urls]
    return [{"role": "user", "content": [{"type": "input_text", "text": "What?"}, *parts]}]


def post(running: Running, body: Any, path: str = "/chat/completions", **headers: str) -> Any:
    given = {"content-type": "application/json", **headers}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(running.url + path, content=data, headers=given)


def chat(*urls: str, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-6-luna", "messages": user(*urls), **more}


# --- what is sent -------------------------------------------------------------------------------


def test_images_are_made_right_and_all_else_is_untouched(running: Running) -> None:
    """A sideways photo is turned and its detail is named; fields nobody knows here stay."""
    body = chat(
        data_url(sideways_jpeg(), "image/jpeg"), verbosity="low", x_new={"a": [1, 2.5, None]}
    )
    answer = post(running, body)
    assert answer.json()["choices"][0]["message"]["content"] == "A sign."
    sent = running.engine.requests[0].json
    part = sent["messages"][0]["content"][1]["image_url"]
    assert part["detail"] == "high"
    assert part["url"] != body["messages"][0]["content"][1]["image_url"]["url"]
    del sent["messages"], body["messages"]
    assert sent == body
    assert "turned upright" in answer.headers["x-eyeline-notes"]
    assert answer.headers["x-eyeline-image-tokens"] == "3"
    assert Decimal(answer.headers["x-eyeline-cost-usd"]) == Decimal("0.00011")
    assert answer.headers["x-request-id"] == "req_test_1"


@pytest.mark.parametrize("body", [
    b'{ "model":"m",\n "messages":[{"role":"user","content":"hi \\u00e9"}], "n" : 1 }',
    b'{"model": "m", "messages": %s}' % json.dumps(user(data_url(PNG), detail="high")).encode(),
])  # fmt: skip
def test_what_is_right_passes_byte_for_byte(running: Running, body: bytes) -> None:
    """A body without images, or with images that are right, arrives as it was sent."""
    assert post(running, body).status_code == 200
    assert running.engine.requests[0].body == body


def test_what_is_no_json_is_the_engines_to_judge(running: Running) -> None:
    """A body that cannot be read goes on, and the engine's own words come back."""
    running.engine.script.append(error(400, "We could not parse the JSON body of your request."))
    answer = post(running, b'{"model": NaN}')
    assert answer.status_code == 400
    assert "could not parse" in answer.json()["error"]["message"]
    assert running.engine.requests[0].body == b'{"model": NaN}'
    for number in (b"1e999", b"9" * 5000, b"[" * 5000 + b"]" * 5000):
        running.engine.script.append(whole(chat_completion("A.")))
        body = b'{"messages": %s, "x": %s}' % (json.dumps(user(data_url(PNG))).encode(), number)
        assert post(running, body).status_code == 200
        assert running.engine.requests[-1].body == body


def test_the_clients_key_stays_here(running: Running) -> None:
    """Whatever key a client has, the engine gets its own or none; a few headers are passed on."""
    post(running, chat(), authorization="Bearer sk-theirs", **{"idempotency-key": "i-1"})
    headers = running.engine.requests[0].headers
    assert "authorization" not in headers
    assert headers["idempotency-key"] == "i-1"


def test_the_prefix_may_be_left_out(running: Running) -> None:
    """A client whose base URL has no /v1 is served the same."""
    answer = httpx.post(f"{running.origin}/chat/completions", json=chat(data_url(PNG)))
    assert answer.status_code == 200


def test_input_tokens_are_counted_by_the_engine(running: Running) -> None:
    """The counting endpoint gets the same mended images, and is not remembered."""
    counted = {"object": "response.input_tokens", "input_tokens": 321}
    running.engine.script += [whole(counted), whole(counted)]
    with running.client() as client:
        for _ in range(2):
            made = client.responses.input_tokens.count(
                model="gpt-6-luna", input=items(data_url(PNG))
            )
            assert made.input_tokens == 321
    assert [request.path for request in running.engine.requests] == [
        "/v1/responses/input_tokens"
    ] * 2


# --- streams ------------------------------------------------------------------------------------


def test_streams_come_as_they_were_sent(running: Running) -> None:
    """Every byte of the engine's stream arrives, in Chat and in Responses."""
    text, events = "One two three", chat_events("One two three")
    running.engine.script.append(stream_reply(events))
    answer = post(running, chat(data_url(PNG), stream=True))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == "".join(events)
    with running.client() as client:
        running.engine.script.append(stream_reply(response_events(text)))
        stream = client.responses.create(
            model="gpt-6-luna", input=items(data_url(PNG)), stream=True
        )
        assert [event.type for event in stream][-1] == "response.completed"


def test_events_are_not_held_back(running: Running) -> None:
    """The first event is there while the engine has not sent the second."""
    running.engine.script.append(stream_reply(chat_events("One")[:2], stall=True, cut=True))
    with httpx.stream("POST", f"{running.url}/chat/completions", json=chat(stream=True)) as answer:
        assert '"role"' in next(answer.iter_text())


def test_a_stream_that_breaks_ends_in_an_error(running: Running) -> None:
    """A cut stream is never a short answer: the official client raises, after what did come."""
    running.engine.script += [
        stream_reply(chat_events("One two three")[:3], cut=True),
        stream_reply(response_events("One two three")[:3], cut=True),
    ]
    with running.client() as client:
        stream = client.chat.completions.create(**chat(), stream=True)
        said = [next(stream).choices[0].delta.content for _ in range(3)]
        assert said == ["", "One", " two"]
        with pytest.raises(openai.APIError, match="broke off"):
            next(stream)
    broken = post(running, {"model": "m", "input": items(), "stream": True}, "/responses").text
    last = json.loads(broken.strip().rpartition("data: ")[2])
    assert (last["type"], last["sequence_number"]) == ("error", 3)


def test_half_an_event_is_not_handed_on(running: Running) -> None:
    """What broke off inside an event stays out, or the error behind it could not be read."""
    events = chat_events("One two")
    running.engine.script.append(stream_reply([events[0], events[1][:20]], cut=True))
    answer = post(running, chat(stream=True)).text
    first, last, rest = answer.split("\n\n")
    assert (f"{first}\n\n", rest) == (events[0], "")
    assert "error" in json.loads(last.removeprefix("data: "))


def test_a_stream_without_done_may_be_whole(running: Running) -> None:
    """Servers that end after the finish reason are taken at their word."""
    events = chat_events("One")[:-1]
    running.engine.script.append(stream_reply(events, cut=True))
    assert post(running, chat(stream=True)).text == "".join(events)


# --- errors -------------------------------------------------------------------------------------


def test_an_engines_refusal_comes_back_as_it_was(running: Running) -> None:
    """Status, body and headers are the engine's: request id, limits, when to try again."""
    said = {"error": {"message": "no", "type": "tokens", "param": None, "code": "other", "x": 1}}
    headers = {"x-request-id": "req_9", "x-ratelimit-remaining-tokens": "7", "set-cookie": "a=b"}
    running.engine.script.append(whole(said, 403, **headers))
    answer = post(running, chat(data_url(tiny_png(43, 31))))
    assert answer.status_code == 403
    assert answer.json() == said
    assert answer.headers["x-request-id"] == "req_9"
    assert answer.headers["x-ratelimit-remaining-tokens"] == "7"
    assert "set-cookie" not in answer.headers


def test_what_passes_is_tried_again_here(running: Running) -> None:
    """A 429 that passes costs the client nothing but the wait; one that does not comes back."""
    busy = error(429, "Rate limit reached", "rate_limit_exceeded", **{"retry-after": "0"})
    spent = error(429, "You exceeded your current quota", "insufficient_quota")
    running.engine.script += [busy, whole(chat_completion("At last.")), spent]
    assert "At last." in post(running, chat()).text
    answer = post(running, chat())
    assert (answer.status_code, len(running.engine.requests)) == (429, 3)
    assert answer.headers["x-should-retry"] == "false"


def test_an_engine_that_is_not_there() -> None:
    """Nobody behind the gateway is a 502 in the API's own shape, which says what to look at."""
    with (
        gateway(client={"base_url": "http://127.0.0.1:9/v1"}) as running,
        running.client() as client,
        pytest.raises(openai.InternalServerError) as caught,
    ):
        client.chat.completions.create(**chat())
    assert caught.value.status_code == 502
    assert "is the server running" in str(caught.value)


def test_a_body_that_breaks_off_is_a_502(running: Running) -> None:
    """Half an answer is none."""
    running.engine.script.append(Reply(200, b'{"choices"', cut=True))
    assert post(running, chat()).status_code == 502


# --- what is not sent ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/etc/hostname", "file:///etc/hostname", "photo.jpg"])
def test_paths_are_refused(running: Running, path: str) -> None:
    """A client can make nobody read files here, neither us nor the engine behind us."""
    answer = post(running, chat(path))
    assert answer.status_code == 400
    said = answer.json()["error"]
    assert said["code"] == "invalid_value"
    assert said["param"] == "messages[0].content[1].image_url.url"
    responses = post(running, {"model": "m", "input": items(path)}, "/responses")
    assert "Invalid 'input[0].content[1].image_url'" in responses.json()["error"]["message"]
    assert not running.engine.requests


def test_private_addresses_are_refused(running: Running) -> None:
    """A client can make nobody fetch from the network behind the gateway; public URLs pass."""
    for url in ("http://169.254.169.254/a.png", "http://localhost/a.png", "http://10.0.0.1/a.png"):
        said = post(running, chat(url)).json()["error"]
        assert (said["code"], said["message"]) == (
            "invalid_image_url",
            f"Error while downloading {url}.",
        )
        said = post(running, {"model": "m", "input": items(url)}, "/responses").json()["error"]
        assert (said["code"], said["param"]) == ("invalid_value", "url")
    assert not running.engine.requests
    post(running, chat("https://a.example/b.png"))
    [sent] = running.engine.requests
    assert sent.json["messages"][0]["content"][1]["image_url"]["url"] == "https://a.example/b.png"


def test_urls_in_text_lead_nowhere_private(running: Running) -> None:
    """Nor can a client make the engine fetch from there by naming the address in its words."""
    words = "See http://169.254.169.254/a.png and https://a.example/b.png"
    post(running, {"model": "m", "messages": user(text=words)})
    [sent] = running.engine.requests
    parts = sent.json["messages"][0]["content"][1:]
    assert [part["image_url"]["url"] for part in parts] == ["https://a.example/b.png"]


# --- cache, budget, rescue ----------------------------------------------------------------------


def test_the_same_is_asked_once(running: Running) -> None:
    """The same question about the same picture is answered from the cache, streamed or whole."""
    for more in ({}, {"stream": True}):
        body = chat(data_url(tiny_png(41, 31)), **more)
        first, second = post(running, body), post(running, body)
        assert second.content == first.content
        assert first.headers["x-eyeline-cached"] == "false"
        assert second.headers["x-eyeline-cached"] == "true"
        assert second.headers["x-eyeline-cost-usd"] == "0"
        assert second.headers["content-type"] == first.headers["content-type"]
    assert len(running.engine.requests) == 2
    assert (
        post(running, body, **{"cache-control": "no-cache"}).headers["x-eyeline-cached"] == "false"
    )
    assert (
        post(running, body, **{"cache-control": "no-store"}).headers["x-eyeline-cached"] == "false"
    )
    assert len(running.engine.requests) == 4


def test_what_names_no_picture_is_asked_again(running: Running) -> None:
    """Text alone is not ours to remember, and what a URL shows may change."""
    for body in (chat(), chat("https://a.example/b.png")):
        post(running, body)
        assert post(running, body).headers["x-eyeline-cached"] == "false"
    assert len(running.engine.requests) == 4


def test_unfinished_answers_are_not_remembered(running: Running) -> None:
    """An answer cut at its limit, and one that is no text, are asked for again."""
    body = chat(data_url(tiny_png(42, 31)))
    odd = whole({"object": "something.else"})
    cut = whole(chat_completion("A", finish="length"))
    running.engine.script += [cut, odd, whole({"error": {"message": "overloaded"}}), odd]
    for _ in range(4):
        assert post(running, body).headers["x-eyeline-cached"] == "false"


@pytest.fixture(scope="module")
def limited(engine: ApiServer) -> Iterator[Running]:
    with gateway(engine, client={"budget_usd": 0.001}) as made:
        yield made


def test_a_budget_is_held(limited: Running) -> None:
    """What could pass the budget is not sent, in the API's own words for spent credit."""
    assert post(limited, chat(data_url(PNG), max_completion_tokens=500)).status_code == 200
    answer = post(limited, chat(data_url(PNG), max_completion_tokens=1500, n=2))
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "insufficient_quota")
    assert answer.headers["x-should-retry"] == "false"
    unknown = post(limited, {"model": "nobody/knows", "messages": user()})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, "price_unknown")
    assert len(limited.engine.requests) == 1


def test_a_refusal_teaches_how_images_are_taken(engine: ApiServer) -> None:
    """A server that takes no detail is asked without one, and the client sees the answer."""

    def picky(request: Recorded) -> Reply:
        part = request.json["messages"][0]["content"][1]["image_url"]
        if "detail" in part:
            return error(400, "Extra inputs are not permitted: image_url.detail")
        return whole(chat_completion("Seen."))

    with gateway(engine) as running:
        engine.script += [picky] * 4
        for url in (data_url(PNG), "https://a.example/b.png"):
            assert "Seen." in post(running, chat(url)).text
    assert len(engine.requests) == 3


def test_pictures_in_text_are_moved(running: Running) -> None:
    """An image lost in the text becomes a part, and a header says so."""
    body = {"model": "gpt-6-luna", "messages": user(text=f"What is {data_url(PNG)}?")}
    answer = post(running, body)
    sent = running.engine.requests[0].json["messages"][0]["content"]
    assert [part["type"] for part in sent] == ["text", "image_url"]
    assert "data_url_in_text" in answer.headers["x-eyeline-notes"]


def test_what_looks_like_a_stand_in_stays_text(running: Running) -> None:
    """No text of a client's is ever taken for one of its pictures."""
    body = chat(data_url(sideways_jpeg(), "image/jpeg"))
    body["messages"][0]["content"][0]["text"] = "\0image 0\0"
    assert post(running, body).status_code == 200
    sent = running.engine.requests[0].json["messages"][0]["content"]
    assert sent[0]["text"] == "\0image 0\0"
    assert sent[1]["image_url"]["url"].startswith("data:image/")


def test_too_many_images_and_pixels_are_refused(engine: ApiServer) -> None:
    """A request may have so many images, and so many pixels that must be decoded, and no more."""
    bounds = Bounds(images_max=2, pixels_max=4000)
    large, small = data_url(sideways_jpeg(), "image/jpeg"), data_url(PNG)
    with gateway(engine, bounds=bounds) as running:
        for urls, code in (
            ([small] * 3, "too_many_images"), (["https://a.example/b.png"] * 3, "too_many_images"),
            ([large] * 2, "image_too_large"),
        ):  # fmt: skip
            answer = post(running, chat(*urls))
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
        assert not engine.requests
        assert post(running, chat(large, small)).status_code == 200


def test_the_gateways_model_is_for_who_names_none(engine: ApiServer) -> None:
    """With a model of its own the gateway fills it in where a body has none, and only there."""
    with gateway(engine, client={"model": "gpt-4o"}) as running:
        for given, sent in (({}, "gpt-4o"), ({"model": "mine"}, "mine")):
            post(running, {"messages": user(), **given})
            assert engine.requests[-1].json["model"] == sent


def test_large_bodies_are_mended_aside(running: Running) -> None:
    """A body of megabytes is made right in a thread, and arrives as any other."""
    body = chat(data_url(sideways_jpeg(), "image/jpeg"), x="y" * 6 * 2**20)
    assert "turned upright" in post(running, body).headers["x-eyeline-notes"]
    assert running.engine.requests[0].json["x"] == body["x"]


def test_bodies_over_the_limit_are_refused(engine: ApiServer) -> None:
    """A body longer than the gateway takes ends early, whether it says so itself or not."""
    with gateway(engine, bounds=Bounds(body_bytes_max=100_000)) as running:
        assert post(running, b"x" * 100_001).json()["error"]["code"] == "request_too_large"
        pieces = (b"x" * 60_000 for _ in range(2))
        answer = httpx.post(f"{running.url}/responses", content=pieces)
        assert answer.status_code == 413
    assert not engine.requests


# --- bodies of any shape --------------------------------------------------------------------------

ATOMS = st.sampled_from(
    [None, True, 0, 1.5, "", "x", data_url(PNG), "data:,x", "/etc/passwd", "http://[::1", "\ud800"]
)
NAMES = st.sampled_from(
    ["role", "content", "type", "text", "image_url", "url", "detail", "file_id", "output"]
)
KINDS = st.sampled_from(["text", "image_url", "input_text", "input_image", "message"])
ANY = st.recursive(
    ATOMS | KINDS, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=20
)


@pytest.mark.parametrize("path", ["/chat/completions", "/responses"])
def test_no_shape_of_a_body_is_a_fault_of_ours(
    running: Running, offline: Running, path: str
) -> None:
    """Whatever stands where messages should, the answer is the engine's, or says what is wrong."""
    field = "messages" if "chat" in path else "input"
    with httpx.Client() as client:

        @given(ANY | st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": ANY})))
        @settings(max_examples=30, deadline=None, derandomize=True)
        def ask(value: Any) -> None:
            body = json.dumps({"model": "gpt-4o", field: value}).encode()
            for gateway in (running, offline):
                answer = client.post(gateway.url + path, content=body)
                assert answer.status_code in (200, 400), answer.text

        ask()
