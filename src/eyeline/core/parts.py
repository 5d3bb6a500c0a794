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
class Stored:
    """
    An encoded image that lies in a file: read whenever it is wanted, and held by nobody in between.

    `read` is the outside's; it raises an ImageError once the file is not what it was.
    """

    read: Callable[[], bytes] = field(repr=False)
    size_bytes: int


Encoded = bytes | Stored


def bytes_of(content: Encoded) -> bytes:
    """Give an image's bytes; for adapters, since it may read a file."""
    return content if isinstance(content, bytes) else content.read()


def size_of(content: Encoded) -> int:
    """Give the length of an image in bytes; nothing is read for it."""
    return len(content) if isinstance(content, bytes) else content.size_bytes


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """
    An encoded image, ready to send; `size` is in pixels.

    `notes` say in a few words what only the pixels could decide.
    """

    content: Encoded = field(repr=False)
    media_type: str
    size: Size
    notes: tuple[str, ...] = ()

    @property
    def data(self) -> bytes:
        """The image's bytes, as `bytes_of` gives them."""
        return bytes_of(self.content)


@dataclass(frozen=True, slots=True)
class ImagePart:
    """
    An image inside a body: a data URL, the id of an uploaded file, or a URL to be fetched there.

    `file_key` is what a file is remembered by that was uploaded for this image.
    `detail` None leaves the field out, for servers that do not take it.
    """

    detail: Detail | None
    prepared: PreparedImage | None = None
    file_id: str = ""
    file_key: str = ""
    url: str = ""


def data_url(image: PreparedImage) -> str:
    return f"data:{image.media_type};base64,{b64encode_as_string(image.data)}"


def text_part(text: str, api: Api) -> dict[str, Any]:
    return {"type": "text" if api == "chat" else "input_text", "text": text}


def image_part(url: str, detail: Detail | None, api: Api) -> dict[str, Any]:
    """Give the part that carries a URL: an object in Chat, a plain string in Responses."""
    look = {"detail": detail} if detail else {}
    if api == "chat":
        return {"type": "image_url", "image_url": {"url": url, **look}}
    return {"type": "input_image", "image_url": url, **look}


def file_part(file_id: str, detail: Detail | None) -> dict[str, Any]:
    """Give the part that names an uploaded image; only Responses takes one."""
    return {"type": "input_image", "file_id": file_id, **({"detail": detail} if detail else {})}


def content(
    prompt: str,
    images: tuple[ImagePart, ...],
    api: Api,
    url_of: Callable[[PreparedImage], str] = data_url,
) -> list[dict[str, Any]]:
    """Give the parts of one user message, the text first, as the guides do it."""
    return [text_part(prompt, api), *(part(image, api, url_of) for image in images)]


def part(
    image: ImagePart, api: Api, url_of: Callable[[PreparedImage], str] = data_url
) -> dict[str, Any]:
    """Give the content part of one image."""
    if image.file_id:
        return file_part(image.file_id, image.detail)
    url = url_of(image.prepared) if image.prepared else image.url
    return image_part(url, image.detail, api)
