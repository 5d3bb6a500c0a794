"""Image URLs against real servers, also such as lie, stall and redirect into the house."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
from api_server import ApiServer, Recorded, Reply

from eyeline.adapters.fetch import Bounds, fetch
from eyeline.adapters.images import Images
from eyeline.core.guard import HostUnreachable
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


def test_a_redirect_to_a_name_in_other_letters(api: ApiServer) -> None:
    """An address that is sent in UTF-8 as it is, as many servers do, is followed."""
    head = b"HTTP/1.1 302 Found\r\nLocation: %s/\xc3\xbc.png\r\n\r\n" % api.origin.encode()
    api.script.append(IMAGE)
    with saying(head) as url:
        assert get(url) == PNG
    assert api.requests[0].path == "/%C3%BC.png"


def test_no_proxy_stands_between(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would resolve the name again, past the judgement, so none is used."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    api.script.append(IMAGE)
    assert get(f"{api.origin}/sign.png") == PNG


def test_a_host_is_named_in_any_spelling() -> None:
    """Hosts to be allowed may be written in capitals, and IPv6 addresses in brackets."""
    assert Images(["LocalHost", "[::1]"]).allowed == {"localhost", "::1"}


# --- what is refused ----------------------------------------------------------------------------


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
    assert len(api.requests) == 6


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
    with pytest.raises(HostUnreachable, match=r"the host nobody\.invalid is not known"):
        get("http://nobody.invalid/a.png")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(HostUnreachable, match="refused"):
        get(f"http://127.0.0.1:{port}/a.png")


def test_no_tls_where_it_was_asked_for(api: ApiServer) -> None:
    """A server without TLS is an error at https, in one line."""
    with pytest.raises(FetchError) as raised:
        get(api.origin.replace("http:", "https:"))
    assert "0x" not in str(raised.value)


def test_too_large(api: ApiServer) -> None:
    """A body over the limit, as sent or as unpacked, is read no further than that."""
    bounds = Bounds(size_bytes=2_000_000)
    bomb = gzip.compress(bytes(50_000_000))
    padded = gzip.compress(b"") * 200_000  # unpacks to nothing
    for reply in (
        Reply(200, [bytes(10**6)] * 3),
        Reply(200, bytes(3 * 10**6)),
        Reply(200, bomb, {"Content-Encoding": "gzip"}),
        Reply(200, padded, {"Content-Encoding": "gzip"}),
    ):
        api.script.append(reply)
        with pytest.raises(ImageTooLarge, match="over 2 MB"):
            fetch(f"{api.origin}/a.png", "the sign", ALLOWED, bounds=bounds)


def test_an_endless_body_may_have_a_head(api: ApiServer) -> None:
    """Of a body that never ends the head can be read."""

    def endless(_: Recorded) -> Reply:
        return Reply(200, [PNG], stall=True)

    api.script.append(endless)
    assert get(f"{api.origin}/a.png", bytes_max=20) == PNG[:20]
    api.closing.set()


# --- servers that lie, stall and never end --------------------------------------------------------


@contextmanager
def saying(
    *pieces: bytes,
    every_s: float = 0.0,
    forever: bool = False,
    context: ssl.SSLContext | None = None,
) -> Iterator[str]:
    """Serve one connection on loopback with the bytes as they are; give the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with (
                server.accept()[0] as plain,
                suppress(OSError),  # the client has had enough
                context.wrap_socket(plain, True) if context else plain as connection,
            ):
                connection.recv(4096)
                for piece in pieces:
                    connection.sendall(piece)
                while forever:
                    connection.sendall(pieces[-1])
                    time.sleep(every_s)

        thread = Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/a.png"
        thread.join()


HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "found"),
    [
        ((b"",), "closed connection without response"),
        ((b"SSH-2.0-OpenSSH_9.6\r\n",), "SSH-2.0"),
        ((b"HTTP/1.1 abc\r\n\r\n",), "HTTP/1.1 abc"),
        ((HEAD + LENGTH % 99 + PNG[:40],), "broke off, 59 bytes short"),
        ((HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",), "invalid literal|IncompleteRead"),
        ((HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\nab",), "IncompleteRead"),
        ((HEAD + b"X: y\r\n" * 200 + b"\r\n",), "more than 100 headers"),
        ((HEAD + b"X: " + b"y" * 70_000,), "more than 65536 bytes"),
        ((HEAD + b"Content-Encoding: br\r\n" + LENGTH % 3 + b"abc",), "compressed it as br"),
        ((HEAD + b"Content-Encoding: gzip\r\n" + LENGTH % 3 + b"abc",), "incorrect header check"),
        ((b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n",), "169.254.169.254"),
        ((b"HTTP/1.1 206 Partial\r\n" + LENGTH % 3 + b"abc",), "answered 206"),
    ],
)
def test_what_is_no_answer(pieces: tuple[bytes, ...], found: str) -> None:
    """Whatever a server says that is no image, no HTTP or not all, is an error that says so."""
    with saying(*pieces) as url, pytest.raises(FetchError, match=found):
        get(url)


@pytest.mark.parametrize(
    "head",
    [
        HEAD + LENGTH % len(PNG),
        HEAD + b"\r\n",
        HEAD + b"Content-Length: 5, 7\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Encoding: identity\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
)
def test_however_the_length_is_told(head: bytes) -> None:
    """Told right, not at all, or in a way that means nothing, the body is read to its end."""
    with saying(head + PNG) as url:
        assert get(url) == PNG


@pytest.mark.parametrize("packed", [gzip.compress(PNG), zlib.compress(PNG)], ids=["gzip", "zlib"])
def test_packed_though_asked_not_to(packed: bytes) -> None:
    """A server that compresses whatever it is asked is understood, also for the head alone."""
    head = HEAD + b"Content-Encoding: gzip\r\n" + LENGTH % len(packed)
    with saying(head + packed) as url:
        assert get(url) == PNG
    with saying(head + packed) as url:
        assert get(url, bytes_max=9) == PNG[:9]


def test_more_than_was_told() -> None:
    """What comes after the length that was told is not read."""
    with saying(HEAD + LENGTH % len(PNG) + PNG, b"more" * 9) as url:
        assert get(url) == PNG


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ((HEAD, b"X: y\r\n"), "not done within 0.3 s|more than 100 headers"),
        ((HEAD, b"x"), "not done within 0.3 s"),
        ((HEAD + b"\r\n", b"x"), "not done within 0.3 s"),
        ((HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), "not done within 0.3 s"),
    ],
    ids=["headers", "a header", "body", "chunks"],
)
def test_a_drip_ends_in_time(pieces: tuple[bytes, ...], words: str) -> None:
    """A server that sends byte after byte, in its head or its body, is left when time is up."""
    with (
        saying(*pieces, every_s=0.01, forever=True) as url,
        pytest.raises(FetchError, match=words),
    ):
        fetch(url, "the sign", ALLOWED, bounds=Bounds(total_s=0.3))


def test_an_endless_body_is_too_large() -> None:
    """A body without end is read to the limit and no further."""
    with saying(HEAD + b"\r\n", bytes(10**5), forever=True) as url, pytest.raises(ImageTooLarge):
        fetch(url, "the sign", ALLOWED, bounds=Bounds(size_bytes=10**6))


def test_nothing_comes(api: ApiServer) -> None:
    """A server that takes the request and says nothing more is left after a while."""
    api.script.append(Reply(200, [PNG], stall=True))
    with pytest.raises(FetchError, match="nothing came in time"):
        fetch(f"{api.origin}/a.png", "the sign", ALLOWED, bounds=Bounds(read_s=0.05))
    api.closing.set()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for pictures.example, its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-days", "2", "-subj", "/CN=pictures.example",
        "-addext", "subjectAltName=DNS:pictures.example", "-keyout", key, "-out", certificate,
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + key.read_text())
    return certificate


def test_tls_is_for_the_name_that_was_asked(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the judged address the certificate must be of the host in the URL, and trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    own = ssl.create_default_context(cafile=str(certificate))

    def fetched(host: str) -> bytes:
        with saying(HEAD + LENGTH % len(PNG) + PNG, context=context) as url:
            named = url.replace("http:", "https:").replace("127.0.0.1", host)
            return fetch(named, "the sign", [host], resolve=lambda *_: ["127.0.0.1"]).data

    with pytest.raises(FetchError, match="certificate verify failed: self-signed"):
        fetched("pictures.example")
    monkeypatch.setattr("eyeline.adapters.fetch.trust", lambda: own)
    assert fetched("pictures.example") == PNG
    with pytest.raises(FetchError, match="Hostname mismatch"):
        fetched("other.example")


# --- addresses ----------------------------------------------------------------------------------


def test_another_address_where_the_first_refuses(api: ApiServer) -> None:
    """All judged addresses of a host are tried in turn, and none that was not judged."""
    api.script.append(IMAGE)
    asked: list[str] = []

    def resolve(host: str, port: int, source: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.2", "127.0.0.3", "127.0.0.1"]

    port = api.http.server_address[1]
    url = f"http://pictures.example:{port}/sign.png"
    assert fetch(url, "the sign", ["pictures.example"], resolve=resolve).data == PNG
    assert asked == ["pictures.example"]
    assert api.requests[0].headers["host"] == f"pictures.example:{port}"


def test_a_host_without_an_address() -> None:
    """A resolver that gives nothing, and a host where every address refuses, are errors."""
    with pytest.raises(FetchError, match="has no address"):
        fetch("http://pictures.example/a.png", "the sign", resolve=lambda *_: [])


def test_a_name_that_changes_its_mind(api: ApiServer) -> None:
    """A host is resolved once: what it would resolve to when connected to is not asked."""
    answers = iter([["127.0.0.1"], ["127.0.0.1"]])
    api.script.append(IMAGE)
    url = f"http://rebinding.example:{api.http.server_address[1]}/a.png"
    allowed = ["rebinding.example"]
    assert fetch(url, "the sign", allowed, resolve=lambda *_: next(answers)).data == PNG
    assert len(list(answers)) == 1


def test_nothing_resolves_behind_its_back(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver is asked once for a host, and never for an address that was judged."""
    asked: list[object] = []

    def getaddrinfo(host: object, *arguments: object, **options: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    api.script.append(IMAGE)
    url = f"http://pictures.example:{api.http.server_address[1]}/a.png"
    assert get(url, ("pictures.example",)) == PNG
    assert asked == ["pictures.example"]


def test_an_ipv6_address() -> None:
    """Addresses of IPv6 are connected to as they are."""
    with pytest.raises(FetchError, match=r"refused|unreachable|not supported|assign"):
        get("http://[::1]:9/a.png", ("::1",))


def test_a_redirect_is_resolved_anew(api: ApiServer) -> None:
    """What a redirect names is resolved and judged like the first address."""
    port = api.http.server_address[1]
    there = {"Location": f"http://inner.example:{port}/b.png"}
    api.script.append(Reply(302, b"", there))
    hosts = {"outer.example": ["127.0.0.1"], "inner.example": ["10.0.0.1"]}
    with pytest.raises(FetchRefused, match=r"inner\.example is the private address 10\.0\.0\.1"):
        fetch(
            f"http://outer.example:{port}/a.png", "the sign", ["outer.example"],
            resolve=lambda host, port, source: hosts[host],
        )  # fmt: skip
