"""Rules that only rare questions reach."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from core.support import question
from PIL import Image

from eyeline.core.cost import Price, Rate, Usage
from eyeline.core.draft import draft
from eyeline.core.engine import openai
from eyeline.core.outcome import reply_cost_usd
from eyeline.core.plan import Look
from eyeline.core.reference import FileRef, Loaded
from eyeline.core.reply import Reply
from eyeline.effects import Load
from eyeline.flow import HEAD_BYTES, estimate


def test_the_users_own_price_comes_first() -> None:
    """A price from a file of the user's own holds also where a snapshot answered."""
    asked = question("gpt-4o")
    own = replace(asked.model, price=Price(Rate(Decimal(1), Decimal(1))), overridden=True)
    reply = Reply("A sign.", "stop", "gpt-4o-2024-08-06", Usage(10, 10), "")
    assert reply_cost_usd(reply, replace(asked, model=own)) == Decimal("0.00002")


def test_a_prompt_that_is_no_unicode_has_a_key() -> None:
    """Text that a shell hands on broken names a question too, and the same one each time."""
    broken = draft(question(prompt="caf\udce9"), openai(), ())
    assert broken.key() == draft(question(prompt="caf\udce9"), openai(), ()).key()
    assert broken.key() != draft(question(prompt="cafe"), openai(), ()).key()


def test_a_long_document_is_measured_from_the_whole() -> None:
    """The pages of a TIFF may begin anywhere, so of a long one the head alone says nothing."""
    buffer = BytesIO()
    page = Image.effect_noise((300, 300), 60)
    page.save(buffer, "TIFF", save_all=True, append_images=[page])
    scan, data = FileRef(Path("scan.tif")), buffer.getvalue()
    flow = estimate(scan, [(question().model, Look())], frozenset())
    assert next(flow) == Load(scan, HEAD_BYTES)
    assert flow.send(Loaded(data[:HEAD_BYTES])) == Load(scan)
    with pytest.raises(StopIteration) as stop:
        flow.send(Loaded(data))
    assert [row[0].source for row in stop.value.value] == ["scan.tif#1", "scan.tif#2"]


def test_a_draft_by_what_is_shown() -> None:
    """The same question, its images named by what is sent of them, is another key."""
    asked = draft(question(), openai(), ())
    assert asked.shown(["pixels 1"]).key() == asked.shown(["pixels 1"]).key()
    assert asked.shown(["pixels 1"]).key() != asked.shown(["pixels 2"]).key()
