"""The page's own files, read once and served from memory."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from mimetypes import guess_type
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

# No address outside, nothing inline; pictures are shown from memory.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-cache",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def routes() -> list[Route]:
    """Give a route for each file of the page, at its own name; index.html is also at /."""
    folder = files("eyeline.gateway") / "page"
    found = [file for file in folder.iterdir() if file.is_file()] if folder.is_dir() else []
    made = [route(f"/{file.name}", file) for file in found]
    return made + [route("/", file) for file in found if file.name == "index.html"]


def route(path: str, file: Traversable) -> Route:
    body = file.read_bytes()
    kind = guess_type(file.name)[0] or "application/octet-stream"
    kind = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    headers = {**HEADERS, "content-type": kind, "etag": f'"{sha256(body).hexdigest()[:32]}"'}

    async def give(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers)

    return Route(path, give)
