"""libheif in a child process; see `apart`. Nothing else may import this."""

from __future__ import annotations

import json

import pillow_heif
from pillow_heif import options

from eyeline.adapters.apart import DAMAGED, Parts, Refused, serve

UNDECODABLE = (ValueError, EOFError, SyntaxError, RuntimeError, OSError)


def main() -> None:
    # This process is ours alone, so that these options are nobody else's.
    options.DECODE_THREADS = 1
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    serve(answer, watched=True)


def answer(data: bytes, arguments: list[str]) -> Parts:
    """Give a line of JSON that says what follows, the ICC profile, and the rows of pixels."""
    try:
        file = pillow_heif.open_heif(data, remove_stride=False)
        image = file[file.primary_index]
        pixels = image.data
    except UNDECODABLE as error:
        raise Refused(DAMAGED, str(error).strip() or "libheif cannot decode it") from None
    except MemoryError:
        raise Refused(DAMAGED, "libheif cannot hold it") from None
    if not image.info["primary"]:  # pillow_heif gives the first one instead
        raise Refused(DAMAGED, "the primary picture cannot be read")
    mode, stride_bytes = image.mode, image.stride
    if mode == "I;16":  # grey of 10 or 12 bits, as little-endian 16: the upper byte
        mode, stride_bytes, pixels = "L", stride_bytes // 2, bytes(pixels)[1::2]
    profile = image.info.get("icc_profile", b"")
    assert isinstance(profile, bytes)
    said = {
        "mode": mode,
        "size": image.size,
        "stride_bytes": stride_bytes,
        "profile_bytes": len(profile),
        "nclx_profile": image.info.get("nclx_profile"),
    }
    return json.dumps(said).encode(), b"\n", profile, pixels
