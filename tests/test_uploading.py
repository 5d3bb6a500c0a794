"""Images uploaded once and named by file id, against a real server on loopback."""

from __future__ import annotations

import asyncio
from threading import Barrier, Thread
from typing import Any

import openai
import pytest
from api_server import ApiServer, Recorded, Reply, error, file_object, whole

from eyeline import AsyncClient, Client, FileId
from eyeline.core.upload import KEPT_S
from eyeline.drivers import Driver, Outside
from eyeline.effects import Date, KeepUploaded, Uploaded
from eyeline.errors import AuthenticationFailed, BadRequest
from eyeline.testing import FakeTransport, tiny_png
from eyeline.uploading import MARGIN_S

PNG = tiny_png(8, 6)
INLINE = "data:image/png;base64"


def client(server: ApiServer, **options: Any) -> Client:
    return Client(**({"base_url": server.url, "model": "gpt-6-luna", "upload": True} | options))


def sent(request: Recorded) -> str:
    """Give a request in a word: the upload, or how its question names its first image."""
    if request.path.endswith("/files"):
        return "upload"
    part = (request.json.get("input") or request.json.get("messages"))[0]["content"][1]
    url = part.get("image_url", "")
    return part.get("file_id") or (url if isinstance(url, str) else url["url"]).partition(",")[0]


def course(api: ApiServer) -> list[str]:
    return [sent(request) for request in api.requests]


def test_an_image_is_uploaded_once(api: ApiServer) -> None:
    """Its questions name its file, which is known by what the image is, also another day."""
    with client(api) as asked:
        answer = asked.ask("?", PNG)
        asked.ask("??", PNG, detail="low")
        assert answer.images[0].notes == ("uploaded as file-1",)
        assert (answer.images[0].sent_bytes, answer.images[0].tokens) == (len(PNG), 2)
        assert asked.ask("?", PNG).cached
    with client(api) as later:
        later.ask("???", PNG)
    assert course(api) == ["upload", "file-1", "file-1", "file-1"]
    assert api.requests[0].headers["content-type"].startswith("multipart/form-data; boundary=")
    assert PNG in api.requests[0].body


def test_other_images_and_other_accounts_have_other_files(api: ApiServer) -> None:
    """A file is of one account at one address: another key uploads anew."""
    with client(api, api_key="k-1") as one:
        one.ask("?", PNG)
        one.ask("?", tiny_png(9, 6))
    with client(api, api_key="k-2", cache=False) as other:
        other.ask("?", PNG)
        other.ask("??", PNG)
    assert [each for each in course(api) if each == "upload"] == ["upload"] * 3
    kept = b"".join(path.read_bytes() for path in one.wiring.settings.cache_dir.iterdir())
    assert b"file-1" in kept
    assert b"k-1" not in kept


def test_where_there_are_no_ids_it_goes_inline(api: ApiServer) -> None:
    """Chat takes no file ids, so nothing is uploaded for it; nor is an image passed as URL."""
    with client(api, api="chat") as asked:
        asked.ask("?", PNG)
    with client(api, model="qwen3-vl") as other:
        other.ask("?", PNG)
    with client(api, urls="pass") as passing:
        passing.ask("?", "https://pictures.example/a.png")
    with client(api, upload=False) as plain:
        plain.ask("?", PNG, upload=True)
        plain.ask("??", FileId("file-9"))
    assert course(api) == [
        INLINE, INLINE, "https://pictures.example/a.png", "upload", "file-1", "file-9",
    ]  # fmt: skip


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_without_files(status: int, api: ApiServer) -> None:
    """It gets images inline, says the answer, and is not asked to keep files again."""
    api.script.append(error(status, "Not Found"))
    with client(api) as asked:
        answer = asked.ask("?", PNG)
        assert answer.images[0].notes == (f"sent inline, not uploaded (status {status})",)
        asked.ask("??", PNG)
        assert asked.wiring.outside.recall(api.url).differences() == ("no files",)
    assert course(api) == ["upload", INLINE, INLINE]


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        (error(400, "storage is full"), "status 400"),
        (whole({"object": "file"}), "UnexpectedResponse"),
        (Reply(302, b"", {"Location": "/"}), "status 302"),
    ],
)
def test_an_upload_that_fails(reply: Reply, note: str, api: ApiServer) -> None:
    """The question is answered all the same, its image inline, and the next one tries again."""
    api.script.append(reply)
    with client(api) as asked:
        answer = asked.ask("?", PNG)
        assert answer.images[0].notes == (f"sent inline, not uploaded ({note})",)
        asked.ask("??", PNG)
    assert course(api) == ["upload", INLINE, "upload", "file-1"]


def test_a_refused_key_is_still_an_error(api: ApiServer) -> None:
    """What the question itself is refused for is not hidden by the upload's refusal."""
    api.script += [error(401, "no key")] * 2
    with client(api) as asked, pytest.raises(AuthenticationFailed):
        asked.ask("?", PNG)


def test_a_busy_server_is_asked_again(api: ApiServer) -> None:
    """Uploads are retried as questions are."""
    api.script.append(error(429, "slow", "slow_down", **{"retry-after-ms": "1"}))
    with client(api) as asked:
        asked.ask("?", PNG)
    assert course(api) == ["upload", "upload", "file-1"]


def test_a_file_that_is_gone(api: ApiServer) -> None:
    """The image goes inline, once; the next question uploads it anew."""
    with client(api, urls="pass") as asked:
        asked.ask("?", PNG)
        api.script.append(error(404, "No such File object: file-1"))
        answer = asked.ask("??", PNG, "https://pictures.example/a.png")
        assert answer.images[0].notes == ()
        api.script.append(whole(file_object("file-2")))
        asked.ask("???", PNG)
    assert course(api) == ["upload", "file-1", "file-1", INLINE, "upload", "file-2"]


def test_a_file_that_the_user_named_is_the_users(api: ApiServer) -> None:
    """A file id that was given is not ours to replace, so its absence is an error."""
    api.script.append(error(404, "No such File object: file-9"))
    with client(api) as asked, pytest.raises(BadRequest):
        asked.ask("?", FileId("file-9"))


def test_a_file_near_its_end_is_not_counted_on(api: ApiServer) -> None:
    """When it is about to end, by the server's word or by ours, the image is uploaded anew."""
    now_s = 1_790_000_000.0
    api.script.append(whole(file_object("file-1", expires_at=now_s + 2 * MARGIN_S)))
    with client(api) as asked:
        object.__setattr__(asked.driver.outside, "date", lambda: now_s)
        asked.ask("?", PNG)
        now_s += MARGIN_S - 1
        asked.ask("??", PNG)
        now_s += 1
        api.script.append(whole(file_object("file-2")))
        asked.ask("???", PNG)
        now_s += KEPT_S - MARGIN_S
        api.script.append(whole(file_object("file-3")))
        asked.ask("????", PNG)
    assert course(api) == [
        "upload", "file-1", "file-1", "upload", "file-2", "upload", "file-3",
    ]  # fmt: skip


def test_many_at_once_upload_once(api: ApiServer) -> None:
    """While one uploads the others wait for its file, over threads and tasks."""
    gate = Barrier(4)

    def ask(asked: Client, at: int) -> None:
        gate.wait(5)
        asked.ask("?" * (at + 1), PNG)

    with client(api, cache=False) as asked:
        threads = [Thread(target=ask, args=(asked, at)) for at in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert course(api).count("upload") == 1

    async def together() -> None:
        options: Any = {"base_url": api.url, "model": "gpt-6-luna", "cache": False}
        async with AsyncClient(upload=True, **options) as awaiting:
            await asyncio.gather(*(awaiting.ask("?" * (at + 1), PNG) for at in range(4)))

    asyncio.run(together())
    assert course(api).count("upload") == 2


@pytest.mark.parametrize("awaiting", [False, True])
def test_through_an_official_client(awaiting: bool, api: ApiServer) -> None:
    """A client of the user's carries the form as it is, and its key names the account."""
    if awaiting:

        async def ask() -> None:
            made = openai.AsyncOpenAI(api_key="k-1", base_url=api.url)
            async with AsyncClient(sdk=made, upload=True, model="gpt-6-luna") as asked:
                await asked.ask("?", PNG)

        asyncio.run(ask())
    else:
        with (
            openai.OpenAI(api_key="k-1", base_url=api.url) as made,
            Client(sdk=made, upload=True, model="gpt-6-luna") as asked,
        ):
            asked.ask("?", PNG)
    assert course(api) == ["upload", "file-1"]
    kind = api.requests[0].headers["content-type"]
    assert kind.lower().startswith("multipart/form-data; boundary=eyeline-")
    assert PNG in api.requests[0].body


def test_what_a_client_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids beyond the limit are forgotten, the oldest first; the calendar is the system's."""
    monkeypatch.setattr("eyeline.drivers.UPLOADS_MAX", 2)
    with Client(transport=FakeTransport(), cache=False) as asked:
        outside: Outside = asked.wiring.outside
        driver = Driver(outside, None)
        for name in ("a", "b", "c"):
            driver.perform(KeepUploaded(name, {"id": name}))
        assert [driver.perform(Uploaded(name)) for name in ("a", "b", "c")] == [
            None, {"id": "b"}, {"id": "c"},
        ]  # fmt: skip
        assert driver.perform(Date()) > 1_700_000_000
