"""Responses that were answered in this process, and are kept for who asks for them again."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eyeline.gateway.listing import listing
from eyeline.gateway.refusals import Refused, missing
from eyeline.local.service import STORED, listed_items
from eyeline.ports import Shelf


class Stored:
    """Gives, lists and deletes stored responses."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def routes(self) -> list[Route]:
        return [
            Route("/responses/{id}", self.one),
            Route("/responses/{id}", self.delete, methods=["DELETE"]),
            Route("/responses/{id}/cancel", self.cancel, methods=["POST"]),
            Route("/responses/{id}/input_items", self.input_items),
        ]

    def one(self, request: Request) -> Response:
        return JSONResponse(self.kept(request)["response"])

    def delete(self, request: Request) -> Response:
        self.kept(request)
        named = {"id": request.path_params["id"], "object": "response"}
        self.shelf.delete(STORED, named["id"])
        return JSONResponse({**named, "deleted": True})

    def cancel(self, request: Request) -> Response:
        self.kept(request)
        raise Refused(400, "Cannot cancel a synchronous response.")

    def input_items(self, request: Request) -> Response:
        items = listed_items(request.path_params["id"], self.kept(request)["input"])
        return JSONResponse(listing(items[::-1], request.query_params))

    def kept(self, request: Request) -> dict[str, Any]:
        id = request.path_params["id"]
        found = self.shelf.get(STORED, id)
        if found is None:
            raise missing(f"Response with id '{id}' not found.", code="not_found")
        return found
