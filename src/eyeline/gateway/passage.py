"""
Endpoints in which no image stands: passed to the engine and back as they come, nothing read.

A list of what is passed, not of what is not: the engine's key can do more than a client may.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from urllib.parse import quote

from starlette.requests import Request as Asked
from starlette.responses import Response
from starlette.routing import Route

from eyeline.adapters.http_async import AiohttpTransport
from eyeline.core.wire import Request
from eyeline.effects import Head, Relay
from eyeline.gateway.options import Bounds
from eyeline.gateway.reading import next_piece, read_body, refuse_length, too_long
from eyeline.gateway.refusals import Refused
from eyeline.gateway.relaying import Relaying, Uploading, passed_on

FILES = (
    ("/files", ("GET", "POST")),
    ("/files/{id}", ("GET", "DELETE")),
    ("/files/{id}/content", ("GET",)),
    ("/batches", ("GET", "POST")),
    ("/batches/{id}", ("GET",)),
    ("/batches/{id}/cancel", ("POST",)),
)
RESPONSES = (
    ("/responses/{id}", ("GET", "DELETE")),
    ("/responses/{id}/cancel", ("POST",)),
    ("/responses/{id}/input_items", ("GET",)),
)
MODELS = (("/models", ("GET",)), ("/models/{id:path}", ("GET",)))
# A dot or two alone would name another place of the engine's.
SEGMENT = re.compile(r"(?!\.{1,2}$)[\w.:@+-]{1,256}")


class Passage:
    """Passes requests on through the transport that questions take."""

    def __init__(
        self, transport: AiohttpTransport, bounds: Bounds, timeout_s: float, has_budget: bool
    ) -> None:
        self.transport, self.bounds, self.timeout_s = transport, bounds, timeout_s
        self.has_budget = has_budget

    def routes(self, paths: Iterable[tuple[str, tuple[str, ...]]]) -> list[Route]:
        return [Route(path, self.pass_on, methods=[*methods]) for path, methods in paths]

    async def pass_on(self, asked: Asked) -> Response:
        request, body = self.request(asked), await self.body(asked)
        made = Relaying if isinstance(body, bytes | None) else Uploading
        return made(self.steps(asked.method, request, body), self.bounds.piece_s)

    def request(self, asked: Asked) -> Request:
        path = asked.scope["path"].removeprefix("/v1")
        if not all(map(SEGMENT.fullmatch, path.split("/")[1:])):
            raise Refused(404, f"Invalid URL ({asked.method} {quote(asked.scope['path'])})")
        if self.has_budget and (asked.method, path) == ("POST", "/batches"):
            message = "This gateway has a budget, which no batch of the engine's can be held to."
            raise Refused(403, message, "budget_without_batches")
        query = f"?{asked.url.query}" if asked.url.query else ""
        headers = passed_on(asked.headers)
        for name in ("Content-Type", "Content-Length"):
            if given := asked.headers.get(name):
                headers[name] = given
        return Request(quote(path, safe="/:@+") + query, b"", True, self.timeout_s, headers)

    async def body(self, asked: Asked) -> bytes | AsyncIterator[bytes] | None:
        """Give the body; a file as it comes in, for no machine should hold it whole."""
        if asked.method != "POST":
            return None
        if not asked.headers.get("content-type", "").startswith("multipart/"):
            return await read_body(asked, self.bounds)
        refuse_length(asked.headers, self.bounds.upload_bytes_max)
        return self.pieces(asked)

    async def pieces(self, asked: Asked) -> AsyncIterator[bytes]:
        left, more = self.bounds.upload_bytes_max, True
        while more:
            piece, more = await next_piece(asked, self.bounds)
            left -= len(piece)
            if left < 0:
                raise too_long(self.bounds.upload_bytes_max)
            yield piece

    async def steps(
        self, method: str, request: Request, body: bytes | AsyncIterator[bytes] | None
    ) -> AsyncGenerator[Relay, None]:
        stream = await self.transport.pass_on(method, request, body)
        try:
            yield Relay(Head(stream.status, stream.headers, {}))
            while chunk := await stream.read():
                yield Relay(chunk)
            yield Relay(None)
        finally:
            await stream.close()
