"""Data URLs, read strictly."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.dataurl import decode_data_url
from eyeline.errors import BadDataUrl


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("data:image/png;base64,aGk=", b"hi"),
        ("data:image/png;charset=utf-8;base64,aGk=", b"hi"),
        ("DATA:image/png;BASE64,aGk=", b"hi"),
        ("data:;base64,", b""),
        ("data:image/png;base64,aG\r\n k=", b"hi"),
        ("data:image/svg+xml,%3Csvg/%3E,x", b"<svg/>,x"),
        ("data:,plain", b"plain"),
    ],
)
def test_examples(url: str, expected: bytes) -> None:
    """Base64 and percent encoding both decode; white space in base64 is ignored."""
    assert decode_data_url(url, "x") == expected


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("data:image/png;base64", "no comma"),
        ("data:image/png;base64,aGk", "padding"),
        ("data:image/png;base64,aG-_", "base64"),
        ("data:image/png;base64,aGk=aGk=", "padding"),
        ("data:image/png;base64,data:image/png;base64,aGk=", "base64"),
        ("data:image/png;base64,é", "ASCII"),
        ("data:image/svg+xml,\udca6", "no URL can hold"),
    ],
)
def test_what_does_not_decode(url: str, said: str) -> None:
    """No comma, bad padding, the URL-safe alphabet and a doubled prefix are named, not guessed."""
    with pytest.raises(BadDataUrl, match=r"x: data URL does not decode \(.+\)") as raised:
        decode_data_url(url, "x")
    assert said in str(raised.value)


@given(st.binary(), st.booleans())
def test_what_was_encoded_is_decoded(data: bytes, in_base64: bool) -> None:
    """Any bytes come back from either encoding."""
    coded = f";base64,{b64encode(data).decode()}" if in_base64 else f",{quote_from_bytes(data)}"
    assert decode_data_url(f"data:image/png{coded}", "x") == data


@given(st.text())
def test_any_text_decodes_or_is_a_bad_data_url(text: str) -> None:
    """Whatever stands behind the comma, nothing but BadDataUrl is raised."""
    try:
        decode_data_url(f"data:image/png;base64,{text}", "x")
    except BadDataUrl as error:
        assert error.source == "x"  # noqa: PT017
