"""The endpoints that bodies with images come to: mended, and relayed from the engine."""

from __future__ import annotations

from asyncio import to_thread
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eyeline.client import AsyncClient
from eyeline.core.catalogue import Model, local_model
from eyeline.core.cost import NOTHING_TO_PAY
from eyeline.core.dialect import STANDARD
from eyeline.core.wire import Response as Answered
from eyeline.drivers import Driver
from eyeline.effects import Head, Relay
from eyeline.errors import EyelineError
from eyeline.gateway.journal import entry_of
from eyeline.gateway.options import Options
from eyeline.gateway.reading import read_body
from eyeline.gateway.refusals import refusal
from eyeline.gateway.relaying import Relaying, passed_on
from eyeline.relay import APIS, Posted, Road, relay
from eyeline.relay_body import Way, mend_body
from eyeline.wiring import TIMEOUT_S

# To decode and name a larger body takes longer than others should wait for the event loop.
IN_LOOP_BYTES_MAX = 2**20


class Api:
    """Takes bodies of Chat Completions and Responses, and gives what their engine answers."""

    def __init__(self, client: AsyncClient, options: Options) -> None:
        self.client, self.wiring, self.options = client, client.wiring, options

    def routes(self) -> list[Route]:
        return [Route(path, self.post, methods=["POST"]) for path in APIS]

    async def post(self, request: Request) -> Response:
        path = request.scope["path"].removeprefix("/v1")
        body = await read_body(request, self.options.bounds)
        caching = request.headers.get("cache-control", "")
        posted = Posted(
            path=path,
            body=body,
            headers=passed_on(request.headers),
            cache="no-store" not in caching and self.wiring.outside.cache is not None,
            refresh="no-cache" in caching,
        )
        entry_of(request.scope).api = posted.api
        road, made = self.road(), None
        if len(body) > IN_LOOP_BYTES_MAX:
            mending = mend_body(body, posted.api, road.way)
            made = await to_thread(Driver(self.wiring.outside, None).run, mending)
        steps = self.client.driver.steps(relay(posted, road, made))
        return Relaying(steps, self.options.bounds.piece_s)

    async def answer(self, path: str, body: bytes) -> Answered:
        """Give the whole response to a body, errors included, as a client would get it."""
        posted = Posted(path.removeprefix("/v1"), body, cache=self.wiring.outside.cache is not None)
        head, made = Head(500, {}, {}), bytearray()
        try:
            async for step in self.client.driver.steps(relay(posted, self.road())):
                piece = step.piece if isinstance(step, Relay) else None
                if isinstance(piece, Head):
                    head = piece
                elif piece is not None:
                    made += piece
        except EyelineError as error:
            said = refusal(error)
            return Answered(said.status_code, {}, bytes(said.body))
        return Answered(head.status, head.headers, bytes(made))

    def road(self) -> Road:
        wiring = self.wiring
        engine = wiring.engine
        way = Way(
            engine=engine,
            find=self.find,
            dialect=STANDARD if engine.is_local else wiring.outside.recall(engine.base_url),
            allow_hosts=wiring.allow_hosts,
            whole=engine.is_local and not wiring.gguf,
            model=wiring.options.get("model") or "",
            images_max=self.options.bounds.images_max,
            pixels_max=self.options.bounds.pixels_max,
        )
        return Road(way, timeout_s=wiring.options.get("timeout_s") or TIMEOUT_S)

    def find(self, name: str) -> Model:
        """Give the model that a body names; here the reader stands in for any, free of charge."""
        if not self.wiring.engine.is_local:
            return self.wiring.model(name or None)
        if self.wiring.gguf:
            return local_model(self.wiring.gguf)
        stood_for = self.wiring.catalogue.find(name)
        return replace(stood_for, price=NOTHING_TO_PAY, overridden=True)
