"""libheif in a child process; see `apart`. Nothing else may import this."""

from __future__ import annotations

import pillow_heif
from PIL import Image
from pillow_heif import options

from eyeline.adapters.apart import DAMAGED, Parts, Refused, serve
from eyeline.adapters.bands import narrowed, spans
from eyeline.adapters.colours import Fit, fitted_rows
from eyeline.adapters.rows import SHORT_PROFILE, packed
from eyeline.core.colour import Colour

UNDECODABLE = (ValueError, EOFError, SyntaxError, RuntimeError, OSError)


def main() -> None:
    # This process is ours alone, so that these options are nobody else's.
    options.DECODE_THREADS = 1
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    serve(answer, watched=True)


def answer(data: bytes, arguments: list[str]) -> Parts:
    """Give the picture as `open_heif` takes it; the arguments are those of a Fit, or none."""
    picture = decoded(data)
    stride_bytes, pixels, mode = picture.stride, memoryview(picture.data), picture.mode
    if mode == "I;16":  # grey of 10 or 12 bits, as little-endian 16: the upper byte
        mode, stride_bytes, pixels = "L", stride_bytes // 2, memoryview(bytes(pixels)[1::2])
    wanted = "RGBA" if mode in ("RGBA", "RGBa", "LA") else "RGB"

    def cut(top: int, end: int) -> Image.Image:
        rows = pixels[top * stride_bytes : end * stride_bytes]
        shape = (picture.size[0], end - top)
        band = Image.frombytes(mode, shape, rows, "raw", mode, stride_bytes, 1)
        return band if mode == wanted else band.convert(wanted)

    bands, profile = (cut(*span) for span in spans(picture.size)), picture.info.get("icc_profile")
    if not arguments:
        made = narrowed(bands, *picture.size)
        made.info = {"icc_profile": profile, SHORT_PROFILE: picture.info.get(SHORT_PROFILE)}
        return packed(made)
    width_px, *ground = map(int, arguments)
    like = cut(0, 1)
    like.info["icc_profile"] = profile
    return packed(*fitted_rows(bands, like, picture.size[1], Fit(width_px, Colour(*ground))))


def decoded(data: bytes) -> pillow_heif.HeifImage:
    """Give the primary picture, its pixels decoded."""
    try:
        file = pillow_heif.open_heif(data, remove_stride=False)
        picture = file[file.primary_index]
        picture.load()
    except UNDECODABLE as error:
        raise Refused(DAMAGED, str(error).strip() or "libheif cannot decode it") from None
    except MemoryError:
        raise Refused(DAMAGED, "libheif cannot hold it") from None
    if not picture.info["primary"]:  # pillow_heif gives the first one instead
        raise Refused(DAMAGED, "the primary picture cannot be read")
    return picture
