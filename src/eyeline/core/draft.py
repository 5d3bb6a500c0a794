"""
A draft: everything that decides an answer, before any pixel is prepared; its key names it in the
cache.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from blake3 import blake3

from eyeline.core.engine import Engine
from eyeline.core.parts import Api
from eyeline.core.plan import PreparePlan
from eyeline.core.question import Question

ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str)
# Part of every key: raised whenever preparation or the meaning of a field changes.
KEY_VERSION = 4


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """
    One image of a draft: a name for what it is (the digest of its bytes, a file id), and what will
    be done to it; None where the name says all.
    """

    digest: str
    plan: PreparePlan | None

    @property
    def meaning(self) -> list[Any]:
        """
        What the model will see, and nothing else of the plan: not how the image came, nor whether
        it must be encoded for that.
        """
        plan = self.plan
        if plan is None:
            return [self.digest]
        return [
            self.digest, plan.frame, plan.orientation, plan.size, plan.detail, plan.background,
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """
    One request, as far as its answer depends on it.

    `parameters` are the body's further fields (temperature, token limit, schema, extra), by their
    names in the API.
    """

    base_url: str
    api: Api
    model: str
    prompt: str
    system: str | None
    images: tuple[PlannedImage, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def key(self) -> str:
        """Name this draft by its meaning: time-outs, retries and streaming leave it as it is."""
        meaning = [
            KEY_VERSION, self.base_url, self.api, self.model, self.prompt, self.system,
            [image.meaning for image in self.images], self.parameters,
        ]  # fmt: skip
        return sha256(ENCODER.encode(meaning).encode()).hexdigest()

    def shown(self, names: Iterable[str]) -> Draft:
        """Give the same draft, its images named by what of them is sent."""
        images = tuple(PlannedImage(name, None) for name in names)
        return replace(self, images=images)


def draft(question: Question, engine: Engine, images: tuple[PlannedImage, ...]) -> Draft:
    """Say what will be asked of `engine`, before any pixel is prepared."""
    return Draft(
        base_url=engine.base_url,
        api=question.api,
        model=question.model.name,
        prompt=question.prompt,
        system=question.system,
        images=images,
        parameters=parameters(question, engine),
    )


def parameters(question: Question, engine: Engine) -> dict[str, Any]:
    """Give the fields of the body beside the messages; `extra` comes last and wins."""
    limit_field = "max_output_tokens" if question.api == "responses" else engine.limit_field
    given = {limit_field: question.max_output_tokens, "temperature": question.temperature}
    schema = question.schema.parameters(question.api) if question.schema else {}
    return {name: value for name, value in given.items() if value is not None} | {
        **schema,
        **question.extra,
    }


def digest(data: bytes) -> str:
    """Name bytes by their BLAKE3, which takes a quarter of the time of sha256."""
    return blake3(data).hexdigest()
