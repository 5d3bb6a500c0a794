"""A gateway that really listens, in a thread of the test's process."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import openai
import pytest
import uvicorn
from api_server import ApiServer

from eyeline.gateway.options import Options
from eyeline.gateway.serve import address, config, listen


@dataclass(frozen=True)
class Running:
    """Where a gateway is, and the engine behind it, if that is on loopback too."""

    origin: str
    api: ApiServer | None = None

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"

    @property
    def engine(self) -> ApiServer:
        assert self.api is not None
        return self.api

    def client(self, **options: Any) -> openai.OpenAI:
        return openai.OpenAI(api_key="any", base_url=self.url, max_retries=0, **options)


@contextmanager
def gateway(
    api: ApiServer | None = None, *, environ: Mapping[str, str] | None = None, **options: Any
) -> Iterator[Running]:
    """
    Run a gateway of these options, with a cache of its own; by default before `api`. `environ` is
    all that it finds of settings in its environment.
    """
    if api is not None:
        options["client"] = {"base_url": api.url, **options.get("client", {})}
    made = Options(port=0, **options)
    with TemporaryDirectory() as folder:
        # Settings are read when the gateway is made; what runs beside it must not find them.
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {"EYELINE_CACHE_DIR": folder, **(environ or {})}.items():
                patch.setenv(name, value)
            server = uvicorn.Server(config(made))
        listener = listen(made)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield Running(address(made, listener), api)
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()
