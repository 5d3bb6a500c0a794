"""Whether what came without loss, and goes as it is, unpacks: half a picture is none."""

from __future__ import annotations

from eyeline.core.media import PNG
from eyeline.core.whole import check_pixels
from eyeline.errors import ImageTruncated


def check_unpacks(data: bytes, media_type: str, source: str) -> None:
    """Raise ImageTruncated where the pixels of a PNG, a GIF or a lossless WebP are damaged."""
    if media_type == PNG:
        check_pixels(data, source)
    elif fault := decoding_fault(data, media_type, source):
        raise ImageTruncated(source, fault)


def decoding_fault(data: bytes, media_type: str, source: str) -> str:
    """Say what Pillow finds wrong; its import is not for PNG, the commonest of the three."""
    from eyeline.adapters.decode import FORMATS, UNDECODABLE
    from eyeline.adapters.holding import held_bytes, refuse_hoard
    from eyeline.adapters.opening import open_image

    try:
        image = open_image(data, FORMATS[media_type])
        refuse_hoard(held_bytes(image, 0, is_slow=False), data, source)
        image.load()
    except UNDECODABLE as error:
        return str(error) or type(error).__name__
    return ""
