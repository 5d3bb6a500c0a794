"""
Where an image URL really leads, judged before anything is connected.

A host is resolved once, all its addresses are judged, and those are what may be connected to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from eyeline.core.addresses import is_address, is_public, read_host
from eyeline.errors import FetchError, FetchRefused, SettingsError

# Gives the addresses of a host; raises HostUnreachable where there are none.
Resolve = Callable[[str, int, str], Sequence[str]]

PORTS = {"http": 80, "https": 443}
# Nothing of this stands in an address of the web, and readers of URLs disagree on what it means.
FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")
PATH_SAFE = "/%:@!$&'()*+,;=~-._"


class HostUnreachable(FetchError):
    """An image URL whose host is not known here, or takes no connection; others may reach it."""


@dataclass(frozen=True, slots=True)
class Target:
    """
    Where to connect, and what to ask there: `host` is named and certified, `addresses` were judged.
    """

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]

    @property
    def authority(self) -> str:
        """The host as a request names it; without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def judge(url: str, source: str, allowed: Collection[str], resolve: Resolve) -> Target:
    """
    Say where a URL leads. Raises FetchRefused where that is no place to fetch from.

    `allowed` are hosts, or `host:port`, that may lie inside, as `allowed_hosts` gives them.
    """
    parts = split(url.strip(), source)
    host, port = named_host(parts, source), named_port(parts, source)
    found = (host,) if is_address(host) else resolve(host, port, source)
    addresses = tuple(dict.fromkeys(found))
    if not {host, f"{host}:{port}"} & {*allowed}:
        for address in addresses:
            if not is_public(address):
                raise FetchRefused(source, f"{host} is the private address {address}", host)
    return Target(parts.scheme, host, port, asked_path(parts), addresses)


def split(url: str, source: str) -> SplitResult:
    if FORBIDDEN.search(url):
        raise FetchRefused(source, "a backslash or control character in the address")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise FetchRefused(source, str(error)) from None
    if parts.scheme not in PORTS:
        raise FetchRefused(source, f"{parts.scheme or 'no scheme'}, expected http or https")
    return parts


def named_host(parts: SplitResult, source: str) -> str:
    if not parts.hostname:
        raise FetchRefused(source, "it names no host")
    try:
        return read_host(parts.hostname)
    except ValueError as error:
        raise FetchRefused(source, str(error)) from None


def named_port(parts: SplitResult, source: str) -> int:
    try:
        port = parts.port
    except ValueError as error:
        raise FetchRefused(source, str(error)) from None
    if port == 0:
        raise FetchRefused(source, "port 0, where nobody listens")
    return port or PORTS[parts.scheme]


def asked_path(parts: SplitResult) -> str:
    """Give path and query as they travel, encoded once; what follows `#` stays here."""
    query = f"?{quote(parts.query, safe=PATH_SAFE + '?')}" if parts.query else ""
    return (quote(parts.path, safe=PATH_SAFE) or "/") + query


def allowed_hosts(entries: Iterable[str]) -> frozenset[str]:
    """
    Read hosts that may lie inside, each with or without a port, as `localhost` or `[::1]:8000`.

    Raises SettingsError for what is neither.
    """
    return frozenset(map(allowed_host, entries))


def allowed_host(entry: str) -> str:
    host, _, port = entry.strip().rpartition(":")
    try:
        if port.isdecimal() and (":" not in host or host.startswith("[")):
            return f"{read_host(host.strip('[]'))}:{int(port)}"
        return read_host(entry.strip().strip("[]"))
    except ValueError:
        expected = "a host or host:port, as in nas.local:8080"
        raise SettingsError("allow_hosts", entry, expected) from None
