"""
Image URLs, fetched as `core.guard` judged them, over connections to the very addresses it saw.

No proxy stands between, since it would resolve the name anew. Each redirect is judged again; bytes,
as sent and as unpacked, redirects and time are bounded.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urljoin

from eyeline.core.guard import HostUnreachable, Resolve, Target, judge
from eyeline.core.reference import Loaded
from eyeline.errors import FetchError, FetchRefused, ImageTooLarge
from eyeline.version import USER_AGENT

CHUNK_BYTES = 256 * 1024
REDIRECTS = {301, 302, 303, 307, 308}
# Of a host's addresses so many are tried, until one takes the connection.
ADDRESSES_MAX = 4
HEADERS = {
    "User-Agent": USER_AGENT,
    "Accept": "image/*,*/*;q=0.5",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one fetch may take at most; `read_s` is how long nothing may come."""

    size_bytes: int = 100 * 10**6
    redirects: int = 5
    connect_s: float = 10.0
    read_s: float = 20.0
    total_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Errand:
    """One fetch: for which image, which bytes of it are wanted, and when it must be done."""

    source: str
    start: int
    bytes_max: int | None
    bounds: Bounds
    ends_s: float

    def left_s(self, wanted_s: float) -> float:
        """Give how long may be waited now. Raises TimeoutError where no time is left."""
        left_s = self.ends_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return min(left_s, wanted_s)

    def reason(self, error: BaseException) -> str:
        """Say what failed in the system's words."""
        if not isinstance(error, TimeoutError):
            return getattr(error, "strerror", None) or str(error) or type(error).__name__
        is_over = time.monotonic() >= self.ends_s
        return f"not done within {self.bounds.total_s:g} s" if is_over else "nothing came in time"


def resolve(host: str, port: int, source: str) -> list[str]:
    """Ask the system for the addresses of a host."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise HostUnreachable(source, f"the host {host} is not known") from None
    return [str(entry[4][0]) for entry in found]


def fetch(  # noqa: PLR0913  # what is wanted, and what is allowed
    url: str,
    source: str,
    allowed: Collection[str] = (),
    bytes_max: int | None = None,
    resolve: Resolve = resolve,
    bounds: Bounds = Bounds(),
    start: int = 0,
) -> Loaded:
    """
    Fetch what is at an http(s) URL, and the type its server declares.

    With `bytes_max` ask for so many from `start`, and read no more if the server sends more. Raises
    FetchError, FetchRefused or ImageTooLarge.
    """
    errand = Errand(source, start, bytes_max, bounds, time.monotonic() + bounds.total_s)
    for _ in range(bounds.redirects + 1):
        target = judge(url, source, allowed, resolve)
        try:
            with connected(target, errand) as wire:
                response = asked(wire, target, errand)
                if response.status not in REDIRECTS:
                    return received(response, errand)
                url = redirected(url, response, source)
        except (OSError, HTTPException, zlib.error) as error:
            raise FetchError(source, errand.reason(error)) from None
    raise FetchError(source, f"more than {bounds.redirects} redirects")


def redirected(url: str, response: HTTPResponse, source: str) -> str:
    location = response.headers.get("location")
    if not location:
        raise FetchError(source, f"the server answered {response.status} without an address")
    # Servers send UTF-8 there as it is, which the library takes for Latin-1.
    location = location.encode("latin-1", "replace").decode("utf-8", "replace")
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise FetchRefused(source, f"redirected to no address: {error}") from None


# --- the connection -----------------------------------------------------------------------------


def connected(target: Target, errand: Errand) -> socket.socket:
    """Connect to the first of the judged addresses that takes a connection."""
    failure: OSError = OSError("the host has no address")
    for address in target.addresses[:ADDRESSES_MAX]:
        try:
            return connected_to(address, target, errand)
        except ssl.SSLError:
            raise
        except OSError as error:
            failure = error
    raise HostUnreachable(errand.source, errand.reason(failure))


def connected_to(address: str, target: Target, errand: Errand) -> socket.socket:
    # Not `create_connection`, which would ask the resolver once more.
    wire = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        wire.settimeout(errand.left_s(errand.bounds.connect_s))
        wire.connect((address, target.port))
        if target.scheme == "http":
            return wire
        return trust().wrap_socket(wire, server_hostname=target.host)
    except BaseException:
        wire.close()
        raise


@lru_cache(maxsize=1)
def trust() -> ssl.SSLContext:
    return ssl.create_default_context()


class Timed(io.RawIOBase):
    """Reads a socket to the end of an errand; no drip of bytes outlasts it."""

    def __init__(self, wire: socket.socket, errand: Errand) -> None:
        self.wire, self.errand = wire, errand

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.wire.settimeout(self.errand.left_s(self.errand.bounds.read_s))
        return self.wire.recv_into(buffer)

    # What a connection of http.client asks of its socket, which is closed by whoever opened it.

    def sendall(self, data: bytes) -> None:
        self.wire.settimeout(self.errand.left_s(self.errand.bounds.read_s))
        self.wire.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self, CHUNK_BYTES)

    def close(self) -> None:
        pass


def asked(wire: socket.socket, target: Target, errand: Errand) -> HTTPResponse:
    """Ask for a target, and read the head of the response."""
    connection = HTTPConnection(target.host, target.port)
    connection.sock = Timed(wire, errand)
    headers = HEADERS | {"Host": target.authority}
    if errand.bytes_max is not None:
        headers["Range"] = f"bytes={errand.start}-{errand.start + errand.bytes_max - 1}"
    connection.request("GET", target.path, headers=headers)
    return connection.getresponse()


# --- the response -------------------------------------------------------------------------------


def received(response: HTTPResponse, errand: Errand) -> Loaded:
    check_status(response, errand)
    declared = response.headers.get("content-type") or ""
    return Loaded(read(response, errand), declared, size_of(response))


def check_status(response: HTTPResponse, errand: Errand) -> None:
    """
    Take the whole, or where a part was asked for, that part; of a beginning a server may send more.
    """
    found = f"the server answered {response.status}"
    if response.status == 206 and errand.bytes_max is not None:
        given = response.headers.get("content-range") or "no range"
        if not given.lower().startswith(f"bytes {errand.start}-"):
            wanted = f"what begins at {errand.start:,}" if errand.start else "the beginning"
            raise FetchError(errand.source, f"{found} with {given}, not {wanted}")
    elif response.status != 200 or errand.start:
        raise FetchError(errand.source, found)


def size_of(response: HTTPResponse) -> int | None:
    """Say how long the whole is of which a part came; None where the server does not say."""
    _, _, total = (response.headers.get("content-range") or "").rpartition("/")
    is_plain = response.headers.get("content-encoding", "identity").strip().lower() == "identity"
    return int(total) if total.isascii() and total.isdecimal() and is_plain else None


def read(response: HTTPResponse, errand: Errand) -> bytes:
    """Give the body, unpacked, or as much of it as is wanted."""
    limit_bytes, source = errand.bounds.size_bytes, errand.source
    wanted = limit_bytes + 1 if errand.bytes_max is None else errand.bytes_max
    unpack, body, came_bytes = unpacking(response, source), bytearray(), 0
    while len(body) < wanted and came_bytes <= limit_bytes:
        chunk = response.read1(min(CHUNK_BYTES, wanted))
        if not chunk:
            if response.length:
                raise FetchError(source, f"it broke off, {response.length:,} bytes short")
            return bytes(body)
        came_bytes += len(chunk)
        body += unpack(chunk, wanted - len(body))
    if max(len(body), came_bytes) > limit_bytes:
        limit = f"{limit_bytes // 10**6} MB"
        raise ImageTooLarge(source, f"over {limit}", limit)
    return bytes(body)


def unpacking(response: HTTPResponse, source: str) -> Callable[[bytes, int], bytes]:
    """
    Give what unpacks the body piece by piece, each time to no more than so many bytes: some servers
    compress whatever they are asked.
    """
    match response.headers.get("content-encoding", "").strip().lower():
        case "" | "identity":
            return lambda chunk, wanted: chunk[:wanted]
        case "gzip" | "x-gzip" | "deflate":
            return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress
        case other:
            raise FetchError(source, f"the server compressed it as {other}, though asked not to")
