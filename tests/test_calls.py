"""The calls without a client: where the environment says, with nothing to make or close."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest
from api_server import ApiServer, Recorded, Reply

import eyeline
from eyeline.errors import BadReference, NotAnImage
from eyeline.testing import tiny_png

PNG = tiny_png(8, 6)
OWN_KEY = "k-eyeline-222222"


def test_the_plain_calls(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ask` and `stream` go where the environment says, also after it changed."""
    monkeypatch.setenv("OPENAI_BASE_URL", api.url)
    assert eyeline.ask("?", PNG, cache=False).text == "A sign."
    assert "".join(eyeline.stream("?", PNG, cache=False)) == "A sign."
    assert eyeline.ask("?", PNG, model="gpt-4o", cache=False).model == "gpt-4o"
    monkeypatch.setenv("EYELINE_API_KEY", OWN_KEY)
    eyeline.ask("?", PNG, cache=False)
    assert api.requests[-1].headers["authorization"] == f"Bearer {OWN_KEY}"


def test_estimates(tmp_path: Path) -> None:
    """An estimate needs no key and sends nothing; it sums its images."""
    file = tmp_path / "sign.png"
    file.write_bytes(tiny_png(320, 320))
    made = eyeline.estimate(file, PNG, model="gpt-6-luna")
    assert [image.width_px for image in made] == [320, 8]
    assert made.tokens == sum(image.tokens for image in made)
    assert made.cost_usd == sum(image.cost_usd for image in made)
    assert eyeline.estimate(file, detail="low", model="gpt-4o").tokens == 85
    assert eyeline.estimate(file, model="some-model").cost_usd is None
    with pytest.raises(NotAnImage):
        eyeline.estimate(b"GARBAGE")


def test_estimates_of_a_folder(tmp_path: Path) -> None:
    """A folder stands for the images in it, in order; a bad one is an error, as is an empty one."""
    for name in ("b.png", "a.png", "in/c.PNG"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(PNG)
    sources = [image.source for image in eyeline.estimate(tmp_path, PNG)]
    assert sources == [
        f"{tmp_path}/a.png",
        f"{tmp_path}/b.png",
        f"{tmp_path}/in/c.PNG",
        f"bytes ({len(PNG)})",
    ]
    (tmp_path / "bad.png").write_bytes(b"GARBAGE")
    with pytest.raises(NotAnImage, match="bad"):
        eyeline.estimate(str(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadReference, match="a folder without images"):
        eyeline.estimate(tmp_path / "empty")


def test_estimates_of_a_batch() -> None:
    """With `batch` the cost is the Batch API's; both prices and the cached one are there anyway."""
    plain = eyeline.estimate(PNG, model="gpt-6-luna")
    batch = eyeline.estimate(PNG, model="gpt-6-luna", batch=True)
    assert batch.cost_usd == batch.batch_cost_usd == plain.batch_cost_usd
    assert plain.cost_usd == 2 * (batch.cost_usd or 0)
    assert plain.cached_cost_usd == (plain.cost_usd or 0) / 10
    assert eyeline.estimate(PNG, model="gpt-5.3-codex", batch=True).cost_usd is None


def test_an_estimate_warns_of_a_model_that_goes(caplog: pytest.LogCaptureFixture) -> None:
    """An estimate under a model that is shut down says so on the log, once a process."""
    for _ in range(2):
        eyeline.estimate(PNG, model="o1-pro")
    said = "o1-pro was shut down on 2026-10-23; its successor is gpt-5.6-sol"
    assert caplog.messages == [said]


@pytest.mark.parametrize("gives_parts", [True, False])
def test_an_estimate_of_a_url_reads_the_head(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch, gives_parts: bool
) -> None:
    """
    Of a URL only the first bytes are asked for, then the part in which the header goes on, and the
    whole from a server that gives beginnings alone.
    """
    monkeypatch.setenv("EYELINE_ALLOW_HOSTS", "127.0.0.1")
    long = b"\xff\xd8" + b"\xff\xe1\xff\xff" + bytes(65_533)
    frame = b"\xff\xc0\0\x11\x08\0\x08\0\x10\3" + b"\1\x11\0" * 3
    whole = long + frame + b"\xff\xda\0\x0c\3" + bytes(10**6)

    def file(asked: Recorded) -> Reply:
        if "range" not in asked.headers:
            return Reply(200, whole)
        start = int(asked.headers["range"].removeprefix("bytes=").partition("-")[0])
        start = start if gives_parts else 0
        given = f"bytes {start}-{start + 65_535}/{len(whole)}"
        return Reply(206, whole[start : start + 65_536], {"Content-Range": given})

    api.script.extend([file] * (2 if gives_parts else 3))
    (image,) = eyeline.estimate(f"{api.origin}/a.jpg", model="gpt-4o")
    assert (image.width_px, image.height_px) == (16, 8)
    asked = [asked.headers.get("range") for asked in api.requests]
    assert asked == ["bytes=0-65535", "bytes=65539-131074", *([] if gives_parts else [None])]


def test_gives_content_parts() -> None:
    """Content parts come in the shape of either API, detail said, images inline."""
    text, image = eyeline.content_parts("What?", PNG)
    assert text == {"type": "text", "text": "What?"}
    assert image["image_url"]["detail"] == "high"
    assert b64decode(image["image_url"]["url"].partition(",")[2]) == PNG
    text, image = eyeline.content_parts("What?", PNG, api="responses", detail="low")
    assert (text["type"], image["type"], image["detail"]) == ("input_text", "input_image", "low")
    with pytest.raises(BadReference):
        eyeline.content_parts("What?")
