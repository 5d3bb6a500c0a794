"""One engine and one gateway for all tests of a module; each test begins with nothing asked."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from api_server import ApiServer, serve, whole

from gateway.running import Running, gateway


@pytest.fixture(scope="module")
def engine() -> Iterator[ApiServer]:
    with serve() as api:
        yield api


@pytest.fixture(scope="module")
def running(engine: ApiServer) -> Iterator[Running]:
    with gateway(engine) as made:
        # An engine is asked once whether it has files; this one has.
        engine.script.append(whole({"object": "list", "data": []}))
        engine.script.append(whole({"object": "list", "data": []}))
        httpx.get(f"{made.url}/files").raise_for_status()
        yield made


@pytest.fixture(scope="module")
def offline() -> Iterator[Running]:
    with gateway(client={"engine": "local"}) as made:
        yield made


@pytest.fixture(autouse=True)
def _nothing_asked(request: pytest.FixtureRequest) -> None:
    if "engine" in request.fixturenames:
        engine = request.getfixturevalue("engine")
        engine.script.clear()
        engine.requests.clear()
