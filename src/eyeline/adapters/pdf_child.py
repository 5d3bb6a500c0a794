"""PDFium in a child process; see `apart`. Nothing else may import this."""

from __future__ import annotations

import ctypes
import json

import pypdfium2
import pypdfium2.raw as pdfium

from eyeline.adapters.apart import DAMAGED, UNSUPPORTED, Parts, Refused, serve

# Sizes of more pages than this would take seconds to read.
PAGES_MAX = 10_000  # the same in `pdf`, which tells of it


def main() -> None:
    serve(answer, watched=True)


def answer(data: bytes, arguments: list[str]) -> Parts:
    document = open_document(data)
    if arguments[0] == "sizes":
        return (json.dumps(sizes_pt(document)).encode(),)
    page, width_px, height_px = map(int, arguments[1:])
    return (render(document, page, width_px, height_px),)


def open_document(data: bytes) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise Refused(UNSUPPORTED, "PDF with a password") from None
        raise Refused(DAMAGED, "PDFium cannot open it") from None
    if len(document) == 0:
        raise Refused(DAMAGED, "a PDF without pages")
    return document


def sizes_pt(document: pypdfium2.PdfDocument) -> list[tuple[float, float]]:
    """Give width and height of each page as shown, cropped and turned, in points of 1/72 inch."""
    count = min(len(document), PAGES_MAX + 1)
    size = pdfium.FS_SIZEF()
    sizes = []
    for page in range(count):
        if not pdfium.FPDF_GetPageSizeByIndexF(document, page, ctypes.byref(size)):
            raise Refused(DAMAGED, f"page {page + 1} cannot be read")
        sizes.append((size.width, size.height))
    return sizes


def render(document: pypdfium2.PdfDocument, page: int, width_px: int, height_px: int) -> memoryview:
    """Give the rows of the page, RGB on white, each padded to four bytes."""
    document.init_forms()
    try:
        handle = document[page]
    except (pypdfium2.PdfiumError, IndexError):
        raise Refused(DAMAGED, f"page {page + 1} cannot be read") from None
    bitmap = pypdfium2.PdfBitmap.new_native(width_px, height_px, pdfium.FPDFBitmap_BGR)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, width_px, height_px)
    place = (0, 0, width_px, height_px, 0)
    flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
    pdfium.FPDF_RenderPageBitmap(bitmap, handle, *place, flags)
    if document.formenv:
        pdfium.FPDF_FFLDraw(document.formenv, bitmap, handle, *place, flags)
    return memoryview(bitmap.buffer).cast("B")
