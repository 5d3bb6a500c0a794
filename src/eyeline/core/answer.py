"""The answer a user gets, and what was sent for each image."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from math import isfinite
from typing import Any, Literal

from eyeline.core.cost import Usage
from eyeline.core.size import Size
from eyeline.core.transform import Point, to_stored

Box = tuple[float, float, float, float]
Ending = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class SentImage:
    """
    One image as it was given and as it was sent.

    Sizes are in pixels, `width_px` and `height_px` as stored, before any turn; `orientation` is the
    EXIF value that was undone. `tokens` is the estimate for `detail`. For an uploaded file, named
    by its id, and for a URL that was passed on, only `source` and `detail` are known.
    """

    source: str
    detail: str
    media_type: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    sent_media_type: str | None = None
    sent_width_px: int | None = None
    sent_height_px: int | None = None
    sent_bytes: int | None = None
    tokens: int | None = None
    notes: tuple[str, ...] = ()
    orientation: int = 1

    def to_source(self, x: float, y: float, *, upright: bool = False) -> Point:
        """
        Map a point of the image as sent, in its pixels, to the picture as given, in that one's.

        The picture is meant as stored, as a decoder gives it, before any turn; with `upright` as a
        person sees it. Corners are (0, 0) and the size. Raises ValueError for an image that
        was not prepared here, whose size is not known.
        """
        if self.width_px is None or self.height_px is None:
            raise ValueError(f"{self.source}: not prepared here, its size is not known")
        assert self.sent_width_px
        assert self.sent_height_px
        sent = Size(self.sent_width_px, self.sent_height_px)
        stored = Size(self.width_px, self.height_px)
        if upright:
            return to_stored(x, y, sent, stored.turned if self.orientation >= 5 else stored, 1)
        return to_stored(x, y, sent, stored, self.orientation)

    def box_to_source(
        self, left: float, top: float, right: float, bottom: float, *, upright: bool = False
    ) -> Box:
        """Map a box as `to_source` maps points; gives left, top, right, bottom in the picture."""
        xs, ys = zip(
            self.to_source(left, top, upright=upright),
            self.to_source(right, bottom, upright=upright),
            strict=True,
        )
        return min(xs), min(ys), max(xs), max(ys)

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in JSON_FIELDS}


JSON_FIELDS = (
    "source", "media_type", "width_px", "height_px", "sent_media_type", "sent_width_px",
    "sent_height_px", "sent_bytes", "detail", "tokens", "notes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What came back for one question.

    `parsed` is the value of the schema, if one was given. `cost_usd` is what this call cost: zero
    from the cache, None if the price is unknown. `ending` is "length" where the token limit cut it.
    `usage` of a cached answer is that of the request that was paid for.
    """

    text: str
    model: str
    engine: str
    usage: Usage
    cost_usd: Decimal | None
    images: tuple[SentImage, ...]
    parsed: Any = None
    cached: bool = False
    ending: Ending = "stop"
    request_id: str = ""
    latency_s: float = 0.0

    def __str__(self) -> str:
        return self.text

    def to_json(self) -> dict[str, Any]:
        """Give the object that `--json` prints; dollars as a number, `parsed` as plain JSON."""
        return {
            "text": self.text,
            "parsed": plain(self.parsed),
            "model": self.model,
            "engine": self.engine,
            "usage": asdict(self.usage),
            "cost_usd": None if self.cost_usd is None else float(self.cost_usd),
            "cached": self.cached,
            "latency_s": round(self.latency_s, 3),
            "images": [image.to_json() for image in self.images],
        }

    def _repr_markdown_(self) -> str:
        figures = [self.model, *token_figures(self.usage)]
        if self.cost_usd is not None:
            figures.append(f"${self.cost_usd.normalize():f}")
        if self.cached:
            figures.append("cached")
        return f"{self.text}\n\n<sub>{' · '.join(figures)}</sub>"


def token_figures(usage: Usage) -> list[str]:
    """Say the tokens in and out, where the engine counts them; the reader has none."""
    counts = {"in": usage.input_tokens, "out": usage.output_tokens}
    return [f"{count:,} tokens {way}" for way, count in counts.items() if count]


def plain(value: Any) -> Any:
    if is_json(value):
        return value
    # Here, so that a plain value loads no schemas and no pydantic.
    from eyeline.core.schema import as_json

    return as_json(value)


def is_json(value: object) -> bool:
    """Say whether a value is what `json.loads` gives, at every depth."""
    if type(value) is dict:
        return all(type(name) is str and is_json(item) for name, item in value.items())
    if type(value) is list:
        return all(map(is_json, value))
    if type(value) is float:
        return isfinite(value)
    return value is None or type(value) in (str, bool, int)
