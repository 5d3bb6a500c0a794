"""The page's endpoints: models, sights and costs by the same plan as the command line."""

from __future__ import annotations

import json
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

import eyeline
from eyeline.gateway.desk import routes
from eyeline.gateway.options import Bounds
from eyeline.wiring import ClientOptions, wire

EXAMPLES = Path(__file__).parents[2] / "examples"
BYTES_MAX = 2 * 10**6
SIGN = (EXAMPLES / "street-sign.jpg").read_bytes()


def desk(**options: Any) -> TestClient:
    return TestClient(
        Starlette(routes=routes(wire(ClientOptions(**options)), Bounds(body_bytes_max=BYTES_MAX)))
    )


@pytest.fixture
def openai() -> TestClient:
    """The desk of a gateway that sends to OpenAI."""
    return desk(engine="openai", api_key="sk-test")


def test_models_that_see_are_listed_with_their_engine(openai: TestClient) -> None:
    """The page learns who answers, the default, and each model's API, details and price."""
    found = openai.get("/eyeline/models").json()
    assert found["engine"]["base_url"] == "https://api.openai.com/v1"
    assert (found["engine"]["is_local"], found["model"], found["detail"]) == (
        False, "gpt-6-luna", "high",
    )  # fmt: skip
    by_name = {model["name"]: model for model in found["models"]}
    assert by_name["gpt-6-luna"]["details"] == ["low", "high", "original"]
    assert by_name["gpt-6-luna"]["input_usd_per_million"] == 0.1
    assert by_name["gpt-5.4-pro"]["api"] == "responses"
    assert by_name["gpt-4o"]["api"] == "chat"
    assert {"gpt-6", "gpt-4", "o3", "others"} <= {model["group"] for model in found["models"]}
    assert "sk-test" not in json.dumps(found)


def test_without_a_key_the_reader_is_named_first() -> None:
    """With no key the built-in reader answers, and the page is told so."""
    found = desk().get("/eyeline/models").json()
    assert found["engine"]["is_local"]
    assert found["engine"]["is_fallback"]
    assert found["model"] == found["models"][0]["name"] == "reader"
    assert not found["models"][0]["counts_tokens"]


def test_a_detail_that_the_reader_lacks_may_be_set() -> None:
    """What a config file says of detail is told to the page, also where the reader answers."""
    found = desk(detail="original").get("/eyeline/models").json()
    assert (found["model"], found["detail"]) == ("reader", "original")


def test_a_picture_is_shown_as_it_would_be_sent(openai: TestClient) -> None:
    """Size, tokens and dollars are those of `estimate`; the pixels are upright and of that size."""
    found = openai.post("/eyeline/look?model=gpt-4o&name=a/street-sign.jpg", content=SIGN).json()
    (page,) = found["pages"]
    (expected,) = eyeline.estimate(EXAMPLES / "street-sign.jpg", model="gpt-4o")
    chosen = page["choices"]["gpt-4o"]["high"]
    assert page["source"] == "street-sign.jpg"
    assert chosen["tokens"] == expected.tokens
    assert chosen["cost_usd"] == float(expected.cost_usd or 0)
    assert (chosen["width_px"], chosen["height_px"]) == (
        expected.sent_width_px, expected.sent_height_px,
    )  # fmt: skip
    assert chosen["cell_px"] == 512
    head, _, data = page["url"].partition(",")
    assert head == f"data:{page['sent_media_type']};base64"
    drawn = Image.open(BytesIO(b64decode(data)))
    assert drawn.size == (page["sent_width_px"], page["sent_height_px"])
    assert drawn.getexif().get(0x0112, 1) == 1


def test_every_model_and_detail_is_priced_at_once(openai: TestClient) -> None:
    """One look gives all choices; what a model would refuse says why."""
    buffer = BytesIO()
    Image.new("L", (9000, 6000)).save(buffer, "PNG")
    (page,) = openai.post("/eyeline/look", content=buffer.getvalue()).json()["pages"]
    assert page["choices"]["gpt-4o"]["low"]["cell_px"] is None
    assert page["choices"]["gpt-4o"]["low"]["tokens"] == 85
    luna = page["choices"]["gpt-6-luna"]
    assert luna["low"]["tokens"] < luna["high"]["tokens"]
    assert luna["high"]["cells"].endswith("patches")
    assert "30,000 patches" in luna["original"]["refused"]


def test_a_model_outside_the_catalogue_is_among_the_choices(openai: TestClient) -> None:
    """A name nobody has told us about gets a safe size and no price."""
    (page,) = openai.post("/eyeline/look?model=my-model", content=SIGN).json()["pages"]
    assert page["choices"]["my-model"]["high"]["cost_usd"] is None
    assert any("not in the catalogue" in note for note in page["notes"])


def test_a_url_is_fetched_with_the_guard(api: ApiServer, openai: TestClient) -> None:
    """A private address is refused before anything is asked of it, and named."""
    asked = openai.post("/eyeline/look", json={"url": f"{api.origin}/sign.jpg"})
    assert asked.status_code == 400
    assert asked.json()["error"]["type"] == "FetchRefused"
    assert asked.json()["error"]["hint"]
    assert not api.requests


def test_a_url_of_a_named_host_is_shown(api: ApiServer) -> None:
    """A host that the server allows is fetched from."""
    from api_server import Reply

    api.script.append(Reply(200, SIGN, {"Content-Type": "image/jpeg"}))
    client = desk(engine="openai", api_key="sk-test", allow_hosts=["127.0.0.1"])
    (page,) = client.post("/eyeline/look", json={"url": f"{api.origin}/sign.jpg"}).json()["pages"]
    assert page["source"].endswith("/sign.jpg")
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"url": "/etc/passwd"}, "expected an http, https or data URL"),
        ({"url": "file:///etc/passwd"}, "expected an http, https or data URL"),
        ({"url": ""}, "an empty string"),
        ({"url": 7}, "expected an http, https or data URL"),
        ({"link": "https://example.com/a.png"}, 'no {"url"'),
        ([], 'no {"url"'),
    ],
)
def test_paths_are_refused(openai: TestClient, body: object, found: str) -> None:
    """Nobody who reaches the page reads files of the machine it runs on."""
    asked = openai.post("/eyeline/look", json=body)
    assert asked.status_code == 400
    assert found in asked.json()["error"]["message"]


@pytest.mark.parametrize(
    ("query", "data", "status", "message"),
    [
        ("?name=notes.txt", b"only words here", 400, "notes.txt"),
        ("?name=%00", b"", 400, "picture"),
        ("?detail=huge", SIGN, 400, "huge"),
        ("?name=big.jpg", bytes(BYTES_MAX + 1), 413, "2,000,000 bytes"),
    ],
)
def test_what_cannot_be_shown_is_named(
    openai: TestClient, query: str, data: bytes, status: int, message: str
) -> None:
    """An error says which picture, what was found, and what to do."""
    asked = openai.post(f"/eyeline/look{query}", content=data)
    assert asked.status_code == status
    assert message in asked.json()["error"]["message"]


def test_a_document_stands_for_its_first_pages(openai: TestClient) -> None:
    """Of a long document twenty pages are shown, and the rest is counted."""
    buffer = BytesIO()
    pages = [Image.new("RGB", (64, 64), (at, 0, 0)) for at in range(22)]
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:])
    found = openai.post("/eyeline/look?name=scan.tiff", content=buffer.getvalue()).json()
    assert [page["source"] for page in found["pages"]][::19] == ["scan.tiff#1", "scan.tiff#20"]
    assert found["left_out"] == 2


def test_an_answer_is_priced_by_its_usage(openai: TestClient) -> None:
    """Cached input is priced at its own rate, and an unknown model has no price."""
    figures = "input_tokens=1000000&output_tokens=0&cached_tokens=0"
    assert openai.get(f"/eyeline/cost?model=gpt-4o&{figures}").json() == {"cost_usd": 2.5}
    assert openai.get(f"/eyeline/cost?model=my-model&{figures}").json() == {"cost_usd": None}
    assert openai.get("/eyeline/cost?model=gpt-4o&input_tokens=-1").status_code == 400


def test_what_is_answered_here_costs_nothing() -> None:
    """The engine in this process bills nobody, whatever model was named."""
    asked = desk().get("/eyeline/cost?model=gpt-4o&input_tokens=1000&output_tokens=10")
    assert asked.json() == {"cost_usd": 0.0}
