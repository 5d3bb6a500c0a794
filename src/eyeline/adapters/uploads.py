"""Bodies on their way up: so many bytes at a time, each let go once it is out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from aiohttp import Payload
from aiohttp.abc import AbstractStreamWriter

from eyeline.core.wire import Request

# A call of the kernel takes as long as to put so many bytes together.
JOINED_BYTES_MAX = 2**19


class Gate:
    """
    Admits so many bytes at a time, first come first served; what is larger than that goes alone.

    Who waits for an answer holds nothing here, so it limits what is in memory, not what is in
    flight.
    """

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = self.free_bytes = bytes_max
        self.waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def enter(self, size_bytes: int) -> Callable[[], None]:
        """Wait for a place, and give what leaves it again; to leave twice does no harm."""
        taken = min(size_bytes, self.bytes_max)
        if self.waiting or taken > self.free_bytes:
            turn = asyncio.get_running_loop().create_future()
            self.waiting.append((taken, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():  # admitted in the moment it was given up
                    self.leave(taken)
                self.admit()
                raise
        else:
            self.free_bytes -= taken
        return Leave(self, taken)

    def leave(self, size_bytes: int) -> None:
        self.free_bytes += size_bytes
        self.admit()

    def admit(self) -> None:
        while self.waiting:
            size_bytes, turn = self.waiting[0]
            if turn.cancelled():
                self.waiting.popleft()
            elif size_bytes <= self.free_bytes:
                self.waiting.popleft()
                self.free_bytes -= size_bytes
                turn.set_result(None)
            else:
                return


class Leave:
    """Leaves a gate, once."""

    def __init__(self, gate: Gate, size_bytes: int) -> None:
        self.gate, self.size_bytes = gate, size_bytes

    def __call__(self) -> None:
        left, self.size_bytes = self.size_bytes, 0
        if left:
            self.gate.leave(left)


class Upload(Payload):
    """
    A request's body, put together when aiohttp writes it out, and held no longer than that;
    `on_sent` is then called.
    """

    def __init__(self, request: Request, on_sent: Callable[[], None]) -> None:
        super().__init__(None, content_type="application/json")
        self._size, self.request, self.on_sent = request.size_bytes, request, on_sent

    async def write(self, writer: AbstractStreamWriter) -> None:
        try:
            pieces = self.request.pieces()
            if self._size is not None and self._size <= JOINED_BYTES_MAX:
                pieces = [b"".join(pieces)]
            # Else aiohttp puts them together with the first piece, which copies that.
            if len(pieces[0]) > JOINED_BYTES_MAX:
                writer.send_headers()
            pieces.reverse()
            while pieces:
                await writer.write(pieces.pop())
        finally:
            self.on_sent()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise NotImplementedError  # for aiohttp's digest authentication alone
