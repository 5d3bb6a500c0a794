"""Hostile PDF."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from bombs.register import bomb, zeros

CATALOG, A4 = b"<</Type/Catalog/Pages 2 0 R>>", b"[0 0 595 842]"


def pdf(objects: Sequence[bytes]) -> bytes:
    """Number the objects from 1, the first one the catalog."""
    made, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, len(made))
    return bytes(made) + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (entries, len(content), content)


def page(content: bytes, resources: bytes = b"", more: Sequence[bytes] = ()) -> bytes:
    """Give a PDF of one page; `more` are objects from 5 on."""
    entries = A4, resources
    one = b"<</Type/Page/Parent 2 0 R/MediaBox %b/Contents 4 0 R/Resources<<%b>>>>" % entries
    return pdf([CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", one, content, *more])


@bomb(".pdf")
def pdf_loop() -> bytes:
    """A tree of pages that is its own child."""
    return pdf([CATALOG, b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 99>>"])


@bomb(".pdf")
def pdf_deep() -> bytes:
    """A tree of pages ten thousand deep."""
    nodes = [b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (at + 3) for at in range(10_000)]
    return pdf([CATALOG, *nodes, b"<</Type/Page/MediaBox[0 0 9 9]>>"])


@bomb(".pdf")
def pdf_pages() -> bytes:
    """A hundred thousand pages."""
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 100_003))
    tree = b"<</Type/Pages/MediaBox[0 0 72 72]/Count 100000/Kids[%b]>>" % kids
    return pdf([CATALOG, tree, *[b"<</Type/Page/Parent 2 0 R>>"] * 100_000])


@bomb(".pdf")
def pdf_huge_page() -> bytes:
    """A page of a kilometre."""
    return pdf([CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 3000000 3000000]>>"])  # fmt: skip


@bomb(".pdf")
def pdf_image() -> bytes:
    """A page that shows 900 megapixels."""
    entries = (
        b"/Type/XObject/Subtype/Image/Width 30000/Height 30000/ColorSpace/DeviceRGB"
        b"/BitsPerComponent 8/Filter/FlateDecode"
    )
    image = stream(zeros(3 * 30_000**2), entries)
    return page(stream(b"600 0 0 842 0 0 cm /I Do"), b"/XObject<</I 5 0 R>>", [image])


@bomb(".pdf")
def pdf_forms() -> bytes:
    """Ten forms, each showing the next one ten times."""
    head = b"/Type/XObject/Subtype/Form/BBox[0 0 999 999]"
    shown = [
        stream(b"/F Do " * 10, head + b"/Resources<</XObject<</F %d 0 R>>>>" % number)
        for number in range(6, 16)
    ]
    return page(stream(b"/F Do"), b"/XObject<</F 5 0 R>>", [*shown, stream(b"0 0 9 9 re f", head)])


@bomb(".pdf")
def pdf_content() -> bytes:
    """A gigabyte of spaces as the content of a page."""
    return page(stream(zeros(10**9), b"/Filter/FlateDecode"))


@bomb(".pdf")
def pdf_filters() -> bytes:
    """Zeros packed, packed again, and packed once more."""
    content = zlib.compress(zlib.compress(zeros(10**9)))
    return page(stream(content, b"/Filter[/FlateDecode/FlateDecode/FlateDecode]"))


@bomb(".pdf")
def pdf_functions() -> bytes:
    """A shading whose function runs for every pixel, ten thousand times."""
    function = stream(
        b"{" + b"dup mul " * 10_000 + b"}", b"/FunctionType 4/Domain[0 1 0 1]/Range[0 1 0 1 0 1]"
    )
    shading = b"<</ShadingType 1/ColorSpace/DeviceRGB/Function 6 0 R/Matrix[600 0 0 850 0 0]>>"
    return page(stream(b"/S sh"), b"/Shading<</S 5 0 R>>", [shading, function])
