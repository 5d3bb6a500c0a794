"""
Metadata cut out of an encoded image without touching its pixels.

Where, when, with what and by whom a picture was taken is nobody's business but the user's. Colour
profiles stay, since the pixels mean nothing without them. What goes stands with each format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from eyeline.core.formats import gif, jpeg, png, webp
from eyeline.core.media import GIF, JPEG, PNG, WEBP

PIECES: dict[str, Callable[..., Iterator[bytes | memoryview]]] = {
    JPEG: jpeg.pieces,
    PNG: png.pieces,
    GIF: gif.pieces,
    WEBP: webp.pieces,
}


def walked(data: bytes, media_type: str) -> jpeg.Walk | None:
    """Find the segments of a JPEG; None for all else, and for what is damaged."""
    try:
        return tuple(jpeg.segments(data)) if media_type == JPEG else None
    except (IndexError, ValueError):
        return None


def cut_metadata(data: bytes, media_type: str, walk: jpeg.Walk | None = None) -> bytes:
    """
    Give an image without its metadata, its pixels bit for bit the same.

    Also what stands behind the image's end goes: a phone puts a film or a second picture there.
    Other types than JPEG, PNG, WebP and GIF, and damaged ones, come back as they are, and what has
    no metadata as the very same object: a second copy of a large file would be held for nothing.
    `walk` is what `walked` gave, if that was asked for before.
    """
    try:
        pieces = list(PIECES[media_type](data, *[walk] if walk else []))
    except (IndexError, KeyError, ValueError):
        return data
    if len(pieces) == 1 and len(pieces[0]) == len(data):
        return data
    bare = b"".join(pieces)
    return data if bare == data else bare
