"""Endpoints that many servers do not have: passed on where the engine has them, else done here."""

from __future__ import annotations

from asyncio import Lock
from collections.abc import Iterable

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from eyeline.adapters.http_async import AiohttpTransport
from eyeline.core.wire import Request
from eyeline.errors import EyelineError
from eyeline.gateway.refusals import refusal

# How servers say that they have no such endpoint.
LACKING = (404, 405, 501)
PROBE_S = 10.0


class Having:
    """Asks an engine once whether it has files, and so batches."""

    def __init__(self, transport: AiohttpTransport, *, is_sure: bool) -> None:
        self.transport, self.lock = transport, Lock()
        self.has_files: bool | None = True if is_sure else None

    async def ask(self) -> bool:
        async with self.lock:
            if self.has_files is None:
                probe = Request("/files?limit=1", b"", True, PROBE_S)
                stream = await self.transport.pass_on("GET", probe, None)
                await stream.close()
                self.has_files = stream.status not in LACKING
            return self.has_files


class Either:
    """An endpoint that is the engine's, or ours where that has none."""

    def __init__(self, having: Having, theirs: ASGIApp, ours: ASGIApp) -> None:
        self.having, self.theirs, self.ours = having, theirs, ours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            app = self.theirs if await self.having.ask() else self.ours
        except EyelineError as error:
            await refusal(error)(scope, receive, send)
            return
        await app(scope, receive, send)


def either(having: Having, theirs: Iterable[Route], ours: Iterable[Route]) -> list[Route]:
    """Give our routes, each going to theirs of the same path and method where there is one."""
    by_name = {(route.path, method): route for route in theirs for method in route.methods or ()}
    made = []
    for route in ours:
        [method] = (route.methods or set()) - {"HEAD"}
        app = Either(having, by_name[route.path, method].app, route.app)
        made.append(Route(route.path, app, methods=[method]))
    return made
