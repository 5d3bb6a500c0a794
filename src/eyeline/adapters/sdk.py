"""
openai: carries requests through an official client that the user already has.

Its address, key, identity, proxies and certificates are its own; its retries are off, for they are
made once, by the flow. The body is handed over as the bytes it is. Clients from openai 2.0 on.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from inspect import signature
from typing import Any

import openai
from openai import _base_client

from eyeline.adapters.threaded import ThreadedTransport
from eyeline.core.engine import Engine, compatible, parse_engine, shown
from eyeline.core.engine import openai as openai_engine
from eyeline.core.wire import Request, Response, lower_names
from eyeline.errors import ConnectionFailed, EngineError, SettingsError, StreamCut, TimedOut
from eyeline.ports import AsyncTransport, Transport

# httpx2 since openai 3, httpx before.
http: Any = getattr(_base_client, "httpx2", None) or _base_client.httpx  # type: ignore[attr-defined]
# With it the SDK gives the response unread, as its own `with_streaming_response` asks for it.
UNREAD = {"Content-Type": "application/json", "X-Stainless-Raw-Response": "stream"}
CONNECT_TIMEOUT_S = 10.0
# Azure's address names the deployment, which the SDK takes from a body that it can read.
MODEL = re.compile(rb'\s*\{\s*"model"\s*:\s*("(?:[^"\\]|\\.)*")')
AZURE = (openai.AzureOpenAI, openai.AsyncAzureOpenAI)


def engine_of(client: Any) -> Engine:
    """Say where an official client sends. Raises SettingsError for what is no such client."""
    if not isinstance(client, openai.OpenAI | openai.AsyncOpenAI):
        raise SettingsError("sdk", type(client).__name__, "an openai.OpenAI or openai.AsyncOpenAI")
    url = str(client.base_url)
    try:
        engine = parse_engine(url)
    except SettingsError:  # an address that only the SDK understands
        engine = compatible(shown(url), url)
    if isinstance(client, AZURE):
        # OpenAI's own models behind another address.
        theirs = openai_engine()
        return replace(engine, media_types=theirs.media_types, limit_field=theirs.limit_field)
    return engine


def identity_of(client: Any) -> str:
    """Say who a client is to its provider; it holds the key, so it is for digests alone."""
    who = (getattr(client, name, None) for name in ("organization", "project", "api_key"))
    return "\n".join(map(str, who))


def transport_over(client: object, engine: str) -> Transport:
    """Make the Transport over a blocking client. Raises SettingsError for an awaiting one."""
    if not isinstance(client, openai.OpenAI):
        found = type(client).__name__
        raise SettingsError("sdk", found, "an openai.OpenAI, or an AsyncClient for this one")
    return SdkTransport(engine, client)


def async_transport_over(client: object, engine: str) -> AsyncTransport:
    """Make the AsyncTransport over a client; one that blocks gets a thread for each request."""
    if isinstance(client, openai.AsyncOpenAI):
        return AsyncSdkTransport(engine, client)
    return ThreadedTransport(transport_over(client, engine))


class SdkTransport:
    """The Transport over an `openai.OpenAI`; closing it leaves the client open."""

    def __init__(self, engine: str, client: openai.OpenAI) -> None:
        self.engine, self.client = engine, client

    def send(self, request: Request) -> Response:
        stream = self.open(request)
        try:
            return Response(stream.status, stream.headers, b"".join(iter(stream.read, b"")))
        finally:
            stream.close()

    def open(self, request: Request) -> SdkStream:
        path, arguments = posting(self.client, request)
        try:
            response = self.client.post(path, **arguments)
        except openai.APIStatusError as error:
            response = error.response
        except openai.APIConnectionError as error:
            raise failure(error, self.engine, request) from None
        return SdkStream(self.engine, request, response)

    def close(self) -> None:
        pass


class SdkStream:
    """A response of the client, read as its bytes come in."""

    def __init__(self, engine: str, request: Request, response: Any) -> None:
        self.engine, self.request, self.response = engine, request, response
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = lower_names(response.headers)
        self.pieces: Iterator[bytes] = response.iter_bytes()

    def read(self) -> bytes:
        try:
            # A piece may decompress to nothing; only the end may.
            return next((piece for piece in self.pieces if piece), b"")
        except Exception as error:
            raise cut(error, self.engine, self.request) from None

    def close(self) -> None:
        self.response.close()


class AsyncSdkTransport:
    """The AsyncTransport over an `openai.AsyncOpenAI`; closing it leaves the client open."""

    def __init__(self, engine: str, client: openai.AsyncOpenAI) -> None:
        self.engine, self.client = engine, client

    async def send(self, request: Request) -> Response:
        stream = await self.open(request)
        try:
            body = bytearray()
            while piece := await stream.read():
                body += piece
            return Response(stream.status, stream.headers, bytes(body))
        finally:
            await stream.close()

    async def open(self, request: Request) -> AsyncSdkStream:
        path, arguments = posting(self.client, request)
        try:
            response = await self.client.post(path, **arguments)
        except openai.APIStatusError as error:
            response = error.response
        except openai.APIConnectionError as error:
            raise failure(error, self.engine, request) from None
        return AsyncSdkStream(self.engine, request, response)

    async def close(self) -> None:
        pass


class AsyncSdkStream:
    """The awaiting form of SdkStream."""

    def __init__(self, engine: str, request: Request, response: Any) -> None:
        self.engine, self.request, self.response = engine, request, response
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = lower_names(response.headers)
        self.pieces: AsyncIterator[bytes] = response.aiter_bytes()

    async def read(self) -> bytes:
        try:
            async for piece in self.pieces:
                if piece:
                    return piece
            return b""
        except Exception as error:
            raise cut(error, self.engine, self.request) from None

    async def close(self) -> None:
        await self.response.aclose()


# --- what is asked of the SDK -------------------------------------------------------------------


def posting(client: Any, request: Request) -> tuple[str, dict[str, Any]]:
    """Give the path and arguments with which the SDK sends ready bytes and gives all back."""
    timeout = http.Timeout(request.timeout_s, connect=CONNECT_TIMEOUT_S)
    headers = UNREAD | dict(request.headers)
    # Of `multipart/…` in small letters the SDK would make a form of its own.
    headers["Content-Type"] = headers["Content-Type"].replace("multipart/", "Multipart/")
    options = {"headers": headers, "max_retries": 0, "timeout": timeout}
    body = {body_argument(client.post): request.body}
    return path_of(client, request), {"cast_to": http.Response, "options": options, **body}


def body_argument(post: Callable[..., Any]) -> str:
    """Give the name under which `post` takes bytes; in older versions it is the one for JSON."""
    return "content" if "content" in signature(post).parameters else "body"


def path_of(client: Any, request: Request) -> str:
    """Give the path, which on Azure's older addresses names the deployment."""
    is_azure = isinstance(client, AZURE) and "/deployments" not in str(client.base_url)
    model = MODEL.match(request.body) if is_azure and request.path == "/chat/completions" else None
    return f"/deployments/{json.loads(model[1])}{request.path}" if model else request.path


def failure(error: Exception, engine: str, request: Request) -> EngineError:
    """Put a failure before the response in our words."""
    if isinstance(error, openai.APITimeoutError):
        return TimedOut(engine, request.timeout_s)
    return ConnectionFailed(engine, str(error.__cause__ or error) or type(error).__name__)


def cut(error: Exception, engine: str, request: Request) -> EngineError:
    """Put a failure after the response began in our words."""
    if isinstance(error, http.TimeoutException):
        return TimedOut(engine, request.timeout_s)
    return StreamCut(engine, 0)
