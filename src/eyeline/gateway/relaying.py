"""A response handed on to a client as the flow relays it, and stopped where the client leaves."""

from __future__ import annotations

from asyncio import CancelledError, Task, create_task, current_task, timeout
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from typing import Any, cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from eyeline.drivers import Done
from eyeline.effects import Handed, Head, Relay
from eyeline.errors import EyelineError
from eyeline.gateway.journal import Entry, entry_of
from eyeline.gateway.refusals import refusal
from eyeline.relay import Passed

Steps = AsyncGenerator[Handed | Done[Passed], None] | AsyncGenerator[Relay, None]

# Of one connection only, about a body's form on it, or addressed to a browser of theirs.
DROPPED = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length", "content-encoding", "date", "server",
    "set-cookie", "alt-svc", "strict-transport-security",
}  # fmt: skip
DROPPED_PREFIX = "access-control-"
# What of a client's own headers the engine is told; its key is not among them.
PASSED_ON = {"idempotency-key", "openai-beta", "x-client-request-id", "traceparent", "tracestate"}


class Relaying(Response):
    """Runs a flow's steps while the client is there, and sends on what they relay."""

    def __init__(self, steps: Steps, wait_s: float) -> None:
        self.steps, self.wait_s = steps, wait_s
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watch, entry = self.watch(receive), entry_of(scope)
        try:
            response = await self.relayed(send, watch, entry)
        except CancelledError:
            if not watch.has_left:
                raise
            return
        finally:
            watch.end()
        if response is not None:
            await response(scope, receive, send)

    def watch(self, receive: Receive) -> Watch:
        return Watch(receive)

    async def relayed(self, send: Send, watch: Watch, entry: Entry) -> Response | None:
        """Send what is relayed; where an error comes before anything was, give its response."""
        is_begun = is_over = False
        try:
            async with aclosing(self.steps):
                async for step in self.steps:
                    if isinstance(step, Done):
                        entry.passed = step.value
                    if is_over or not isinstance(step, Relay):
                        continue
                    is_begun, is_over = True, step.piece is None
                    if is_over:
                        watch.end()
                    # Who takes nothing for so long is gone, whatever the connection says.
                    async with timeout(self.wait_s):
                        await send(message(step.piece))
        except EyelineError as error:
            return None if is_begun else refusal(error)
        except TimeoutError:
            return None
        if not is_over:
            await send(message(None))
        return None


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in PASSED_ON}


def message(piece: Head | bytes | None) -> dict[str, Any]:
    if isinstance(piece, Head):
        return {"type": "http.response.start", "status": piece.status, "headers": [*headers(piece)]}
    return {"type": "http.response.body", "body": piece or b"", "more_body": piece is not None}


def headers(head: Head) -> Iterator[tuple[bytes, bytes]]:
    """Give the engine's headers, and ours."""
    yield from kept(head.headers)
    for name, value in head.facts.items():
        yield f"x-eyeline-{name}".encode(), plain(value)
    if head.size_bytes is not None:
        yield b"content-length", b"%d" % head.size_bytes


def kept(given: Mapping[str, str]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in given.items():
        if name not in DROPPED and not name.startswith(DROPPED_PREFIX):
            yield name.encode("latin-1"), value.encode("latin-1", "replace")


FACT_BYTES_MAX = 2000
ASCII = str.maketrans({"×": "x", "→": "->", "–": "-", "’": "'", "…": "..."})


def plain(text: str) -> bytes:
    """Write our own words in what a header can hold, and no longer than clients take one."""
    made = text.translate(ASCII).encode("ascii", "backslashreplace").replace(b"\n", b" ")
    return made if len(made) <= FACT_BYTES_MAX else made[:FACT_BYTES_MAX] + b"..."


class Watch:
    """Stops the present task when the client leaves."""

    def __init__(self, receive: Receive) -> None:
        self.receive, self.has_left = receive, False
        self.watched = cast("Task[Any]", current_task())
        self.watching = create_task(self.watch())

    async def watch(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.has_left = True
        self.watched.cancel()

    def end(self) -> None:
        self.watching.cancel()


class Unwatched(Watch):
    """Where the body is still being read, who reads it sees the client leave."""

    def __init__(self) -> None:
        self.has_left = False

    def end(self) -> None:
        """Nothing was begun."""


class Uploading(Relaying):
    """A response whose request is still coming in."""

    def watch(self, receive: Receive) -> Watch:
        return Unwatched()
