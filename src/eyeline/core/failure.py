"""
What an engine's refusal means: its status and body, read into one of our errors.

The same cause has other codes in other endpoints and servers, so code, type and words are all read.
Source of codes and words: OpenAI error guide and openapi.yaml 2.3.0 (August 2026), threads in
openai-python, and the answers of llama.cpp and transformers servers (run November 2026).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eyeline.core import catalogue
from eyeline.core.waits import retry_after_s
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

MESSAGE_CHARS_MAX = 400
# Beyond this, somebody else's words are not read at all.
READ_CHARS_MAX = 20_000
SECRETS = re.compile(
    r"(?i:data):[\w.+-]*(?:/[\w.+-]+)?(?:;[\w.+-]+(?:=[\w.+-]+)?)*,[^\s'\"<>]*"  # a data URL
    r"|(?:sk|sess|key)-[A-Za-z0-9_*-]{6,}"  # an API key, also when starred out by the provider
    r"|[Bb]earer +\S+"
    r"|[A-Za-z0-9+/_-]{64,}={0,2}"  # base64 without its prefix; MIME breaks it into lines of 76
)

QUOTA_CODES = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
}
IMAGE_CODES = {
    "invalid_image",
    "invalid_image_format",
    "invalid_base64_image",
    "invalid_image_url",
    "image_too_large",
    "image_too_small",
    "image_parse_error",
    "image_content_policy_violation",
    "invalid_image_mode",
    "image_file_too_large",
    "unsupported_image_media_type",
    "empty_image_file",
    "failed_to_download_image",
    "image_file_not_found",
}
# llama.cpp answers 500 where it cannot download an image; waiting does not help.
NOT_FETCHED = "cannot make get request"
IMAGE_WORDS = (
    "image you provided",
    "unsupported image",
    "image data",
    "valid image",
    "image url",
    "image mime type",
    "failed to load image",
    "while downloading",
    "failed to download",
    NOT_FETCHED,
)
BLIND_WORDS = (
    "only supported by certain models",
    "image input is not supported",
    "does not support image",
    "not a multimodal model",
)
# Codes of errors inside a stream that began with 200, and the status they would have had.
CODE_STATUS = {
    "rate_limit_exceeded": 429,
    "slow_down": 429,
    "server_error": 500,
    "server_is_overloaded": 503,
    "model_not_found": 404,
    "invalid_api_key": 401,
} | dict.fromkeys(QUOTA_CODES, 429)


@dataclass(frozen=True, slots=True)
class Complaint:
    """The parts of an error body that carry meaning."""

    message: str
    code: str = ""
    kind: str = ""


def api_error(engine: str, response: Response, model: str) -> ApiError:
    """Read a response with an error status into the narrowest error."""
    complaint = read_complaint(response.body)
    request_id = response.headers.get("x-request-id", "")
    wait_s = retry_after_s(response.headers, complaint.message)
    return narrowest(engine, response.status, complaint, request_id, model, wait_s)


def stream_error(engine: str, error: Mapping[str, Any], model: str) -> ApiError:
    """Read an error object that came after status 200."""
    complaint = from_object(error)
    status = CODE_STATUS.get(complaint.code) or CODE_STATUS.get(complaint.kind) or 400
    given = error.get("code")
    if isinstance(given, int) and 400 <= given <= 599:
        status = given
    return narrowest(engine, status, complaint, "", model, retry_after_s({}, complaint.message))


def narrowest(
    engine: str, status: int, complaint: Complaint, request_id: str, model: str,
    wait_s: float | None,
) -> ApiError:  # fmt: skip
    said = (engine, status, complaint.code, complaint.message, request_id)
    kind = classify(status, complaint)
    if kind is ModelNotFound:
        near = catalogue.nearest(model)
        return ModelNotFound(*said, model, "" if near == model else near)
    if kind is RateLimited:
        return RateLimited(*said, wait_s)
    if kind is ServerFailed:
        return ServerFailed(*said, wait_s)
    return kind(*said)


def classify(status: int, complaint: Complaint) -> type[ApiError]:
    words = complaint.message.lower()
    if any(phrase in words for phrase in BLIND_WORDS):
        return ModelLacksVision
    match status:
        case 401:
            return AuthenticationFailed
        case 403:
            return PermissionDenied
        case 429:
            return classify_429(complaint)
        case _ if is_model_unknown(status, complaint):
            return ModelNotFound
        case _ if status >= 500 and NOT_FETCHED not in words:
            return ServerFailed
    is_about_image = complaint.code in IMAGE_CODES or any(w in words for w in IMAGE_WORDS)
    return ImageRejected if is_about_image else BadRequest


def classify_429(complaint: Complaint) -> type[ApiError]:
    if QUOTA_CODES & {complaint.code, complaint.kind}:
        return QuotaExceeded
    # This 429 never passes: the request alone is over the limit.
    return BadRequest if complaint.message.startswith("Request too large") else RateLimited


def is_model_unknown(status: int, complaint: Complaint) -> bool:
    return complaint.code == "model_not_found" or (
        status == 404 and re.search(r"\bmodel\b", complaint.message.lower()) is not None
    )


def read_complaint(body: bytes) -> Complaint:
    """Read an error body: the API's object, FastAPI's `detail`, plain text or HTML."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return Complaint(redact(readable(body)))
    if not isinstance(value, dict):
        return Complaint(redact(str(value)))
    inner = value.get("error") or value.get("detail") or value
    return from_object(inner) if isinstance(inner, dict) else Complaint(redact(str(inner)))


def from_object(error: Mapping[str, Any]) -> Complaint:
    """Read an error object. A number as its code only repeats the status, as llama.cpp does it."""
    message = error.get("message") or error.get("detail") or json.dumps(error, default=str)
    code = error.get("code")
    return Complaint(
        message=redact(str(message)),
        code=redact(code) if isinstance(code, str) else "",
        kind=str(error.get("type") or ""),
    )


def readable(body: bytes) -> str:
    """Give the words of a body that is not JSON, tags taken out."""
    text = body[:READ_CHARS_MAX].decode("utf-8", "replace")
    text = re.sub(r"<(script|style|head).*?</\1>|<[^>]*>", " ", text, flags=re.S | re.I)
    return text or "no body"


def redact(message: str) -> str:
    """
    Take keys, data URLs, base64 and control characters out of somebody else's words; cut at a
    length.
    """
    safe = SECRETS.sub("[…]", message[:READ_CHARS_MAX])
    plain = "".join(char if char.isprintable() else " " for char in safe)
    words = " ".join(plain.split())
    return words if len(words) <= MESSAGE_CHARS_MAX else f"{words[:MESSAGE_CHARS_MAX]}…"
