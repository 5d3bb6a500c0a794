"""Content parts, in the shapes of the two APIs."""

from __future__ import annotations

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.dataurl import decode_data_url
from eyeline.core.parts import Api, ImagePart, PreparedImage, content, data_url
from eyeline.core.size import Size

IMAGE = PreparedImage(b"\x89PNG", "image/png", Size(1, 1))
URL = "data:image/png;base64,iVBORw=="


@pytest.mark.parametrize(
    ("api", "expected"),
    [
        (
            "chat",
            [
                {"type": "text", "text": "Look."},
                {"type": "image_url", "image_url": {"url": URL, "detail": "low"}},
            ],
        ),
        (
            "responses",
            [
                {"type": "input_text", "text": "Look."},
                {"type": "input_image", "image_url": URL, "detail": "low"},
            ],
        ),
    ],
)
def test_the_two_shapes(api: Api, expected: list[object]) -> None:
    """The URL is inside an object in Chat and a plain string in Responses; the text comes first."""
    assert content("Look.", (ImagePart("low", IMAGE),), api) == expected


def test_an_uploaded_file() -> None:
    """A file id goes into Responses as it is."""
    part = content("Look.", (ImagePart("high", file_id="file-1"),), "responses")[1]
    assert part == {"type": "input_image", "file_id": "file-1", "detail": "high"}


@given(st.binary(), st.sampled_from(["image/png", "image/jpeg"]))
def test_a_data_url_holds_the_bytes(data: bytes, media_type: str) -> None:
    """What stands in a data URL is the image, byte for byte."""
    url = data_url(PreparedImage(data, media_type, Size(1, 1)))
    assert decode_data_url(url, "x") == b64decode(url.partition(",")[2]) == data
    assert url.startswith(f"data:{media_type};base64,")


def test_bytes_stay_out_of_logs() -> None:
    """Printing a prepared image does not print it."""
    assert "PNG" not in repr(ImagePart("low", PreparedImage(b"PNG", "image/x", Size(1, 1))))
