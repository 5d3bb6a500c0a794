"""Text in pictures: one port, and an adapter for each of two packages that carry their models."""

from __future__ import annotations

import io
import re
import threading
from statistics import fmean
from typing import TYPE_CHECKING, Any, Protocol

from eyeline.local.facts import CONFIDENCE_SURE, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from PIL.Image import Image, Transpose

CONFIDENCE_MIN = 0.75
"""Below this the text found in photos was noise (leaves read as letters), above it rarely."""

PRINT_LENGTH = 2
"""A box so many times as long as high holds print, even if nothing could be read in it."""

SIDE_MIN_PX = 8
"""No print is legible in fewer pixels, and detectors are not made for them."""

RING = re.compile(r"[0oO°Q]+|8")
"""A round cup is read as a very certain "8" or "O"."""


class TextReader(Protocol):
    """Finds pieces of text in an upright RGB picture; safe to share between threads."""

    def read(self, image: Image) -> Iterable[Line]: ...


class FasterPaddle:
    """PP-OCRv6 `small` through faster-paddle; both models are in its wheel."""

    def __init__(self) -> None:
        from faster_paddle import OcrEngine

        # `medium` would be downloaded: never ask for it.
        self.engine = OcrEngine(model_size="small")

    def read(self, image: Image) -> Iterable[Line]:
        encoded = io.BytesIO()
        image.save(encoded, "BMP")  # the quickest to write that it reads
        bounds: dict[int, dict[str, Any]] = self.engine.ocr(encoded.getvalue())["bounds"]
        for bound in bounds.values():
            box = (*bound["topLeftCoord"], *bound["bottomRightCoord"])
            yield Line(bound["text"].strip(), float(bound["confidence"]), box)


class RapidOcr:
    """PP-OCR through rapidocr and onnxruntime."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR

        # Its classifier turns upright lines on their head; its enlarging costs three times the CPU.
        self.engine = RapidOCR(
            params={
                "Global.use_cls": False,
                "Global.log_level": "error",
                "Det.limit_type": "max",
                "Det.limit_side_len": 1280,
            }
        )
        self.lock = threading.Lock()

    def read(self, image: Image) -> Iterable[Line]:
        import numpy as np

        with self.lock:
            found = self.engine(np.asarray(image)[:, :, ::-1])
        if found.boxes is None:
            return
        for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
            (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
            yield Line(text.strip(), float(score), (int(left), int(top), int(right), int(bottom)))


def load_reader(
    adapters: Iterable[Callable[[], TextReader]] = (FasterPaddle, RapidOcr),
) -> TextReader:
    """Give the first adapter whose package is installed. Raises ImportError if none is."""
    missing: list[str] = []
    for adapter in adapters:
        try:
            return adapter()
        except ImportError as e:
            missing.append(e.name or str(e))
    message = " and ".join(missing) or "no adapter"
    raise ImportError(message, name=missing[0] if missing else None)


def read_lines(reader: TextReader, image: Image) -> tuple[Line, ...]:
    """
    Find the pieces of text in `image` that are more than noise, if need be turned upright.

    Print that could not be read is a line without text.
    """
    if min(image.size) < SIDE_MIN_PX:
        return ()
    found = tuple(reader.read(image))
    if (turn := turn_of(found)) is not None:
        turned = image.transpose(turn)
        again = tuple(reader.read(turned))
        if turn_of(again) is None and sureness(again) >= CONFIDENCE_SURE:
            image, found = turned, again
    area_px = image.width * image.height
    texts = without_rings(tuple(line for line in found if is_text(line, area_px)))
    unread = (Line("", line.confidence, line.box) for line in found if is_unread(line, area_px))
    return (*texts, *unread)


def turn_of(lines: Iterable[Line]) -> Transpose | None:
    """Give the turn that may make the words of `lines` legible, or None if they are upright."""
    from PIL.Image import Transpose

    said = [line for line in lines if len(line.text) > 2]  # a lone letter is taller than wide
    is_tall = 2 * sum(line.height_px > line.box[2] - line.box[0] for line in said) > len(said)
    is_sure = sureness(said) >= CONFIDENCE_SURE
    if not said or (is_sure and not is_tall):
        return None
    # Recognisers lay a tall piece on its left side: read so, print that runs down is sure.
    if is_tall:
        return Transpose.ROTATE_90 if is_sure else Transpose.ROTATE_270
    return Transpose.ROTATE_180


def sureness(lines: Iterable[Line]) -> float:
    """Give the mean confidence of what was read; 0 if nothing was."""
    return fmean([line.confidence for line in lines if line.text] or [0.0])


def is_text(line: Line, area_px: int) -> bool:
    """Say whether `line` is print rather than something that looks like a letter."""
    left, top, right, bottom = line.box
    fills = (right - left) * (bottom - top) > 0.3 * area_px
    is_shape = len(line.text) <= 2 and (fills or not line.text.isalnum())
    return bool(line.text) and line.confidence >= CONFIDENCE_MIN and not is_shape


def is_unread(line: Line, area_px: int) -> bool:
    """Say whether `line` has the shape of print but is no text: another script, or too blurred."""
    sides = sorted((line.box[2] - line.box[0], line.height_px))
    is_shape = 0 < len(line.text) <= 2
    return not (is_shape or is_text(line, area_px)) and sides[1] >= PRINT_LENGTH * max(1, sides[0])


def without_rings(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Leave out what is read of cups, eyes and lenses, unless other print stands beside it."""
    return () if all(RING.fullmatch(line.text) for line in lines) else lines
