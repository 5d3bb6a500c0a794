"""The request that uploads an image, and what is read of its response."""

from __future__ import annotations

import json
from dataclasses import replace
from email import message_from_bytes
from typing import Any

import pytest

from eyeline.core.draft import PlannedImage
from eyeline.core.parts import ImagePart, PreparedImage
from eyeline.core.size import Size
from eyeline.core.upload import KEPT_S, File, file_key, is_gone, read_file, upload_request
from eyeline.errors import BadRequest
from eyeline.testing import tiny_png

IMAGE = PreparedImage(tiny_png(), "image/png", Size(2, 2))
KEY = file_key("a", PlannedImage("digest", None), IMAGE)


def form(headers: Any, body: bytes) -> dict[str, Any]:
    """Read a form as a server does, by the standard library's reader of MIME."""
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    parts: Any = message_from_bytes(head + body).get_payload()
    return {part.get_param("name", header="content-disposition"): part for part in parts}


def test_the_request() -> None:
    """A form with the purpose, the end and the very bytes, under a name that says their type."""
    request = upload_request(IMAGE, KEY, 9)
    assert request.size_bytes == len(request.body)
    assert (request.path, request.stream, request.timeout_s) == ("/files", False, 9)
    fields = form(request.headers, request.body)
    file = fields.pop("file")
    assert {name: part.get_payload() for name, part in fields.items()} == {
        "purpose": "vision",
        "expires_after[anchor]": "created_at",
        "expires_after[seconds]": str(KEPT_S),
    }
    assert (file.get_filename(), file.get_content_type()) == ("image.png", "image/png")
    assert file.get_payload(decode=True) == IMAGE.data
    assert upload_request(IMAGE, KEY, 9) == request


def test_what_names_a_file() -> None:
    """The same account and picture, seen alike, have one file; anything else has another."""
    picture = PlannedImage("digest", None)
    keys = [
        KEY,
        file_key("b", picture, IMAGE),
        file_key("a", PlannedImage("other", None), IMAGE),
        file_key("a", picture, replace(IMAGE, media_type="image/jpeg")),
    ]
    assert len({*keys}) == 4
    assert file_key("a", picture, replace(IMAGE, notes=("x",))) == KEY
    assert KEY.startswith("file ")


@pytest.mark.parametrize(
    ("value", "file"),
    [
        ({"id": "file-1", "expires_at": 5000}, File("file-1", 5000)),
        ({"id": "file-1", "expires_at": None}, File("file-1", 1000 + KEPT_S)),
        ({"id": "file-1", "expires_at": True}, File("file-1", 1000 + KEPT_S)),
        ({"id": "file-1"}, File("file-1", 1000 + KEPT_S)),
        ({"id": ""}, None),
        ({"id": 7}, None),
        ({}, None),
        ([], None),
        (None, None),
        ("file-1", None),
    ],
)
def test_what_came_back(value: Any, file: File | None) -> None:
    """The id and the end of the file, or by our own reckoning; anything else is no file."""
    body = json.dumps(value).encode()
    if file:
        assert read_file(body, 1000) == file
    else:
        with pytest.raises(ValueError, match="no id of a file"):
            read_file(body, 1000)


def test_no_json() -> None:
    """A page, or nesting without end, is no file."""
    for body in (b"<html>", b"[" * 100_000):
        with pytest.raises(ValueError, match=r"."):
            read_file(body, 1000)


UPLOADED = ImagePart("high", IMAGE, file_id="file-abc", file_key=KEY)
GIVEN = ImagePart("high", file_id="file-abc")


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (400, "image_file_not_found", "no", True),
        (404, "", "No such File object: file-abc", True),
        (400, "", "File with id 'file-abc' could not be read", True),
        (400, "", "The file has expired", True),
        (410, "", "file was deleted", True),
        (404, "", "No such file", True),
        (400, "", "Unknown parameter: 'file_format'", False),
        (404, "", "The model 'x' does not exist", False),
        (500, "", "No such File object: file-abc", False),
    ],
)
def test_a_file_that_is_gone(status: int, code: str, message: str, expected: bool) -> None:
    """A refusal that names a file of ours, or says that files are gone, means that."""
    error = BadRequest("openai", status, code, message)
    assert is_gone(error, [GIVEN, UPLOADED]) is expected
    assert not is_gone(error, [GIVEN, ImagePart("high", IMAGE)])
