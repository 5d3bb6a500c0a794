"""SVG as Pillow images: of the exact size, from no file, with text, and bombs refused."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import pytest
import resvg_py
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from eyeline.adapters import fonts, svg, svg_child
from eyeline.adapters.apart import MEMORY_BYTES, Bounds, Refused, drawing_bounds
from eyeline.core.size import Size
from eyeline.errors import ImageError, ImageTooLarge, ImageTruncated

RED, BLUE = (255, 0, 0, 255), (0, 0, 255, 255)
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:xi="http://www.w3.org/2001/XInclude" width="100" height="100">'
)
SQUARE = Size(100, 100)
LARGE = Size(2048, 2048)


def drawing(content: str) -> bytes:
    return f"{HEAD}{content}</svg>".encode()


def draw(content: str, size: Size = SQUARE) -> Image.Image:
    image, _ = svg.draw(drawing(content), size)
    return image


def filtered(effect: str) -> str:
    return (
        f'<filter id="f" x="0" y="0" width="1" height="1">{effect}</filter>'
        '<rect width="100" height="100" fill="red" filter="url(#f)"/>'
    )


# --- drawn --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(100, 100), (99, 100), (1, 1), (301, 300), (512, 512)])
def test_draws_at_exactly_the_size(size: tuple[int, int]) -> None:
    """The image is RGBA, of the size that was asked for, and filled to its edges."""
    image = draw('<rect width="100" height="100" fill="red"/>', Size(*size))
    assert (image.mode, image.size) == ("RGBA", size)
    assert image.getpixel((0, 0)) == image.getpixel((size[0] - 1, size[1] - 1)) == RED


def test_what_is_not_drawn_on_stays_transparent() -> None:
    """The ground is the caller's to choose."""
    image = draw('<rect width="50" height="100" fill="red"/>')
    assert image.getpixel((75, 50)) == (0, 0, 0, 0)


def test_never_distorts() -> None:
    """Where the shape asked for is another one, the rest stays empty."""
    image = draw('<rect width="100" height="100" fill="red"/>', Size(200, 100))
    assert image.getpixel((100, 50)) == RED
    assert image.getpixel((10, 50)) == (0, 0, 0, 0)


def test_says_what_cleaning_left_out() -> None:
    """The notes of `clean` come along."""
    _, notes = svg.draw(drawing("<script>1</script>"), SQUARE)
    assert notes == ("scripts left out",)


@settings(max_examples=5, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400))
def test_any_size_is_kept(width_px: int, height_px: int) -> None:
    """Whatever the size, it is the size of the result."""
    image, _ = svg.render(drawing("<rect width='9' height='9'/>"), Size(width_px, height_px))
    assert image.size == (width_px, height_px)


# --- from no file -------------------------------------------------------------------------------


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of red files, which is also the current one."""
    Image.new("RGB", (100, 100), "red").save(tmp_path / "secret.png")
    (tmp_path / "secret.svg").write_bytes(
        drawing('<rect id="x" width="100" height="100" fill="red"/>')
    )
    (tmp_path / "secret.css").write_text("rect { fill: red !important }")
    (tmp_path / "secret.txt").write_text('<rect width="100" height="100" fill="red"/>')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def nested(content: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(drawing(content)).decode()


def image_of(address: str) -> str:
    return f'<image xlink:href="{address}" width="100" height="100"/>'


BLUE_RECT = '<rect width="100" height="100" fill="blue"/>'
REACHING = {
    "file address": image_of("file://{folder}/secret.png"),
    "absolute path": image_of("{folder}/secret.png"),
    "absolute path, SVG 2": '<image href="{folder}/secret.png" width="100" height="100"/>',
    "relative path": image_of("secret.png"),
    "relative path with dot": image_of("./secret.png"),
    "SVG file": image_of("{folder}/secret.svg"),
    "filter": filtered('<feImage href="{folder}/secret.png"/>'),
    "use of another file": '<use xlink:href="secret.svg#x"/>',
    "use of an absolute path": '<use href="{folder}/secret.svg#x"/>',
    "XInclude": '<xi:include href="secret.txt"/>',
    "CSS url": '<rect width="100" height="100" style="fill:url({folder}/secret.svg#x) blue"/>',
    "CSS import": '<style>@import url("secret.css"); @import "secret.css";</style>' + BLUE_RECT,
    "CSS background": '<rect width="9" height="9" style="background:url(secret.png)"/>',
    "foreign content": '<foreignObject><img src="{folder}/secret.png"/></foreignObject>',
    "base": '<g xml:base="file://{folder}/">' + image_of("secret.png") + "</g>",
    "nested SVG": "{nested}",
}
READ_BY_RESVG = {
    "absolute path", "absolute path, SVG 2", "relative path", "relative path with dot", "SVG file",
    "filter", "base",
}  # fmt: skip


def reaching(case: str, folder: Path) -> bytes:
    inside = image_of(nested(image_of(f"{folder}/secret.png")))
    return drawing(REACHING[case].replace("{folder}", str(folder)).replace("{nested}", inside))


def shows_red(image: Image.Image) -> bool:
    return any(pixel[0] > 128 and pixel[3] for _, pixel in image.getcolors(10_000) or [])


@pytest.mark.parametrize("case", REACHING)
def test_no_file_is_drawn(case: str, secrets: Path) -> None:
    """Nothing an SVG names brings a file of this machine into the picture."""
    image, _ = svg.draw(reaching(case, secrets), SQUARE)
    assert not shows_red(image)


@pytest.mark.parametrize("case", REACHING)
def test_no_file_is_drawn_from_what_was_not_cleaned(case: str, secrets: Path) -> None:
    """Without text, the drawing process opens no file even where cleaning missed one."""
    image, _ = svg.render(reaching(case, secrets), SQUARE)
    assert not shows_red(image)


@pytest.mark.parametrize("case", sorted(READ_BY_RESVG))
def test_resvg_by_itself_reads_files(case: str, secrets: Path) -> None:
    """This is why the above is needed; when resvg stops, one of the two walls may go."""
    image, _ = draw_here(reaching(case, secrets))
    assert shows_red(image)


def draw_here(data: bytes) -> tuple[Image.Image, None]:
    from io import BytesIO

    return Image.open(BytesIO(resvg_py.svg_to_bytes(svg_string=data.decode()))), None


def test_no_file_is_drawn_beside_text(secrets: Path) -> None:
    """With text, whose fonts are files, cleaning alone keeps files out."""
    image, notes = svg.draw(drawing(image_of(f"{secrets}/secret.png") + "<text>a</text>"), SQUARE)
    assert not shows_red(image)
    assert "external references left out" in notes


def test_style_sheets_and_entities_bring_in_nothing(secrets: Path) -> None:
    """A style sheet of the prolog is left out; entities are refused."""
    sheet = b'<?xml-stylesheet type="text/css" href="secret.css"?>' + drawing(BLUE_RECT)
    image, _ = svg.draw(sheet, SQUARE)
    assert image.getpixel((50, 50)) == BLUE
    entity = b'<!DOCTYPE svg [<!ENTITY e SYSTEM "secret.txt">]>' + drawing("&e;")
    with pytest.raises(ValueError, match="entities"):
        svg.draw(entity, SQUARE)
    with pytest.raises(ImageTruncated, match="entity"):
        svg.render(entity, SQUARE)


# --- text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["serif", "sans-serif", "monospace", "Inter, system-ui", "x"])
def test_text_is_drawn_in_any_family(family: str) -> None:
    """A family that is not installed never makes text vanish."""
    image = draw(f'<text y="80" font-size="80" font-family="{family}">M</text>')
    assert image.getbbox()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="has fonts of its own")
def test_without_fonts_text_is_drawn_and_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without fonts draws Latin letters in Pillow's own, and says so."""
    monkeypatch.setattr(fonts, "FOLDERS", ())
    fonts.installed.cache_clear()
    try:
        image, notes = svg.draw(drawing('<text y="80" font-size="80">M</text>'), SQUARE)
    finally:
        fonts.installed.cache_clear()
    assert image.getbbox()
    assert notes == (svg.NO_FONTS,)


def test_generic_families_are_what_is_installed(tmp_path: Path) -> None:
    """Each generic family is the best that is there; without any, the built-in font."""
    (tmp_path / "a").mkdir()
    for name in ("DejaVuSans.ttf", "LiberationSans-Regular.TTF", "DejaVuSerif.ttf", "notes.txt"):
        (tmp_path / "a" / name).touch()
    names = fonts.font_names((tmp_path, tmp_path / "none"))
    assert names == {"dejavusans.ttf", "liberationsans-regular.ttf", "dejavuserif.ttf"}
    found = fonts.families(names)
    assert found["sans_serif_family"] == found["monospace_family"] == "Liberation Sans"
    assert found["serif_family"] == found["font_family"] == "DejaVu Serif"
    assert set(fonts.families(frozenset()).values()) == {fonts.BUILT_IN}


# --- bombs --------------------------------------------------------------------------------------


def laughs(levels: int) -> str:
    """Draw a rectangle 10 to the power of `levels` times."""
    defs = "".join(
        f'<g id="u{level}">{f"""<use href="#u{level - 1}"/>""" * 10}</g>'
        for level in range(1, levels + 1)
    )
    return f'<defs><rect id="u0" width="9" height="9"/>{defs}</defs><use href="#u{levels}"/>'


def chained(kind: str, attribute: str) -> str:
    """Let each of twenty patterns or masks show the next one twice."""
    rect = '<rect width="100" height="100" {}="url(#p{})"/>'
    chain = "".join(
        f'<{kind} id="p{number}" width="1" height="1">'
        f"{rect.format(attribute, number + 1) * 2}</{kind}>"
        for number in range(20)
    )
    return chain + rect.format(attribute, 0)


NOISE = '<feTurbulence baseFrequency=".05" numOctaves="1000000"/>'
BOMBS = {
    "use of use": laughs(6),
    "use of use, deeper": laughs(10),
    "nesting": "<g>" * 5_000 + "</g>" * 5_000,
    "noise": filtered(NOISE),
    "morphology": filtered('<feMorphology operator="dilate" radius="1000"/>'),
    "many filters": filtered('<feGaussianBlur stdDeviation="5"/>' * 1_000),
    "huge filter": '<filter id="f" x="-1e6" y="-1e6" width="2e6" height="2e6"><feFlood/></filter>'
    '<rect width="9" height="9" filter="url(#f)"/>',
    "pattern of pattern": chained("pattern", "fill"),
    "mask of mask": chained("mask", "mask"),
    "markers": '<marker id="m"><rect width="9" height="9"/></marker>'
    f'<path d="M0 0{"L1 1 9 3" * 10**5}" marker-mid="url(#m)"/>',
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_ends_in_an_error(bomb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would take minutes, gigabytes or the process is an error that names the limit."""
    monkeypatch.setattr(svg, "drawing_bounds", lambda data: Bounds(0.3, MEMORY_BYTES))
    with pytest.raises((ImageError, ValueError)):
        svg.render(drawing(BOMBS[bomb]), LARGE)


def test_a_large_blur_is_drawn() -> None:
    """A radius of a million kilometres is no bomb: resvg bounds it."""
    image = draw(filtered('<feGaussianBlur stdDeviation="1e9"/>'))
    assert image.size == SQUARE


def test_too_many_pixels_are_refused() -> None:
    """Above 25 megapixels nothing is drawn."""
    with pytest.raises(ImageTooLarge, match=r"6000×6000 px, the limit is 25 megapixels"):
        svg.render(drawing(""), Size(6000, 6000), "plan.svg")


def test_a_large_file_may_take_longer() -> None:
    """Time and memory grow with the bytes: a bomb is small, a map is not."""
    assert drawing_bounds(b"") == Bounds(1.2, 256 * 2**20)
    assert drawing_bounds(bytes(10_000_000)).time_s == pytest.approx(2.2)
    assert drawing_bounds(bytes(200_000_000)).time_s == 8.0


# --- what is no SVG -----------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"<svg", b"\xff\xfe\xff", b"<html/>"])
def test_what_cannot_be_drawn_is_an_error(data: bytes) -> None:
    """Whatever the bytes, the error is one of ours."""
    with pytest.raises(ImageTruncated):
        svg.render(data, SQUARE)


def test_the_child_says_what_is_wrong() -> None:
    """What resvg cannot read is refused with its own reason."""
    with pytest.raises(Refused, match="document"):
        svg_child.answer(b"<svg", ["9", "9", "{}"])
