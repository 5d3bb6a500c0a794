"""For pipelines of Ray Data that exist already: a class for `Dataset.map_batches`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from eyeline.bulk.prompt import Prompt
from eyeline.bulk.records import kind_of
from eyeline.client import Client
from eyeline.core.answer import Answer
from eyeline.core.schema import as_json
from eyeline.errors import SettingsError
from eyeline.wiring import AskOptions, ClientOptions

THREADS_MAX = 64
# What the result has beside the columns of the batch.
NAMES = (
    "text", "parsed", "error", "error_kind", "model", "input_tokens", "output_tokens", "cost_usd",
    "cached",
)  # fmt: skip


class AskBatch:
    """
    Asks the same of every row of a batch, a dict of columns, and adds columns with the answers.

        dataset.map_batches(
            AskBatch, fn_constructor_args=("What is broken here?",), batch_size=32, concurrency=2
        )

    The prompt may name columns, as in "Is this {product}?"; `image` is the column of the images:
    paths, URLs, bytes or arrays. Other options are those of `Client` and `ask`. A row that fails
    has its `error` and `error_kind`; no row is lost. `parsed` is JSON, `cost_usd` dollars as text.

    This is weaker than a run: what a worker was paid for and had not handed on when it died is
    asked again and paid again, a whole block of rows, unless its cache outlives it; there is one
    pace and one budget for each worker, not for all.
    """

    def __init__(self, prompt: str, *, image: str = "image", **options: Any) -> None:
        of_ask = AskOptions.__annotations__.keys() - ClientOptions.__annotations__.keys()
        self.prompt, self.image = prompt, image
        self.options: Any = {name: value for name, value in options.items() if name in of_ask}
        of_client: Any = {name: value for name, value in options.items() if name not in of_ask}
        self.client = Client(**of_client)

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """Give the batch with the answers. Raises SettingsError for a column that is not there."""
        if self.image not in batch:
            found = ", ".join(batch) or "no columns"
            raise SettingsError("image", self.image, f"a column of the batch, which has {found}")
        prompt = Prompt.read(self.prompt, [*batch])
        rows = [dict(zip(batch, each, strict=True)) for each in zip(*batch.values(), strict=True)]
        with ThreadPoolExecutor(THREADS_MAX) as pool:
            made = [*pool.map(partial(self.answer, prompt), rows)]
        return {**batch, **{name: [each[name] for each in made] for name in NAMES}}

    def answer(self, prompt: Prompt, row: Mapping[str, Any]) -> dict[str, Any]:
        """Give the new columns of one row; whatever goes wrong stays in its row."""
        try:
            text = prompt.of(row, "row")
            return told(self.client.ask(text, row[self.image], **self.options))
        except Exception as error:
            return {**dict.fromkeys(NAMES), "error": str(error), "error_kind": kind_of(error)}


def told(answer: Answer) -> dict[str, Any]:
    parsed, cost_usd = answer.parsed, answer.cost_usd
    return {
        **dict.fromkeys(NAMES),
        "text": answer.text,
        "parsed": None if parsed is None else json.dumps(as_json(parsed), ensure_ascii=False),
        "model": answer.model,
        "input_tokens": answer.usage.input_tokens,
        "output_tokens": answer.usage.output_tokens,
        "cost_usd": None if cost_usd is None else str(cost_usd),
        "cached": answer.cached,
    }
