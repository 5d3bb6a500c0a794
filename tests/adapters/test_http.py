"""Both transports against a real server that answers, stalls, cuts, redirects and refuses."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import pytest
from api_server import ApiServer, Reply, chat_events, error, serve, stream_reply, whole

from eyeline.adapters.http import HttpTransport
from eyeline.adapters.http_async import AiohttpTransport
from eyeline.adapters.proxies import proxy_for
from eyeline.core.secret import Secret
from eyeline.core.wire import Request
from eyeline.errors import ConnectionFailed, StreamCut, TimedOut

T = TypeVar("T")
KEY = "k-7f3a9c0d5e"
BODY = json.dumps({"model": "gpt-6-luna", "messages": []}).encode()
EVENTS = {"Content-Type": "text/event-stream"}


def request(*, stream: bool = False, timeout_s: float = 10.0, body: bytes = BODY) -> Request:
    return Request("/chat/completions", body, stream, timeout_s)


class Awaited:
    """An awaiting transport or stream with the manners of a blocking one."""

    def __init__(self, runner: asyncio.Runner, inner: Any) -> None:
        self.runner, self.inner = runner, inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        def call(*arguments: object) -> Any:
            given = self.runner.run(found(*arguments))
            return Awaited(self.runner, given) if hasattr(given, "read") else given

        return call


Make = Callable[..., Any]


@pytest.fixture(params=["urllib3", "aiohttp"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes a transport to a base URL; all of them are closed at the end."""
    made: list[Any] = []
    with asyncio.Runner() as runner:

        def transport(base_url: str, key: str = KEY) -> Any:
            if request.param == "urllib3":
                made.append(HttpTransport("engine", base_url, Secret(key), "eyeline/test"))
            else:
                inner = AiohttpTransport("engine", base_url, Secret(key), "eyeline/test")
                made.append(Awaited(runner, inner))
            return made[-1]

        yield transport
        for each in made:
            each.close()


def read_all(stream: Any) -> bytes:
    return b"".join(iter(stream.read, b""))


def closed_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


# --- what goes out ------------------------------------------------------------------------------


def test_sends_as_it_is(make: Make, api: ApiServer) -> None:
    """The body goes out byte for byte, to the path, with the key in Authorization and no cookie."""
    body = b'{"model": "gpt-6-luna",  "messages": [], "\\u00fc": "\xc3\xbc"}'
    response = make(api.url).send(request(body=body))
    (sent,) = api.requests
    assert (sent.method, sent.path, sent.body) == ("POST", "/v1/chat/completions", body)
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["user-agent"] == "eyeline/test"
    assert sent.headers["content-length"] == str(len(body))
    assert response.status == 200
    assert response.headers["x-request-id"] == "req_test_1"
    assert json.loads(response.body)["choices"][0]["message"]["content"] == "A sign."


def test_without_a_key_none_is_sent(make: Make, api: ApiServer) -> None:
    """An engine without a key gets no Authorization header."""
    make(api.url, key="").send(request())
    assert "authorization" not in api.requests[0].headers


def test_keeps_the_connection(make: Make, api: ApiServer) -> None:
    """Questions in a row go over one connection, also after an error status."""
    transport = make(api.url)
    api.script.extend([whole({}), error(400, "no")])
    for _ in range(5):
        transport.send(request())
    assert len({sent.port for sent in api.requests}) == 1


def test_a_connection_the_server_ends_is_made_anew(make: Make, api: ApiServer) -> None:
    """Where the server ends the connection the next question goes over a new one."""
    transport = make(api.url)
    api.script.append(whole({}, 200, Connection="close"))
    transport.send(request())
    transport.send(request())
    assert len({sent.port for sent in api.requests}) == 2


def test_keeps_no_cookies(make: Make, api: ApiServer) -> None:
    """A cookie that one answer sets is not sent with the next question."""
    transport = make(api.url.replace("127.0.0.1", "localhost"))
    api.script.append(whole({}, 200, **{"Set-Cookie": "session=1"}))
    transport.send(request())
    transport.send(request())
    assert "cookie" not in api.requests[1].headers


def test_netrc_and_proxies_do_not_reach_loopback(
    make: Make, api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a proxy from the environment nor an entry of ~/.netrc touches a local server."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    make(api.url).send(request())
    assert api.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_goes_through_the_proxy_of_the_environment(
    make: Make, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host elsewhere is asked through the proxy that the environment names."""
    monkeypatch.setenv("http_proxy", api.origin)
    monkeypatch.delenv("no_proxy", raising=False)
    make("http://vision.example/v1").send(request())
    (sent,) = api.requests
    assert sent.path == "http://vision.example/v1/chat/completions"
    assert sent.headers["host"] == "vision.example"


@pytest.mark.parametrize(
    ("url", "no_proxy", "proxy"),
    [
        ("http://vision.example/v1", "", "http://proxy.example:3128"),
        ("https://vision.example/v1", "", None),
        ("http://vision.example/v1", "vision.example", None),
        ("http://localhost:8080/v1", "", None),
        ("http://127.0.0.2/v1", "", None),
        ("http://[::1]/v1", "", None),
    ],
)
def test_chooses_a_proxy(
    url: str, no_proxy: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy is that of the scheme, but for hosts in no_proxy and for loopback."""
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", no_proxy)
    monkeypatch.delenv("https_proxy", raising=False)
    assert proxy_for(url) == proxy


# --- what comes back ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_an_error_status_is_a_response(make: Make, api: ApiServer, status: int) -> None:
    """An error status is given with its headers and body; what it means is decided elsewhere."""
    transport = make(api.url)
    for stream in (False, True):
        api.script.append(error(status, "told you", **{"Retry-After": "7"}))
        if stream:
            opened = transport.open(request(stream=True))
            assert (opened.status, opened.headers["retry-after"]) == (status, "7")
            body = read_all(opened)
            opened.close()
        else:
            response = transport.send(request())
            assert (response.status, response.headers["retry-after"]) == (status, "7")
            body = response.body
        assert json.loads(body)["error"]["message"] == "told you"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(make: Make, api: ApiServer, status: int) -> None:
    """A redirect is given as it came, and neither key nor image goes where it points."""
    api.script.append(Reply(status, b"", {"Location": f"{api.origin}/elsewhere"}))
    assert make(api.url).send(request()).status == status
    assert len(api.requests) == 1


def test_hides_the_key_in_an_error(make: Make, api: ApiServer) -> None:
    """A key that the server quotes is taken out of the body, even cut in two."""
    transport = make(api.url)
    pieces = [b'{"error": {"message": "bad key ', KEY[:5].encode(), KEY[5:].encode(), b'"}}']
    api.script.append(Reply(401, b"".join(pieces)))
    assert KEY.encode() not in transport.send(request()).body
    api.script.append(Reply(401, pieces))
    opened = transport.open(request(stream=True))
    assert read_all(opened) == b'{"error": {"message": "bad key ***"}}'
    opened.close()


def test_reads_a_body_in_chunks(make: Make, api: ApiServer) -> None:
    """A chunked body is read whole."""
    api.script.append(Reply(200, [b"{", b'"a"', b": 1}"]))
    assert make(api.url).send(request()).body == b'{"a": 1}'


# --- what goes wrong ----------------------------------------------------------------------------


def test_nobody_listens(make: Make) -> None:
    """A closed port is a ConnectionFailed that says so, without key or address of an object."""
    transport = make(f"http://127.0.0.1:{closed_port()}/v1")
    for act in (transport.send, transport.open):
        with pytest.raises(ConnectionFailed) as raised:
            act(request())
        assert "0x" not in str(raised.value)
        assert KEY not in repr(raised.value)


def test_no_such_host(make: Make) -> None:
    """A name that does not resolve is a ConnectionFailed."""
    with pytest.raises(ConnectionFailed):
        make("http://nobody.invalid/v1").send(request())


def test_a_dropped_connection(make: Make, api: ApiServer) -> None:
    """A server that hangs up without a word is a ConnectionFailed."""
    api.script.append(Reply(drop=True))
    with pytest.raises(ConnectionFailed):
        make(api.url).send(request())


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b'{"choices": [', cut=True),
        Reply(200, [b'{"choices": ['], cut=True),
        Reply(200, b'{"choices": [', {"Content-Length": "99"}, cut=True),
    ],
    ids=["short", "chunk", "length"],
)
def test_a_cut_body(make: Make, api: ApiServer, reply: Reply) -> None:
    """A body that ends early is an error of its own: it may have been billed, so not sent again."""
    api.script.append(reply)
    with pytest.raises(StreamCut):
        make(api.url).send(request())


def test_a_body_longer_than_said(make: Make, api: ApiServer) -> None:
    """A body is read to the length its header gives, and no further."""
    api.script.append(Reply(200, b"{}JUNK", {"Content-Length": "2"}))
    with suppress(ConnectionFailed, StreamCut):  # giving it up is right too
        assert make(api.url).send(request()).body == b"{}"


def test_what_follows_a_body_is_no_answer(api: ApiServer) -> None:
    """What stands behind the said length is never taken for the answer to the next question."""
    transport = HttpTransport("engine", api.url, Secret(KEY), "eyeline/test")
    junk = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nJUNK"
    api.script.append(Reply(200, b"{}" + junk, {"Content-Length": "2"}))
    assert transport.send(request()).body == b"{}"
    assert b"A sign." in transport.send(request()).body
    transport.close()


@pytest.mark.parametrize(
    "reply",
    [
        None,
        Reply(200, b"{", {"Content-Length": "99"}, stall=True),
        Reply(200, [b"{"], stall=True),
    ],
    ids=["before the status", "before the end", "before a chunk"],
)
def test_a_stall_times_out(make: Make, reply: Reply | None) -> None:
    """A server that falls silent is a TimedOut, soon after the time given."""
    with serve() as api:
        api.script.append(reply or (lambda _: hold(api)))
        begun_s = time.monotonic()
        with pytest.raises(TimedOut) as raised:
            make(api.url).send(request(timeout_s=0.1))
        assert raised.value.timeout_s == 0.1
        assert time.monotonic() - begun_s < 2
        api.closing.set()


def hold(api: ApiServer) -> Reply:
    """Answer nothing until the server closes."""
    api.closing.wait(10)
    return Reply(drop=True)


# --- streams ------------------------------------------------------------------------------------


def test_streams_as_it_comes(make: Make) -> None:
    """What the server has sent can be read while it holds back the rest."""
    with serve() as api:
        api.script.append(Reply(200, [b"data: one\n\n", b"data: two\n\n"], EVENTS, stall=True))
        stream = make(api.url).open(request(stream=True))
        assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream")
        received = b""
        while not received.endswith(b"two\n\n"):
            received += stream.read()
        assert received == b"data: one\n\ndata: two\n\n"
        stream.close()
        stream.close()


def test_a_stream_ends_with_nothing(make: Make, api: ApiServer) -> None:
    """At the end of a stream a read gives no bytes, and so does the next."""
    api.script.append(stream_reply(chat_events("It is a sign.")))
    stream = make(api.url).open(request(stream=True))
    assert read_all(stream) == "".join(chat_events("It is a sign.")).encode()
    assert stream.read() == b""
    stream.close()


def test_a_stream_read_to_its_end_keeps_the_connection(make: Make, api: ApiServer) -> None:
    """After a stream was read whole the next question goes over the same connection."""
    transport = make(api.url)
    for _ in range(3):
        api.script.append(stream_reply(chat_events("A sign.")))
        stream = transport.open(request(stream=True))
        read_all(stream)
        stream.close()
    assert len({sent.port for sent in api.requests}) == 1


def test_a_stream_left_early_does_not_mix_with_the_next(make: Make, api: ApiServer) -> None:
    """What was left unread of one stream never comes out of the next question."""
    transport = make(api.url)
    api.script.append(stream_reply(chat_events("one " * 500)))
    stream = transport.open(request(stream=True))
    assert stream.read()
    stream.close()
    for _ in range(3):
        assert json.loads(transport.send(request()).body)["object"] == "chat.completion"


def test_a_stalled_stream_times_out(make: Make) -> None:
    """A stream that falls silent is a TimedOut, what had come before it read."""
    with serve() as api:
        api.script.append(Reply(200, [b"data: one\n\n"], EVENTS, stall=True))
        stream = make(api.url).open(request(stream=True, timeout_s=0.1))
        assert stream.read() == b"data: one\n\n"
        with pytest.raises(TimedOut):
            stream.read()
        stream.close()


def test_a_cut_stream_is_an_error(make: Make, api: ApiServer) -> None:
    """A stream whose connection breaks raises; it does not look like an end."""
    api.script.append(Reply(200, [b"data: one\n\n"], EVENTS, cut=True))
    stream = make(api.url).open(request(stream=True))
    with pytest.raises(StreamCut):
        read_all(stream)
    stream.close()


# --- the key, and processes ---------------------------------------------------------------------


def test_no_repr_shows_the_key(api: ApiServer) -> None:
    """Neither transport shows its key, whole or by its attributes."""
    for kind in (HttpTransport, AiohttpTransport):
        transport = kind("engine", api.url, Secret(KEY), "eyeline/test")
        assert KEY not in f"{transport!r} {vars(transport)!r}"


def ask_in_child(transport: HttpTransport, name: str, results: Any) -> None:
    got = [
        json.loads(transport.send(request(body=b'{"model": "%s"}' % name.encode())).body)["model"]
        for _ in range(20)
    ]
    results.put((name, set(got)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_processes_get_their_own_answers(api: ApiServer) -> None:
    """Processes forked from one that has asked do not read each other's answers."""
    transport = HttpTransport("engine", api.url, Secret(KEY), "eyeline/test")
    transport.send(request())
    context = get_context("fork")
    results = context.Queue()
    children = [
        context.Process(target=ask_in_child, args=(transport, name, results))
        for name in ("first", "second")
    ]
    for child in children:
        child.start()
    found = dict(results.get(timeout=20) for _ in children)
    for child in children:
        child.join()
    assert found == {"first": {"first"}, "second": {"second"}}
    transport.close()


def test_closing_before_the_first_question(make: Make) -> None:
    """A transport that was never used is closed without a word, and twice."""
    transport = make("http://127.0.0.1:9/v1")
    transport.close()
    transport.close()
