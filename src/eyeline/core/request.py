"""The request body, made once as bytes: JSON around the base64, never `json.dumps` over it."""

from __future__ import annotations

import json
import re
from typing import Any

from pybase64 import b64encode

from eyeline.core.draft import Draft
from eyeline.core.parts import Api, ImagePart, PreparedImage, content
from eyeline.core.wire import Request

PATHS: dict[Api, str] = {"chat": "/chat/completions", "responses": "/responses"}
# A stand-in for a data URL while the JSON around it is made. It is a whole string value of its own.
STAND_IN = "\0image {}\0"
STAND_IN_JSON = re.compile(rb'"\\u0000image (\d+)\\u0000"')


def build(
    draft: Draft, images: tuple[ImagePart, ...], *, stream: bool, timeout_s: float
) -> Request:
    """Make the request that asks `draft` with its `images` prepared."""
    blobs: list[PreparedImage] = []

    def stand_in(image: PreparedImage) -> str:
        blobs.append(image)
        return STAND_IN.format(len(blobs) - 1)

    parts = content(draft.prompt, images, draft.api, stand_in)
    body = splice(fields(draft, parts, stream=stream), blobs)
    if body is None:  # the user's own text is a stand-in
        body = dumps(fields(draft, content(draft.prompt, images, draft.api), stream=stream))
    return Request(PATHS[draft.api], body, stream, timeout_s)


def fields(draft: Draft, parts: list[dict[str, Any]], *, stream: bool) -> dict[str, Any]:
    message = {"role": "user", "content": parts}
    if draft.api == "responses":
        head: dict[str, Any] = {"model": draft.model, "input": [message]}
        if draft.system is not None:
            head["instructions"] = draft.system
        # Some servers stream Responses unless told not to, so `stream` always stands there.
        return head | {"stream": stream} | dict(draft.parameters)
    system = [] if draft.system is None else [{"role": "system", "content": draft.system}]
    head = {"model": draft.model, "messages": [*system, message], "stream": stream}
    if stream:
        head["stream_options"] = {"include_usage": True}
    return head | dict(draft.parameters)


def dumps(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode()


def splice(body: dict[str, Any], blobs: list[PreparedImage]) -> bytes | None:
    """
    Put each image's data URL where its stand-in is; the alphabet of base64 needs no escaping in
    JSON.

    Gives None if the user's own text contains a stand-in as a whole value.
    """
    pieces = STAND_IN_JSON.split(dumps(body))
    if len(pieces) != 2 * len(blobs) + 1:
        return None
    for number in range(1, len(pieces), 2):
        image = blobs[int(pieces[number])]
        head = f'"data:{image.media_type};base64,'.encode()
        pieces[number] = b"".join((head, b64encode(image.data), b'"'))
    return b"".join(pieces)
