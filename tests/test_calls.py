"""The calls without a client: where the environment says, with nothing to make or close."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest
from api_server import ApiServer

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
