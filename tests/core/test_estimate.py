"""What images will cost, before anything is sent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from eyeline.core import catalogue
from eyeline.core.estimate import Estimate, ImageEstimate, image_estimate
from eyeline.core.media import JPEG, ImageInfo
from eyeline.core.pages import IMAGES_MAX
from eyeline.core.plan import Look, plan
from eyeline.core.size import Size

PHOTO = ImageInfo(JPEG, Size(4032, 3024), 6)


def estimated(model: str, info: ImageInfo = PHOTO) -> ImageEstimate:
    found = catalogue.find(model)
    return image_estimate(info, plan(info, found, Look("high"), {JPEG}, "a.jpg"), found, "a.jpg")


def test_one_image() -> None:
    """Sizes as stored and as sent, tokens, dollars, notes, and what `original` would bill."""
    found = estimated("gpt-6-luna")
    assert (found.width_px, found.height_px) == (4032, 3024)
    assert found.sent_width_px < found.sent_height_px
    assert found.tokens == 2942
    assert found.cost_usd == Decimal("0.0002942")
    assert "turned upright" in found.notes
    assert found.original_tokens == 14_364
    assert found.batch_cost_usd == Decimal("0.0001471")
    assert found.cached_cost_usd == Decimal("0.00002942")


@pytest.mark.parametrize(
    ("model", "info"),
    [
        (catalogue.READER, PHOTO),
        ("gpt-4o", PHOTO),
        ("somebody/s-model", PHOTO),
        ("gpt-6-luna", ImageInfo(JPEG, Size(7952, 5304))),
    ],
)
def test_nothing_at_original(model: str, info: ImageInfo) -> None:
    """Without that detail, or where the provider would refuse, there is no count to compare."""
    assert estimated(model, info).original_tokens is None


def test_original_where_the_default_is_another() -> None:
    """A model that looks at `high` by itself may still be asked for `original`."""
    found = estimated("gpt-5.4")
    assert (found.tokens, found.original_tokens) == (2942, 11_868)


def test_at_the_price_of_a_batch() -> None:
    """The cost of a batch takes the place of the standard one, and is unknown where it is."""
    assert estimated("gpt-6-luna").at_batch().cost_usd == Decimal("0.0001471")
    assert estimated("gpt-5.3-codex").cost_usd is not None
    assert estimated("gpt-5.3-codex").at_batch().cost_usd is None
    assert estimated(catalogue.READER).at_batch().cost_usd == 0


def test_the_object_that_is_printed() -> None:
    """`--json` has exactly these fields, dollars as a number or null."""
    assert estimated("gpt-6-luna").to_json() == {
        "source": "a.jpg",
        "model": "gpt-6-luna",
        "detail": "high",
        "width_px": 4032,
        "height_px": 3024,
        "sent_width_px": 1368,
        "sent_height_px": 1824,
        "tokens": 2942,
        "cost_usd": 0.0002942,
    }
    assert estimated("somebody/s-model").to_json()["cost_usd"] is None


@pytest.mark.parametrize(
    ("models", "tokens", "cost", "shown"),
    [
        ((), 0, Decimal(0), "0 tokens, $0"),
        (("gpt-6-luna",) * 2, 5884, Decimal("0.0005884"), "5,884 tokens, $0.0005884"),
        (("gpt-6-luna", "somebody/s-model"), 5884, None, "5,884 tokens, price unknown"),
        ((catalogue.READER,), 0, Decimal(0), "0 tokens, $0"),
    ],
)
def test_a_sum(models: tuple[str, ...], tokens: int, cost: Decimal | None, shown: str) -> None:
    """Tokens add up; dollars do where every part is known."""
    total = Estimate(tuple(map(estimated, models)))
    assert (total.tokens, total.cost_usd, str(total)) == (tokens, cost, shown)
    assert [image.model for image in total] == list(models)


def test_sums_of_the_other_prices() -> None:
    """Batch and cached prices add up too, each where all its parts are known."""
    total = Estimate((estimated("gpt-6-luna"), estimated("gpt-4o")))
    assert total.batch_cost_usd == Decimal("0.0001471") + Decimal("0.00095625")
    assert total.cached_cost_usd == Decimal("0.00002942") + Decimal("0.00095625")
    assert Estimate((estimated("gpt-6-luna"), estimated("gpt-5.4-pro"))).cached_cost_usd is None


def long_priced(count: int) -> Estimate:
    return Estimate(tuple(estimated("gpt-5.4") for _ in range(count)))


def test_many_images_are_one_long_question() -> None:
    """Images that together pass a model's long-context limit are billed at its long rate."""
    below, above = long_priced(92), long_priced(93)
    assert below.cost_usd == below.apart_cost_usd == below.tokens * Decimal("2.5") / 10**6
    assert above.tokens > 272_000
    assert above.cost_usd == above.tokens * Decimal(5) / 10**6
    assert above.apart_cost_usd == above.tokens * Decimal("2.5") / 10**6
    assert above.batch_cost_usd is None
    assert below.batch_cost_usd == below.tokens * Decimal("1.25") / 10**6


def test_more_images_than_a_question_carries() -> None:
    """They are asked about one by one, and priced so."""
    many = Estimate(long_priced(1).images * (IMAGES_MAX + 1))
    assert many.cost_usd == many.apart_cost_usd
