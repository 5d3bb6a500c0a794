"""What images will cost in tokens and dollars, known from their headers before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from eyeline.core.catalogue import Model
from eyeline.core.cost import FREE, cached_cost_usd, input_cost_usd
from eyeline.core.media import ImageInfo
from eyeline.core.plan import PreparePlan
from eyeline.core.tokens import Detail

JSON_FIELDS = (
    "source",
    "model",
    "detail",
    "width_px",
    "height_px",
    "sent_width_px",
    "sent_height_px",
    "tokens",
    "cost_usd",
)


@dataclass(frozen=True, slots=True)
class ImageEstimate:
    """
    One image under one model: sizes in pixels as stored and as sent, tokens, and dollars of input.

    `cost_usd` is at the standard rate, or at that of the Batch API where `at_batch` was asked for;
    `batch_cost_usd` is always at the latter, and `cached_cost_usd` what the input costs when the
    provider's own cache holds it. Each is None where its price is unknown. `original_tokens` are
    what the picture would bill at `--detail original`, None where it cannot be sent so.
    """

    source: str
    model: str
    detail: Detail
    width_px: int
    height_px: int
    sent_width_px: int
    sent_height_px: int
    tokens: int
    cost_usd: Decimal | None
    notes: tuple[str, ...] = ()
    original_tokens: int | None = None
    batch_cost_usd: Decimal | None = None
    cached_cost_usd: Decimal | None = None

    def at_batch(self) -> ImageEstimate:
        """Give the same with the Batch API's price for its cost."""
        return replace(self, cost_usd=self.batch_cost_usd)

    def to_json(self) -> dict[str, Any]:
        """Give the object that `estimate --json` prints; dollars as a number."""
        made = {name: getattr(self, name) for name in JSON_FIELDS}
        return made | {"cost_usd": None if self.cost_usd is None else float(self.cost_usd)}


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimates of several images under one model, and their sum."""

    images: tuple[ImageEstimate, ...]

    @property
    def tokens(self) -> int:
        return sum(image.tokens for image in self.images)

    @property
    def cost_usd(self) -> Decimal | None:
        """The sum in dollars; None if any part of it is unknown."""
        return total(image.cost_usd for image in self.images)

    @property
    def batch_cost_usd(self) -> Decimal | None:
        """The same through the Batch API."""
        return total(image.batch_cost_usd for image in self.images)

    @property
    def cached_cost_usd(self) -> Decimal | None:
        """The same where the provider's own cache holds all of it."""
        return total(image.cached_cost_usd for image in self.images)

    def __iter__(self) -> Iterator[ImageEstimate]:
        return iter(self.images)

    def __str__(self) -> str:
        cost = self.cost_usd
        price = "price unknown" if cost is None else f"${cost.normalize():f}"
        return f"{self.tokens:,} tokens, {price}"


def total(costs: Iterable[Decimal | None]) -> Decimal | None:
    """Add up dollars; None if any of them is unknown."""
    found = FREE
    for cost in costs:
        if cost is None:
            return None
        found += cost
    return found


def image_estimate(
    info: ImageInfo, planned: PreparePlan, model: Model, source: str
) -> ImageEstimate:
    return ImageEstimate(
        source=source,
        model=model.name,
        detail=planned.detail,
        width_px=info.size.width_px,
        height_px=info.size.height_px,
        sent_width_px=planned.size.width_px,
        sent_height_px=planned.size.height_px,
        tokens=planned.tokens,
        cost_usd=input_cost_usd(planned.tokens, model.price),
        notes=(*planned.notes, *planned.conversion),
        original_tokens=original_tokens(info, model),
        batch_cost_usd=input_cost_usd(planned.tokens, model.price, "batch"),
        cached_cost_usd=cached_cost_usd(planned.tokens, model.price),
    )


def original_tokens(info: ImageInfo, model: Model) -> int | None:
    """
    Count what the picture as it is would bill at `original`.

    None for a model without that detail, or where the provider would refuse the picture.
    """
    rule = model.rule
    if rule is None or "original" not in model.details:
        return None
    if rule.is_refused(info.upright_size, "original"):
        return None
    return rule.tokens(info.upright_size, "original")
