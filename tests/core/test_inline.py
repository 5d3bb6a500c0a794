"""Images taken out of bodies and put back, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.inline import Cut, Inline, put_back, stand_in, take_out
from eyeline.core.parts import PreparedImage
from eyeline.core.size import Size
from eyeline.core.spelt import Spelt

URL = "data:image/png;base64,iVBORw0KGgo="


def chat(url: str, text: str = "hi") -> bytes:
    parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]
    return json.dumps({"messages": [{"role": "user", "content": parts}]}).encode()


def joined(skeleton: bytes, images: Sequence[Inline]) -> bytes:
    made = put_back(skeleton, images)
    body = b"".join(made.made())
    assert made.size_bytes == len(body)
    return body


def test_an_image_is_taken_out_and_put_back() -> None:
    """What is left is small and JSON; with the image put back the body is what it was."""
    body = chat(URL)
    skeleton, cuts = take_out(body)
    assert cuts is not None
    [cut] = cuts
    assert (cut.head, bytes(cut.payload)) == ("data:image/png;base64,", b"iVBORw0KGgo=")
    content = json.loads(skeleton)["messages"][0]["content"]
    assert content[1]["image_url"]["url"] == stand_in(0)
    assert joined(skeleton, cuts) == body


def test_both_apis_fields_are_known() -> None:
    """Responses has the URL itself under image_url, with white space as the client writes it."""
    body = b'{"input":[{"image_url" :\n "%s"},{"url":"%s"}]}' % (URL.encode(), URL.encode())
    skeleton, cuts = take_out(body)
    assert len(cuts or ()) == 2
    assert joined(skeleton, cuts or ()) == body


@pytest.mark.parametrize("body", [
    chat("https://a.example/b.png"),
    chat("iVBORw0KGgo="),
    chat("x", text=f'"url":"{URL}"'),
    json.dumps({"file_data": URL}).encode(),
    b'{"url":"data:image/png;base64,iVBOR',
    b'{"url":"data:image/png;base64,iVBO\\/w0K"}',
    chat(URL, text="\0image 7\0"),
    b"no JSON",
])  # fmt: skip
def test_all_else_stays(body: bytes) -> None:
    """Text that only looks so, other fields, escapes and what is cut short are left alone."""
    skeleton, cuts = take_out(body)
    assert skeleton == body
    assert not cuts


def test_a_text_that_looks_like_a_stand_in_forbids_stand_ins() -> None:
    """Nothing can be told apart then, and no cuts at all say so."""
    assert take_out(chat(URL, text="\0image 7\0"))[1] is None
    assert take_out(chat("x"))[1] == ()


def test_a_prepared_image_takes_an_images_place() -> None:
    """Where the original is not what is sent, another image is put in."""
    skeleton, _ = take_out(chat(URL))
    ready = PreparedImage(b"\xff\xd8", "image/jpeg", Size(1, 1))
    assert joined(skeleton, [ready]) == chat("data:image/jpeg;base64,/9g=")


def test_a_cut_is_read_as_it_is_spelt() -> None:
    """Right base64 is decoded at once; anything else is read as any other string would be."""
    assert Cut("image/jpg", memoryview(b"/9g=")).spelt() == Spelt(b"\xff\xd8", "image/jpeg")
    assert Cut("image/png", memoryview(b"")).spelt() == Spelt(None, "image/png", ("empty_base64",))
    loose = Cut("image/png", memoryview(b"_9g")).spelt()
    assert loose == Spelt(b"\xff\xd8", "image/png", ("urlsafe_base64", "bad_base64"))


names = st.sampled_from(["url", "image_url", "a"])


@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.just(URL),
        lambda inner: st.lists(inner) | st.dictionaries(names, inner),
    )
)
def test_every_json_comes_back(value: object) -> None:
    """Taken out and put back, any JSON is the same bytes."""
    body = json.dumps(value).encode()
    skeleton, cuts = take_out(body)
    assert joined(skeleton, cuts or ()) == body
