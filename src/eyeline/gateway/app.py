"""The ASGI app: an OpenAI-compatible API that makes images right on their way, and the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from eyeline.client import AsyncClient
from eyeline.gateway import static
from eyeline.gateway.models import Models
from eyeline.gateway.options import Options
from eyeline.version import VERSION
from eyeline.wiring import Wiring


def make_app(options: Options | None = None) -> Starlette:
    """
    Make the gateway for an engine. Raises an EyelineError where that engine cannot be used.
    """
    client = AsyncClient(**(options or Options()).client)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    return Starlette(routes=routes(client), lifespan=lifespan)


def routes(client: AsyncClient) -> list[BaseRoute]:
    """Give every endpoint; those of the API also without the `/v1` before them."""
    return [
        Route("/healthz", healthz),
        *twice(Models(client.wiring).routes()),
        *desk(client.wiring),
        *static.routes(),
    ]


def twice(given: Sequence[Route]) -> list[Route]:
    return [
        Route(f"{prefix}{route.path}", route.endpoint, methods=list(route.methods or ()))
        for route in given
        for prefix in ("/v1", "")
    ]


def desk(wiring: Wiring) -> Sequence[BaseRoute]:
    """Give the endpoints that only the page asks."""
    if find_spec("eyeline.gateway.desk") is None:
        return ()
    from eyeline.gateway.desk import routes

    return routes(wiring)


async def healthz(request: Request) -> Response:
    """Say that the gateway is up."""
    return JSONResponse({"status": "ok", "version": VERSION})
