"""
What a run of bytes is: its type by signature, and its size, orientation, alpha and frames by
header.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from eyeline.core.formats import (
    bmp,
    gif,
    heif,
    ico,
    jpeg,
    jpeg2000,
    netpbm,
    png,
    svg,
    tiff,
    webp,
)
from eyeline.core.formats.header import Header, Unsafe
from eyeline.core.formats.parts import Parts
from eyeline.core.size import Size
from eyeline.errors import (
    ImageEmpty,
    ImageIsWebPage,
    ImageTooLarge,
    ImageTruncated,
    NotAnImage,
    UnsafeImage,
    UnsupportedFormat,
)

JPEG, PNG, GIF, WEBP = "image/jpeg", "image/png", "image/gif", "image/webp"
BMP, TIFF = "image/bmp", "image/tiff"
HEIC, AVIF, JP2 = "image/heic", "image/avif", "image/jp2"
ICO, PNM = "image/x-icon", "image/x-portable-anymap"
SVG, PDF = "image/svg+xml", "application/pdf"
NAMES = {
    JPEG: "JPEG", PNG: "PNG", GIF: "GIF", WEBP: "WebP", BMP: "BMP", TIFF: "TIFF", HEIC: "HEIC",
    AVIF: "AVIF", JP2: "JPEG 2000", ICO: "ICO", PNM: "PNM", SVG: "SVG", PDF: "PDF",
}  # fmt: skip
# What is known by its first bytes, and read by nothing here.
UNREAD = {
    "image/vnd.adobe.photoshop": "Photoshop",
    "image/jxl": "JPEG XL",
    "image/x-exr": "OpenEXR",
    "image/x-camera-raw": "camera raw",
    "image/x-portable-arbitrarymap": "PAM or colour PFM",
    PDF: "PDF",
}

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", JPEG),
    (0, png.SIGNATURE, PNG),
    (0, b"GIF87a", GIF),
    (0, b"GIF89a", GIF),
    (8, b"WEBP", WEBP),
    (0, b"BM", BMP),
    (0, b"II*\0", TIFF),
    (0, b"MM\0*", TIFF),
    (0, b"II+\0", TIFF),
    (0, jpeg2000.FILE, JP2),
    (0, jpeg2000.CODESTREAM, JP2),
    (0, b"8BPS", "image/vnd.adobe.photoshop"),
    (0, b"\0\0\0\x0cJXL ", "image/jxl"),
    (0, b"\xff\x0a", "image/jxl"),
    (0, b"v/1\x01", "image/x-exr"),
    (4, b"ftypcrx ", "image/x-camera-raw"),
    (0, b"IIRO", "image/x-camera-raw"),
    (0, b"IIRS", "image/x-camera-raw"),
    (0, b"IIU\0", "image/x-camera-raw"),
    (0, b"FUJIFILMCCD-RAW", "image/x-camera-raw"),
)
READERS: dict[str, Callable[[bytes], Header]] = {
    JPEG: jpeg.header,
    PNG: png.header,
    GIF: gif.header,
    WEBP: webp.header,
    BMP: bmp.header,
    TIFF: tiff.header,
    HEIC: heif.heic_header,
    AVIF: heif.avif_header,
    JP2: jpeg2000.header,
    ICO: ico.header,
    PNM: netpbm.header,
    SVG: svg.header,
}
# Whose headers may stand far from the beginning, and are read where they stand.
READ_IN_PARTS = {JPEG, WEBP, TIFF, HEIC, AVIF, JP2}
HTML = "text/html"
HTML_BEGINS = re.compile(rb"<!doctype html|<(html|head|body|script|title)\b")
SPACE_AND_BOM = b"\xef\xbb\xbf \t\r\n"

Read = TypeVar("Read")

# What a decoder can give smaller, row by row: twice Pillow's own warning limit, where it refuses.
PIXELS_MAX = 178_956_970
# Of all else the whole is held, as four bytes a pixel and more.
WHOLE_PIXELS_MAX = 100_000_000
# Twenty scans, twice the usual number, of the largest. libjpeg takes up to 0.6 s for a billion.
SCANNED_PIXELS_MAX = 2_000_000_000


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """
    What an image's header says.

    `size` is as stored, in pixels; `orientation` is the EXIF value 1 to 8 that turns it upright.
    `frames` is 2 for "more than one": headers do not always count them. `frame` is the one that is
    meant, from 0; in a document it is a page. `pixel_kind` names pixels that are more than 8-bit
    grey, RGB or a palette: "16-bit", "float", "CMYK", "LAB", …
    """

    media_type: str
    size: Size
    orientation: int = 1
    has_alpha: bool = False
    frames: int = 1
    frame: int = 0
    pixel_kind: str = ""
    is_lossless: bool = False

    @property
    def upright_size(self) -> Size:
        return self.size.turned if self.orientation >= 5 else self.size


def read_info(data: bytes, source: str) -> ImageInfo:
    """
    Read what `data` is from its first bytes; nothing is decoded. `source` names it in errors.

    Of a document it is the first page. Raises ImageEmpty, ImageIsWebPage, NotAnImage,
    UnsupportedFormat, ImageTruncated, UnsafeImage or ImageTooLarge.
    """
    media_type = readable_type(data, source)
    return info(read(lambda: READERS[media_type](data), source), media_type, source)


def read_pages(data: bytes, source: str) -> tuple[ImageInfo, ...]:
    """
    Read what each page of a TIFF is, with the `frame` by which Pillow seeks it; of everything else
    its one picture, as `read_info` does.
    """
    if readable_type(data, source) != TIFF:
        return (read_info(data, source),)
    headers = read(lambda: tiff.pages(data), source)
    return tuple(info(header, TIFF, source) for header in headers)


def read_parts(parts: Parts, head: bytes, source: str) -> tuple[ImageInfo, ...]:
    """
    Do what `read_pages` does with a file of which `head` and some other parts are here; it is one
    of those in READ_IN_PARTS.

    Raises Missing for a part that is not.
    """
    media_type = readable_type(head, source)
    data = cast(bytes, parts)  # which they are to whoever reads a header
    if media_type != TIFF:
        return (info(read(lambda: READERS[media_type](data), source), media_type, source),)
    headers = read(lambda: tiff.pages(data), source)
    return tuple(info(header, TIFF, source) for header in headers)


def readable_type(data: bytes, source: str) -> str:
    """Give the media type of what can be read here; raise what it is instead."""
    if not data:
        raise ImageEmpty(source)
    media_type = sniff(data)
    if media_type in UNREAD:
        raise UnsupportedFormat(source, UNREAD[media_type])
    if media_type == HTML:
        raise ImageIsWebPage(source, media_type)
    if media_type not in READERS:
        raise NotAnImage(source, begins(data))
    return media_type


def read(reader: Callable[[], Read], source: str) -> Read:
    """Run a header reader; where the bytes are cut, make no sense or are a trap, say so."""
    try:
        return reader()
    except IndexError:
        raise ImageTruncated(source, "the header ends early") from None
    except Unsafe as error:
        raise UnsafeImage(source, str(error)) from None
    except ValueError as error:
        raise ImageTruncated(source, str(error)) from None


def info(header: Header, media_type: str, source: str) -> ImageInfo:
    """Give what a header says, if it is of a size that is safe to decode."""
    size = header.size
    if min(size) < 1:
        raise ImageTruncated(source, f"the header says {size} px")
    pixels_max = PIXELS_MAX if header.is_scalable else WHOLE_PIXELS_MAX
    if size.pixels > pixels_max:
        raise ImageTooLarge(source, f"{size} px", f"{pixels_max // 1_000_000} megapixels")
    if size.pixels * header.scans > SCANNED_PIXELS_MAX:
        found = f"{size} px in {header.scans:,} scans"
        limit = f"{SCANNED_PIXELS_MAX // 1_000_000:,} megapixels over all scans"
        raise ImageTooLarge(source, found, limit)
    return ImageInfo(
        media_type,
        size,
        header.orientation,
        header.has_alpha,
        header.frames,
        header.frame,
        header.pixel_kind,
        header.is_lossless,
    )


def sniff(data: bytes) -> str:
    """Give the media type that the first bytes of `data` name, or "" for none known."""
    for offset, signature, media_type in SIGNATURES:
        if data.startswith(signature, offset):
            return media_type
    if data.startswith(ico.SIGNATURES) and data[4:6] not in (b"", b"\0\0"):
        return ICO
    return container_type(data) or netpbm_type(data) or text_type(data)


def container_type(data: bytes) -> str:
    return {"HEIC": HEIC, "AVIF": AVIF}.get(heif.kind(data), "")


def netpbm_type(data: bytes) -> str:
    if netpbm.UNREAD.match(data):
        return "image/x-portable-arbitrarymap"
    return PNM if netpbm.SIGNATURE.match(data) else ""


def text_type(data: bytes) -> str:
    text = data[:1024].lstrip(SPACE_AND_BOM)
    if text.startswith(b"%PDF-"):
        return PDF
    if svg.is_svg(data):
        return SVG
    return HTML if text.startswith(b"<") and HTML_BEGINS.search(text[:512].lower()) else ""


def begins(data: bytes) -> str:
    """Describe unknown bytes by their first twelve."""
    return f"begins {data[:12].hex(' ')}"
