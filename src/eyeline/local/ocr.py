"""Text in pictures: one port, and an adapter for each of two packages that carry their models."""

from __future__ import annotations

import io
import re
import threading
from typing import TYPE_CHECKING, Any, Protocol

from eyeline.local.facts import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from PIL.Image import Image

CONFIDENCE_MIN = 0.75
"""Below this the text found in photos was noise (leaves read as letters), above it rarely."""

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
    """Find the pieces of text in `image` that are more than noise."""
    if min(image.size) < SIDE_MIN_PX:
        return ()
    area_px = image.width * image.height
    return without_rings(tuple(line for line in reader.read(image) if is_text(line, area_px)))


def is_text(line: Line, area_px: int) -> bool:
    """Say whether `line` is print rather than something that looks like a letter."""
    left, top, right, bottom = line.box
    fills = (right - left) * (bottom - top) > 0.3 * area_px
    is_shape = len(line.text) <= 2 and (fills or not line.text.isalnum())
    return bool(line.text) and line.confidence >= CONFIDENCE_MIN and not is_shape


def without_rings(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Leave out what is read of cups, eyes and lenses, unless other print stands beside it."""
    return () if all(RING.fullmatch(line.text) for line in lines) else lines
