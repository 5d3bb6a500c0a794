"""The ASGI app: an OpenAI-compatible API that makes images right on their way, and the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from eyeline.adapters.http_async import AiohttpTransport
from eyeline.client import AsyncClient
from eyeline.gateway import desk, static
from eyeline.gateway.api import Api
from eyeline.gateway.door import Door
from eyeline.gateway.files import Files
from eyeline.gateway.local import open_shelf, serve_here
from eyeline.gateway.models import Models
from eyeline.gateway.options import Options
from eyeline.gateway.passage import FILES, MODELS, RESPONSES, Passage
from eyeline.gateway.reading import ClientGone
from eyeline.gateway.refusals import Refused
from eyeline.gateway.stored import Stored
from eyeline.version import VERSION
from eyeline.wiring import TIMEOUT_S


def make_app(options: Options | None = None) -> Starlette:
    """
    Make the gateway for an engine. Raises an EyelineError where that engine cannot be used.
    """
    options = options or Options()
    client = AsyncClient(**options.client)
    page = static.routes()
    open_paths = {"/healthz", *(route.path for route in page)}

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    return Starlette(
        routes=[*page, *routes(client, options)],
        lifespan=lifespan,
        middleware=[Middleware(Door, options, open_paths)],
        exception_handlers={Refused: refused, ClientGone: gone, HTTPException: unknown},
    )


def routes(client: AsyncClient, options: Options) -> list[BaseRoute]:
    """Give every endpoint; those of the API also without the `/v1` before them."""
    api = Api(client, options)
    return [
        Route("/healthz", healthz),
        *twice([*api.routes(), *engines(api, options)]),
        *desk.routes(client.wiring, options.bounds),
    ]


def engines(api: Api, options: Options) -> list[Route]:
    """Give the endpoints without images: passed to the engine, or answered for it here."""
    wiring, transport = api.wiring, api.client.driver.transport
    if isinstance(transport, AiohttpTransport):
        timeout_s = wiring.options.get("timeout_s") or TIMEOUT_S
        has_budget = wiring.outside.limits.budget is not None
        passage = Passage(transport, options.bounds, timeout_s, has_budget=has_budget)
        return passage.routes((*MODELS, *FILES, *RESPONSES))
    shelf = open_shelf(wiring)
    if not wiring.gguf:
        serve_here(api.client, shelf, api.find)
    kept = [*Files(shelf, options.bounds).routes(), *Stored(shelf).routes()]
    return [*Models(wiring).routes(), *kept]


def twice(given: Sequence[Route]) -> list[Route]:
    return [
        Route(f"{prefix}{route.path}", route.endpoint, methods=list(route.methods or ()))
        for route in given
        for prefix in ("/v1", "")
    ]


async def healthz(request: Request) -> Response:
    """Say that the gateway is up."""
    return JSONResponse({"status": "ok", "version": VERSION})


async def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.response()


async def gone(request: Request, error: Exception) -> Response:
    """Nobody is there to read this."""
    return Response(status_code=499)


async def unknown(request: Request, error: Exception) -> Response:
    """Say that there is no such endpoint, or not for this method, as the API says it."""
    assert isinstance(error, HTTPException)
    said = f"Invalid URL ({request.method} {request.url.path})"
    return Refused(error.status_code, said).response()
