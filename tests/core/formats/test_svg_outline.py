"""How much an SVG would draw, references followed."""

from __future__ import annotations

import base64

import pytest

from core.support import encoded, picture
from eyeline.core.formats import svg, svg_outline
from eyeline.core.size import Size


def drawing(inside: str) -> bytes:
    return f"<svg xmlns:xlink='http://www.w3.org/1999/xlink'>{inside}</svg>".encode()


def chain(count: int, times: int) -> str:
    """Give groups of which each shows the one before so many times."""
    uses = (
        f"<g id='g{at}'>" + f"<use href='#g{at - 1}'/>" * times + "</g>" for at in range(1, count)
    )
    return "<g id='g0'><rect/></g>" + "".join(uses)


@pytest.mark.parametrize(
    "inside",
    [
        chain(4, 10),
        chain(30, 1),
        "<use href='#nowhere'/>",
        "<image href='http://a/b.png'/>",
        "<linearGradient id='a' href='#a'/><g fill='url(#a)'/>",
        "<g id='a'/><g id='a' fill='url(#b)'/>",
        "<rect/>" * 20_000,
    ],
)
def test_what_is_drawn(inside: str) -> None:
    """Drawings as people make them pass, also with references that lead nowhere."""
    svg.header(drawing(inside))


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        (chain(7, 10), "draws more than 250,000 elements"),
        ("<defs>" + chain(60, 1) + "</defs><use href='#g59'/>", "nested deeper than 100"),
        ("<g id='a'><use xlink:href='#a'/></g>", "shows itself"),
        (
            "<mask id='a'><g mask='url(#b)'/></mask><mask id='b'><g mask=\"url('#a')\"/></mask>",
            "itself",
        ),
        ("<rect/>" * 250_000, "more than 250,000 elements"),
        ("<g fill='url(#a)'/>" * 100_001, "more than 100,000 references"),
    ],
)
def test_what_is_too_much(inside: str, said: str) -> None:
    """A few lines that show one another draw billions, and are refused."""
    with pytest.raises(ValueError, match=said):
        svg.header(drawing(inside))


def test_references_are_not_looked_at_for_ever() -> None:
    """Groups in groups, each shown, hold the same references over and over; looks are counted."""
    groups = "".join(f"<g id='g{at}'>" for at in range(60))
    shown = "".join(f"<use href='#g{at}'/>" for at in range(59, -1, -1))
    inside = groups + "<g fill='url(#x)'/>" * 60_000 + "</g>" * 60 + shown
    with pytest.raises(ValueError, match="draws more than"):
        svg.header(drawing(inside))


# --- pictures inside ----------------------------------------------------------------------------


def data_url(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_pictures_inside_are_measured(kind: str) -> None:
    """The pixels of a picture in a data URL are read from its header."""
    data = encoded(picture(size=Size(20, 10)), kind)
    assert svg_outline.pixels_inside(data_url(data)) == 200


@pytest.mark.parametrize(
    ("url", "pixels"),
    [
        ("data:image/png,%89PNG", 0),
        ("data:image/png;base64,!", 0),
        ("data:image/png;base64,A", 0),
        ("data:,text", 0),
        ("data:image/gif,GIF89a%05%00%06%00%00%00%00;", 30),
        (data_url(b"GIF89a"), 0),
    ],
)
def test_urls_of_every_kind(url: str, pixels: int) -> None:
    """Percent signs are read, damage counts as nothing, for nothing of it is drawn."""
    assert svg_outline.pixels_inside(url) == pixels


def test_a_picture_in_percent_signs_is_refused() -> None:
    """Undoing millions of percent signs takes a gigabyte, so it is not done."""
    with pytest.raises(ValueError, match="more than 100,000 percent signs"):
        svg.header(drawing(f"<image href='data:image/png,{'%41' * 100_001}'/>"))


def test_a_bomb_inside_is_refused() -> None:
    """A small picture that says it is huge is found before it is decoded."""
    bomb = bytearray(encoded(picture(), "PNG"))
    bomb[16:24] = (9000).to_bytes(4) * 2
    assert svg.header(drawing(f"<image href='{data_url(encoded(picture(), 'PNG'))}'/>")).has_alpha
    with pytest.raises(ValueError, match="more than 50 megapixels"):
        svg.header(drawing(f"<image href=' {data_url(bytes(bomb))}'/>"))
