"""The ASGI app: an OpenAI-compatible API that makes images right on their way, and the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eyeline.adapters.http_async import AiohttpTransport
from eyeline.adapters.shelf import SqliteShelf
from eyeline.client import AsyncClient
from eyeline.gateway import desk, static
from eyeline.gateway.api import Api
from eyeline.gateway.batches import Batches
from eyeline.gateway.door import Door
from eyeline.gateway.either import Having, either
from eyeline.gateway.journal import Journal
from eyeline.gateway.local import open_shelf, serve_here
from eyeline.gateway.metrics import Metrics
from eyeline.gateway.models import Models
from eyeline.gateway.options import Options
from eyeline.gateway.passage import FILES, MODELS, RESPONSES, Passage
from eyeline.gateway.reading import ClientGone
from eyeline.gateway.refusals import Refused
from eyeline.gateway.stored import Stored
from eyeline.gateway.tracing import Tracing
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
    metrics = Metrics(options.metrics_folder)
    api = Api(client, options)
    shelf = open_shelf(client.wiring)
    batches = Batches(shelf, options.bounds, api.answer, client.wiring.in_flight())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with client:
            batches.resume()
            yield
            await batches.close()
            shelf.close()

    app = Starlette(
        routes=[
            *page,
            Route("/healthz", healthz),
            Route("/metrics", partial(numbers, metrics)),
            *twice([*api.routes(), *engines(api, options, shelf, batches)]),
            *desk.routes(client.wiring, options.bounds),
        ],
        lifespan=lifespan,
        middleware=[
            Middleware(Journal, metrics, Tracing(client.wiring.engine)),
            Middleware(Door, options, open_paths),
        ],
        exception_handlers={Refused: refused, ClientGone: gone, HTTPException: unknown},
    )
    app.state.chosen = client.wiring.chosen
    return app


def engines(api: Api, options: Options, shelf: SqliteShelf, batches: Batches) -> list[Route]:
    """Give the endpoints without images: passed to the engine, or answered for it here."""
    wiring, transport = api.wiring, api.client.driver.transport
    here = [*batches.files.routes(), *batches.routes()]
    if not isinstance(transport, AiohttpTransport):
        if not wiring.gguf:
            serve_here(api.client, shelf, api.find)
        return [*Models(wiring).routes(), *Stored(shelf).routes(), *here]
    timeout_s = wiring.options.get("timeout_s") or TIMEOUT_S
    has_budget = wiring.outside.limits.budget is not None
    passage = Passage(transport, options.bounds, timeout_s, has_budget=has_budget)
    having = Having(transport, is_sure=wiring.engine.needs_key)
    passed = passage.routes((*MODELS, *RESPONSES))
    return [*passed, *either(having, passage.routes(FILES), here)]


def twice(given: Sequence[Route]) -> list[Route]:
    return [
        Route(f"{prefix}{route.path}", route.endpoint, methods=list(route.methods or ()))
        for route in given
        for prefix in ("/v1", "")
    ]


async def healthz(request: Request) -> Response:
    """Say that the gateway is up."""
    return JSONResponse({"status": "ok", "version": VERSION})


def numbers(metrics: Metrics, request: Request) -> Response:
    """Give the numbers of this gateway, all its workers together."""
    return Response(metrics.text(), media_type="text/plain; version=0.0.4")


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
