"""The proxy on the way to a base URL, chosen alike for both transports."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from eyeline.errors import SettingsError

SCHEMES = ("http", "https")


def proxy_for(url: str) -> str | None:
    """
    Give the proxy the environment names for this host, or None; never one for loopback. Raises
    SettingsError for one that cannot be used.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        return None
    given = None if proxy_bypass(host) else getproxies().get(parts.scheme)
    return usable(given, f"{parts.scheme}_proxy") if given else None


def usable(proxy: str, variable: str) -> str:
    """Give a proxy's address with its scheme, which many leave out."""
    address = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(address).scheme not in SCHEMES or not place(address):
        found = f"{urlsplit(address).scheme}://{place(address)}"
        raise SettingsError(variable, found, "a proxy as http://HOST:PORT")
    return address


def place(address: str) -> str:
    """Give host and port, and not the password that may stand before them; "" for no address."""
    try:
        parts = urlsplit(address)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return ""
    return f"{parts.hostname}{port}" if parts.hostname else ""


def through(proxy: str | None, found: str) -> str:
    """Say with a failure which proxy stood between."""
    return f"{found}, through the proxy {place(proxy)}" if proxy else found
