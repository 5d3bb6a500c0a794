"""A blocking transport for an event loop: each call in a thread. For engines in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from eyeline.core.wire import Request, Response
from eyeline.ports import ResponseStream, Transport


class ThreadedTransport:
    """The AsyncTransport over a blocking one."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    async def send(self, request: Request) -> Response:
        return await asyncio.to_thread(self.transport.send, request)

    async def open(self, request: Request) -> ThreadedStream:
        return ThreadedStream(await asyncio.to_thread(self.transport.open, request))

    async def close(self) -> None:
        await asyncio.to_thread(self.transport.close)


class ThreadedStream:
    """The AsyncResponseStream over a blocking one."""

    def __init__(self, stream: ResponseStream) -> None:
        self.stream = stream
        self.status = stream.status
        self.headers: Mapping[str, str] = stream.headers

    async def read(self) -> bytes:
        return await asyncio.to_thread(self.stream.read)

    async def close(self) -> None:
        await asyncio.to_thread(self.stream.close)
