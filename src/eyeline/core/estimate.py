"""What images will cost in tokens and dollars, known from their headers before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from eyeline.core.catalogue import Model
from eyeline.core.cost import input_cost_usd
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
class DefaultDetail:
    """The detail the provider takes where none is named, and the tokens of one image at it."""

    detail: Detail
    tokens: int


@dataclass(frozen=True, slots=True)
class ImageEstimate:
    """
    One image under one model: sizes in pixels as stored and as sent, tokens, and dollars of input.

    `cost_usd` is None for a model without a known price.
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
    provider_default: DefaultDetail | None = None

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
        costs = [image.cost_usd for image in self.images]
        return None if None in costs else sum((cost for cost in costs if cost), Decimal(0))

    def __iter__(self) -> Iterator[ImageEstimate]:
        return iter(self.images)

    def __str__(self) -> str:
        cost = self.cost_usd
        price = "price unknown" if cost is None else f"${cost.normalize():f}"
        return f"{self.tokens:,} tokens, {price}"


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
        notes=planned.notes,
        provider_default=provider_default(info, model),
    )


def provider_default(info: ImageInfo, model: Model) -> DefaultDetail | None:
    """
    Say what the provider's own default would bill for the picture as it is.

    None for a model without a known rule, or where the provider would refuse the picture.
    """
    rule = model.rule
    if rule is None or not model.known or rule.is_refused(info.upright_size, "auto"):
        return None
    return DefaultDetail(rule.auto_is, rule.tokens(info.upright_size, "auto"))
