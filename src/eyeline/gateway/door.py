"""
Who may come in: the token, the name the gateway is called by, and the page a request comes from.

A page of another site can make a browser post here, and by DNS rebinding pass for a page of ours;
so names and origins are checked even where no token is asked for.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from hmac import compare_digest
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from eyeline.gateway.options import LOOPBACK, Options
from eyeline.gateway.refusals import Refused

SAFE_METHODS = ("GET", "HEAD")
ELSEWHERE = ("cross-site", "same-site")
BEARER = "bearer "


class Door:
    """Turns away what may not come in, and what would be too much at once."""

    def __init__(self, app: ASGIApp, options: Options, open_paths: Collection[str]) -> None:
        self.app, self.options = app, options
        self.open_paths = frozenset(open_paths)
        self.names = {*LOOPBACK, *options.allow_names}
        if not options.is_loopback:
            self.names |= {options.host.lower(), socket.gethostname().lower()}
        self.in_flight = self.held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        size_bytes = self.size_bytes(headers)
        try:
            self.judge(scope["method"], scope["path"], headers, size_bytes)
        except Refused as refused:
            await refused.response()(scope, receive, send)
            return
        self.in_flight += 1
        self.held_bytes += size_bytes
        try:
            await self.app(scope, receive, send)
        finally:
            self.in_flight -= 1
            self.held_bytes -= size_bytes

    def size_bytes(self, headers: Headers) -> int:
        """Give what a body may take of memory; a file is not held."""
        most, declared = self.options.bounds.body_bytes_max, headers.get("content-length", "")
        if headers.get("content-type", "").startswith("multipart/"):
            return 0
        if declared.isdecimal():
            return min(int(declared), most)
        return most if "transfer-encoding" in headers else 0

    def judge(self, method: str, path: str, headers: Headers, size_bytes: int) -> None:
        """Raise Refused for what may not come in."""
        host = headers.get("host", "")
        if not self.is_ours(host_name(host)):
            message = f"This gateway is not called {host!r}; --allow-host names it."
            raise Refused(421, message, "wrong_host")
        if is_from_elsewhere(method, host, headers):
            raise Refused(403, "Pages of other sites may not ask this gateway.", "wrong_origin")
        if path in self.open_paths:
            return
        if self.options.token and not self.has_token(headers):
            message = "The key is not this gateway's token."
            raise Refused(401, message, "invalid_api_key")
        self.refuse_too_much(size_bytes)

    def refuse_too_much(self, size_bytes: int) -> None:
        bounds = self.options.bounds
        if self.in_flight >= bounds.in_flight_max:
            message = f"This gateway has {self.in_flight:,} requests in flight, and takes no more."
            raise Refused(503, message, "server_is_overloaded")
        if self.held_bytes + size_bytes > bounds.held_bytes_max:
            message = f"This gateway holds {self.held_bytes:,} bytes of requests already."
            raise Refused(503, message, "server_is_overloaded")

    def is_ours(self, name: str) -> bool:
        """Say whether a name is the gateway's. An address is nobody's to rebind."""
        return name in self.names or (not self.options.is_loopback and is_address(name))

    def has_token(self, headers: Headers) -> bool:
        given = headers.get("authorization", "")
        if given[: len(BEARER)].lower() != BEARER:
            return False
        token = given[len(BEARER) :].strip().encode()
        return compare_digest(token, self.options.token.reveal().encode())


def host_name(host: str) -> str:
    """Give the name in a Host header, "" where there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_from_elsewhere(method: str, host: str, headers: Headers) -> bool:
    """Say whether a browser sent this for a page that is not the gateway's own."""
    origin = headers.get("origin")
    if origin is not None:
        return origin.partition("://")[2].lower() != host.lower()
    # A link from elsewhere may open the page; browsers say so, and say nothing else of it.
    return method not in SAFE_METHODS and headers.get("sec-fetch-site") in (
        "cross-site",
        "same-site",
    )
