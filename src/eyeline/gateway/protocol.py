"""uvicorn's protocol, impatient: headers must come in time and be no longer than headers are."""

from __future__ import annotations

from asyncio import BaseTransport, TimerHandle
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from eyeline.core.engine import Chosen
from eyeline.gateway.options import Bounds

HEADERS_BYTES_MAX = 64 * 1024


class Config(uvicorn.Config):
    """uvicorn's settings, and the gateway's limits where its protocol finds them."""

    def __init__(self, app: Starlette, bounds: Bounds, **settings: Any) -> None:
        self.bounds = bounds
        self.chosen: Chosen = app.state.chosen
        super().__init__(
            app,
            http=ImpatientProtocol,
            timeout_keep_alive=int(bounds.idle_s),
            limit_concurrency=bounds.connections_max,
            **settings,
        )


class ImpatientProtocol(HttpToolsProtocol):
    """Closes a connection whose next headers do not come in time, or have no end."""

    deadline: TimerHandle | None = None
    headers_bytes = 0

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]  # as uvicorn declares it
        self.wait_for_headers()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.wait_for_headers()

    def on_headers_complete(self) -> None:
        self.stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.deadline is not None:
            self.headers_bytes += len(data)
            if self.headers_bytes > HEADERS_BYTES_MAX:
                self.hang_up()

    def wait_for_headers(self) -> None:
        if self.deadline is None:
            bounds: Bounds = self.config.bounds  # type: ignore[attr-defined]  # our Config
            self.headers_bytes = 0
            self.deadline = self.loop.call_later(bounds.headers_s, self.hang_up)

    def stop_waiting(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def hang_up(self) -> None:
        self.stop_waiting()
        self.transport.close()
