"""
Image URLs, fetched with a guard: the address is resolved once, judged, and connected to as judged.

Redirects are judged again; bytes, redirects and time are bounded. Private, loopback, link-local and
reserved addresses are refused unless their host is named in EYELINE_ALLOW_HOSTS or `allow_hosts`.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Collection
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from eyeline.adapters.http import reason
from eyeline.core.reference import Loaded
from eyeline.errors import FetchError, FetchRefused, ImageTooLarge
from eyeline.version import USER_AGENT

BYTES_MAX = 100 * 10**6
REDIRECTS_MAX = 5
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 20.0
TOTAL_S = 60.0
CHUNK_BYTES = 256 * 1024
REDIRECTS = {301, 302, 303, 307, 308}
PORTS = {"http": 80, "https": 443}
# RFC 8215; Python counts it as public before 3.12.
LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")


def fetch(
    url: str, source: str, allow_hosts: Collection[str] = (), bytes_max: int | None = None
) -> Loaded:
    """
    Fetch what is at an http(s) URL, and the type its server declares.

    With `bytes_max` ask for the first so many, and read no more if the server sends more. Raises
    FetchError, FetchRefused or ImageTooLarge.
    """
    ends_s = time.monotonic() + TOTAL_S
    for _ in range(REDIRECTS_MAX + 1):
        parts = split(url, source)
        with connect(parts, source, allow_hosts) as pool:
            response = get(pool, parts, source, bytes_max)
            try:
                if response.status in REDIRECTS:
                    url = redirected(url, response, source)
                    continue
                check_status(response, source, bytes_max)
                data = read(response, source, bytes_max, ends_s)
                return Loaded(data, response.headers.get("content-type") or "")
            except (HTTPError, OSError) as error:
                raise FetchError(source, reason(error)) from None
            finally:
                response.close()
    raise FetchError(source, f"more than {REDIRECTS_MAX} redirects")


def split(url: str, source: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise FetchRefused(source, str(error)) from None


def redirected(url: str, response: urllib3.BaseHTTPResponse, source: str) -> str:
    location = response.headers.get("location")
    if not location:
        raise FetchError(source, f"the server answered {response.status} without an address")
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise FetchRefused(source, f"redirected to no address: {error}") from None


def connect(
    parts: SplitResult, source: str, allow_hosts: Collection[str]
) -> urllib3.HTTPConnectionPool:
    """Give a connection to the one address that was judged, under the name that was asked for."""
    host = parts.hostname
    if parts.scheme not in PORTS:
        raise FetchRefused(source, f"{parts.scheme or 'no scheme'}, expected http or https")
    if not host:
        raise FetchRefused(source, "it names no host")
    address = judged_address(host, port(parts, source), source, allow_hosts)
    timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S)
    if parts.scheme == "http":
        return urllib3.HTTPConnectionPool(address, port(parts, source), timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        address,
        port(parts, source),
        timeout=timeout,
        server_hostname=host,
        assert_hostname=host,
    )


def port(parts: SplitResult, source: str) -> int:
    try:
        return parts.port or PORTS[parts.scheme]
    except ValueError as error:
        raise FetchRefused(source, str(error)) from None


def judged_address(host: str, port: int, source: str, allow_hosts: Collection[str]) -> str:
    """Resolve a host once and give its first address; every one of them must be allowed."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FetchError(source, f"the host {host} is not known") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not {host, f"{host}:{port}"} & set(allow_hosts):
        for address in addresses:
            if not is_public(address):
                raise FetchRefused(source, f"{host} is the private address {address}", host)
    return addresses[0]


def is_public(address: str) -> bool:
    """Say whether an address is on the open internet, looking through IPv4 carried in IPv6."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        carried = ip.ipv4_mapped or ip.sixtofour or nat64(ip)
        if carried is not None:
            return is_public(str(carried))
        if ip.is_site_local or ip.is_reserved or ip in LOCAL_NAT64:
            return False
    return ip.is_global and not ip.is_multicast


def nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Give the IPv4 address inside 64:ff9b::/96. Source: RFC 6052."""
    is_mapped = ip in ipaddress.ip_network("64:ff9b::/96")
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if is_mapped else None


def get(
    pool: urllib3.HTTPConnectionPool, parts: SplitResult, source: str, bytes_max: int | None
) -> urllib3.BaseHTTPResponse:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # The name as it travels: in ASCII, and without user and password.
    host = parts.netloc.rpartition("@")[2].encode("idna").decode("ascii")
    headers = {"Host": host, "User-Agent": USER_AGENT, "Accept": "image/*,*/*;q=0.5"}
    headers["Accept-Encoding"] = "identity"
    if bytes_max is not None:
        headers["Range"] = f"bytes=0-{bytes_max - 1}"
    try:
        return pool.urlopen(
            "GET", target, headers=headers, redirect=False, retries=False, preload_content=False
        )
    except (HTTPError, OSError) as error:
        raise FetchError(source, reason(error)) from None


def check_status(response: urllib3.BaseHTTPResponse, source: str, bytes_max: int | None) -> None:
    """Take the whole, or where a part was asked for, its beginning; a server may send either."""
    found = f"the server answered {response.status}"
    if response.status == 206 and bytes_max is not None:
        given = response.headers.get("content-range", "")
        if not given.lower().startswith("bytes 0-"):
            raise FetchError(source, f"{found} with {given or 'no range'}, not the beginning")
    elif response.status != 200:
        raise FetchError(source, found)


def read(
    response: urllib3.BaseHTTPResponse, source: str, bytes_max: int | None, ends_s: float
) -> bytes:
    wanted = BYTES_MAX + 1 if bytes_max is None else bytes_max
    body = bytearray()
    while len(body) < wanted:
        if time.monotonic() > ends_s:
            raise FetchError(source, f"not done within {TOTAL_S:g} s")
        chunk = response.read1(min(CHUNK_BYTES, wanted - len(body)), decode_content=False)
        if not chunk:
            break
        body += chunk
    if len(body) > BYTES_MAX:
        limit = f"{BYTES_MAX // 10**6} MB"
        raise ImageTooLarge(source, f"over {limit}", limit)
    return bytes(body)
