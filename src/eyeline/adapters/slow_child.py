"""Pillow in a child process; see `slow`. Nothing else may import this."""

from __future__ import annotations

from io import BytesIO

from PIL import AvifImagePlugin, Image

from eyeline.adapters.apart import DAMAGED, NO_FRAME, Parts, Refused, serve
from eyeline.adapters.colours import Fit, fitted
from eyeline.adapters.decode import UNDECODABLE
from eyeline.adapters.deep_jp2 import load_jp2
from eyeline.adapters.rows import packed
from eyeline.core.colour import Colour


def main() -> None:
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    serve(answer, watched=True)


def answer(data: bytes, arguments: list[str]) -> Parts:
    kind, frame, width_px, orientation, *ground = arguments
    fit = Fit(int(width_px), Colour(*map(int, ground)), int(orientation))
    try:
        if kind == "JPEG2000":
            image = load_jp2(data, lambda data: Image.open(BytesIO(data), formats=[kind]))
        else:
            image = Image.open(BytesIO(data), formats=[kind])
            seek(image, int(frame))
            image.load()
        return packed(*fitted(image, fit))
    except UNDECODABLE as error:
        raise Refused(DAMAGED, str(error).strip() or type(error).__name__) from None


def seek(image: Image.Image, frame: int) -> None:
    if frame >= getattr(image, "n_frames", 1):
        raise Refused(NO_FRAME, "")
    image.seek(frame)
