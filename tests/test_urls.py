"""Image URLs: passed on, fetched here, and fetched where the server could not download them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from api_server import ApiServer, Recorded, Reply, error, serve, stream_reply, whole

import eyeline
from eyeline import Client, FileId
from eyeline.core.catalogue import find
from eyeline.core.tokens import PatchRule
from eyeline.core.wire import Request, Response
from eyeline.errors import (
    BudgetExceeded,
    FetchError,
    FetchRefused,
    ImageIsWebPage,
    ImageNotSeen,
    ImageRejected,
    SettingsError,
    StreamCut,
)
from eyeline.testing import FakeTransport, tiny_png

PNG = tiny_png(8, 6)
WEB = "https://pictures.example/sign.jpg"
NOT_LOADED = "Error while downloading {url}."


@pytest.fixture
def pictures() -> Iterator[ApiServer]:
    """Give a host of images: each path is the same small PNG."""
    with serve() as server:
        server.script.extend([Reply(200, PNG, {"Content-Type": "image/png"})] * 9)
        yield server


def client(server: ApiServer, **options: Any) -> Client:
    given = {"model": "gpt-6-luna", "urls": "pass", "allow_hosts": ["127.0.0.1"]} | options
    return Client(base_url=server.url, **given)


def urls_in(request: Recorded | Request) -> list[str]:
    """Give the image URLs of a body of either API, data URLs by their heads."""
    body = json.loads(request.body)
    parts = (body.get("messages") or body.get("input"))[-1]["content"]
    found = [part["image_url"] for part in parts if "image_url" in part]
    named = [each["url"] if isinstance(each, dict) else each for each in found]
    return [url.partition(",")[0] for url in named]


# --- passed or fetched --------------------------------------------------------------------------


def test_openai_is_passed_the_url() -> None:
    """A public URL goes to OpenAI as it is, and the answer says so."""
    transport = FakeTransport("A sign.", "A wall.", "A door.")
    with Client(transport=transport, model="gpt-6-luna") as asked:
        answer = asked.ask("?", WEB, PNG)
        assert urls_in(transport.requests[0]) == [WEB, "data:image/png;base64"]
        passed, sent = answer.images
        assert (passed.source, passed.detail, passed.notes) == (WEB, "high", ("passed as URL",))
        assert (passed.tokens, passed.sent_bytes, sent.tokens) == (None, None, 2)
        assert answer.usage.image_tokens == 2
        assert asked.ask("??", WEB).usage.image_tokens is None
        assert asked.ask("?", WEB, PNG).cached
        assert not asked.ask("?", WEB, PNG, detail="low").cached


def test_a_local_server_gets_the_bytes(api: ApiServer, pictures: ApiServer) -> None:
    """To a server that is not OpenAI an image goes inline, fetched and prepared here."""
    with client(api, urls="auto") as asked:
        answer = asked.ask("?", f"{pictures.origin}/sign.png")
    assert urls_in(api.requests[0]) == ["data:image/png;base64"]
    assert answer.images[0].width_px == 8


@pytest.mark.parametrize("way", ["call", "client", "environment", "file"])
def test_where_the_policy_is_set(way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A call's own policy beats the client's, that the environment's, that the config file's."""
    config = tmp_path / "config.toml"
    config.write_text(f'urls = "{"pass" if way == "file" else "fetch"}"')
    monkeypatch.setenv("EYELINE_CONFIG", str(config))
    if way != "file":
        monkeypatch.setenv("EYELINE_URLS", "pass" if way == "environment" else "fetch")
    options: Any = {"urls": "pass" if way == "client" else "fetch"} if way != "environment" else {}
    options = {} if way == "file" else options
    transport = FakeTransport("A sign.")
    with Client(engine="vllm", transport=transport, **options) as asked:
        asked.ask("?", WEB, **({"urls": "pass"} if way == "call" else {}))
    assert urls_in(transport.requests[0]) == [WEB]


def test_a_policy_that_is_none() -> None:
    """A misspelt policy is an error before anything is fetched or sent."""
    with (
        Client(transport=FakeTransport(), urls="never") as asked,  # type: ignore[arg-type]
        pytest.raises(SettingsError, match="'never', expected one of auto, pass, fetch"),
    ):
        asked.ask("?", WEB)


def test_what_must_be_prepared_is_fetched(api: ApiServer, pictures: ApiServer) -> None:
    """One frame of a file, or an image with a limit on its tokens, cannot go as a URL."""
    url = f"{pictures.origin}/sign.gif"
    with client(api) as asked:
        asked.ask("?", f"{url}#0")
        asked.ask("??", url, max_tokens_per_image=50)
        asked.ask("?", url)
    assert [urls_in(each) for each in api.requests] == [["data:image/png;base64"]] * 2 + [[url]]


def test_the_reader_gets_the_bytes(pictures: ApiServer) -> None:
    """The engine in this process downloads nothing, whatever the policy."""
    from eyeline.adapters.images import Images
    from eyeline.drivers import Driver, Outside
    from eyeline.looking import LookedAt, look_at_all
    from eyeline.policy.limits import Limits

    with Client(engine="local", urls="pass") as asked:
        asking = asked.wiring.asking("?", (f"{pictures.origin}/sign.png",), {})
    images = Images(["127.0.0.1"])
    (seen,) = Driver(Outside(images, images, Limits()), None).run(look_at_all(asking))
    assert isinstance(seen, LookedAt)


def test_parts_for_other_clients_are_inline(
    pictures: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`content_parts` and `show` prepare images, so they fetch them, for any engine."""
    monkeypatch.setenv("EYELINE_ALLOW_HOSTS", "127.0.0.1")
    url = f"{pictures.origin}/sign.png"
    (_, part) = eyeline.content_parts("?", url)
    assert part["image_url"]["url"].startswith("data:image/png;base64,")
    assert len(eyeline.show(url).png) > 100


def test_what_is_not_reached_from_here_is_passed_on(api: ApiServer) -> None:
    """Behind a proxy, say, an engine may reach a host that is unknown here; if not, it is said."""
    url = "http://pictures.invalid/sign.png"
    with client(api, urls="auto") as asked:
        assert asked.ask("?", url).images[0].notes == ("passed as URL",)
        api.script.append(error(400, NOT_LOADED.format(url=url), "invalid_image_url"))
        with pytest.raises(FetchError, match=r"pictures\.invalid is not known"):
            asked.ask("??", url)
        with pytest.raises(FetchError):  # known now not to be reached from there either
            asked.ask("???", url)
        for more in ({"urls": "fetch"}, {"max_tokens_per_image": 50}):
            with pytest.raises(FetchError):
                asked.ask("?", url, **more)  # type: ignore[arg-type]
    assert [urls_in(each) for each in api.requests] == [[url], [url]]
    with Client(engine="local", urls="auto") as here, pytest.raises(FetchError):
        here.ask("?", url)


@pytest.mark.parametrize("urls", ["fetch", "pass"])
def test_a_page_is_no_image(urls: Any, api: ApiServer) -> None:
    """An HTML page in an image's place is an error that says so, whatever type it declares."""
    page = Reply(200, b"<!DOCTYPE html><title>A sign</title>", {"Content-Type": "image/png"})
    refusal = error(400, "You uploaded an unsupported image.", "invalid_image_format")
    with serve() as host:
        host.script.append(page)
        api.script.append(refusal)
        with client(api, urls=urls) as asked, pytest.raises(ImageIsWebPage, match="an HTML page"):
            asked.ask("?", f"{host.origin}/sign.png")


# --- what is held, and what is checked ----------------------------------------------------------


@pytest.mark.parametrize("image", [WEB, FileId("file-1")])
def test_the_most_is_held_for_what_is_not_seen_here(image: Any) -> None:
    """The size of a passed image is not known here, so the budget counts the most it may take."""
    transport = FakeTransport("A sign.")
    # 2,500 patches at 1.2 are 3,000 tokens, $0.0003; the answer is held for besides.
    with (
        Client(transport=transport, model="gpt-6-luna", budget_usd=0.0003) as asked,
        pytest.raises(BudgetExceeded) as raised,
    ):
        asked.ask("?", image, max_output_tokens=1)
    assert float(raised.value.needed_usd) > 0.0003
    assert not transport.requests
    rule = find("gpt-6-luna").rule
    assert isinstance(rule, PatchRule)
    assert rule.tokens_max("high") == 3000


def test_a_passed_image_is_not_missed(api: ApiServer) -> None:
    """Nobody knows here what a passed image takes, so its sight cannot be proved."""
    with client(api, model="gpt-4o") as asked:
        assert asked.ask("?", WEB).text == "A sign."


def test_an_unchecked_answer_does_not_pass_the_check() -> None:
    """What was answered with the check of sight off is asked anew where it is on."""
    blind = {
        "choices": [{"message": {"content": "A cat."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3},
    }
    script = [Response(200, {}, json.dumps(blind).encode())] * 2
    with Client(transport=FakeTransport(*script), model="gpt-4o") as asked:
        assert asked.ask("?", PNG, sight_check=False).text == "A cat."
        assert asked.ask("?", PNG, sight_check=False).cached
        with pytest.raises(ImageNotSeen):
            asked.ask("?", PNG)


# --- rescued ------------------------------------------------------------------------------------


def refusals(url: str) -> dict[str, Reply]:
    """Give the ways in which servers say that they could not download an image."""
    said = NOT_LOADED.format(url=url)
    failed = {"status": "failed", "error": {"code": "failed_to_download_image", "message": "no"}}
    chat = error(400, f"Timeout while downloading {url}.", "invalid_image_url")
    event = f"data: {json.dumps({'error': {'message': said, 'code': 'invalid_image_url'}})}\n\n"
    last = {"type": "error", "code": "invalid_image_url", "message": said}
    ended = f"data: {json.dumps({'type': 'response.failed', 'response': failed})}\n\n"
    return {
        "chat": chat,
        "chat, failed": error(400, said, "invalid_image_url"),
        "chat, status": error(
            400, "Error while downloading file. Upstream status code: 403.", "invalid_image_url"
        ),
        "chat, too large": error(
            400, "Failed to download image from a.gif. Image size exceeds the limit.",
            "invalid_image",
        ),
        "chat, stream": stream_reply([event]),
        "responses": error(400, f"Timeout while downloading {url}.", "invalid_value"),
        "responses, failed": whole({"object": "response", **failed}),
        "responses, stream": stream_reply([ended]),
        "responses, event": stream_reply([f"data: {json.dumps(last)}\n\n"]),
        "llama.cpp": error(500, "error: cannot make GET request", kind="server_error"),
        "inline only": error(400, "Only base64 encoded images are supported"),
    }  # fmt: skip


@pytest.mark.parametrize("name", refusals(""))
def test_a_failed_download_is_mended(name: str, api: ApiServer, pictures: ApiServer) -> None:
    """Where the server could not download, the image goes inline, once, and that is remembered."""
    url = f"{pictures.origin}/sign.png"
    api.script.append(refusals(url)[name])
    kind = "responses" if name.startswith("responses") else "chat"
    with client(api, api=kind) as asked:
        if name.endswith(("stream", "event")):
            asked_stream = asked.stream("?", url)
            assert "".join(asked_stream) == "A sign."
            answer: Any = asked_stream.answer
        else:
            answer = asked.ask("?", url)
        assert (answer.text, answer.images[0].width_px) == ("A sign.", 8)
        assert asked.ask("?", url).cached
    # Another client, another day: the host is known, so the URL is not passed again.
    with client(api, api=kind) as later:
        assert later.ask("What else?", url).images[0].width_px == 8
    inline = ["data:image/png;base64"]
    assert [urls_in(each) for each in api.requests] == [[url], inline, inline]


def test_all_urls_are_fetched_at_once(api: ApiServer, pictures: ApiServer) -> None:
    """However many were passed, the question is sent twice; only the host named is remembered."""
    url = f"{pictures.origin}/sign.png"
    other = url.replace("127.0.0.1", "localhost")
    api.script.append(error(400, NOT_LOADED.format(url=url), "invalid_image_url"))
    with client(api, allow_hosts=["127.0.0.1", "localhost"]) as asked:
        asked.ask("?", url, other)
        asked.ask("What else?", url, other)
    inline = "data:image/png;base64"
    assert [urls_in(each) for each in api.requests] == [[url, other], [inline] * 2, [inline, other]]


def test_an_image_that_is_refused_is_prepared_here(api: ApiServer, pictures: ApiServer) -> None:
    """A passed image of a wrong format or size is sent right, and its host can still be passed."""
    url = f"{pictures.origin}/sign"
    api.script.append(error(400, "You uploaded an unsupported image.", "invalid_image_format"))
    with client(api) as asked:
        asked.ask("?", url)
        asked.ask("What else?", url)
    assert [urls_in(each) for each in api.requests] == [[url], ["data:image/png;base64"], [url]]


def test_a_refusal_of_what_it_shows_is_final(api: ApiServer) -> None:
    """An image that the provider's policy refuses is not sent another way."""
    api.script.append(error(400, "refused image url", "image_content_policy_violation"))
    with client(api) as asked, pytest.raises(ImageRejected):
        asked.ask("?", WEB)
    assert len(api.requests) == 1


def test_a_second_refusal_is_an_error(api: ApiServer, pictures: ApiServer) -> None:
    """Sent inline it is not sent again, whatever the server says then."""
    url = f"{pictures.origin}/sign.png"
    api.script.extend([error(400, NOT_LOADED.format(url=url), "invalid_image_url")] * 2)
    with client(api) as asked, pytest.raises(ImageRejected):
        asked.ask("?", url)
    assert len(api.requests) == 2


def test_the_guard_holds_in_a_rescue(api: ApiServer, pictures: ApiServer) -> None:
    """What the server could not download may lie inside: then it is refused here, and says why."""
    url = f"{pictures.origin}/sign.png"
    api.script.append(error(400, NOT_LOADED.format(url=url), "invalid_image_url"))
    with client(api, allow_hosts=[]) as asked, pytest.raises(FetchRefused) as raised:
        asked.ask("?", url)
    assert isinstance(raised.value.__context__, BaseException)
    assert not pictures.requests


def test_after_the_first_piece_nothing_is_sent_again(api: ApiServer) -> None:
    """What is out cannot be taken back, so a failure in the middle is a cut stream."""
    piece = {"choices": [{"index": 0, "delta": {"content": "A"}, "finish_reason": None}]}
    failed = {"error": {"message": NOT_LOADED.format(url=WEB), "code": "invalid_image_url"}}
    api.script.append(stream_reply([f"data: {json.dumps(each)}\n\n" for each in (piece, failed)]))
    with client(api) as asked, pytest.raises(StreamCut):
        list(asked.stream("?", WEB))
    assert len(api.requests) == 1


def test_a_rescued_question_hits_what_was_asked_by_path(
    api: ApiServer, pictures: ApiServer, tmp_path: Any
) -> None:
    """Fetched, it is the same question as with the file, and is not paid for again."""
    file = tmp_path / "sign.png"
    file.write_bytes(PNG)
    url = f"{pictures.origin}/sign.png"
    with client(api) as asked:
        asked.ask("?", file)
        api.script.append(error(400, NOT_LOADED.format(url=url), "invalid_image_url"))
        assert asked.ask("?", url).cached
    assert len(api.requests) == 2


def test_openai_teaches_its_hosts_alone() -> None:
    """Of OpenAI nothing is learned but where it cannot download."""
    words = "Invalid image URL: expected a base64-encoded data URL; 'max_tokens' is not supported"
    refusal = Response(400, {}, json.dumps({"error": {"message": words}}).encode())
    with (
        Client(transport=FakeTransport(refusal), model="gpt-6-luna") as asked,
        pytest.raises(FetchError),
    ):
        asked.ask("?", "https://pictures.invalid/sign.jpg")
    assert asked.wiring.outside.recall("https://api.openai.com/v1").differences() == ()
