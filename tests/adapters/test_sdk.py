"""Through an official client that the user has: its address and identity, our body and rules."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from api_server import ApiServer, Reply, chat_events, error, stream_reply
from openai import _base_client

import eyeline
from eyeline.adapters.sdk import AsyncSdkTransport, SdkTransport, engine_of
from eyeline.core.wire import Request
from eyeline.errors import (
    BadRequest,
    ConnectionFailed,
    RateLimited,
    SettingsError,
    StreamCut,
    TimedOut,
)
from eyeline.testing import tiny_png

http: Any = getattr(_base_client, "httpx2", None) or _base_client.httpx  # type: ignore[attr-defined]
BODY = b'{"model":"gpt-6-luna","messages":[{"role":"user","content":"Hi"}]}'
PNG = tiny_png(40, 30)


def asked(body: bytes = BODY, *, path: str = "/chat/completions", timeout_s: float = 9) -> Request:
    return Request(path, body, stream=False, timeout_s=timeout_s)


@pytest.fixture
def official(api: ApiServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="sk-theirs", base_url=api.url, organization="org-1") as client:
        yield client


@pytest.fixture
def transport(official: openai.OpenAI) -> SdkTransport:
    return SdkTransport("theirs", official)


# --- the transport ------------------------------------------------------------------------------


def test_the_body_goes_out_as_it_is(api: ApiServer, transport: SdkTransport) -> None:
    """The very bytes arrive as JSON, with the client's own key and headers."""
    response = transport.send(asked())
    assert response.status == 200
    assert response.headers["x-request-id"] == "req_test_1"
    assert b"A sign." in response.body
    [request] = api.requests
    assert (request.path, request.body) == ("/v1/chat/completions", BODY)
    assert request.headers["authorization"] == "Bearer sk-theirs"
    assert request.headers["openai-organization"] == "org-1"
    assert request.headers["content-type"] == "application/json"


def test_the_body_is_not_copied(api: ApiServer) -> None:
    """What the client's own HTTP library gets to send is the object that was built."""
    seen: list[Any] = []

    class Watching(http.Client):  # type: ignore[misc]
        def build_request(self, *arguments: Any, **options: Any) -> Any:
            seen.append(options["content"])
            return super().build_request(*arguments, **options)

    with openai.OpenAI(api_key="k", base_url=api.url, http_client=Watching()) as client:
        SdkTransport("theirs", client).send(asked())
    assert seen[0] is BODY


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_a_refusal_is_a_response(api: ApiServer, transport: SdkTransport, status: int) -> None:
    """Every status comes back as it was, once: the client's retries are off."""
    api.script += [error(status, "no", **{"retry-after-ms": "1"})] * 3
    response = transport.send(asked())
    assert response.status == status
    assert b'"no"' in response.body
    assert response.headers["retry-after-ms"] == "1"
    assert len(api.requests) == 1


def test_a_stream_comes_as_it_comes(api: ApiServer, transport: SdkTransport) -> None:
    """Pieces are there before the end is; the bytes are the server's own."""
    events = chat_events("A sign here.")
    api.script.append(stream_reply(events[:2], stall=True))
    stream = transport.open(asked())
    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    received = b""
    while len(received) < len("".join(events[:2])):
        received += stream.read()
    assert received.decode() == "".join(events[:2])
    stream.close()
    stream.close()


def test_a_refused_stream_is_read_too(api: ApiServer, transport: SdkTransport) -> None:
    """A refusal's body is there to be read, as of any response."""
    api.script.append(error(429, "slow down"))
    stream = transport.open(asked())
    assert (stream.status, b"slow down" in stream.read(), stream.read()) == (429, True, b"")
    stream.close()


def test_no_connection() -> None:
    """No server is ConnectionFailed, with a reason and no repetition."""
    client = openai.OpenAI(api_key="k", base_url="http://127.0.0.1:9/v1")
    for act in (SdkTransport("theirs", client).send, SdkTransport("theirs", client).open):
        with pytest.raises(ConnectionFailed, match="refused"):
            act(asked())
    client.close()


def test_failures_on_the_way(api: ApiServer, transport: SdkTransport) -> None:
    """Dropped is ConnectionFailed, cut is StreamCut, and silence TimedOut."""
    api.script += [
        Reply(drop=True),
        Reply(200, b"{", cut=True),
        Reply(200, b"{", {"Content-Length": "9"}, stall=True),
    ]
    with pytest.raises(ConnectionFailed):
        transport.send(asked())
    with pytest.raises(StreamCut):
        transport.send(asked())
    with pytest.raises(TimedOut, match=r"0\.2 s"):
        transport.send(asked(timeout_s=0.2))


def test_the_awaiting_transport(api: ApiServer) -> None:
    """The same from an event loop: bytes, refusals, streams, failures."""
    api.script += [
        error(503, "busy"), stream_reply(chat_events("A sign.")), Reply(drop=True),
        Reply(200, b"{", cut=True), Reply(200, b"{", {"Content-Length": "9"}, stall=True),
    ]  # fmt: skip

    async def main() -> None:
        async with openai.AsyncOpenAI(api_key="k", base_url=api.url) as client:
            transport = AsyncSdkTransport("theirs", client)
            assert (await transport.send(asked())).status == 503
            stream = await transport.open(asked())
            received = b""
            while piece := await stream.read():
                received += piece
            assert received.decode() == "".join(chat_events("A sign."))
            await stream.close()
            with pytest.raises(ConnectionFailed):
                await transport.send(asked())
            with pytest.raises(StreamCut):
                await transport.send(asked())
            with pytest.raises(TimedOut):
                await transport.send(asked(timeout_s=0.2))
            await transport.close()
            assert (await transport.send(asked())).status == 200

    asyncio.run(main())


# --- where it sends -----------------------------------------------------------------------------


def test_engines_are_named_after_the_address() -> None:
    """OpenAI's address is openai; others are what they are by base URL."""
    key = "sk-test"
    assert engine_of(openai.OpenAI(api_key=key)).name == "openai"
    near = engine_of(openai.AsyncOpenAI(api_key=key, base_url="http://127.0.0.1:8000/v1"))
    assert (near.name, near.base_url) == ("http://127.0.0.1:8000/v1",) * 2
    odd = engine_of(openai.OpenAI(api_key=key, base_url="https://me:pw@x.org/v1?a=b"))
    assert "pw" not in odd.name
    azure = engine_of(
        openai.AzureOpenAI(
            api_key=key, azure_endpoint="https://x.openai.azure.com", api_version="1"
        )
    )
    assert azure.limit_field == "max_completion_tokens"
    assert "image/webp" in azure.media_types
    with pytest.raises(SettingsError, match="sdk: 'int', expected an openai"):
        engine_of(7)


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, "/openai/deployments/my%20model/chat/completions"),
        ({"azure_deployment": "mine"}, "/openai/deployments/mine/chat/completions"),
    ],
)
def test_azure_paths(api: ApiServer, options: dict[str, Any], path: str) -> None:
    """The deployment that Azure's address names is the model of the body, or the client's own."""
    body = BODY.replace(b"gpt-6-luna", b"my model")
    with openai.AzureOpenAI(
        api_key="k", azure_endpoint=api.origin, api_version="2026-10-21", **options
    ) as client:
        transport = SdkTransport("azure", client)
        transport.send(asked(body))
        transport.send(asked(b'{"input":"x","model":"m"}', path="/responses"))
    first, second = api.requests
    assert first.path.replace(" ", "%20") == f"{path}?api-version=2026-10-21"
    assert (first.body, first.headers["api-key"]) == (body, "k")
    assert second.path == "/openai/responses?api-version=2026-10-21"


# --- Client(sdk=…) ------------------------------------------------------------------------------


def test_a_client_over_a_client(api: ApiServer, official: openai.OpenAI) -> None:
    """Questions, whole and streamed, go through it; closing ours leaves it open."""
    with eyeline.Client(sdk=official) as client:
        answer = client.ask("What does it say?", PNG, model="gpt-4o", cache=False)
        assert (answer.text, answer.engine) == ("A sign.", api.url)
        stream = client.stream("What?", PNG, model="gpt-4o", cache=False)
        assert "".join(stream) == "A sign."
    assert not official.is_closed()
    assert {request.headers["authorization"] for request in api.requests} == {"Bearer sk-theirs"}
    part = api.requests[0].json["messages"][0]["content"][1]
    assert part["image_url"]["url"].startswith("data:image/png;base64,")


def test_errors_are_judged_by_our_rules(api: ApiServer, official: openai.OpenAI) -> None:
    """A refusal is our error, and what may pass is sent again by us alone."""
    api.script += [error(400, "no such field"), error(500, "once", **{"retry-after-ms": "1"})]
    with eyeline.Client(sdk=official, cache=False) as client:
        with pytest.raises(BadRequest, match="no such field"):
            client.ask("What?", PNG)
        assert client.ask("What?", PNG).text == "A sign."
        assert len(api.requests) == 3
        api.script += [error(429, "slow", **{"retry-after": "900"})] * 5
        with pytest.raises(RateLimited):
            client.ask("What?", PNG)


def test_an_awaiting_client_over_either(api: ApiServer, official: openai.OpenAI) -> None:
    """An AsyncClient takes both; a Client only one that blocks."""

    async def main() -> None:
        async with openai.AsyncOpenAI(api_key="sk-theirs", base_url=api.url) as awaiting:
            for sdk in (awaiting, official, eyeline.AsyncOpenAI(api_key="k", base_url=api.url)):
                async with eyeline.AsyncClient(sdk=sdk, cache=False) as client:
                    assert (await client.ask("What?", PNG)).text == "A sign."
                    pieces = [piece async for piece in client.stream("What?", PNG)]
                    assert "".join(pieces) == "A sign."
            with pytest.raises(SettingsError, match="AsyncClient"):
                eyeline.Client(sdk=awaiting)

    asyncio.run(main())


def test_what_contradicts_a_given_client(official: openai.OpenAI) -> None:
    """It has an address; another one beside it is refused, and so is what is no client."""
    for options in ({"engine": "ollama"}, {"base_url": "http://127.0.0.1:9/v1"}):
        with pytest.raises(SettingsError, match="beside sdk"):
            eyeline.Client(sdk=official, **options)  # type: ignore[misc]
    with pytest.raises(SettingsError, match="expected an openai"):
        eyeline.Client(sdk="openai")
