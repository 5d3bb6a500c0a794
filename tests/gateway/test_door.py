"""Who may come in: the token, the gateway's names, and pages of other sites."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import openai
import pytest

from eyeline.core.secret import Secret
from eyeline.gateway.door import host_name
from eyeline.gateway.options import Bounds, Options
from eyeline.gateway.serve import with_token
from gateway.running import Running, gateway

HELLO = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture(scope="module")
def locked() -> Iterator[Running]:
    with gateway(client={"engine": "local"}, token=Secret("t0ken")) as made:
        yield made


def test_without_a_token_any_key_will_do(offline: Running) -> None:
    """On loopback clients keep whatever key they have, or none."""
    assert httpx.get(f"{offline.url}/models").status_code == 200
    headers = {"authorization": "Bearer sk-any"}
    assert httpx.get(f"{offline.url}/models", headers=headers).status_code == 200


@pytest.mark.parametrize("given", ["", "bearer x", "Bearer t0ke", "Bearer t0kenn", "Basic t0ken"])
def test_a_token_is_asked_for(locked: Running, given: str) -> None:
    """Nothing but the page's own files and /healthz is there without the token."""
    headers = {"authorization": given}
    for path in ("/v1/models", "/models", "/eyeline/models", "/v1/files", "/metrics", "/no"):
        answer = httpx.get(f"{locked.origin}{path}", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    for path in ("/healthz", "/", "/page.css"):
        assert httpx.get(f"{locked.origin}{path}", headers=headers).status_code == 200


def test_the_token_opens(locked: Running) -> None:
    """The token is a key like any other to the official client."""
    with openai.OpenAI(api_key="t0ken", base_url=locked.url) as client:
        assert client.models.retrieve("reader").id == "reader"


def test_a_token_is_made_where_others_can_reach() -> None:
    """Elsewhere than on loopback there is always a token; one that was made is said once."""
    said: list[str] = []
    made = with_token(Options(host="0.0.0.0"), said.append)
    assert len(made.token.reveal()) >= 32
    assert said == [f"Others can reach 0.0.0.0, so clients need this key: {made.token.reveal()}"]
    given = Options(host="0.0.0.0", token=Secret("mine"))
    assert with_token(given, said.append) is given
    assert with_token(Options(), said.append).token == Secret("")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "[::"])
def test_other_names_are_refused(offline: Running, host: str) -> None:
    """A name that was bound to our address by somebody else is none of ours."""
    answer = httpx.get(f"{offline.url}/models", headers={"host": host})
    assert answer.status_code in (400, 421)


def test_names_can_be_allowed() -> None:
    """Behind a proxy the gateway is called by the name that was given for it."""
    with gateway(client={"engine": "local"}, allow_names=("eyes.example",)) as running:
        headers = {"host": "eyes.example"}
        assert httpx.get(f"{running.url}/models", headers=headers).status_code == 200


def test_elsewhere_its_addresses_are_its_names() -> None:
    """Bound to every address it may be called by any, but not by a stranger's name."""
    options = {"client": {"engine": "local"}, "host": "0.0.0.0", "token": Secret("t")}
    with gateway(**options) as running:
        for host, status in (("192.0.2.7:80", 200), ("evil.example", 421)):
            headers = {"host": host, "authorization": "Bearer t"}
            assert httpx.get(f"{running.url}/models", headers=headers).status_code == status


@pytest.mark.parametrize("headers", [
    {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": ""},
    {"origin": "http://127.0.0.1:1"},
    {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
])  # fmt: skip
def test_pages_of_other_sites_are_refused(offline: Running, headers: dict[str, str]) -> None:
    """What a browser sends for another site's page is not carried out."""
    answer = httpx.post(f"{offline.url}/chat/completions", json=HELLO, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_origin")
    assert "access-control-allow-origin" not in answer.headers


def test_the_own_page_and_links_to_it_are_welcome(offline: Running) -> None:
    """The page's own requests pass, and a link from elsewhere may open it."""
    own = {"origin": offline.origin, "sec-fetch-site": "same-origin"}
    assert httpx.get(f"{offline.url}/models", headers=own).status_code == 200
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert httpx.get(f"{offline.origin}/", headers=link).status_code == 200


def test_no_browser_elsewhere_is_invited(offline: Running) -> None:
    """A preflight gets no permission, and the page allows nothing from outside."""
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = httpx.options(f"{offline.url}/chat/completions", headers=headers)
    assert answer.status_code == 403
    policy = httpx.get(f"{offline.origin}/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_what_is_too_much_at_once_is_turned_away() -> None:
    """With as much in flight as it takes, the gateway says so at once, and still says it is up."""
    bounds = Bounds(in_flight_max=0)
    with gateway(client={"engine": "local"}, bounds=bounds) as running:
        answer = httpx.get(f"{running.url}/models")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "server_is_overloaded")
        assert httpx.get(f"{running.origin}/healthz").status_code == 200


def test_what_would_fill_the_memory_is_turned_away() -> None:
    """All bodies together have a limit, and one that does not say its length counts as longest."""
    bounds = Bounds(held_bytes_max=1000, body_bytes_max=2000)
    with gateway(client={"engine": "local"}, bounds=bounds) as running:
        url = f"{running.url}/chat/completions"
        assert httpx.post(url, content=b"{}").status_code == 400
        assert httpx.post(url, content=b" " * 1001).status_code == 503
        assert httpx.post(url, content=iter([b"{}"])).status_code == 503
        made = httpx.post(
            f"{running.url}/files", files={"file": b"x" * 1001}, data={"purpose": "x"}
        )
        assert made.status_code == 400


def test_host_names_are_read_as_they_come() -> None:
    """Ports, brackets and case make no difference."""
    assert host_name("LocalHost:80") == "localhost"
    assert host_name("[::1]:8000") == "::1"
    assert host_name("[") == ""
