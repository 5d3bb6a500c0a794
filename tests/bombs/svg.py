"""Hostile SVG."""

from __future__ import annotations

from bombs.png import png
from bombs.register import SIDE_PX, bomb

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '


def svg(content: str, size: str = 'width="2000" height="2000"', before: str = "") -> bytes:
    return f"{before}{SVG}{size}>{content}</svg>".encode()


@bomb(".svg")
def svg_entities() -> bytes:
    """Entities of entities, a thousand million laughs."""
    named = "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10}">' for at in range(1, 10))
    return svg("<text>&e9;</text>", before=f'<!DOCTYPE svg [<!ENTITY e0 "ha">{named}]>')


@bomb(".svg")
def svg_external_entity() -> bytes:
    """An entity that is a file of this machine."""
    before = '<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    return svg("<text>&e;</text>", before=before)


def uses(levels: int) -> str:
    made = "".join(
        f'<g id="u{at}">{f"""<use href="#u{at - 1}"/>""" * 10}</g>' for at in range(1, levels + 1)
    )
    return f'<defs><rect id="u0" width="9" height="9"/>{made}</defs><use href="#u{levels}"/>'


@bomb(".svg")
def svg_uses() -> bytes:
    """Ten uses of ten uses, nine times."""
    return svg(uses(9))


@bomb(".svg")
def svg_uses_allowed() -> bytes:
    """200,000 elements and uses by four levels of uses, just below the limit."""
    return svg(uses(4) + '<use href="#u4"/>' * 9)


@bomb(".svg")
def svg_self_use() -> bytes:
    """A group that shows itself."""
    return svg('<g id="a"><use href="#a"/></g>')


@bomb(".svg")
def svg_patterns() -> bytes:
    """Twenty patterns, each showing the next one twice."""
    rect = '<rect width="999" height="999" fill="url(#p{})"/>'
    chain = "".join(
        f'<pattern id="p{at}" width="1" height="1">{rect.format(at + 1) * 2}</pattern>'
        for at in range(20)
    )
    return svg(chain + rect.format(0))


def filtered(effect: str, area: str = 'x="0" y="0" width="1" height="1"') -> bytes:
    rect = '<rect width="2000" height="2000" fill="red" filter="url(#f)"/>'
    return svg(f'<filter id="f" {area}>{effect}</filter>{rect}')


@bomb(".svg")
def svg_noise() -> bytes:
    """Noise of a million octaves."""
    return filtered('<feTurbulence baseFrequency=".05" numOctaves="1000000"/>')


@bomb(".svg")
def svg_blurs() -> bytes:
    """A thousand blurs, one after the other."""
    return filtered('<feGaussianBlur stdDeviation="50"/>' * 1_000)


@bomb(".svg")
def svg_layers() -> bytes:
    """Ninety layers of the whole picture, each within the last."""
    return svg('<g opacity=".9">' * 90 + '<rect width="2000" height="2000"/>' + "</g>" * 90)


@bomb(".svg")
def svg_size() -> bytes:
    """A million million pixels wide."""
    return svg('<rect width="9" height="9"/>', 'width="1e12" height="1e12"')


@bomb(".svg")
def svg_thin() -> bytes:
    """A million times as long as high."""
    return svg('<rect width="9" height="9"/>', 'width="1000000" height="1"')


@bomb(".svg")
def svg_path() -> bytes:
    """A path of 20 MB."""
    return svg(f'<path d="M0 0{"L1 1 9 3" * 2_450_000}"/>')


@bomb(".svg")
def svg_path_allowed() -> bytes:
    """A path of 9.9 MB, just below the limit."""
    return svg(f'<path d="M0 0{"L1 1 9 3" * 1_240_000}"/>')


@bomb(".svg")
def svg_text() -> bytes:
    """9 MB of text to set."""
    return svg(f'<text y="50">{"ha " * 3_000_000}</text>')


@bomb(".svg")
def svg_elements() -> bytes:
    """Two million elements."""
    return svg("<g/>" * 2_000_000)


@bomb(".svg")
def svg_nested() -> bytes:
    """A million groups, each in the last."""
    return svg("<g>" * 1_000_000 + "</g>" * 1_000_000)


@bomb(".svg")
def svg_attributes() -> bytes:
    """800,000 attributes of one element."""
    return svg("<g " + " ".join(f'a{at}=""' for at in range(800_000)) + "/>")


@bomb(".svg")
def svg_styles() -> bytes:
    """A style sheet of a hundred thousand rules for ten thousand elements."""
    rules = "".join(f".a{at} g{{fill:red}}" for at in range(100_000))
    return svg(f"<style>{rules}</style>" + '<g class="b"/>' * 10_000)


@bomb(".svg")
def svg_png() -> bytes:
    """A picture within that is a PNG of 100 megapixels."""
    from base64 import b64encode

    inner = b64encode(png(SIDE_PX, SIDE_PX)).decode()
    return svg(f'<image width="9" height="9" href="data:image/png;base64,{inner}"/>')


@bomb(".svg")
def svg_pngs() -> bytes:
    """A picture of 16 megapixels shown a hundred times."""
    from base64 import b64encode

    inner = b64encode(png(4_000, 4_000)).decode()
    image = f'<image id="i" width="999" height="999" href="data:image/png;base64,{inner}"/>'
    return svg(image + '<use href="#i"/>' * 100)
