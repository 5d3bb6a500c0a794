"""
Which pages or frames of a file are meant, and whether its name tells the truth about its type.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from eyeline.core.media import NAMES, PDF, TIFF, ImageInfo
from eyeline.core.reference import Reference, name_of
from eyeline.core.size import Size
from eyeline.errors import BadReference, ImageTooLarge, TooManyImages

# Files that stand for all their pages; an animation stands for one frame.
DOCUMENTS = (PDF, TIFF)
# Source: images-vision guide, September 2026: "up to 1,500 per request".
IMAGES_MAX = 1500
# A frame is drawn over all that come before it: so many pixels take below two seconds.
FRAME_PIXELS_MAX = 240_000_000

# Extensions that name a type, in lower case, without the dot.
EXTENSIONS = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "jpe": "image/jpeg", "jfif": "image/jpeg",
    "png": "image/png", "apng": "image/png", "gif": "image/gif", "webp": "image/webp",
    "bmp": "image/bmp", "dib": "image/bmp", "tif": TIFF, "tiff": TIFF,
    "heic": "image/heic", "heif": "image/heic", "hif": "image/heic", "avif": "image/avif",
    "jp2": "image/jp2", "j2k": "image/jp2", "jpx": "image/jp2", "ico": "image/x-icon",
    "pnm": "image/x-portable-anymap", "pbm": "image/x-portable-anymap",
    "pgm": "image/x-portable-anymap", "ppm": "image/x-portable-anymap",
    "pfm": "image/x-portable-anymap", "svg": "image/svg+xml", "pdf": PDF,
}  # fmt: skip
# Other names for the same types, as servers and other programs write them.
SYNONYMS = {
    "image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/apng": "image/png",
    "image/x-png": "image/png", "image/x-ms-bmp": "image/bmp", "image/x-bmp": "image/bmp",
    "image/heif": "image/heic", "image/heic-sequence": "image/heic",
    "image/heif-sequence": "image/heic", "image/avif-sequence": "image/avif",
    "image/jpx": "image/jp2", "image/jpm": "image/jp2", "image/vnd.microsoft.icon": "image/x-icon",
    "image/ico": "image/x-icon", "image/x-portable-bitmap": "image/x-portable-anymap",
    "image/x-portable-graymap": "image/x-portable-anymap",
    "image/x-portable-pixmap": "image/x-portable-anymap", "image/tif": TIFF,
    "image/svg": "image/svg+xml",
}  # fmt: skip


class Page(NamedTuple):
    """One image of a file: how it is named to the user, and what its header says."""

    source: str
    info: ImageInfo


def pdf_pages(sizes: Iterable[Size]) -> tuple[ImageInfo, ...]:
    """Give the pages of a PDF, of these sizes in pixels."""
    return tuple(ImageInfo(PDF, size, frame=at) for at, size in enumerate(sizes))


def choose_pages(pages: tuple[ImageInfo, ...], number: int | None, source: str) -> tuple[Page, ...]:
    """
    Give the pages that are meant: page `number` of a document, from 1, or all of them; frame
    `number` of an animation, from 0, or its first.

    Raises BadReference where there is no such page or frame.
    """
    first = pages[0]
    if first.media_type not in DOCUMENTS:
        return (one_frame(first, number, source),)
    if number is None:
        is_one = len(pages) == 1 and first.media_type != PDF
        return tuple(
            Page(source if is_one else f"{source}#{at}", info) for at, info in enumerate(pages, 1)
        )
    if not 1 <= number <= len(pages):
        count = "1 page" if len(pages) == 1 else f"pages 1 to {len(pages):,}"
        raise BadReference(f"{source}#{number}", f"no page {number}, the file has {count}")
    return (Page(f"{source}#{number}", pages[number - 1]),)


def one_frame(info: ImageInfo, number: int | None, source: str) -> Page:
    if number is None:
        return Page(source, info)
    if number and info.frames == 1:
        raise BadReference(f"{source}#{number}", f"no frame {number}, it is a single picture")
    named = f"{source}#{number}"
    if number * info.size.pixels > FRAME_PIXELS_MAX:
        limit = f"frame {FRAME_PIXELS_MAX // info.size.pixels:,} at this size"
        raise ImageTooLarge(named, f"{number:,} frames of {info.size} px come before it", limit)
    return Page(named, replace(info, frame=number))


def refuse_too_many(count: int) -> None:
    """Raise TooManyImages for more than one request may carry."""
    if count > IMAGES_MAX:
        raise TooManyImages(f"{count:,} images", f"{IMAGES_MAX:,}")


def misnamed(reference: Reference, declared: str, media_type: str) -> tuple[str, ...]:
    """Note where the name, or the type that came along, says another type than the bytes do."""
    declared = declared.partition(";")[0].strip().lower()
    declared = SYNONYMS.get(declared, declared)
    if declared in NAMES and declared != media_type:
        return (f"declared {NAMES[declared]}, is {NAMES[media_type]}",)
    _, dot, extension = name_of(reference).lower().rpartition(".")
    named = EXTENSIONS.get(extension if dot else "", media_type)
    if named != media_type:
        return (f"named {NAMES[named]}, is {NAMES[media_type]}",)
    return ()
