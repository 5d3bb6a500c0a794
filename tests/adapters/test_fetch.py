"""Image URLs against a real server, and every known way to make a fetcher look inside the house."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from api_server import ApiServer, Recorded, Reply
from hypothesis import given
from hypothesis import strategies as st

from eyeline.adapters.fetch import BYTES_MAX, REDIRECTS_MAX, fetch, is_public
from eyeline.adapters.images import Images
from eyeline.core.reference import UrlRef
from eyeline.errors import FetchError, FetchRefused, ImageTooLarge
from eyeline.testing import tiny_png

PNG = tiny_png()
ALLOWED = ("127.0.0.1",)
IMAGE = Reply(200, PNG, {"Content-Type": "image/png"})


def get(url: str, allow_hosts: tuple[str, ...] = ALLOWED, bytes_max: int | None = None) -> bytes:
    return fetch(url, "the sign", allow_hosts, bytes_max).data


# --- what is fetched ----------------------------------------------------------------------------


def test_fetches_from_a_host_that_was_named(api: ApiServer) -> None:
    """A host allowed by name is fetched from, and told no more than it needs."""
    api.script.append(IMAGE)
    assert get(f"{api.origin}/sign.png?size=2#top") == PNG
    (asked,) = api.requests
    assert (asked.method, asked.path, asked.body) == ("GET", "/sign.png?size=2", b"")
    assert asked.headers["user-agent"].startswith("eyeline/")
    assert set(asked.headers) == {"host", "user-agent", "accept", "accept-encoding"}


def test_reads_the_head_alone(api: ApiServer) -> None:
    """A server that sends the whole all the same is read no further than was asked."""
    api.script.append(Reply(200, PNG + bytes(10**6)))
    assert get(f"{api.origin}/sign.png", bytes_max=20) == PNG[:20]


def ranged(data: bytes) -> Callable[[Recorded], Reply]:
    """Answer with the part that is asked for, as a server of files does."""

    def answer(asked: Recorded) -> Reply:
        first, last = asked.headers["range"].removeprefix("bytes=").split("-")
        part = data[int(first) : int(last) + 1]
        end = int(first) + len(part) - 1
        return Reply(206, part, {"Content-Range": f"bytes {first}-{end}/{len(data)}"})

    return answer


def test_asks_for_the_head_alone(api: ApiServer) -> None:
    """Where the first bytes are enough, only they are asked for, after a redirect too."""
    data = PNG + bytes(10**6)
    api.script.extend([Reply(302, b"", {"Location": "/b"}), ranged(data)])
    assert get(f"{api.origin}/a", bytes_max=65_536) == data[:65_536]
    assert [asked.headers["range"] for asked in api.requests] == ["bytes=0-65535"] * 2


def test_an_image_shorter_than_the_head(api: ApiServer) -> None:
    """An image that ends before the part that was asked for comes whole."""
    api.script.append(ranged(PNG))
    assert get(f"{api.origin}/sign.png", bytes_max=65_536) == PNG


@pytest.mark.parametrize("content_range", ["", "bytes 5-24/99", "bytes */99", "lines 0-1/2"])
def test_another_part_than_the_first(api: ApiServer, content_range: str) -> None:
    """A part that does not begin at the beginning is an error, not the head of an image."""
    api.script.append(Reply(206, PNG, {"Content-Range": content_range}))
    with pytest.raises(FetchError, match=r"206 with .*, not the beginning"):
        get(f"{api.origin}/sign.png", bytes_max=20)


def test_a_part_that_nobody_asked_for(api: ApiServer) -> None:
    """Half an image is never taken for the whole."""
    api.script.append(Reply(206, PNG[:30], {"Content-Range": "bytes 0-29/99"}))
    with pytest.raises(FetchError, match="answered 206"):
        get(f"{api.origin}/sign.png")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("", "/"),
        ("?a=1", "/?a=1"),
        ("/a b/ü.png", "/a%20b/%C3%BC.png"),
        ("/a%20b.png?q=x y", "/a%20b.png?q=x%20y"),
    ],
)
def test_asks_for_the_path_as_written(api: ApiServer, url: str, path: str) -> None:
    """Paths and queries go out encoded once, also where there is no path."""
    api.script.append(IMAGE)
    assert get(api.origin + url) == PNG
    assert api.requests[0].path == path


def test_a_password_in_the_address_goes_nowhere(api: ApiServer) -> None:
    """User and password of a URL are neither sent as a host name nor shown."""
    api.script.append(Reply(404))
    url = api.origin.replace("//", "//user:hunter2@") + "/sign.png?token=t0p"
    with pytest.raises(FetchError) as raised:
        Images(ALLOWED).load(UrlRef(url), None)
    assert "hunter2" not in str(api.requests)
    assert "hunter2" not in str(raised.value)
    assert "t0p" not in str(raised.value)


def test_follows_redirects(api: ApiServer) -> None:
    """Redirects are followed, relative ones too, and with another address judged again."""
    api.script.extend(
        [Reply(302, b"", {"Location": "/b"}), Reply(308, b"", {"Location": "c?x=1"}), IMAGE]
    )
    assert get(f"{api.origin}/a") == PNG
    assert [asked.path for asked in api.requests] == ["/a", "/b", "/c?x=1"]


def test_no_proxy_stands_between(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would resolve the name again, past the judgement, so none is used."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    api.script.append(IMAGE)
    assert get(f"{api.origin}/sign.png") == PNG


def test_a_host_is_named_in_any_spelling() -> None:
    """Hosts to be allowed may be written in capitals, and IPv6 addresses in brackets."""
    assert Images(["LocalHost", "[::1]"]).allow_hosts == {"localhost", "::1"}


# --- what is refused ----------------------------------------------------------------------------

INSIDE = [
    "http://127.0.0.1/a.png",
    "http://127.8.8.8/a.png",
    "http://localhost/a.png",
    "http://localhost./a.png",
    "http://LOCALHOST/a.png",
    "http://10.1.2.3/a.png",
    "http://172.16.0.1/a.png",
    "http://192.168.1.1/a.png",
    "http://100.64.0.1/a.png",
    "http://169.254.169.254/latest/meta-data/",
    "http://0.0.0.0/a.png",
    "http://0/a.png",
    "http://224.0.0.1/a.png",
    "http://255.255.255.255/a.png",
    "http://2130706433/a.png",
    "http://0x7f000001/a.png",
    "http://0x7f.0.0.1/a.png",
    "http://0177.0.0.1/a.png",
    "http://017700000001/a.png",
    "http://127.1/a.png",
    "http://[::1]/a.png",
    "http://[::]/a.png",
    "http://[::ffff:127.0.0.1]/a.png",
    "http://[::ffff:a9fe:a9fe]/a.png",
    "http://[64:ff9b::7f00:1]/a.png",
    "http://[64:ff9b:1::7f00:1]/a.png",
    "http://[2002:7f00:1::]/a.png",
    "http://[fe80::1]/a.png",
    "http://[fc00::1]/a.png",
    "http://[fec0::1]/a.png",
    "http://[ff02::1]/a.png",
    "http://public.example@127.0.0.1/a.png",
    "http://public.example:80@127.0.0.1/a.png",
    "http://public.example\\@127.0.0.1/a.png",
    "http://127.0.0.1\t/a.png",
    "https://127.0.0.1/a.png",
]


@pytest.mark.parametrize("url", INSIDE)
def test_refuses_what_lies_inside(url: str) -> None:
    """Loopback, private, link-local and reserved addresses are refused in every spelling."""
    with pytest.raises(FetchError) as raised:
        get(url, ())
    unknown = "is not known" in str(raised.value)  # no such spelling, or no IPv6, on this system
    assert unknown or isinstance(raised.value, FetchRefused)


def test_says_how_to_allow_a_host(api: ApiServer) -> None:
    """A refusal names the address found, and the setting that would allow the host."""
    with pytest.raises(FetchRefused) as raised:
        get(api.origin.replace("127.0.0.1", "localhost"), ())
    assert raised.value.host == "localhost"
    assert "localhost is the private address" in str(raised.value)
    assert raised.value.hint.endswith("EYELINE_ALLOW_HOSTS=localhost")
    assert api.requests == []


def test_allowing_one_host_allows_no_other(api: ApiServer) -> None:
    """Naming one host does not allow another name for the same address."""
    with pytest.raises(FetchRefused):
        get(api.origin.replace("127.0.0.1", "localhost"), ("127.0.0.1",))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://files.example/a.png",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http:///a.png",
        "//host/a.png",
        "http://host.example:99999/a.png",
        "http://host.example:abc/a.png",
        "http://[::1/a.png",
    ],
)
def test_refuses_what_is_no_web_address(url: str) -> None:
    """Other schemes, no host, no port and broken brackets are refused with a reason."""
    with pytest.raises(FetchRefused) as raised:
        get(url)
    assert str(raised.value).startswith("the sign: will not be fetched (")


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/a.png",
        "//10.0.0.1/a.png",
        "http://[::ffff:127.0.0.1]/a.png",
        "file:///etc/passwd",
        "ftp://files.example/a.png",
        "data:image/png;base64,AAAA",
        "http://[bad",
    ],
)
def test_judges_a_redirect_again(api: ApiServer, location: str) -> None:
    """A redirect to the inside, or away from the web, is refused; the first host allows nothing."""
    api.script.append(Reply(302, b"", {"Location": location}))
    with pytest.raises(FetchError):
        get(f"{api.origin}/a.png")
    assert len(api.requests) == 1


def test_a_loop_of_redirects_ends(api: ApiServer) -> None:
    """Redirects without end are given up after a few."""
    api.script.extend([Reply(302, b"", {"Location": "/a"})] * 20)
    with pytest.raises(FetchError, match="more than 5 redirects"):
        get(f"{api.origin}/a")
    assert len(api.requests) == REDIRECTS_MAX + 1


def test_a_redirect_to_nowhere(api: ApiServer) -> None:
    """A redirect without an address says so."""
    api.script.append(Reply(302))
    with pytest.raises(FetchError, match="302 without an address"):
        get(api.origin)


# --- what goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [204, 304, 401, 403, 404, 416, 500])
def test_a_status_that_is_no_image(api: ApiServer, status: int) -> None:
    """Any other status is an error that names it."""
    api.script.append(Reply(status))
    with pytest.raises(FetchError, match=f"answered {status}"):
        get(f"{api.origin}/a.png")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, PNG[:30], {"Content-Length": str(len(PNG))}, cut=True),
        Reply(200, [PNG[:30]], cut=True),
        Reply(drop=True),
    ],
    ids=["length", "chunk", "drop"],
)
def test_a_broken_connection(api: ApiServer, reply: Reply) -> None:
    """Half a body, or none, is an error and never half an image."""
    api.script.append(reply)
    with pytest.raises(FetchError):
        get(f"{api.origin}/a.png")


def test_nobody_there() -> None:
    """A name that does not resolve, and a port where nobody listens, are errors with a reason."""
    with pytest.raises(FetchError, match=r"the host nobody\.invalid is not known"):
        get("http://nobody.invalid/a.png")
    with pytest.raises(FetchError, match="is not known"):
        get(f"http://{'a' * 70}.example/a.png")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(FetchError, match="refused"):
        get(f"http://127.0.0.1:{port}/a.png")


def test_no_tls_where_it_was_asked_for(api: ApiServer) -> None:
    """A server without TLS is an error at https, in one line."""
    with pytest.raises(FetchError) as raised:
        get(api.origin.replace("http:", "https:"))
    assert "0x" not in str(raised.value)


def test_too_large(api: ApiServer) -> None:
    """A body over the limit is read no further than that."""
    megabyte = bytes(10**6)
    api.script.append(Reply(200, [megabyte] * (BYTES_MAX // len(megabyte) + 1)))
    with pytest.raises(ImageTooLarge, match="over 100 MB"):
        get(f"{api.origin}/a.png")


def test_an_endless_body_may_have_a_head(api: ApiServer) -> None:
    """Of a body that never ends the head can be read."""

    def endless(_: Recorded) -> Reply:
        return Reply(200, [PNG], stall=True)

    api.script.append(endless)
    assert get(f"{api.origin}/a.png", bytes_max=20) == PNG[:20]
    api.closing.set()


# --- addresses ----------------------------------------------------------------------------------


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_in_any_dress(address: Any) -> None:
    """An IPv4 address carried in IPv6 is as public as it is bare."""
    expected = is_public(str(address))
    number = int(address)
    assert is_public(f"::ffff:{address}") == expected
    assert is_public(f"64:ff9b::{address}") == expected
    assert is_public(f"2002:{number >> 16:x}:{number & 0xFFFF:x}::") == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("fe80::1%eth0", False),
        ("::127.0.0.1", False),
        ("2001:db8::1", False),
        ("2001:0:7f00:1::", False),
        ("198.18.0.1", False),
        ("240.0.0.1", False),
    ],
)
def test_says_what_is_public(address: str, expected: bool) -> None:
    """Public is what anybody may reach; nothing reserved, documented or tunnelled is."""
    assert is_public(address) is expected
