"""Bodies read within limits of size and time."""

from __future__ import annotations

from asyncio import timeout
from collections.abc import Mapping
from io import BytesIO

from starlette.requests import Request

from eyeline.gateway.options import Bounds
from eyeline.gateway.refusals import Refused

# So much of a body must have come before there is room made for all that was promised.
GROWN_BYTES_MAX = 4 * 2**20


class ClientGone(Exception):
    """The client left before its request was whole; nobody is there to be told."""


async def read_body(request: Request, bounds: Bounds) -> bytes:
    """
    Read a body whole, holding it once. Raises Refused for one that is too long or too slow,
    ClientGone where the client left.
    """
    refuse_length(request.headers, bounds.body_bytes_max)
    try:
        async with timeout(bounds.body_s):
            return await read_all(request, bounds)
    except TimeoutError:
        raise Refused(408, "The request's body took too long to arrive.", "timeout") from None


async def read_all(request: Request, bounds: Bounds) -> bytes:
    whole, more, declared = BytesIO(), True, declared_bytes(request.headers)
    while more:
        piece, more = await next_piece(request, bounds)
        if whole.tell() + len(piece) > bounds.body_bytes_max:
            raise too_long(bounds.body_bytes_max)
        whole.write(piece)
        if whole.tell() > GROWN_BYTES_MAX and declared:
            make_room(whole, declared)
            declared = 0
    # The very bytes that were written, not a copy of them.
    return whole.getvalue()


async def next_piece(request: Request, bounds: Bounds) -> tuple[bytes, bool]:
    """Give the next bytes of a body, and whether there are more."""
    async with timeout(bounds.piece_s):
        message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), message.get("more_body", False)


def make_room(whole: BytesIO, size_bytes: int) -> None:
    """Let a buffer have its last size at once: grown step by step it would leave as much behind."""
    at = whole.tell()
    if at < size_bytes:
        whole.seek(size_bytes - 1)
        whole.write(b"\0")
        whole.seek(at)


def declared_bytes(headers: Mapping[str, str]) -> int:
    """Give the length that a body says it has, 0 where it does not."""
    declared = headers.get("content-length", "")
    return int(declared) if declared.isdecimal() else 0


def refuse_length(headers: Mapping[str, str], bytes_max: int) -> None:
    """Refuse a body that says itself that it is too long, before it is read."""
    if declared_bytes(headers) > bytes_max:
        raise too_long(bytes_max)


def too_long(bytes_max: int) -> Refused:
    message = f"The request's body is longer than the {bytes_max:,} bytes that this gateway takes."
    return Refused(413, message, "request_too_large")
