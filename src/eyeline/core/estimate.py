"""What images will cost in tokens and dollars, known from their headers before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from eyeline.core.catalogue import Model
from eyeline.core.cost import FREE, Price, Tier, cached_cost_usd, input_cost_usd
from eyeline.core.media import ImageInfo
from eyeline.core.pages import IMAGES_MAX
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

    `original_tokens` are what the picture would bill at `--detail original`, None where it cannot
    be sent so. A cost is None where its price is unknown.
    """

    source: str
    model: str
    detail: Detail
    width_px: int
    height_px: int
    sent_width_px: int
    sent_height_px: int
    tokens: int
    price: Price | None
    tier: Tier = "standard"
    notes: tuple[str, ...] = ()
    original_tokens: int | None = None

    @property
    def cost_usd(self) -> Decimal | None:
        """At the standard rate, or at that of the Batch API where `at_batch` was asked for."""
        return input_cost_usd(self.tokens, self.price, self.tier)

    @property
    def batch_cost_usd(self) -> Decimal | None:
        """Through the Batch API."""
        return input_cost_usd(self.tokens, self.price, "batch")

    @property
    def cached_cost_usd(self) -> Decimal | None:
        """Where the provider's own cache holds the input."""
        return cached_cost_usd(self.tokens, self.price)

    def at_batch(self) -> ImageEstimate:
        """Give the same with the Batch API's price for its cost."""
        return replace(self, tier="batch")

    def to_json(self) -> dict[str, Any]:
        """Give the object that `estimate --json` prints; dollars as a number."""
        made = {name: getattr(self, name) for name in JSON_FIELDS}
        return made | {"cost_usd": None if self.cost_usd is None else float(self.cost_usd)}


@dataclass(frozen=True, slots=True)
class Estimate:
    """
    The estimates of several images, and what they come to as one question to their model: a long
    one may have a rate of its own. Where they are too many for one, each is a question.
    """

    images: tuple[ImageEstimate, ...]

    @property
    def tokens(self) -> int:
        return sum(image.tokens for image in self.images)

    @property
    def cost_usd(self) -> Decimal | None:
        """The sum in dollars; None if any part of it is unknown."""
        return total(question.cost_usd for question in self.questions())

    @property
    def batch_cost_usd(self) -> Decimal | None:
        """The same through the Batch API."""
        return total(question.batch_cost_usd for question in self.questions())

    @property
    def cached_cost_usd(self) -> Decimal | None:
        """The same where the provider's own cache holds all of it."""
        return total(question.cached_cost_usd for question in self.questions())

    @property
    def apart_cost_usd(self) -> Decimal | None:
        """The sum in dollars where each image is a question of its own."""
        return total(image.cost_usd for image in self.images)

    def questions(self) -> Iterable[ImageEstimate]:
        """Give for each model one image with the tokens of all, or each where they are too many."""
        if len(self.images) > IMAGES_MAX:
            return self.images
        found: dict[str, ImageEstimate] = {}
        for image in self.images:
            before = found[image.model].tokens if image.model in found else 0
            found[image.model] = replace(image, tokens=before + image.tokens)
        return found.values()

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
        price=model.price,
        notes=(*planned.notes, *planned.conversion),
        original_tokens=original_tokens(info, model),
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
