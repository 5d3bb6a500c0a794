"""Images that stand in text, and what is found of them."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.misplaced import (
    KINDS,
    Finding,
    blobs,
    cut,
    finding,
    image_urls,
    is_blind,
    text_tokens,
)
from eyeline.testing import tiny_png

PNG = tiny_png(9, 7)
B64 = base64.b64encode(PNG).decode()
URL = f"data:image/png;base64,{B64}"
LONG = base64.b64encode(PNG * 4).decode()


def wrapped(width: int) -> str:
    return "\n".join(LONG[at : at + width] for at in range(0, len(LONG), width))


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (URL, ""),
        (f"Look: {URL} nice", "Look:  nice"),
        (f"Look: {B64}", "Look:"),
        (f"See ![the cat]({URL}) here", "See the cat here"),
        (f"![]({B64})", ""),
        (f"a <img alt='x' src=\"{URL}\" width=3/> b", "a  b"),
        (f'{{"image": "{URL}"}}', '{"image": ""}'),
        (f"two {URL} and {URL}.", "two  and ."),
        (f"DATA:IMAGE/PNG;BASE64,{B64} loud", "loud"),
        (f"data:image/png;charset=utf-8;base64,{B64} more", "more"),
        (f"data:image/jpeg;base64,data:image/png;base64,{B64} twice", "twice"),
        (f"image/png;base64,{B64} headless", "headless"),
        (f"data:application/octet-stream;base64,{B64} untyped", "untyped"),
        (f"data:image/png;base64,b'{B64}' printed", "printed"),
        (f"b'{B64}' printed", "printed"),
        (f'b"{B64}" printed', "printed"),
        (f"{B64.replace('+', '-').replace('/', '_')} url-safe", "url-safe"),
        (f"{wrapped(76)}\nWhat is this?", "What is this?"),
        (f"data:image/png;base64,{wrapped(64)}\nWhat?", "What?"),
        (f"{B64.rstrip('=')} unpadded", "unpadded"),
    ],
)  # fmt: skip
def test_an_image_in_text_is_found_and_cut_out(text: str, rest: str) -> None:
    """Base64 of an image is found in each of the ways it is pasted; the words around it stay."""
    found = blobs(text)
    assert found
    assert cut(text, found) == rest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "Send it as data:image/png;base64,iVBORw0… and it works, as long as it is not too long.",
        "data:image/png;base64,AAAA is no image, but it stands in a sentence about data URLs here.",
        f"a hash {'0a1b2c3d' * 16}",
        f"a JWT eyJhbGciOiJIUzI1NiJ9.{'QUJD' * 40}.c2ln",
        f"/home/{'me/photos/' * 12}cat.jpg",
        f"data:application/pdf;base64,{base64.b64encode(b'%PDF-1.7' + bytes(99)).decode()}",
        base64.b64encode(b"RIFF" + bytes(200)).decode(),
        f"data:image/png;base64,{'A' * 4097}",
        "x" * 65,
    ],
)
def test_what_is_no_image_stays(text: str) -> None:
    """Words, hashes, tokens, paths and other data are no images, nor are examples of data URLs."""
    assert blobs(text) == ()
    assert cut(text, ()) is text


def test_a_blob_says_what_it_costs() -> None:
    """10 KB of base64 were billed 9,744 tokens of text; the reckoning is within a tenth of it."""
    found = blobs(
        f"data:image/png;base64,{base64.b64encode(PNG + bytes(10_240 - len(PNG))).decode()}"
    )
    assert 0.9 < found[0].tokens / 9744 < 1.1
    assert found[0].kind == "data_url_in_text"
    assert blobs(B64)[0].kind == "base64_in_text"
    assert str(blobs(B64)[0]) == f"{len(B64):,} characters"


@given(st.text(max_size=300), st.text(max_size=300))
def test_nothing_of_the_words_is_lost(before: str, after: str) -> None:
    """Whatever stands around a data URL is kept, spaces at the ends apart."""
    text = f"{before} {URL} {after}"
    rest = cut(text, blobs(text))
    assert B64 not in rest
    kept = re.sub(r"\s", "", before + after)
    if not re.search(r"!\[|<img|base64|data:|image/", kept, re.IGNORECASE):
        assert re.sub(r"\s", "", rest) == kept


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Here: https://x.org/a.jpg", ("https://x.org/a.jpg",)),
        ("(https://x.org/a.png).", ("https://x.org/a.png",)),
        ("![x](https://x.org/a.webp)", ("https://x.org/a.webp",)),
        ("[https://x.org/a.gif], and", ("https://x.org/a.gif",)),
        ("<https://x.org/A.JPEG>", ("https://x.org/A.JPEG",)),
        ("https://x.org/a_(1).png", ("https://x.org/a_(1).png",)),
        ("https://x.org/a.png?w=100&h=2!", ("https://x.org/a.png?w=100&h=2",)),
        ("HTTPS://x.org/a.png twice HTTPS://x.org/a.png", ("HTTPS://x.org/a.png",)),
        ("https://x.org/a.png https://y.org/b.png", ("https://x.org/a.png", "https://y.org/b.png")),
        ("https://x.org/a.heic", ()),
        ("https://x.org/page.html", ()),
        ("https://x.org/png", ()),
        ("https://x.png", ()),
        ("https://x.org/?file=a.png", ()),
        ("https://en.wikipedia.org/wiki/File:Cat.jpg", ()),
        ("https://github.com/a/b/blob/main/cat.png", ()),
        ("ftp://x.org/a.png", ()),
        ("https://[::1/a.png", ()),
        ("/photos/a.png and C:\\a.png", ()),
        ("https://!!!!!!!!!!!!", ()),
    ],
)
def test_urls_of_images(text: str, found: tuple[str, ...]) -> None:
    """A URL counts by its path's extension, without the sentence's punctuation, and once."""
    assert image_urls(text) == found


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-3.5-turbo", True), ("gpt-4", True), ("gpt-4-0613", True), ("o1-mini", True),
        ("text-embedding-3-small", True), ("gpt-4o-transcribe", True),
        ("gpt-4o", False), ("gpt-4-turbo", False), ("gpt-4.1-mini", False), ("o3", False),
        ("gpt-6-luna", False), ("my-own", False),
    ],
)  # fmt: skip
def test_models_without_vision(model: str, expected: bool) -> None:
    """OpenAI's well-known models without vision are known by name; of others nothing is said."""
    assert is_blind(model) is expected


def test_a_finding_speaks() -> None:
    """A finding says where, what, what it costs and what is done, in one line."""
    found = finding("messages[0].content", "data_url_in_text", "100 characters", tokens_wasted=1234)
    assert str(found) == (
        "messages[0].content: a data URL in the text, which no model sees as an image: "
        "100 characters (about 1,234 tokens wasted); moved into an image part"
    )
    assert found.to_json()["what"] == "data_url_in_text"
    assert found.level == "error"
    left = finding("model", "no_vision", mended=False)
    assert str(left) == "model: a model without vision; not mended"
    assert Finding("a", "b", "c").message == "a: c"


def test_words_take_a_token_for_four_letters() -> None:
    """Text is reckoned at four characters a token, and at least one."""
    assert (text_tokens("x"), text_tokens("x" * 400)) == (1, 100)


def test_kinds_that_cannot_be_mended_say_so() -> None:
    """What repair can do nothing about has no mend to promise."""
    hopeless = {name for name, kind in KINDS.items() if not kind.mend}
    assert hopeless == {
        "empty_base64", "private_url", "unreadable", "wrong_role", "file_id", "no_vision",
        "too_many_images",
    }  # fmt: skip


def test_every_kind_is_documented() -> None:
    """docs/check.md has a row for each kind, with its level, what is found and the mend."""
    page = (Path(__file__).parents[2] / "docs/check.md").read_text("utf-8")
    for name, kind in KINDS.items():
        assert f"| `{name}` | {kind.level} | {kind.found} | {kind.mend} |" in page
