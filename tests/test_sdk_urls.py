"""Image URLs on their way through the official clients: passed on, fetched, and rescued."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from api_server import ApiServer, Reply, error, serve

import eyeline
from eyeline.errors import MisplacedImage, SettingsError
from eyeline.testing import tiny_png

MODEL = "gpt-6-luna"
INLINE = "data:image/png;base64"


@pytest.fixture(autouse=True)
def pictures(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """Give a host of images that may be fetched from: each path is the same small PNG."""
    monkeypatch.setenv("EYELINE_ALLOW_HOSTS", "127.0.0.1")
    with serve() as server:
        server.script.extend([Reply(200, tiny_png(8, 6))] * 9)
        yield server


def body(url: str, kind: str = "chat") -> dict[str, Any]:
    part: Any = {"type": "input_image", "image_url": url, "detail": "high"}
    if kind == "chat":
        part = {"type": "image_url", "image_url": {"url": url, "detail": "high"}}
    items = "messages" if kind == "chat" else "input"
    return {items: [{"role": "user", "content": [part]}]}


def ask(client: Any, url: str, kind: str = "chat") -> Any:
    create = client.chat.completions.create if kind == "chat" else client.responses.create
    return create(model=MODEL, **body(url, kind))


def urls_in(api: ApiServer) -> list[str]:
    """Give the image URL of each request, data URLs by their heads."""
    found = []
    for request in api.requests:
        items = request.json.get("messages") or request.json.get("input")
        value = items[0]["content"][-1]["image_url"]
        found.append((value if isinstance(value, str) else value["url"]).partition(",")[0])
    return found


def test_other_servers_get_the_bytes(api: ApiServer, pictures: ApiServer) -> None:
    """By default a server that is not OpenAI gets images inline, as through `ask`."""
    with eyeline.OpenAI(api_key="sk-test", base_url=api.url) as client:
        ask(client, f"{pictures.origin}/a.png")
        assert client.with_options(urls="pass").urls == "pass"
        ask(client.with_options(urls="pass"), f"{pictures.origin}/a.png")
    assert urls_in(api) == [INLINE, f"{pictures.origin}/a.png"]


def test_what_cannot_be_fetched_is_passed_on(api: ApiServer) -> None:
    """Where it cannot be fetched here, the server may still be able to; a warning says so."""
    url = "http://pictures.invalid/a.png"
    with eyeline.OpenAI(api_key="sk-test", base_url=api.url) as client:
        with pytest.warns(MisplacedImage, match=r"pictures\.invalid"):
            ask(client, url)
        with pytest.warns(MisplacedImage, match="moved into an image part"):
            client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": f"What is this? {url}"}]
            )
    assert urls_in(api) == [url, url]


def test_the_policy_of_the_environment(
    api: ApiServer, pictures: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EYELINE_URLS holds for these clients too; a word that is no policy is an error."""
    monkeypatch.setenv("EYELINE_URLS", "pass")
    with eyeline.OpenAI(api_key="sk-test", base_url=api.url) as client:
        ask(client, f"{pictures.origin}/a.png")
    assert urls_in(api) == [f"{pictures.origin}/a.png"]
    with pytest.raises(SettingsError, match="'sometimes', expected one of auto, pass, fetch"):
        eyeline.OpenAI(api_key="sk-test", urls="sometimes")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["chat", "responses"])
@pytest.mark.parametrize("awaiting", [False, True])
def test_a_failed_download_is_mended(
    awaiting: bool, kind: str, api: ApiServer, pictures: ApiServer
) -> None:
    """What the API could not download goes inline, once; the host is remembered by every client."""
    url = f"{pictures.origin}/a.png"
    code = "invalid_image_url" if kind == "chat" else "invalid_value"
    api.script.append(error(400, f"Timeout while downloading {url}.", code))
    options: Any = {"api_key": "sk-test", "base_url": api.url, "urls": "pass"}

    async def awaited() -> Any:
        async with eyeline.AsyncOpenAI(**options) as client:
            return await ask(client, url, kind)

    if awaiting:
        assert asyncio.run(awaited()).model == MODEL
    else:
        with eyeline.OpenAI(**options) as client:
            assert ask(client, url, kind).model == MODEL
    with eyeline.Client(base_url=api.url, urls="pass", api=kind, model=MODEL) as other:  # type: ignore[arg-type]
        other.ask("?", url)
    assert urls_in(api) == [url, INLINE, INLINE]


def test_other_refusals_come_as_they_are(api: ApiServer, pictures: ApiServer) -> None:
    """A refusal of anything else, or with no URL passed on, is the SDK's own error."""
    url = f"{pictures.origin}/a.png"
    options: Any = {"api_key": "sk-test", "base_url": api.url, "max_retries": 0}
    with eyeline.OpenAI(**options, urls="pass") as client:
        api.script.append(error(400, "Unknown parameter: 'speed'."))
        with pytest.raises(openai.BadRequestError, match="speed"):
            ask(client, url)
        api.script.append(error(400, f"Error while downloading {url}.", "invalid_image_url"))
        with pytest.raises(openai.BadRequestError, match="downloading"):
            ask(client.with_options(urls="fetch"), url)
    with eyeline.OpenAI(**options, urls="pass", repair="off") as plain:
        api.script.append(error(400, f"Error while downloading {url}.", "invalid_image_url"))
        with pytest.raises(openai.BadRequestError, match="downloading"):
            ask(plain, url)
    assert urls_in(api) == [url, INLINE, url]


def test_a_rescue_says_nothing_twice(api: ApiServer, pictures: ApiServer) -> None:
    """What was moved out of a text is told once, however often the body goes out."""
    url = f"{pictures.origin}/a.png"
    api.script.append(error(400, f"Error while downloading {url}.", "invalid_image_url"))
    with (
        eyeline.OpenAI(api_key="sk-test", base_url=api.url, urls="pass") as client,
        pytest.warns(MisplacedImage) as warned,
    ):
        client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": f"What is this? {url}"}]
        )
    assert len(warned) == 1
    assert urls_in(api) == [url, INLINE]
