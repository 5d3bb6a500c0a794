"""Every kind of reference, loaded as a client loads it and sent to a real server."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from api_server import ApiServer, Reply
from PIL import Image

from eyeline import Client, FileId
from eyeline.adapters import images as images_module
from eyeline.adapters.images import PROMPT_BYTES_MAX, Images
from eyeline.core.reference import BytesRef, FileRef
from eyeline.errors import (
    BadReference,
    FetchRefused,
    ImageEmpty,
    ImageError,
    ImageIsDirectory,
    ImageIsWebPage,
    ImageNotFound,
    ImageTruncated,
    NotAnImage,
    UnsupportedFormat,
)
from eyeline.testing import tiny_png

RGB = (200, 30, 30)
PNG = tiny_png(8, 6, RGB)
PIXELS = np.full((6, 8, 3), RGB, np.uint8)


@pytest.fixture
def client(api: ApiServer) -> Iterator[Client]:
    with Client(base_url=api.url, allow_hosts=["127.0.0.1"], cache=False) as client:
        yield client


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "the sign.png"
    path.write_bytes(PNG)
    return path


def sent(api: ApiServer) -> bytes:
    part = api.requests[-1].json["messages"][0]["content"][1]
    return b64decode(part["image_url"]["url"].removeprefix("data:image/png;base64,"))


AS_THEY_ARE: dict[str, Callable[[Path], object]] = {
    "path": lambda file: file,
    "string": str,
    "file URL": lambda file: file.as_uri(),
    "data URL": lambda _: "data:image/png;base64," + b64encode(PNG).decode(),
    "bytes": lambda _: PNG,
    "bytearray": lambda _: bytearray(PNG),
    "memoryview": lambda _: memoryview(PNG),
    "BytesIO": lambda _: BytesIO(PNG),
}


@pytest.mark.parametrize("kind", AS_THEY_ARE)
def test_sends_bytes_as_they_are(kind: str, api: ApiServer, client: Client, file: Path) -> None:
    """However a PNG is given it goes out byte for byte, and the answer says what was sent."""
    answer = client.ask("What is it?", AS_THEY_ARE[kind](file))
    assert sent(api) == PNG
    (image,) = answer.images
    assert (image.media_type, image.width_px, image.height_px) == ("image/png", 8, 6)
    assert (image.sent_bytes, image.notes) == (len(PNG), ())


IN_MEMORY: dict[str, object] = {
    "PIL image": Image.new("RGB", (8, 6), RGB),
    "PIL file": Image.open(BytesIO(PNG)),
    "array": PIXELS,
    "floats": PIXELS / 255,
    "view": np.repeat(PIXELS, 2, axis=1)[:, ::2],
}


@pytest.mark.parametrize("kind", IN_MEMORY)
def test_sends_pixels_in_memory(kind: str, api: ApiServer, client: Client) -> None:
    """Pixels in memory are sent without loss."""
    answer = client.ask("What is it?", IN_MEMORY[kind])
    image = Image.open(BytesIO(sent(api)))
    assert (image.size, image.getpixel((3, 3))) == ((8, 6), RGB)
    assert answer.images[0].source.endswith("in memory")


def test_sends_an_open_file(api: ApiServer, client: Client, file: Path) -> None:
    """An open file is read from its place, named by its path, and can be asked about again."""
    with file.open("rb") as opened:
        for _ in range(2):
            assert client.ask("What is it?", opened).images[0].source == str(file)
            assert sent(api) == PNG


def test_fetches_a_url(api: ApiServer, client: Client) -> None:
    """An image URL on an allowed host is fetched and sent inline; its query is not shown."""
    api.script.append(Reply(200, PNG))
    answer = client.ask("What is it?", f"{api.origin}/sign.png?token=t0p")
    assert sent(api) == PNG
    assert answer.images[0].source == f"{api.origin}/sign.png?…"
    assert [asked.path for asked in api.requests] == [
        "/sign.png?token=t0p",
        "/v1/chat/completions",
    ]


def test_a_type_that_is_not_true_is_noted(api: ApiServer, client: Client, tmp_path: Path) -> None:
    """The bytes decide the type; a name or a server that says otherwise is noted, not believed."""
    api.script.append(Reply(200, PNG, {"Content-Type": "image/jpeg"}))
    answer = client.ask("What is it?", f"{api.origin}/sign")
    assert (answer.images[0].media_type, sent(api)) == ("image/png", PNG)
    assert answer.images[0].notes == ("declared JPEG, is PNG",)
    (tmp_path / "sign.gif").write_bytes(PNG)
    named, url = client.ask(
        "?", tmp_path / "sign.gif", "data:image/webp;base64," + b64encode(PNG).decode()
    ).images
    assert (named.notes, url.notes) == (("named GIF, is PNG",), ("declared WebP, is PNG",))


def test_fetches_from_hosts_of_the_environment(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EYELINE_ALLOW_HOSTS allows a host; being the engine's own does not."""
    with Client(base_url=api.url) as client, pytest.raises(FetchRefused):
        client.ask("?", f"{api.origin}/sign.png")
    assert api.requests == []
    monkeypatch.setenv("EYELINE_ALLOW_HOSTS", "127.0.0.1")
    api.script.append(Reply(200, PNG))
    with Client(base_url=api.url) as client:
        assert client.ask("?", f"{api.origin}/sign.png").text == "A sign."


def test_a_file_id_goes_to_responses(api: ApiServer, client: Client) -> None:
    """An uploaded file is named to the Responses API, beside images that go inline."""
    client.ask("What is it?", FileId("file-1"), PNG)
    assert api.requests[0].path == "/v1/responses"
    by_id, inline = api.requests[0].json["input"][0]["content"][1:]
    assert by_id == {"type": "input_image", "file_id": "file-1", "detail": "high"}
    assert inline["image_url"].startswith("data:image/png;base64,")


def test_all_of_several_images_go_out_in_order(api: ApiServer, client: Client) -> None:
    """Several images of one question stand in its message as they were given, lists taken apart."""
    images = [tiny_png(8, 6, (shade, 0, 0)) for shade in range(4)]
    client.ask("Which?", images[0], [images[1], (images[2],)], images[3])
    parts = api.requests[0].json["messages"][0]["content"][1:]
    urls = [part["image_url"]["url"].partition(",")[2] for part in parts]
    assert [b64decode(url) for url in urls] == images


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (42, BadReference),
        (None, BadReference),
        ("", BadReference),
        ({"url": "x"}, BadReference),
        ("s3://bucket/a.png", BadReference),
        ("javascript:alert(1)", BadReference),
        ("file://elsewhere/a.png", BadReference),
        ("nowhere.png", ImageNotFound),
        (".", ImageIsDirectory),
        (b"", ImageEmpty),
        (b"GARBAGE", NotAnImage),
        (b"<!DOCTYPE html><html>", ImageIsWebPage),
        (b"8BPS\0\1\0\0\0\0", UnsupportedFormat),
        (b"\0\0\0\x18ftypheic\0\0\0\0", ImageTruncated),
        (np.zeros((4, 4, 3), np.uint16), BadReference),
        (b64encode(PNG).decode(), BadReference),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else str(value)[:20],
)
def test_what_names_no_image_is_told(
    given: Any, error: type[ImageError], api: ApiServer, client: Client
) -> None:
    """What cannot be an image is an error of its own kind, and nothing is sent."""
    with pytest.raises(error):
        client.ask("What is it?", given)
    assert api.requests == []


def test_a_web_page_behind_a_url(api: ApiServer, client: Client) -> None:
    """A page about an image is not the image, and the error says what to copy instead."""
    api.script.append(Reply(200, b"<!doctype html><title>Sign</title>"))
    with pytest.raises(ImageIsWebPage) as raised:
        client.ask("What is it?", f"{api.origin}/sign.html")
    assert "address of the image itself" in raised.value.hint
    assert len(api.requests) == 1


def test_what_carries_itself_is_never_loaded() -> None:
    """The loader is not asked for bytes that a reference has."""
    with pytest.raises(AssertionError):
        Images().load(BytesRef(PNG), None)


def test_bodies_are_right_json(api: ApiServer, client: Client) -> None:
    """A prompt of any characters arrives as it was, image beside it."""
    prompt = 'Say "what" \\ \0 is ünder 👁 \u2028 there'
    client.ask(prompt, PNG)
    body = json.loads(api.requests[0].body)
    assert body["messages"][0]["content"][0]["text"] == prompt
    assert sent(api) == PNG


def test_small_files_are_read_at_a_glance(file: Path) -> None:
    """What may take longer than handing it to a thread is not read on the event loop."""
    images, names = Images(), {"pipe": file.with_name("pipe"), "large": file.with_name("large")}
    assert images.glance(FileRef(file), None).data == PNG
    assert images.glance(FileRef(file), 8).data == PNG[:8]
    os.mkfifo(names["pipe"])
    with names["large"].open("wb") as large:
        large.truncate(PROMPT_BYTES_MAX + 1)
    for path in (*names.values(), file.with_name("none"), file.with_name("\0")):
        with pytest.raises(BlockingIOError):
            images.glance(FileRef(path), None)
    with pytest.raises(BlockingIOError):
        images.glance(BytesRef(PNG), None)


def test_after_a_slow_file_the_next_are_read_elsewhere(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where files come slowly, as from far away, the event loop is not held up by them."""
    images = Images()
    monkeypatch.setattr(images_module, "SLOW_S", 0)
    assert images.glance(FileRef(file), None).data == PNG
    with pytest.raises(BlockingIOError):
        images.glance(FileRef(file), None)
    images.slow_until_s = 0
    assert images.glance(FileRef(file), None).data == PNG
