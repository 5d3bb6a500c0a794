"""How the value of an image part is spelt."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.spelt import read_spelling
from eyeline.testing import tiny_png

PNG = tiny_png(9, 7)
B64 = base64.b64encode(PNG).decode()
PADDED = base64.b64encode(PNG + bytes((1 - len(PNG)) % 3)).decode()
SAFE = base64.urlsafe_b64encode(b"\x89PNG\r\n\x1a\n" + b"\xfb\xff" * 60).decode()


@pytest.mark.parametrize(
    ("value", "declared", "faults"),
    [
        (f"data:image/png;base64,{B64}", "image/png", ()),
        (f"data:IMAGE/JPG;base64,{B64}", "image/jpeg", ()),
        (f"data:image/png;charset=x;base64,{B64}", "image/png", ()),
        (f" data:image/png;base64,{B64}", "image/png", ()),
        (f"data:;base64,{B64}", "", ()),
        (B64, "", ("missing_prefix",)),
        (f"image/png;base64,{B64}", "image/png", ("missing_prefix",)),
        (f"base64,{B64}", "", ("missing_prefix",)),
        (f"data:a/b;base64,data:image/png;base64,{B64}", "image/png", ("double_prefix",)),
        (f"b'{B64}'", "", ("missing_prefix", "bytes_repr")),
        (f'data:image/png;base64,b"{B64}"', "image/png", ("bytes_repr",)),
        (f"data:image/png;base64,{B64[:40]}\n{B64[40:]}", "image/png", ("bad_base64",)),
        (f"data:image/png;base64,{B64.replace('+', '%2B')}", "image/png", ("bad_base64",)),
        (f"data:image/png;base64,{PADDED.rstrip('=')}",
         "image/png", ("bad_base64",)),
        (f"data:image/png;base64,{B64}====", "image/png", ("bad_base64",)),
        ("data:image/svg+xml,%3Csvg%3E", "", ("bad_base64",)),
    ],
)  # fmt: skip
def test_spellings(value: str, declared: str, faults: tuple[str, ...]) -> None:
    """Each usual mistake is named, and read all the same."""
    found = read_spelling(value)
    assert found is not None
    assert found.data
    assert (found.declared, found.faults) == (declared, faults)


def test_the_url_safe_alphabet() -> None:
    """- and _ are read as + and /."""
    found = read_spelling(SAFE)
    assert found is not None
    assert found.faults == ("missing_prefix", "urlsafe_base64")
    assert found.data == base64.urlsafe_b64decode(SAFE)


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ("data:image/png;base64,", ("empty_base64",)),
        ("data:image/png;base64,  ", ("empty_base64",)),
        ("data:image/png;base64,===", ("empty_base64",)),
        ("data:image/png;base64,A", ("bad_base64",)),
        ("data:image/png;base64,AA!A", ("bad_base64",)),
        ("data:image/png;base64,ÄÖÜ", ("bad_base64",)),
        ("data:image/png;base64,<html>" + "x" * 9000, ("bad_base64",)),
        ("!" * 5000, ("missing_prefix", "bad_base64")),
    ],
)
def test_what_cannot_be_read(value: str, faults: tuple[str, ...]) -> None:
    """Nothing, and what is no base64, has no bytes; what is too long is no path either."""
    found = read_spelling(value)
    assert found is not None
    assert (found.data, found.faults) == (None, faults)


@pytest.mark.parametrize(
    "value",
    ["a.jpg", "/9j/a/b.jpg", "https://x.org/a.png", "file:///a.png", "", "A" * 100, "/9j/" * 10],
)
def test_what_is_no_base64(value: str) -> None:
    """Paths and URLs are left to others; base64 is an image's, or it is a path."""
    assert read_spelling(value) is None


@given(st.binary(min_size=1, max_size=300))
def test_whatever_was_encoded_comes_back(data: bytes) -> None:
    """A right data URL gives its bytes, and no fault."""
    found = read_spelling(f"data:image/png;base64,{base64.b64encode(data).decode()}")
    assert found is not None
    assert (found.data, found.faults) == (data, ())


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    """No text makes the reading fail."""
    for value in (text, f"data:image/png;base64,{text}", f"data:{text}"):
        found = read_spelling(value)
        assert found is None or found.data != b""


def test_a_data_url_of_impossible_characters() -> None:
    """Half a surrogate, as a file name may hold, is no data, and no crash."""
    found = read_spelling("data:image/svg+xml,\udca6")
    assert found is not None
    assert (found.data, found.faults) == (None, ("bad_base64",))
