"""What a run takes, by name, and what of it may not change once it has begun."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, cast

from eyeline.bulk.rows import Selection, Source
from eyeline.core.question import Question, check_positive
from eyeline.core.spelling import did_you_mean
from eyeline.errors import SettingsError
from eyeline.wiring import AskOptions, check_names

IN_DOUBT = ("resend", "skip")
ASKED = frozenset(AskOptions.__annotations__)


class RunOptions(AskOptions, total=False):
    """
    What `Client.run` takes beside prompt, source and output: the options of `ask`, and these.

    `image` names the columns of a table that hold images, `keep` those that the result keeps;
    `where`, `sample` (with `seed`) and `limit` choose rows. `new` starts over; `retry_failed`
    repeats failed rows; `in_doubt` says what becomes of rows that were sent and never answered. A
    run ends at the first failure with `fail_fast`, and after more than `max_failures`.
    `rows_in_flight` is how many rows are open at once; 0 finds out by itself. `report` is an HTML
    file that shows the rows, written at the end. With `batch` questions go through the Batch API,
    at half the price and within a day; with `no_wait` the call ends once they are on their way.
    `on` names a cluster whose machines do the work: `ray`, or `ray://host:port`.
    """

    budget_usd: float | Decimal | None
    image: Sequence[str]
    keep: Sequence[str]
    where: str
    sample: int | None
    seed: int
    limit: int | None
    new: bool
    retry_failed: bool
    in_doubt: Literal["resend", "skip"]
    fail_fast: bool
    max_failures: int | None
    rows_in_flight: int
    report: str | None
    batch: bool
    no_wait: bool
    on: str | None


def check_run(options: RunOptions) -> None:
    """Refuse what is misspelt or makes no sense."""
    check_names(options, RunOptions)
    for name in ("budget_usd", "sample", "limit"):
        check_positive(name, options.get(name))
    if (given := options.get("in_doubt", "resend")) not in IN_DOUBT:
        expected = f"resend or skip{did_you_mean(str(given), IN_DOUBT)}"
        raise SettingsError("in_doubt", str(given), expected)
    if options.get("no_wait") and not options.get("batch"):
        raise SettingsError("no_wait", "without batch", "both, or neither")
    if options.get("batch") and options.get("on"):
        raise SettingsError("batch", f"beside on={options['on']!r}", "one of both")
    if options.get("refresh"):
        raise SettingsError("refresh", "for a run", "--new --no-cache, which asks every row anew")
    for name in ("image", "keep"):
        if isinstance(named := options.get(name), str):
            raise SettingsError(name, named, "a list of column names")


def of_ask(options: RunOptions) -> AskOptions:
    """Give the options that every row is asked with."""
    asked: dict[str, Any] = {name: value for name, value in {**options}.items() if name in ASKED}
    # The cache is chosen by the run, and always there.
    return cast(AskOptions, asked | {"cache": True})


def selection_of(options: RunOptions) -> Selection:
    return Selection(
        options.get("where") or "",
        options.get("sample"),
        options.get("limit"),
        options.get("seed", 0),
    )


def failures_max(options: RunOptions) -> int | None:
    return 0 if options.get("fail_fast") else options.get("max_failures")


def fixed_by(
    prompt: str, question: Question, text: str, source: Source, options: RunOptions
) -> dict[str, Any]:
    """
    Give what may not change under a run, as plain JSON: what is asked, of what, and what is kept.

    Engine, token limit and time-out may: the answers stay answers to the same question.
    """
    selection = selection_of(options)
    look = question.look
    return {
        "prompt": prompt,
        "model": question.model.name,
        "schema": None if question.schema is None else question.schema.given,
        "system": question.system,
        "temperature": question.temperature,
        "detail": look.detail,
        "max_tokens_per_image": look.max_tokens,
        "background": str(look.background),
        "extra": question.extra,
        "source": {"name": text, **source.identity},
        "rows": {
            "where": selection.where, "sample": selection.sample, "seed": selection.seed,
            "limit": selection.limit, "image": [*options.get("image", ())],
        },
        "keep": [*options.get("keep", ())],
    }  # fmt: skip
