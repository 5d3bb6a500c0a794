"""A gateway that really listens, in a thread of the test's process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from eyeline.gateway.options import Options
from eyeline.gateway.serve import address, config, listen


@dataclass(frozen=True)
class Running:
    """Where a gateway is."""

    origin: str

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"


@contextmanager
def gateway(**options: object) -> Iterator[Running]:
    """Run a gateway of these options; what `client` is for `eyeline.Client` is there too."""
    made = Options(port=0, **options)  # type: ignore[arg-type]
    listener = listen(made)
    server = uvicorn.Server(config(made))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield Running(address(made, listener))
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
