"""`/v1/models` where the engine is in this process: what it stands in for, from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eyeline.core.catalogue import Model
from eyeline.gateway.refusals import missing
from eyeline.wiring import Wiring

# When models became known is no fact of ours; the field is of the shape, and must be a time.
CREATED_S = 0


class Models:
    """Lists the models that a request may name."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring

    def routes(self) -> list[Route]:
        return [Route("/models", self.all), Route("/models/{name:path}", self.one)]

    async def all(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": list(map(described, self.offered()))})

    async def one(self, request: Request) -> Response:
        name = request.path_params["name"]
        for model in self.offered():
            if model.name == name:
                return JSONResponse(described(model))
        message = f"The model '{name}' does not exist or you do not have access to it."
        raise missing(message, "model", "model_not_found")

    def offered(self) -> Iterator[Model]:
        """Give the model that answers, and every known one that it may stand in for."""
        if self.wiring.engine.is_local:
            yield self.wiring.model(None)
        yield from self.wiring.catalogue.models


def described(model: Model) -> dict[str, Any]:
    return {
        "id": model.name,
        "object": "model",
        "created": CREATED_S,
        "owned_by": "eyeline" if model.rule is None else "openai",
    }
