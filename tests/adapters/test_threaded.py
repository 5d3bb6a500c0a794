"""A blocking transport in an event loop: each call in a thread, results and errors unchanged."""

from __future__ import annotations

import asyncio
import threading

import pytest

from eyeline.adapters.threaded import ThreadedTransport
from eyeline.core.wire import Request, Response
from eyeline.errors import ConnectionFailed
from eyeline.testing import FakeStream, FakeTransport

REQUEST = Request("/chat/completions", b'{"model": "reader"}', stream=False, timeout_s=9)


class Noting(FakeTransport):
    """Notes which thread each call came from."""

    def __init__(self, *script: str | Response | Exception) -> None:
        super().__init__(*script)
        self.threads: list[int] = []
        self.stream: FakeStream | None = None
        self.is_closed = False

    def send(self, request: Request) -> Response:
        self.threads.append(threading.get_ident())
        return super().send(request)

    def open(self, request: Request) -> FakeStream:
        self.stream = super().open(request)
        return self.stream

    def close(self) -> None:
        self.is_closed = True


def test_sends_in_a_thread() -> None:
    """A request is sent outside the loop's own thread, and its response given."""
    inner = Noting("Yes.")
    response = asyncio.run(ThreadedTransport(inner).send(REQUEST))
    assert b"Yes." in response.body
    assert inner.threads != [threading.get_ident()]


def test_passes_errors_on() -> None:
    """What the blocking transport raises is raised to who awaits."""
    transport = ThreadedTransport(Noting(ConnectionFailed("local", "gone")))
    with pytest.raises(ConnectionFailed, match="gone"):
        asyncio.run(transport.send(REQUEST))


def test_streams_and_closes() -> None:
    """A stream keeps its status and headers, ends with nothing, and closes the inner one."""
    inner = Noting("It is a sign.")

    async def read() -> bytes:
        transport = ThreadedTransport(inner)
        stream = await transport.open(REQUEST)
        assert (stream.status, stream.headers) == (200, {"content-type": "text/event-stream"})
        body = b""
        while chunk := await stream.read():
            body += chunk
        await stream.close()
        await transport.close()
        return body

    assert asyncio.run(read()).endswith(b"[DONE]\n\n")
    assert inner.stream is not None
    assert inner.stream.is_closed
    assert inner.is_closed


def test_does_not_hold_up_the_loop() -> None:
    """While one call blocks the loop goes on."""
    begun, may_go = threading.Event(), threading.Event()

    class Slow(FakeTransport):
        def send(self, request: Request) -> Response:
            begun.set()
            assert may_go.wait(10)
            return super().send(request)

    async def both() -> Response:
        task = asyncio.create_task(ThreadedTransport(Slow("Yes.")).send(REQUEST))
        await asyncio.to_thread(begun.wait, 10)
        may_go.set()
        return await task

    assert asyncio.run(both()).status == 200
