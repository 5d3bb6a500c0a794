"""
Whether an encoded image is all there: told from its structure, and of a PNG also from its pixels.
"""

from __future__ import annotations

from collections.abc import Callable

from eyeline.core.formats import gif, jpeg, png, webp
from eyeline.core.formats.header import Unsafe
from eyeline.core.media import GIF, JPEG, PNG, WEBP, ImageInfo
from eyeline.errors import ImageTruncated, UnsafeImage

FAULTS: dict[str, Callable[..., str]] = {
    JPEG: jpeg.fault,
    PNG: png.fault,
    GIF: gif.fault,
    WEBP: webp.fault,
}


# Unpacked in three milliseconds; what is larger is not for the thread that everybody waits for.
PIXELS_HERE_MAX = 1_000_000


def check_whole(data: bytes, media_type: str, source: str, walk: jpeg.Walk | None = None) -> None:
    """
    Raise ImageTruncated if `data`, about to be sent as it is, ends early or is damaged in its
    frame, UnsafeImage if that would take long to tell. `walk` is what `metadata.walked` gave.
    """
    try:
        fault = FAULTS[media_type](data, *[walk] if walk else [])
    except IndexError:
        fault = "the header ends early"
    except Unsafe as error:
        raise UnsafeImage(source, str(error)) from None
    except ValueError as error:
        fault = str(error)
    if fault:
        raise ImageTruncated(source, fault)


def is_unpacked_here(info: ImageInfo) -> bool:
    """Say whether an image unpacks in no time, so that no other thread is needed: a small PNG."""
    return info.media_type == PNG and info.size.pixels <= PIXELS_HERE_MAX


def check_pixels(data: bytes, source: str) -> None:
    """Raise ImageTruncated if the pixels of a PNG do not unpack."""
    if fault := png.pixel_fault(data):
        raise ImageTruncated(source, fault)
