"""What an engine's refusal becomes."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eyeline.core.failure import MESSAGE_CHARS_MAX, api_error, redact, stream_error
from eyeline.core.wire import Response
from eyeline.errors import (
    ApiError,
    AuthenticationFailed,
    BadRequest,
    ImageRejected,
    ModelLacksVision,
    ModelNotFound,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    ServerFailed,
)

SAMPLES = Path(__file__).parent.parent / "samples" / "replies"
NOT_A_DATA_URL = (
    "Expected a base64-encoded data URL with an image MIME type "
    "(e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got "
)


def said(
    status: int, message: str, code: str | None = None, kind: str = "invalid_request_error"
) -> tuple[int, bytes]:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return status, json.dumps({"error": error}).encode()


def read(status: int, body: bytes, model: str = "gpt-6-luna", **headers: str) -> ApiError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api_error("openai", Response(status, named, body), model)


# Words and codes: OpenAI's guides and spec, and threads of users, as collected on 2026-11-22.
IMAGES = [
    ("invalid_value", "The image you provided requires 41334 patches after processing, exceeding "
     "the limit of 30000. Please resize the image and try again."),
    ("invalid_image_format", "You uploaded an unsupported image. Please make sure your image has "
     "of one the following formats: ['png', 'jpeg', 'gif', 'webp']."),
    ("image_parse_error", "You uploaded an unsupported image. Please make sure your image is below "
     "20 MB in size and is of one the following formats: ['png', 'jpeg', 'gif', 'webp']."),
    (None, "The image data you provided does not represent a valid image. Please check your input "
     "and try again with one of the supported image formats: ['image/jpeg', 'image/png']."),
    ("invalid_value", "Invalid image URL: 'messages[0].content[1].image_url.url'. "
     f"{NOT_A_DATA_URL}a value without the 'data:' prefix."),
    (None, f"Invalid 'input[1].content[1].image_url'. {NOT_A_DATA_URL}empty base64-encoded bytes."),
    (None, f"Invalid 'input[9].content[1].image_url'. {NOT_A_DATA_URL}an invalid "
     "base64-encoded value."),
    ("invalid_image_url", "Timeout while downloading https://example.org/a.png."),
    ("invalid_image_url", "Error while downloading https://example.org/a.png."),
    ("invalid_image_url", "Error while downloading file. Upstream status code: 400."),
    ("invalid_image_url", "Failed to download https://example.org/a.png"),
    ("invalid_value", "Timeout while downloading https://example.org/a.png."),
    ("invalid_image", "Failed to download image from IMG_9660.gif. Image size exceeds the limit."),
    ("image_content_policy_violation", "Your request was rejected."),
    ("image_too_large", "…"),
    ("empty_image_file", "…"),
]  # fmt: skip
LIMIT = "Rate limit reached for gpt-4o-mini in organization org-1 on tokens per min (TPM): Limit "
ROWS: list[tuple[str, tuple[int, bytes], type[ApiError]]] = [
    *((f"image {code}: {words[:60]}", said(400, words, code), ImageRejected)
      for code, words in IMAGES),
    ("blind", said(400, "Invalid content type. image_url is only supported by certain models."),
     ModelLacksVision),
    ("blind llama.cpp", said(500, "image input is not supported - hint: if this is unexpected, you "
     "may need to provide the mmproj"), ModelLacksVision),
    ("part type", said(400, "Invalid value: 'image'. Supported values are: 'input_text', "
     "'input_image', 'input_audio'.", "invalid_value"), BadRequest),
    ("key", said(401, "Incorrect API key provided: sk-abc*****xyz.", "invalid_api_key"),
     AuthenticationFailed),
    ("region", said(403, "Country, region, or territory not supported", "unsupported_country"),
     PermissionDenied),
    ("model", said(404, "The model `gpt-9` does not exist or you do not have access to it.",
     "model_not_found"), ModelNotFound),
    ("model without a code", said(404, "model 'gpt-9' not found, try pulling it first"),
     ModelNotFound),
    ("model with 400", said(400, "The requested model 'gpt-9' does not exist.", "model_not_found"),
     ModelNotFound),
    ("path", said(404, "Invalid URL (POST /v1/v1/chat/completions)"), BadRequest),
    ("too large", said(413, "Request Entity Too Large"), BadRequest),
    ("field", said(422, "Unknown field"), BadRequest),
    ("TPM", said(429, f"{LIMIT}200000, Used 195869, Requested 4412. Please try again in 84ms.",
     "rate_limit_exceeded", "tokens"), RateLimited),
    ("RPM", said(429, "Rate limit reached … on requests per min (RPM)", "rate_limit_exceeded",
     "requests"), RateLimited),
    ("slow down", said(429, "Slow down.", "slow_down"), RateLimited),
    ("429 without a word", (429, b""), RateLimited),
    ("one request over the limit", said(429, "Request too large for gpt-4o in organization org-1 "
     "on tokens per min (TPM): Limit 30000, Requested 34307. The input or output tokens must be "
     "reduced in order to run successfully.", "rate_limit_exceeded", "tokens"), BadRequest),
    *((code, said(429, "You exceeded your quota.", code, "insufficient_quota"), QuotaExceeded)
      for code in ("insufficient_quota", "credit_balance_exhausted",
                   "organization_spend_limit_exceeded", "project_spend_limit_exceeded",
                   "organization_usage_limit_exceeded")),
    ("quota by type alone", said(429, "…", None, "insufficient_quota"), QuotaExceeded),
    ("quota by code alone", said(429, "…", "credit_balance_exhausted", "tokens"), QuotaExceeded),
    ("server", said(500, "The server had an error", None, "server_error"), ServerFailed),
    ("overloaded", said(503, "The server is overloaded", "server_is_overloaded"), ServerFailed),
    ("gateway page", (502, (SAMPLES / "other_page.html").read_bytes()), ServerFailed),
    ("transformers, bad image", (500, (SAMPLES / "other_plain.txt").read_bytes()), ServerFailed),
    ("transformers, model", (400, (SAMPLES / "other_detail.json").read_bytes()), BadRequest),
    ("transformers, field", (422, b'{"detail":[{"loc":["body","x"],"msg":"extra"}]}'), BadRequest),
    ("llama.cpp, image", (400, (SAMPLES / "error_llamacpp.json").read_bytes()), ImageRejected),
    ("llama.cpp, file URL", said(400, "file:// URLs are not allowed unless --media-path is "
     "specified"), BadRequest),
    ("llama.cpp, part", said(400, "unsupported content[].type"), BadRequest),
    ("llama.cpp, no URL", said(500, "Invalid base64 value", None, "server_error"), ServerFailed),
    ("llama.cpp, GET", said(500, "error: cannot make GET request", None, "server_error"),
     ImageRejected),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "kind"), ROWS, ids=[row[0] for row in ROWS])
def test_every_known_refusal(name: str, answer: tuple[int, bytes], kind: type[ApiError]) -> None:
    """Each refusal seen in the wild becomes the narrowest class, with a hint and an exit code."""
    error = read(*answer)
    assert type(error) is kind
    assert error.status == answer[0]
    assert error.message
    assert error.hint or kind is BadRequest  # a request nobody foresaw has the engine's words alone
    assert error.exit_code == (1 if kind in MAY_PASS else 2)


MAY_PASS = {BadRequest, ImageRejected, RateLimited, ServerFailed}


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (b'{"error": {"message": "m", "code": "c", "type": "t"}}', "m", "c"),
        (b'{"error": {"message": "m", "code": 400}}', "m", ""),
        (b'{"error": {"detail": "d"}}', "d", ""),
        (b'{"error": {"reason": 1}}', '{"reason": 1}', ""),
        (b'{"error": "words"}', "words", ""),
        (b'{"detail": "words"}', "words", ""),
        (b'{"message": "m", "code": "c"}', "m", "c"),
        (b"{}", "{}", ""),
        (b'["a", "b"]', "['a', 'b']", ""),
        (b"plain words", "plain words", ""),
        (b"", "no body", ""),
        (b"[" * 100_000, "[" * 400 + "…", ""),
        (b"\xff\xfe", "\ufffd\ufffd", ""),
        (
            b"<html><head><title>502</title></head><body><h1>502 Bad</h1><p>nginx</p>",
            "502 Bad nginx",
            "",
        ),
        (b"a\x1b[31mred\x07\r\n\tb", "a [31mred b", ""),
    ],
)
def test_every_form_of_body(body: bytes, message: str, code: str) -> None:
    """The API's object, FastAPI's detail, bare text and pages all give up their words."""
    error = read(400, body)
    assert (error.message, error.code) == (message, code)


def test_the_sentence_of_an_error() -> None:
    """An error says who, which status, which code, what, and the id to quote to the provider."""
    error = read(*said(429, "Slow down.", "slow_down"), x_request_id="req_7", retry_after="2")
    assert str(error) == "openai: 429 slow_down: Slow down. [req_7]"
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 2.0


def test_a_status_is_not_said_twice() -> None:
    """A server that gives its status as the code is quoted without it."""
    error = read(400, (SAMPLES / "error_llamacpp.json").read_bytes())
    assert str(error) == "openai: 400: Failed to load image or audio file"


def test_the_wait_of_a_failing_server() -> None:
    """A failing server's advice is kept too, and that in the words of a limit."""
    failed = read(503, b"", retry_after="9")
    limited = read(*said(429, f"{LIMIT}1. Please try again in 84ms."))
    assert isinstance(failed, ServerFailed)
    assert isinstance(limited, RateLimited)
    assert (failed.retry_after_s, limited.retry_after_s) == (9.0, pytest.approx(0.084))


@pytest.mark.parametrize(
    ("model", "nearest"), [("gpt-6-lunar", "gpt-6-luna"), ("gpt-4o", ""), ("llava:7b", "")]
)
def test_an_unknown_model_names_the_nearest(model: str, nearest: str) -> None:
    """A name that was mistyped gets the nearest one, a name that is right none."""
    error = read(*said(404, "no such model", "model_not_found"), model=model)
    assert isinstance(error, ModelNotFound)
    assert (error.model, error.nearest) == (model, nearest)


# --- inside a stream ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"code": "rate_limit_exceeded", "message": "m"}, RateLimited, 429),
        ({"code": "slow_down", "message": "m"}, RateLimited, 429),
        ({"type": "insufficient_quota", "message": "m"}, QuotaExceeded, 429),
        ({"code": "server_error", "message": "m"}, ServerFailed, 500),
        ({"type": "server_error", "code": None, "message": "m"}, ServerFailed, 500),
        ({"code": "server_is_overloaded", "message": "m"}, ServerFailed, 503),
        ({"code": "model_not_found", "message": "m"}, ModelNotFound, 404),
        ({"code": "invalid_api_key", "message": "m"}, AuthenticationFailed, 401),
        ({"code": "invalid_image", "message": "m"}, ImageRejected, 400),
        ({"code": "image_content_policy_violation", "message": "m"}, ImageRejected, 400),
        ({"code": "invalid_prompt", "message": "m"}, BadRequest, 400),
        ({"code": 503, "message": "m"}, ServerFailed, 503),
        ({"code": 7, "message": "m"}, BadRequest, 400),
        ({"message": "does not support image input"}, ModelLacksVision, 400),
        ({}, BadRequest, 400),
    ],
)
def test_an_error_after_status_200(
    error: dict[str, Any], kind: type[ApiError], status: int
) -> None:
    """An error inside a stream is read as if it had come with the status it stands for."""
    found = stream_error("openai", error, "gpt-6-luna")
    assert (type(found), found.status) == (kind, status)


def test_a_wait_inside_a_stream() -> None:
    """The wait stands in the words, for the headers are long gone."""
    error = {"code": "rate_limit_exceeded", "message": "Please try again in 26s."}
    found = stream_error("openai", error, "gpt-4o")
    assert isinstance(found, RateLimited)
    assert found.retry_after_s == 26.0


# --- secrets ------------------------------------------------------------------------------------

BLOB = b64encode(bytes(range(256)) * 2).decode()
KEY = "sk-proj-AbCd0123456789_-xyz"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (f"Incorrect API key provided: {KEY}. You can", "Incorrect API key provided: […]. You can"),
        ("Incorrect API key provided: sk-abc*****wxyz.", "Incorrect API key provided: […]."),
        ("Authorization: Bearer abc.def", "Authorization: […]"),
        (f"got 'data:image/png;base64,{BLOB}'", "got '[…]'"),
        ("got data:image/png;base64,aGk= here", "got […] here"),
        ("got data:image/png;charset=utf-8;base64,aGk= here", "got […] here"),
        ("got DATA:;base64,aGk=", "got […]"),
        ("got data:image/svg+xml,%3Csvg%3E", "got […]"),
        (f"value {BLOB} is too long", "value […] is too long"),
        (f"value {BLOB[:76]}\n{BLOB[76:152]}", "value […] […]"),
        ("without the 'data:' prefix, and data: alone", None),
        ("see https://platform.openai.com/account/rate-limits", None),
        ("x" * 63, None),
    ],
)
def test_redacted(message: str, shown: str | None) -> None:
    """Keys, data URLs and base64 are taken out of somebody else's words, the words stay."""
    assert redact(message) == (message if shown is None else shown)


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
KEYS = st.text(f"{ALPHABET}_-", min_size=20, max_size=60).map("sk-{}".format)
URLS = st.binary(min_size=40, max_size=300).map(
    lambda data: f"data:image/png;base64,{b64encode(data).decode()}"
)
BLOBS = st.binary(min_size=60, max_size=400).map(lambda data: b64encode(data).decode())


@given(st.text(max_size=60), st.one_of(KEYS, URLS, BLOBS), st.text(max_size=60))
def test_no_secret_passes(before: str, secret: str, after: str) -> None:
    """Whatever stands around it, no key, data URL or long base64 comes out, and it is short."""
    assume(secret[-20:] not in before + after)
    shown = redact(f"{before} {secret} {after}")
    assert secret not in shown
    assert secret[-20:] not in shown
    assert len(shown) <= MESSAGE_CHARS_MAX + 1
    assert shown.isprintable()


@given(st.one_of(KEYS, URLS, BLOBS))
def test_no_secret_passes_through_a_body(secret: str) -> None:
    """An engine that echoes what it was sent does not get it into an error."""
    for body in (
        {"error": {"message": f"bad: {secret}"}},
        {"detail": [secret]},
        {"x": {"y": secret}},
    ):
        assert secret[-20:] not in str(read(400, json.dumps(body).encode()))


@given(st.binary(max_size=200), st.integers(400, 599))
def test_any_body_is_an_api_error(body: bytes, status: int) -> None:
    """Whatever an engine answers, it becomes an ApiError with that status."""
    assert read(status, body).status == status


@given(
    st.dictionaries(
        st.sampled_from(["message", "code", "type", "detail", "error"]),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=2),
    )
)
def test_any_object_is_an_api_error(value: dict[str, Any]) -> None:
    """An error object of any shape is read, in a body as in a stream."""
    assert read(400, json.dumps({"error": value}).encode()).status == 400
    assert stream_error("openai", value, "gpt-4o").status >= 400
