"""
What a run of bytes is: its type by signature, and its size, orientation, alpha and frames by
header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from eyeline.core import headers
from eyeline.core.size import Size
from eyeline.errors import (
    ImageEmpty,
    ImageIsWebPage,
    ImageTooLarge,
    ImageTruncated,
    NotAnImage,
    UnsupportedFormat,
)

JPEG, PNG, GIF, WEBP = "image/jpeg", "image/png", "image/gif", "image/webp"
BMP, TIFF = "image/bmp", "image/tiff"
UNREAD = {
    "image/heic": "HEIC",
    "image/avif": "AVIF",
    "image/jp2": "JPEG 2000",
    "image/svg+xml": "SVG",
    "image/x-icon": "ICO",
    "image/vnd.adobe.photoshop": "Photoshop",
    "application/pdf": "PDF",
}

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", JPEG),
    (0, b"\x89PNG\r\n\x1a\n", PNG),
    (0, b"GIF87a", GIF),
    (0, b"GIF89a", GIF),
    (8, b"WEBP", WEBP),
    (0, b"BM", BMP),
    (0, b"II*\0", TIFF),
    (0, b"MM\0*", TIFF),
    (4, b"ftypavi", "image/avif"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftyphev", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (0, b"\0\0\0\x0cjP  ", "image/jp2"),
    (0, b"\xff\x4f\xff\x51", "image/jp2"),
    (0, b"\0\0\1\0", "image/x-icon"),
    (0, b"8BPS", "image/vnd.adobe.photoshop"),
    (0, b"%PDF-", "application/pdf"),
)
READERS = {
    JPEG: headers.jpeg,
    PNG: headers.png,
    GIF: headers.gif,
    WEBP: headers.webp,
    BMP: headers.bmp,
    TIFF: headers.tiff,
}

# Twice Pillow's own warning limit, where Pillow refuses too: decoding would take half a gigabyte.
PIXELS_MAX = 178_956_970


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """
    What an image's header says.

    `size` is as stored, in pixels; `orientation` is the EXIF value 1 to 8 that turns it upright.
    `frames` is 2 for "more than one": headers do not always count them.
    """

    media_type: str
    size: Size
    orientation: int = 1
    has_alpha: bool = False
    frames: int = 1

    @property
    def upright_size(self) -> Size:
        return self.size.turned if self.orientation >= 5 else self.size


def read_info(data: bytes, source: str) -> ImageInfo:
    """
    Read what `data` is from its first bytes; nothing is decoded. `source` names it in errors.

    Raises ImageEmpty, ImageIsWebPage, NotAnImage, UnsupportedFormat, ImageTruncated or
    ImageTooLarge.
    """
    if not data:
        raise ImageEmpty(source)
    media_type = sniff(data)
    if media_type in UNREAD:
        raise UnsupportedFormat(source, UNREAD[media_type])
    if media_type == "text/html":
        raise ImageIsWebPage(source, media_type)
    if media_type not in READERS:
        raise NotAnImage(source, begins(data))
    header = read_header(data, media_type, source)
    if min(header.size) < 1:
        raise ImageTruncated(source, f"the header says {header.size} px")
    if header.size.pixels > PIXELS_MAX:
        raise ImageTooLarge(source, f"{header.size} px", f"{PIXELS_MAX // 1_000_000} megapixels")
    return ImageInfo(media_type, header.size, header.orientation, header.has_alpha, header.frames)


def read_header(data: bytes, media_type: str, source: str) -> headers.Header:
    try:
        return READERS[media_type](data)
    except IndexError:
        raise ImageTruncated(source, "the header ends early") from None
    except ValueError as error:
        raise ImageTruncated(source, str(error)) from None


def sniff(data: bytes) -> str:
    """Give the media type that the signature of `data` names, or "" for none known."""
    for offset, signature, media_type in SIGNATURES:
        if data.startswith(signature, offset):
            return media_type
    text = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!--")) and b"<svg" in data[:4096].lower():
        return "image/svg+xml"
    if text.startswith(b"<") and re.search(
        rb"<!doctype html|<(html|head|body|script|title)\b", text
    ):
        return "text/html"
    return ""


def begins(data: bytes) -> str:
    """Describe unknown bytes by their first twelve."""
    return f"begins {data[:12].hex(' ')}"
