"""The request body: JSON around images in base64, never `json.dumps` over them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from eyeline.core.draft import Draft
from eyeline.core.parts import Api, ImagePart, PreparedImage, content
from eyeline.core.wire import Body, Request

PATHS: dict[Api, str] = {"chat": "/chat/completions", "responses": "/responses"}
ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False)
# A stand-in for a data URL while the JSON around it is made. It is a whole string value of its own.
STAND_IN = "\0image {}\0"
STAND_IN_JSON = re.compile(rb'"\\u0000image (\d+)\\u0000"')


@dataclass(frozen=True, slots=True)
class Manner:
    """
    How a request is put, which its answer should not depend on.

    `usage` asks a stream for its usage at the end. `corrections` are turns of the same
    conversation: what the model answered, and what is wrong with it.
    """

    stream: bool
    timeout_s: float
    usage: bool = True
    corrections: tuple[tuple[str, str], ...] = ()


def build(draft: Draft, images: tuple[ImagePart, ...], manner: Manner) -> Request:
    """Make the request that asks `draft` with its `images` prepared."""
    blobs: list[PreparedImage] = []

    def stand_in(image: PreparedImage) -> str:
        blobs.append(image)
        return STAND_IN.format(len(blobs) - 1)

    parts = content(draft.prompt, images, draft.api, stand_in)
    body: Body | bytes | None = splice(fields(draft, parts, manner), blobs)
    if body is None:  # the user's own text is a stand-in
        body = dumps(fields(draft, content(draft.prompt, images, draft.api), manner))
    return Request(PATHS[draft.api], body, manner.stream, manner.timeout_s)


def fields(draft: Draft, parts: list[dict[str, Any]], manner: Manner) -> dict[str, Any]:
    turns = [{"role": "user", "content": parts}, *corrected(manner.corrections)]
    if draft.api == "responses":
        head: dict[str, Any] = {"model": draft.model, "input": turns}
        if draft.system is not None:
            head["instructions"] = draft.system
        # Some servers stream Responses unless told not to, so `stream` always stands there.
        return head | {"stream": manner.stream} | dict(draft.parameters)
    system = [] if draft.system is None else [{"role": "system", "content": draft.system}]
    head = {"model": draft.model, "messages": [*system, *turns], "stream": manner.stream}
    if manner.stream and manner.usage:
        head["stream_options"] = {"include_usage": True}
    return head | dict(draft.parameters)


def corrected(corrections: Iterable[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Give the turns in which the model is told what was wrong with its answers."""
    for answer, fault in corrections:
        yield {"role": "assistant", "content": answer}
        yield {
            "role": "user",
            "content": f"That does not fit the schema: {fault}. Answer again, with the JSON alone.",
        }


def dumps(value: object) -> bytes:
    return ENCODER.encode(value).encode()


def splice(fields: dict[str, Any], blobs: list[PreparedImage]) -> Body | None:
    """
    Put each image's data URL where its stand-in is.

    Gives None if the user's own text contains a stand-in as a whole value.
    """
    pieces = STAND_IN_JSON.split(dumps(fields))
    if len(pieces) != 2 * len(blobs) + 1:
        return None
    before, around = pieces[0], list[bytes | PreparedImage]()
    for number, after in zip(pieces[1::2], pieces[2::2], strict=True):
        image = blobs[int(number)]
        around += before + f'"data:{image.media_type};base64,'.encode(), image
        before = b'"' + after
    return Body((*around, before))
