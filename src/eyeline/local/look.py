"""Look at one picture, part by part; a part that fails is named, and the others still answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from eyeline.local.codes import read_codes
from eyeline.local.colours import name_colours
from eyeline.local.facts import Code, Facts, Kind, Label, Line, Measures
from eyeline.local.find import mend
from eyeline.local.labels import classify, load_names
from eyeline.local.lite0 import load_network
from eyeline.local.ocr import load_reader, read_lines
from eyeline.local.picture import Picture, decode
from eyeline.local.rows import rows_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

T = TypeVar("T")

REMEDY = "pip install 'eyeline[local]'"

GREY_SPREAD = 6
"""Mean difference of the channels, of 255, below which the eye sees no colour."""

DRAWN_SAME, DOCUMENT_FLAT = 0.4, 0.55
DOCUMENT_CHARS, DOCUMENT_TEXT_SHARE, PHOTO_TEXT_CHARS = 60, 0.12, 4
"""
Right on 30 of 34 pictures of known kind, the samples of scikit-image and scikit-learn and our
examples: all 20 photos stay below 0.37 of equal neighbours. Drawings full of gradients or of
dithering come out as photos, a noisy scan as a photo with text.
"""


@dataclass(frozen=True, slots=True)
class Eyes:
    """The parts that need packages of their own; each raises if it cannot look."""

    text: Callable[[Picture], tuple[Line, ...]]
    codes: Callable[[Picture], tuple[Code, ...]]
    labels: Callable[[Picture], tuple[Label, ...]]


class Once(Generic[T]):
    """Make a thing on first use, once, whatever the number of threads; failures are tried again."""

    def __init__(self, make: Callable[[], T]) -> None:
        self.make, self.lock = make, threading.Lock()
        self.made: list[T] = []

    def __call__(self) -> T:
        with self.lock:
            if not self.made:
                self.made.append(self.make())
            return self.made[0]


READER = Once(load_reader)
NETWORK = Once(load_network)
NAMES = Once(load_names)

OWN_EYES = Eyes(
    text=lambda picture: read_lines(READER(), picture.large),
    codes=read_codes,
    labels=lambda picture: classify(picture, NETWORK(), NAMES()),
)


def look(data: bytes, eyes: Eyes = OWN_EYES) -> Facts:
    """
    Measure everything in the picture `data` holds.

    Raises NotAnImage if it does not decode, MissingExtra without Pillow or numpy; any other part
    that is missing or fails is named in `not_looked_at`.
    """
    picture = decode(data)
    notes: list[str] = []
    if picture.header.frames > 1:
        notes.append(f"frames: only the first of {picture.header.frames} is looked at")
    lines = attempt("text", eyes.text, picture, notes)
    rows = rows_of(mended(line) for line in lines if line.text)
    measures = measure(picture)
    return Facts(
        header=picture.header,
        measures=measures,
        kind=kind_of(measures, lines, picture.large.width * picture.large.height),
        rows=rows,
        unread=sum(not line.text for line in lines),
        codes=attempt("codes", eyes.codes, picture, notes),
        labels=attempt("labels", eyes.labels, picture, notes),
        not_looked_at=tuple(notes),
    )


def attempt(
    name: str, part: Callable[[Picture], tuple[Any, ...]], picture: Picture, notes: list[str]
) -> tuple[Any, ...]:
    """Give what `part` finds, or nothing and a note that says why it could not look."""
    try:
        return part(picture)
    except ImportError as e:
        notes.append(f"{name}: {e.name or e} is not installed; {REMEDY}")
    except (
        Exception
    ) as e:  # native code of others: whatever one part raises, the rest still answers
        log.warning("%s could not be looked at", name, exc_info=True)
        notes.append(f"{name}: failed ({type(e).__name__})")
    return ()


def mended(line: Line) -> Line:
    return Line(mend(line.text), line.confidence, line.box)


def measure(picture: Picture) -> Measures:
    """Count colours, light and sharpness over the small copy."""
    import numpy as np

    pixels, large = np.asarray(picture.small), np.asarray(picture.large)
    luma = np.asarray(picture.large.convert("L"), dtype=np.float32)
    spread = pixels.max(axis=2).astype(np.int16) - pixels.min(axis=2)
    return Measures(
        is_grey=bool(spread.mean() < GREY_SPREAD and np.percentile(spread, 99) < 4 * GREY_SPREAD),
        brightness=round(float(luma.mean()) / 255, 3),
        sharpness=round(sharpness(luma), 1),
        flat_share=round(flat_share(luma), 3),
        same_share=round(same_share(large), 3),
        colours=name_colours(pixels),
    )


def sharpness(luma: NDArray[np.float32]) -> float:
    """Give the variance of the Laplacian (Pech-Pacheco et al., 2000); 0 if too small to tell."""
    if min(luma.shape) < 3:
        return 0.0
    middle = luma[1:-1, 1:-1]
    sides = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    return float((sides - 4 * middle).var())


def flat_share(luma: NDArray[np.float32]) -> float:
    """Give the share of horizontal neighbours that differ by at most 1; 1 for one column."""
    import numpy as np

    if luma.shape[1] < 2:
        return 1.0
    return float((np.abs(np.diff(luma, axis=1)) <= 1).mean())


def same_share(pixels: NDArray[np.uint8]) -> float:
    """Give the share of pixels exactly like the one to the right and the one below."""
    if min(pixels.shape[:2]) < 2:
        return 1.0
    corner = pixels[:-1, :-1]
    same = (pixels[:-1, 1:] == corner) & (pixels[1:, :-1] == corner)
    return float(same.all(axis=2).mean())


def kind_of(measures: Measures, lines: tuple[Line, ...], area_px: int) -> Kind:
    """Tell documents, drawn pictures and photos apart by evenness and the text in them."""
    chars = sum(len(line.text) for line in lines)
    text_share = sum((line.box[2] - line.box[0]) * line.height_px for line in lines) / area_px
    is_full = chars > DOCUMENT_CHARS and text_share > DOCUMENT_TEXT_SHARE
    if is_full and measures.flat_share > DOCUMENT_FLAT:
        return Kind.DOCUMENT
    if measures.same_share > DRAWN_SAME:
        return Kind.DRAWN
    return Kind.PHOTO_WITH_TEXT if chars >= PHOTO_TEXT_CHARS else Kind.PHOTO
