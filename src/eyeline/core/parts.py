"""
Prepared images and text as content parts, in the exact shapes of the two APIs.

Source: the request types of openai-python 3.54.0 (2026-11-17); tests validate against the installed
ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pybase64 import b64encode_as_string

from eyeline.core.size import Size
from eyeline.core.tokens import Detail

Api = Literal["chat", "responses"]


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """
    An encoded image, ready to send; `size` is in pixels.

    `notes` say in a few words what only the pixels could decide.
    """

    data: bytes = field(repr=False)
    media_type: str
    size: Size
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image inside a body: a data URL, or the id of an uploaded file."""

    detail: Detail
    prepared: PreparedImage | None = None
    file_id: str = ""


def data_url(image: PreparedImage) -> str:
    return f"data:{image.media_type};base64,{b64encode_as_string(image.data)}"


def text_part(text: str, api: Api) -> dict[str, Any]:
    return {"type": "text" if api == "chat" else "input_text", "text": text}


def image_part(url: str, detail: Detail, api: Api) -> dict[str, Any]:
    """Give the part that carries a URL: an object in Chat, a plain string in Responses."""
    if api == "chat":
        return {"type": "image_url", "image_url": {"url": url, "detail": detail}}
    return {"type": "input_image", "image_url": url, "detail": detail}


def file_part(file_id: str, detail: Detail) -> dict[str, Any]:
    """Give the part that names an uploaded image; only Responses takes one."""
    return {"type": "input_image", "file_id": file_id, "detail": detail}


def content(
    prompt: str,
    images: tuple[ImagePart, ...],
    api: Api,
    url_of: Callable[[PreparedImage], str] = data_url,
) -> list[dict[str, Any]]:
    """Give the parts of one user message, the text first, as the guides do it."""
    return [
        text_part(prompt, api),
        *(
            image_part(url_of(image.prepared), image.detail, api)
            if image.prepared
            else file_part(image.file_id, image.detail)
            for image in images
        ),
    ]
