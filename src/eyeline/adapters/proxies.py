"""The proxy on the way to a base URL, chosen alike for both transports."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_for(url: str) -> str | None:
    """Give the proxy the environment names for this host, or None; never one for loopback."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        return None
    return None if proxy_bypass(host) else getproxies().get(parts.scheme)
