"""The search for servers: real ones that answer, answer something else, or are not there."""

from __future__ import annotations

import socket
import time
from contextlib import closing

from api_server import ApiServer, Reply, whole

from eyeline.adapters.probe import probe


def test_lists_the_models_of_what_answers(api: ApiServer) -> None:
    """A server that lists models is found, with their names; nothing but the list is asked."""
    api.script.append(whole({"object": "list", "data": [{"id": "a"}, {"id": "b"}]}))
    assert probe({"here": api.url}) == {"here": ["a", "b"]}
    (asked,) = api.requests
    assert (asked.method, asked.path, asked.body) == ("GET", "/v1/models", b"")
    assert "authorization" not in asked.headers


def test_takes_nothing_else_for_a_server(api: ApiServer) -> None:
    """A web page, another JSON, a redirect or an error is no server of ours."""
    others = [Reply(200, b"<html>"), whole([1]), whole({"data": [{}]}), Reply(302, b""), whole({})]
    api.script.extend(others)
    assert all(probe({"there": api.url}) == {"there": None} for _ in others)


def test_a_closed_port_is_none() -> None:
    """Where nobody listens nothing is found."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert probe({"there": f"http://127.0.0.1:{port}/v1"}) == {"there": None}


def test_does_not_wait_for_the_silent() -> None:
    """Servers that accept and say nothing are all given up together, soon."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        begun_s = time.monotonic()
        assert probe({"a": url, "b": url, "c": url}) == {"a": None, "b": None, "c": None}
        assert time.monotonic() - begun_s < 3
