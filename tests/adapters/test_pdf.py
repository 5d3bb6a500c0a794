"""PDF pages as Pillow images: sizes, what is drawn, and bombs refused."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from eyeline.adapters import apart, pdf, pdf_child
from eyeline.adapters.apart import MEMORY_BYTES, Bounds, Refused
from eyeline.core.size import Size
from eyeline.errors import ImageTooLarge, ImageTruncated, MissingExtra, UnsupportedFormat

RED, WHITE, BLUE = (255, 0, 0), (255, 255, 255), (0, 0, 255)
A4_BOX = b"[0 0 595.276 841.89]"
A4 = Size(1654, 2339)
CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"


def build(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """Number the objects from 1, the first one the catalog."""
    made, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"trailer\n<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF" % (size, trailer, len(made))
    return bytes(made) + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (entries, len(content), content)


def document(
    content: bytes, entries: bytes = b"", *, box: bytes = A4_BOX, more: Sequence[bytes] = ()
) -> bytes:
    """Give a PDF of one page; `entries` belong to the page, `more` are objects from 5 on."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox %b/Contents 4 0 R%b>>" % (box, entries)
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return build([CATALOG, pages, page, stream(content), *more])


def pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 3 + count))
    tree = b"<</Type/Pages/MediaBox[0 0 72 72]/Count %d/Kids[%b]>>" % (count, kids)
    return build([CATALOG, tree, *[b"<</Type/Page/Parent 2 0 R>>"] * count])


RED_CORNER = b"1 0 0 rg 0 0 100 100 re f"  # the lower left one: a PDF counts upwards


# --- sizes --------------------------------------------------------------------------------------


def test_a4_at_200_dpi() -> None:
    """A4 is 1654×2339 px, turned by its own rotation 2339×1654."""
    assert pdf.page_sizes(document(b""), "scan.pdf") == (A4,)
    assert pdf.page_sizes(document(b"", b"/Rotate 90"), "scan.pdf") == (A4.turned,)


def test_the_crop_box_is_the_page() -> None:
    """What is cropped off counts for nothing, and is not drawn."""
    data = document(RED_CORNER, b"/CropBox[0 0 72 144]")
    assert pdf.page_sizes(data, "scan.pdf") == (Size(200, 400),)
    image = pdf.render(data, 0, Size(200, 400))
    assert image.getpixel((100, 390)) == RED
    assert image.getpixel((100, 10)) == WHITE


@pytest.mark.parametrize(
    "box",
    [b"[0 0 14400 14400]", b"[0 0 1e6 0.001]", b"[0 0 1e9 1e9]", b"[0 0 0 0]", b"[0 0 1e39 1]"],
)
def test_a_huge_page_gets_fewer_dpi(box: bytes) -> None:
    """Whatever the box says, a page is at most 25 megapixels and can be drawn."""
    data = document(RED_CORNER, box=box)
    (size,) = pdf.page_sizes(data, "plan.pdf")
    assert size.pixels <= 25_000_000
    assert pdf.render(data, 0, size).size == size


@given(st.floats(1e-30, 1e30), st.floats(1e-30, 1e30))
def test_no_page_is_too_large(width_pt: float, height_pt: float) -> None:
    """Both sides are at least 1 px and the page at most 25 megapixels."""
    size = pdf.in_pixels(width_pt, height_pt, "plan.pdf")
    assert min(size) >= 1
    assert size.pixels <= pdf.PIXELS_MAX


def test_a_page_without_size_is_damaged() -> None:
    """Numbers that are none are refused."""
    for width_pt in (float("nan"), float("inf"), 0.0, -1.0):
        with pytest.raises(ImageTruncated):
            pdf.in_pixels(width_pt, 9.0, "plan.pdf")


def test_many_pages() -> None:
    """A thousand pages have a thousand sizes; a hundred thousand are refused at once."""
    assert pdf.page_sizes(pages(1_000), "book.pdf") == (Size(200, 200),) * 1_000
    with pytest.raises(ImageTooLarge, match=r"book\.pdf: .*10,000 pages"):
        pdf.page_sizes(pages(100_000), "book.pdf")


def test_a_false_number_of_pages_is_not_believed() -> None:
    """Only pages that are there count."""
    tree = b"<</Type/Pages/Kids[3 0 R]/Count 2000000000>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>"
    assert pdf.page_sizes(build([CATALOG, tree, page]), "book.pdf") == (Size(200, 200),)


# --- drawn --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [A4, Size(301, 77), Size(1, 1)])
def test_draws_on_white_at_exactly_the_size(size: Size) -> None:
    """The image is RGB, of the size that was asked for, and the page fills it."""
    image = pdf.render(document(b"1 0 0 rg 0 0 300 842 re f"), 0, size)
    assert (image.mode, image.size) == ("RGB", size)
    if size.width_px > 1:
        assert image.getpixel((0, 0)) == image.getpixel((0, size.height_px - 1)) == RED
        assert image.getpixel((size.width_px - 1, 0)) == WHITE


def test_a_turned_page_is_drawn_turned() -> None:
    """Rotation by a quarter clockwise brings the lower left corner to the upper left."""
    image = pdf.render(document(RED_CORNER, b"/Rotate 90"), 0, A4.turned)
    assert image.getpixel((5, 5)) == RED


def test_the_page_that_is_meant() -> None:
    """Pages count from 0."""
    colours, buffer = ("white", "blue"), BytesIO()
    first, *others = (Image.new("RGB", (72, 72), colour) for colour in colours)
    first.save(buffer, "PDF", save_all=True, append_images=others, resolution=72)
    assert pdf.page_sizes(buffer.getvalue(), "two.pdf") == (Size(200, 200),) * 2
    red, green, blue = pdf.render(buffer.getvalue(), 1, Size(72, 72)).getpixel((36, 36))  # type: ignore[misc]
    assert max(red, green) < 8
    assert blue > 247


def test_no_such_page() -> None:
    """A page that is not there is an error, counted as people count."""
    with pytest.raises(ImageTruncated, match="page 8 cannot be read"):
        pdf.render(document(b""), 7, A4)


def test_annotations_are_drawn() -> None:
    """A note stuck on the page is part of what the reader sees."""
    look = stream(b"1 0 0 rg 0 0 100 100 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 100 100]")
    note = b"<</Type/Annot/Subtype/Stamp/Rect[0 0 100 100]/F 4/AP<</N 6 0 R>>>>"
    image = pdf.render(document(b"", b"/Annots[5 0 R]", more=[note, look]), 0, A4)
    assert image.getpixel((100, 2300)) == RED


def test_form_fields_are_drawn() -> None:
    """What was typed into a form is drawn, even where the file has no picture of it."""
    field = (
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(MMMMMMMM)/DA(/Helv 72 Tf 1 0 0 rg)"
        b"/Rect[0 0 500 100]/F 4>>"
    )
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    catalog = (
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]/NeedAppearances true"
        b"/DR<</Font<</Helv 6 0 R>>>>/DA(/Helv 0 Tf 0 g)>>>>"
    )
    page = b"<</Type/Page/Parent 2 0 R/MediaBox %b/Contents 4 0 R/Annots[5 0 R]>>" % A4_BOX
    tree = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    image = pdf.render(build([catalog, tree, page, stream(b""), field, font]), 0, A4)
    reds = [count for count, colour in image.getcolors(100_000) or [] if colour == RED]
    assert sum(reds) > 1_000


def test_threads_draw_at_the_same_time() -> None:
    """PDFium serves one thread only; each drawing has a process of its own."""
    data, made = document(RED_CORNER), []
    draw = lambda: made.append(pdf.render(data, 0, Size(100, 141)))  # noqa: E731
    threads = [threading.Thread(target=draw) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [image.getpixel((2, 138)) for image in made] == [RED] * 6


# --- what cannot be drawn -----------------------------------------------------------------------


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pypdfium2 the error names the extra."""
    monkeypatch.setattr(pdf, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"scan\.pdf: needs the package pypdfium2") as caught:
        pdf.page_sizes(b"%PDF-", "scan.pdf")
    assert caught.value.hint == "pip install 'eyeline[pdf]'"


def test_a_password() -> None:
    """An encrypted PDF is refused as one."""
    encryption = b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%b>/U<%b>>>/ID[<00><00>]" % (
        b"11" * 32,
        b"22" * 32,
    )
    objects = [CATALOG, b"<</Type/Pages/Kids[]/Count 0>>"]
    with pytest.raises(UnsupportedFormat, match=r"scan\.pdf: PDF with a password"):
        pdf.page_sizes(build(objects, encryption), "scan.pdf")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cannot open"),
        (b"%PDF-1.7 and no more", "cannot open"),
        (document(b"")[:200], "cannot open"),
        (build([CATALOG, b"<</Type/Pages/Kids[]/Count 0>>"]), "cannot open|without pages"),
    ],
)
def test_damage(data: bytes, reason: str) -> None:
    """What PDFium cannot open, or has no pages, is damaged."""
    with pytest.raises(ImageTruncated, match=reason):
        pdf.page_sizes(data, "scan.pdf")
    with pytest.raises(Refused):
        pdf_child.answer(data, ["sizes"])


def form(content: bytes, entries: bytes = b"") -> bytes:
    return stream(content, b"/Type/XObject/Subtype/Form/BBox[0 0 999 999]" + entries)


def forms_in_forms() -> bytes:
    """Let each of ten forms show the next one ten times."""
    shown = [
        form(b"/F Do " * 10, b"/Resources<</XObject<</F %d 0 R>>>>" % number)
        for number in range(6, 16)
    ]
    last = form(b"0 0 9 9 re f")
    return document(b"/F Do", b"/Resources<</XObject<</F 5 0 R>>>>", more=[*shown, last])


def blended() -> bytes:
    content = b"/G gs " + b"/F Do " * 100_000
    entries = b"/Resources<</ExtGState<</G<</ca .5/BM/Luminosity>>>>/XObject<</F 5 0 R>>>>"
    group = form(b"0 0 999 999 re f", b"/Group<</S/Transparency>>")
    return document(content, entries, more=[group])


def content_bomb() -> bytes:
    packed = zlib.compress(b"0 0 9 9 re f " * 10**7, 9)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox %b/Contents 4 0 R>>" % A4_BOX
    tree = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return build([CATALOG, tree, page, stream(packed, b"/Filter/FlateDecode")])


@pytest.mark.parametrize("bomb", [forms_in_forms, blended, content_bomb])
def test_a_bomb_ends_in_an_error(bomb: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would take minutes or gigabytes is an error that names the limit."""
    assert callable(bomb)
    data = bomb()
    monkeypatch.setattr(pdf, "drawing_bounds", lambda data: Bounds(0.3, MEMORY_BYTES))
    with pytest.raises(ImageTooLarge, match=r"bomb\.pdf: takes too"):
        pdf.render(data, 0, A4, "bomb.pdf")


def image_object(side_px: int, packed: bytes) -> bytes:
    entries = (
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB"
        b"/BitsPerComponent 8/Filter/FlateDecode" % (side_px, side_px)
    )
    return stream(packed, entries)


def test_a_huge_image_is_drawn_or_refused_but_never_left_out() -> None:
    """900 megapixels in a few megabytes: the error comes in time, or else the picture is there."""
    packer, rows = zlib.compressobj(9), b"\xff\0\0" * 30_000 * 100
    # After a full flush the same rows pack to the same bytes again.
    first, again = (packer.compress(rows) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    packed = first + again * 299 + packer.flush()
    entries = b"/Resources<</XObject<</I 5 0 R>>>>"
    data = document(b"600 0 0 842 0 0 cm /I Do", entries, more=[image_object(30_000, packed)])
    try:
        image = pdf.render(data, 0, A4, "bomb.pdf")
    except ImageTooLarge:
        pass
    else:
        assert image.getpixel((800, 1200)) == RED


def test_want_of_memory_is_an_error_not_a_blank_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """PDFium leaves out what it cannot hold; the process is ended before that."""
    monkeypatch.setattr(pdf, "drawing_bounds", lambda data: Bounds(5.0, 60 * 2**20))
    with pytest.raises(ImageTooLarge, match="takes too much memory to decode, the limit is 62 MB"):
        pdf.render(document(RED_CORNER), 0, Size(4900, 4900), "plan.pdf")


def test_a_child_that_sleeps_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where computing time is not limited, time by the clock is."""
    monkeypatch.setattr(apart, "WALL_PER_CPU", 1)
    bounds = Bounds(0.01, 300 * 2**20)
    with pytest.raises(ImageTooLarge, match="takes too long"):
        apart.run_apart("eyeline.adapters.pdf_child", document(b""), ("sizes",), bounds, "a.pdf")


def test_too_many_pixels_are_refused() -> None:
    """Above 25 megapixels nothing is drawn."""
    with pytest.raises(ImageTooLarge, match=r"6000×6000 px, the limit is 25 megapixels"):
        pdf.render(document(b""), 0, Size(6000, 6000), "plan.pdf")
