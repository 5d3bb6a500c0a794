"""
The page's own endpoints, under `/eyeline/`: the models there are, what each sees of a picture and
bills for it, and what an answer cost. They send nothing and keep nothing.
"""

from __future__ import annotations

import json
from datetime import date
from io import BytesIO
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eyeline.core.catalogue import Model, local_model
from eyeline.core.cost import FREE, Usage, cost_usd
from eyeline.core.engine import is_gguf
from eyeline.core.engine import shown as shown_url
from eyeline.core.question import choose_detail
from eyeline.core.reference import (
    BytesRef,
    DataUrlRef,
    Reference,
    StreamRef,
    UrlRef,
    parse_file,
    shown,
)
from eyeline.drivers import AsyncDriver
from eyeline.errors import BadReference, EyelineError, ImageEmpty, SettingsError
from eyeline.gateway.options import Bounds
from eyeline.gateway.reading import ClientGone, read_body
from eyeline.gateway.refusals import Refused
from eyeline.gateway.sight import dollars, model_json, see, sight_json
from eyeline.version import VERSION
from eyeline.wiring import Wiring

NAME_CHARS_MAX = 120


def routes(wiring: Wiring, bounds: Bounds) -> list[Route]:
    """Give the endpoints of the page, for the engine of a client's wiring."""
    desk = Desk(wiring, bounds)
    return [
        Route("/eyeline/models", desk.models),
        Route("/eyeline/look", desk.look, methods=["POST"]),
        Route("/eyeline/cost", desk.cost),
    ]


class Desk:
    """Answers the page from the same plan as `show` and `estimate`."""

    def __init__(self, wiring: Wiring, bounds: Bounds) -> None:
        self.wiring, self.bounds = wiring, bounds
        self.driver = AsyncDriver(wiring.outside, None)

    async def models(self, request: Request) -> Response:
        """Say which engine answers, and list the models that see, the default first named."""
        chosen, today = self.wiring.chosen, str(date.today())
        return JSONResponse({
            "version": VERSION,
            "engine": {
                "name": chosen.engine.name,
                "base_url": shown_url(chosen.engine.base_url),
                "is_local": chosen.engine.is_local,
                "is_fallback": chosen.is_fallback,
            },
            "model": self.wiring.model(None).name,
            "detail": self.wanted(),
            "models": [model_json(model, today) for model in self.offered(today)],
        })  # fmt: skip

    def offered(self, today: str) -> list[Model]:
        """Give the models to choose from: what runs in this process, and the catalogue's."""
        here = [self.wiring.model(None)] if self.wiring.engine.is_local else []
        known = self.wiring.catalogue.models
        return [*here, *(model for model in known if not model.is_shut_down(today))]

    def wanted(self) -> str:
        """Give the detail that was set, which not every model has; our `auto` is `high`."""
        wanted = self.wiring.options.get("detail") or self.wiring.settings.detail
        return "high" if wanted == "auto" else wanted

    async def look(self, request: Request) -> Response:
        """Give a picture as a model would see it, and what every model would bill for it."""
        try:
            reference = read_reference(request, await read_body(request, self.bounds))
            model = self.model(request.query_params.get("model") or "")
            detail = choose_detail(request.query_params.get("detail") or "auto", model)
            engine = self.wiring.engine
            sight = await self.driver.run(see(reference, model, detail, engine))
        except EyelineError as error:
            return refusal(error)
        except Refused as refused:
            return refused.response()
        except ClientGone:
            return Response(status_code=499)
        models = {each.name: each for each in (*self.offered(str(date.today())), model)}
        return JSONResponse(sight_json(sight, list(models.values()), engine))

    async def cost(self, request: Request) -> Response:
        """Price an answer by the usage that came with it; null where the price is unknown."""
        query = request.query_params
        try:
            counts = [
                count(name, query.get(name, "0"))
                for name in ("input_tokens", "output_tokens", "cached_tokens")
            ]
            model = self.model(query.get("model") or "")
        except EyelineError as error:
            return refusal(error)
        free = self.wiring.engine.is_local
        usd = FREE if free else cost_usd(Usage(*counts), model.price)
        return JSONResponse({"cost_usd": dollars(usd)})

    def model(self, name: str) -> Model:
        """Give a model by name, whoever answers in its place; by default the engine's."""
        if not name:
            return self.wiring.model(None)
        return local_model(name) if is_gguf(name) else self.wiring.catalogue.find(name)


# --- what is asked ------------------------------------------------------------------------------


class Upload(BytesIO):
    """A picture's bytes under the name it had where it came from."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def read_reference(request: Request, body: bytes) -> Reference:
    """Read the picture that is meant: the body's bytes, or a URL as `{"url": …}`; never a path."""
    name = file_name(request.query_params.get("name") or "")
    if request.headers.get("content-type", "").startswith("application/json"):
        return read_url(body)
    if not body:
        raise ImageEmpty(name)
    return StreamRef(Upload(body, name))


def file_name(text: str) -> str:
    """Give the last part of a name, short and printable; what it is called in errors."""
    name = text.replace("\\", "/").rpartition("/")[2]
    return "".join(filter(str.isprintable, name))[-NAME_CHARS_MAX:] or "picture"


def read_url(body: bytes) -> Reference:
    try:
        url = json.loads(body)["url"]
    except (ValueError, KeyError, TypeError):
        raise BadReference("the body", 'no {"url": …} and no picture') from None
    reference = parse_file(url) if isinstance(url, str) else BytesRef(b"")
    if not isinstance(reference, UrlRef | DataUrlRef):
        raise BadReference(shown(str(url)), "expected an http, https or data URL")
    return reference


def count(name: str, text: str) -> int:
    if not text.isdecimal() or len(text) > 12:
        raise SettingsError(name, shown(text), "a number of tokens")
    return int(text)


def refusal(error: EyelineError) -> Response:
    """Give an error as the page shows it: what was found, what was expected, what to do."""
    said: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
    return JSONResponse({"error": said | {"hint": error.hint}}, 400)
