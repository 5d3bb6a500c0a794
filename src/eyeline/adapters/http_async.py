"""aiohttp: carries requests to an engine from an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Mapping
from functools import lru_cache

import aiohttp

from eyeline.adapters.allocator import keep_memory
from eyeline.adapters.proxies import proxy_for, through
from eyeline.adapters.uploads import Gate, Upload
from eyeline.core.secret import Secret
from eyeline.core.wire import Request, Response, lower_names
from eyeline.errors import ConnectionFailed, EngineError, ImageError, StreamCut, TimedOut

CONNECT_TIMEOUT_S = 10.0
# What is on its way up at a time: more than any uplink takes in a tenth of a second, and little
# beside what a process has anyway.
UPLOADS_BYTES_MAX = 32 * 2**20
FAILURES = (aiohttp.ClientError, asyncio.TimeoutError, OSError)


@lru_cache(maxsize=8)
def timeout(read_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=read_s)


class AiohttpTransport:
    """The AsyncTransport of one base URL and key; belongs to the event loop that first uses it."""

    def __init__(self, engine: str, base_url: str, key: Secret, user_agent: str) -> None:
        keep_memory()
        self.engine, self.base_url, self.key = engine, base_url, key
        self.headers = {"Content-Type": "application/json", "User-Agent": user_agent}
        # Not aiohttp's `trust_env`: it goes through the proxy for loopback too, and reads ~/.netrc,
        # whose entry for this host it takes for a second key and refuses.
        self.proxy = proxy_for(base_url)
        self.session: aiohttp.ClientSession | None = None
        self.gate = Gate(UPLOADS_BYTES_MAX)

    async def send(self, request: Request) -> Response:
        response = await self.post(request)
        try:
            async with response:
                body = await response.read()
        except FAILURES as error:
            raise self.cut(error, request) from None
        if response.status >= 400:
            body = self.key.hide(body)
        return Response(response.status, lower_names(response.headers), body)

    async def open(self, request: Request) -> AiohttpStream:
        return AiohttpStream(self, request, await self.post(request))

    async def close(self) -> None:
        if self.session is not None:
            await self.session.close()
            self.session = None

    async def pass_on(
        self, method: str, request: Request, body: bytes | AsyncIterable[bytes] | None
    ) -> AiohttpStream:
        """Send any request of the API's, its body perhaps as it comes in, and leave it open."""
        return AiohttpStream(self, request, await self.ask(method, request, body))

    async def post(self, request: Request) -> aiohttp.ClientResponse:
        leave = await self.gate.enter(request.size_bytes)
        try:
            return await self.ask("POST", request, Upload(request, leave))
        finally:
            leave()

    async def ask(
        self, method: str, request: Request, body: Upload | bytes | AsyncIterable[bytes] | None
    ) -> aiohttp.ClientResponse:
        if self.session is None:
            # No limit on connections here: how many are in flight is the pace's decision.
            connector = aiohttp.TCPConnector(limit=0)
            # Like the blocking transport, which keeps no cookies.
            jar = aiohttp.DummyCookieJar()
            self.session = aiohttp.ClientSession(connector=connector, cookie_jar=jar)
        try:
            return await self.session.request(
                method,
                self.base_url + request.path,
                data=body,
                headers=self.headers | dict(request.headers) | self.key.header(),
                timeout=timeout(request.timeout_s),
                proxy=self.proxy,
                allow_redirects=False,
            )
        except FAILURES as error:
            # What went wrong while the body was put together: the image is not what it was.
            if isinstance(error.__cause__, ImageError):
                raise error.__cause__ from None
            raise self.failure(error, request) from None

    def cut(self, error: BaseException, request: Request) -> EngineError:
        """Put a failure after the response began in our words."""
        failure = self.failure(error, request)
        return StreamCut(self.engine, 0) if isinstance(failure, ConnectionFailed) else failure

    def failure(self, error: BaseException, request: Request) -> EngineError:
        """Put aiohttp's failures in our words."""
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return self.failed(f"none within {CONNECT_TIMEOUT_S:g} s")
        if isinstance(error, asyncio.TimeoutError):
            return TimedOut(self.engine, request.timeout_s)
        if isinstance(error, OSError) and error.strerror:
            return self.failed(error.strerror)
        if isinstance(error, aiohttp.ClientResponseError):
            return self.failed("not a response in HTTP")
        return self.failed(str(error) or type(error).__name__)

    def failed(self, found: str) -> ConnectionFailed:
        return ConnectionFailed(self.engine, through(self.proxy, found))


class AiohttpStream:
    """An open response, read as its bytes come in."""

    def __init__(
        self, transport: AiohttpTransport, request: Request, response: aiohttp.ClientResponse
    ) -> None:
        self.transport, self.request, self.response = transport, request, response
        self.status = response.status
        self.headers: Mapping[str, str] = lower_names(response.headers)
        self.is_read = False

    async def read(self) -> bytes:
        try:
            if self.status < 400:
                return await self.response.content.readany()
            # Read whole, or a key could be cut by the end of a chunk and so be missed.
            return self.transport.key.hide(await self.whole())
        except FAILURES as error:
            # aiohttp drops what came together with the break.
            if rest := self.response.content._read_nowait(-1):
                return rest
            raise self.transport.cut(error, self.request) from None

    async def whole(self) -> bytes:
        body, self.is_read = b"" if self.is_read else await self.response.read(), True
        return body

    async def close(self) -> None:
        self.response.release()
