"""SVG: what it is drawn at, and what is left out of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.formats import svg
from eyeline.core.formats.header import Header
from eyeline.core.size import Size

NS = "xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'"


def drawing(inside: str = "", **root: str) -> bytes:
    attributes = " ".join(f"{key}='{value}'" for key, value in root.items())
    return f"<svg {NS} {attributes}>{inside}</svg>".encode()


# --- sniffing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "<svg/>",
        "  \n<svg width='3'>",
        "<svg:svg>",
        "<?xml version='1.0'?>\n<svg>",
        "<?xml version='1.0'?><!-- made by <hand> -->\n<!-- & more --><svg>",
        "<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'http://x/svg11.dtd'>\n<svg>",
        "<!DOCTYPE svg [<!ENTITY a 'b'>]>\n<svg>",
        "<!--" + "licence " * 2000 + "--><svg>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_is_an_svg(text: str, encoding: str) -> None:
    """Declarations, comments and a DOCTYPE may stand before the root, in any encoding."""
    assert svg.is_svg(text.encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_an_svg_without_a_mark(encoding: str) -> None:
    """Two bytes a character are told by the first sign, as XML has it."""
    assert svg.is_svg("<?xml version='1.0'?><svg>".encode(encoding))


@pytest.mark.parametrize(
    "text",
    ["", "svg", "<html><svg>", "<svgz>", "<!DOCTYPE html><svg>", "<!-- <svg> -->", "<!--" * 9999,
     "<!---->" * 9000],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    """Another root, or none, is no SVG; endless comments do not take long."""
    assert not svg.is_svg(text.encode())


# --- size ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("root", "size", "shown"),
    [
        ({"width": "200", "height": "100"}, Size(200, 100), "0 0 200 100"),
        ({"width": "200px", "height": "150pt"}, Size(200, 200), "0 0 200 200"),
        ({"width": "2in", "height": "25.4mm"}, Size(192, 96), "0 0 192 96"),
        ({"width": "2.54cm", "height": "101.6Q"}, Size(512, 512), "0 0 96 96"),
        ({"width": "10em", "height": "10PC"}, Size(160, 160), "0 0 160 160"),
        ({"width": "20ex", "height": "1.6e2"}, Size(160, 160), "0 0 160 160"),
        ({"width": "200", "viewBox": "5 5 50 25"}, Size(200, 100), "5 5 50 25"),
        ({"height": "200", "viewBox": "5,5,50,25"}, Size(400, 200), "5 5 50 25"),
        (
            {"width": "100%", "height": "100%", "viewBox": "0 0 400 300"},
            Size(1024, 768),
            "0 0 400 300",
        ),
        ({"viewBox": "0 0 3 4"}, Size(768, 1024), "0 0 3 4"),
        ({}, Size(1024, 512), "0 0 300 150"),
        ({"width": "400"}, Size(400, 150), "0 0 400 150"),
        ({"height": "400"}, Size(300, 400), "0 0 300 400"),
        ({"width": "auto", "height": "-3"}, Size(1024, 512), "0 0 300 150"),
        ({"width": "5parsec", "viewBox": "0 0 x 4"}, Size(1024, 512), "0 0 300 150"),
        ({"viewBox": "0 0 0 4", "width": "200"}, Size(200, 150), "0 0 200 150"),
        ({"width": "24", "height": "12"}, Size(512, 256), "0 0 24 12"),
        ({"width": "127.9", "height": "1"}, Size(512, 4), "0 0 127.9 1"),
        ({"width": "128", "height": "1"}, Size(128, 1), "0 0 128 1"),
        ({"width": "20000", "height": "10000"}, Size(8192, 4096), "0 0 20000 10000"),
        ({"width": "1e9", "height": "1"}, Size(8192, 1), "0 0 1000000000 1"),
        ({"width": "1e999", "height": "200"}, Size(300, 200), "0 0 300 200"),
        ({"width": "9" * 99, "height": "200"}, Size(300, 200), "0 0 300 200"),
        ({"width": "0", "height": "200"}, Size(0, 0), "0 0 0 200"),
    ],
)
def test_sizes(root: dict[str, str], size: Size, shown: str) -> None:
    """Lengths and view box give the size as CSS has it; icons and what has none are enlarged."""
    assert svg.header(drawing(**root)) == Header(size, has_alpha=True)
    assert svg.drawn(root) == (size, shown)
    cleaned = svg.clean(drawing(**root))[0]
    assert f'width="{size.width_px}"' in cleaned.decode()
    assert f'viewBox="{shown}"' in cleaned.decode()


@pytest.mark.parametrize("data", [b"<html/>", b"<svg>", drawing("<g>" * 100 + "</g>" * 100)])
def test_what_is_not_measured(data: bytes) -> None:
    """Another root, a cut file and one too deep raise ValueError."""
    with pytest.raises(ValueError, match=r"XML"):
        svg.header(data)


# --- cleaning -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "left", "notes"),
    [
        ("<g id='a'>x &amp; &lt;y</g>", '<g id="a">x &amp; &lt;y</g>', ()),
        ("<g a='&quot;&#10;&lt;'/>", '<g a="&quot;&#10;&lt;"></g>', ()),
        ("<!-- said --><?pi x?><g/>", "<g></g>", ()),
        ("<text><![CDATA[a<b]]></text>", "<text>a&lt;b</text>", ()),
        ("<script>f(1)</script><g onclick='f()'/>", "<g></g>", (svg.SCRIPTS,)),
        ("<x:Script xmlns:x='y'><g/>t</x:Script>", "", (svg.SCRIPTS,)),
        ("<foreignObject><p onclick='f()'>a<b/></p></foreignObject>", "", (svg.FOREIGN,)),
        ("<set attributeName='href' to='http://a'/>", "", (svg.ANIMATION,)),
        ("<image href='http://a/b.png'/>", "<image></image>", (svg.EXTERNAL,)),
        ("<image xlink:href='file:///etc/passwd'/>", "<image></image>", (svg.EXTERNAL,)),
        ("<image href='data:image/svg+xml,x'/>", "<image></image>", (svg.EXTERNAL,)),
        ("<image href='data:image/png;base64,AA=='/>",
         '<image href="data:image/png;base64,AA=="></image>', ()),
        ("<use href='a.svg#b'/>", "<use></use>", (svg.EXTERNAL,)),
        ("<use xlink:href='#b' xml:base='a'/>", '<use xlink:href="#b"></use>', (svg.EXTERNAL,)),
        ("<a href='http://a'><g/></a>", "<a><g></g></a>", ()),
        ("<g fill='url(#a)' style='stroke:url( &quot;#b&quot; )'/>",
         '<g fill="url(#a)" style="stroke:url( &quot;#b&quot; )"></g>', ()),
        ("<g fill='url(http://a#b)'/>", '<g fill="none"></g>', (svg.EXTERNAL,)),
        ("<g style='fill:u\\72 l( http://a )'/>", '<g style="fill:none"></g>', (svg.EXTERNAL,)),
        ("<g style='fill:\\url(a);b:\\0 c\\110000 '/>",
         '<g style="fill:none;b:\ufffdc\ufffd"></g>', (svg.EXTERNAL,)),
        ("<g style='font-family:\\5FAE x'/>", '<g style="font-family:\\5FAE x"></g>', ()),
        ("<style>@import 'a.css'; g{fill:red} h{src:URL(a) src(b) image-set('c' 1x)}</style>",
         "<style> g{fill:red} h{src:none none none}</style>", (svg.EXTERNAL,)),
        ("<g style='" + "\\\\a" * 100_001 + "'/>", '<g style=""></g>', (svg.EXTERNAL,)),
        ("<style>g &gt; h{}</style>", "<style>g &gt; h{}</style>", ()),
        ("<script/><image href='a'/><iframe/>", "<image></image>",
         (svg.SCRIPTS, svg.EXTERNAL, svg.FOREIGN)),
    ],
)  # fmt: skip
def test_what_is_left_out(inside: str, left: str, notes: tuple[str, ...]) -> None:
    """What could run or fetch goes, and is named in a few words; everything else stays."""
    cleaned, noted = svg.clean(drawing(inside, width="200", height="100"))
    assert cleaned.decode().partition(">")[2] == f"{left}</svg>"
    assert noted == notes
    assert svg.clean(cleaned) == (cleaned, ())


def test_a_style_sheet_from_outside() -> None:
    """An instruction that names a style sheet goes, with a note."""
    data = b"<?xml-stylesheet href='http://a'?>" + drawing()
    assert svg.clean(data) == (svg.clean(drawing())[0], (svg.EXTERNAL,))


def test_the_root_is_left_with_its_namespaces() -> None:
    """A root without them is given them, or nothing would draw it; a prefix stays."""
    assert svg.clean(b"<svg/>")[0].startswith(
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    )
    prefixed = svg.clean(b"<s:svg xmlns:s='http://www.w3.org/2000/svg'/>")[0]
    assert b" xmlns=" not in prefixed


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_it_comes_out_as_utf_8(encoding: str) -> None:
    """Whatever it was written in, it goes on as UTF-8."""
    text = f"<?xml version='1.0' encoding='{encoding}'?><svg><text>ä</text></svg>"
    assert "ä".encode() in svg.clean(text.encode(encoding))[0]


@given(st.text(alphabet="<>/ abgsvg='\"#&;:()\\@0123x\n", max_size=80))
def test_any_content_is_refused_or_cleaned(inside: str) -> None:
    """Whatever stands inside, nothing but ValueError is raised, and what is clean stays so."""
    data = drawing(inside)
    try:
        svg.header(data)
    except ValueError:
        return
    cleaned, _ = svg.clean(data)
    assert svg.clean(cleaned)[0] == cleaned


LETTERS = st.text(alphabet="abc:/#(\\)'u72rl@importhref -", max_size=40)


@given(LETTERS, LETTERS)
def test_no_css_leads_outside(before: str, after: str) -> None:
    """However it is written, no url that is not a fragment is left."""
    from html import escape

    value = escape(f"{before}url(http://a){after}", quote=True)
    cleaned, _ = svg.clean(drawing(f'<g style="{value}"/>'))
    assert b"url(http" not in cleaned
