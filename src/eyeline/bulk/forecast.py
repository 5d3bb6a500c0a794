"""What a run will cost, told from headers before anything is sent."""

from __future__ import annotations

import json
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eyeline.bulk.folder import RunFolder
from eyeline.bulk.job import Job, opened
from eyeline.bulk.ledger import recover
from eyeline.bulk.options import RunOptions, check_run, of_ask, selection_of
from eyeline.bulk.prompt import Prompt
from eyeline.bulk.records import kind_of
from eyeline.bulk.rows import Row, Shard, Source, open_source
from eyeline.core.catalogue import Model
from eyeline.core.cost import FREE, Tier, Usage, cost_usd
from eyeline.core.plan import Look
from eyeline.core.question import Question
from eyeline.core.reference import FileId
from eyeline.core.schema import AnswerSchema, read_schema
from eyeline.drivers import Driver
from eyeline.errors import EyelineError
from eyeline.flow import estimate
from eyeline.wiring import Wiring

# Bytes of text a token stands for: five in plain English, two in code, German or Chinese.
BYTES_PER_TOKEN_MAX, BYTES_PER_TOKEN_MIN = 5, 2
# Around each message stand a few tokens that no one sees.
FRAME_TOKENS = 10
# A free answer is a line at least and a long paragraph at most; of a schema each field is a few
# words. Reasoning comes on top, where a model does that.
FREE_OUTPUT = (20, 400)
FIELD_OUTPUT = (8, 40)
# How far the mean of what was answered may be off for what is not.
LEARNED_SPREAD = (Decimal("0.8"), Decimal("1.25"))
DEAREST = 5


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the most that is expected."""

    low: int
    high: int

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def times(self, factor: Decimal) -> Range:
        return Range(int(self.low * factor), int(self.high * factor))


NONE = Range(0, 0)


@dataclass(slots=True)
class Dollars:
    """A range of dollars, added up row by row; unknown as soon as a part of it is."""

    low: Decimal | None = FREE
    high: Decimal | None = FREE

    def add(self, low: Decimal | None, high: Decimal | None) -> None:
        self.low = None if self.low is None or low is None else self.low + low
        self.high = None if self.high is None or high is None else self.high + high

    def to_json(self) -> list[float] | None:
        return (
            None if self.low is None or self.high is None else [float(self.low), float(self.high)]
        )


@dataclass(frozen=True, slots=True)
class RowForecast:
    """One row: tokens of its images, at `--detail low` too, of its text; or why it will fail."""

    source: str
    pages: int = 0
    image_tokens: int = 0
    low_tokens: int | None = None
    text_bytes: int = 0
    problem: str = ""
    kind: str = ""


@dataclass(slots=True)
class Forecast:
    """
    What a run will take. `rows` are those that were looked at, `done` those that have an answer
    already; where not all were looked at, `rows_total` says how many there are, about.
    """

    model: Model
    detail: str
    output: Range
    rows: int = 0
    done: int = 0
    images: int = 0
    rows_total: int | None = None
    image_tokens: int = 0
    text_tokens: Range = NONE
    usd: Dollars = field(default_factory=Dollars)
    batch_usd: Dollars = field(default_factory=Dollars)
    low_usd: Dollars = field(default_factory=Dollars)
    parts_usd: dict[str, Dollars] = field(default_factory=dict)
    dearest: list[RowForecast] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    problems: list[RowForecast] = field(default_factory=list)

    @property
    def todo(self) -> int:
        return self.rows - self.done

    @property
    def failed(self) -> int:
        return self.kinds.total()

    @property
    def output_tokens(self) -> Range:
        return self.output.times(Decimal(self.todo - self.failed))

    def take(self, row: RowForecast) -> None:
        self.rows += 1
        if row.problem:
            self.kinds[row.kind] += 1
            if len(self.problems) < DEAREST:
                self.problems.append(row)
            return
        self.images += row.pages
        self.image_tokens += row.image_tokens
        text = Range(
            FRAME_TOKENS + row.text_bytes // BYTES_PER_TOKEN_MAX,
            FRAME_TOKENS + -(-row.text_bytes // BYTES_PER_TOKEN_MIN),
        )
        self.text_tokens += text
        self.price(row, text)
        self.dearest.append(row)
        self.dearest.sort(key=lambda each: -each.image_tokens)
        del self.dearest[DEAREST:]

    def price(self, row: RowForecast, text: Range) -> None:
        """Add what a row costs: as asked, in a batch, at low detail, and by what it is for."""
        images, out = Range(row.image_tokens, row.image_tokens), self.output
        self.usd.add(*self.priced(images + text, out))
        self.batch_usd.add(*self.priced(images + text, out, "batch"))
        low = row.image_tokens if row.low_tokens is None else row.low_tokens
        self.low_usd.add(*self.priced(Range(low, low) + text, out))
        for name, into, answer in (
            ("images", images, NONE), ("prompt", text, NONE), ("answers", NONE, out),
        ):  # fmt: skip
            self.parts_usd.setdefault(name, Dollars()).add(*self.priced(into, answer))

    def priced(
        self, into: Range, out: Range, tier: Tier = "standard"
    ) -> tuple[Decimal | None, Decimal | None]:
        price = self.model.price
        low = cost_usd(Usage(into.low, out.low), price, tier)
        return low, cost_usd(Usage(into.high, out.high), price, tier)

    def scaled_usd(self) -> Dollars:
        """Give the dollars of all rows, where only the first were looked at."""
        if self.rows_total is None or not self.rows or self.usd.low is None:
            return self.usd
        factor = Decimal(max(self.rows, self.rows_total)) / self.rows
        assert self.usd.high is not None
        return Dollars(self.usd.low * factor, self.usd.high * factor)

    def to_json(self) -> dict[str, Any]:
        """Give all as plain JSON; a range as two numbers."""
        return {
            "model": self.model.name,
            "detail": self.detail,
            "rows": self.rows,
            "done": self.done,
            "unreadable": self.failed,
            "images": self.images,
            "image_tokens": self.image_tokens,
            "prompt_tokens": [self.text_tokens.low, self.text_tokens.high],
            "output_tokens": [self.output_tokens.low, self.output_tokens.high],
            "usd": self.usd.to_json(),
            "usd_by_part": {name: usd.to_json() for name, usd in self.parts_usd.items()},
            "batch_usd": self.batch_usd.to_json(),
            "detail_low_usd": self.low_usd.to_json(),
            "dearest": [
                {"source": row.source, "images": row.pages, "image_tokens": row.image_tokens}
                for row in self.dearest
            ],
            "error_kinds": dict(self.kinds),
        }


def forecast(
    wiring: Wiring, prompt: str, source: str, out: str | None, options: RunOptions
) -> Forecast:
    """
    Look at every row that a run would ask, and say what it will take; nothing is sent, and no run
    begun. Of a run that is there only what is left counts.
    """
    check_run(options)
    if out is not None and RunFolder.of(out).plan.exists() and not options.get("new"):
        with opened(prompt, source, out, wiring, options) as job:
            return forecast_of(job)
    asked = of_ask(options)
    if asked.get("schema") is not None:
        asked["schema"] = read_schema(asked["schema"])
    question = wiring.question(prompt, ("a.png",), asked)
    with TemporaryDirectory(prefix="eyeline-") as spool:
        rows = open_source(
            source,
            spool=Path(spool),
            image_columns=tuple(options.get("image", ())),
            selection=selection_of(options),
        )
        looker = Looker.of(wiring, Prompt.read(prompt, rows.columns), question)
        made = begun(question, in_batch=options.get("batch", False))
        for row in looker.each(row for shard in rows.shards() for row in rows.rows(shard)):
            made.take(row)
        return made


def forecast_of(job: Job, rows_max: int | None = None) -> Forecast:
    """Say what is left of a run, from all its rows, or the first `rows_max` that have no answer."""
    question = job.wiring.question(job.prompt.text, ("a.png",), job.asked)
    made = begun(question, job, in_batch=job.options.get("batch", False))
    looker = Looker.of(job.wiring, job.prompt, question)
    shards = [*job.todo()]
    for spec in shards:
        known = recover(*job.folder.tries(spec.shard.number, spec.generation)).records.keys()
        made.done += len(known)
        made.rows += len(known)
        for row in looker.each(row for row in job.source.rows(spec.shard) if row.key not in known):
            made.take(row)
            if made.todo == rows_max:
                ends = [count_rows(job.source, each.shard) for each in (shards[0], shards[-1])]
                made.rows_total = ends[0] * (len(shards) - 1) + ends[1]
                return made
    made.done += job.tally.finished_rows
    made.rows += job.tally.finished_rows
    return made


def count_rows(source: Source, shard: Shard) -> int:
    """Count the rows of a shard, without reading images that stand beside them."""
    return sum(1 for _ in getattr(source, "peek", source.rows)(shard))


def begun(question: Question, job: Job | None = None, *, in_batch: bool = False) -> Forecast:
    from eyeline.bulk.batch.carry import at_batch

    question = at_batch(question) if in_batch else question
    return Forecast(question.model, question.look.detail, expected_output(question, job))


def expected_output(question: Question, job: Job | None) -> Range:
    """Say how long an answer will be: as those that are there, or else as answers mostly are."""
    commits = [] if job is None else job.commits.last.values()
    paid = sum(each.done - each.cached for each in commits)
    tokens = sum(each.output_tokens for each in commits)
    if paid > 0 and tokens:
        mean = Decimal(tokens) / paid
        low, high = (int(mean * factor) for factor in LEARNED_SPREAD)
    else:
        each, count = FREE_OUTPUT, 1
        if question.schema is not None:
            each, count = FIELD_OUTPUT, fields_of(question.schema)
        low, high = each[0] * count, each[1] * count
    limit = question.max_output_tokens or high
    return Range(min(low, limit), min(high, limit))


def fields_of(schema: AnswerSchema) -> int:
    """Count the properties of a schema, those inside others too."""
    return max(1, json.dumps(schema.given).count('"type"') - 1)


@dataclass(frozen=True, slots=True)
class Looker:
    """Looks at the headers of a row's images."""

    driver: Driver
    prompt: Prompt
    models: tuple[tuple[Model, Look], ...]
    media_types: frozenset[str]
    fixed_bytes: int
    wiring: Wiring

    @classmethod
    def of(cls, wiring: Wiring, prompt: Prompt, question: Question) -> Looker:
        low = replace(question.look, detail="low")
        models = [(question.model, question.look)]
        if "low" in question.model.details:
            models.append((question.model, low))
        schema = "" if question.schema is None else json.dumps(question.schema.given)
        fixed = len(((question.system or "") + schema).encode())
        return cls(
            Driver(wiring.outside, None), prompt, tuple(models), wiring.engine.media_types, fixed,
            wiring,
        )  # fmt: skip

    def each(self, rows: Iterable[Row]) -> Iterator[RowForecast]:
        """Look at rows, some at a time, and give what each will take, in order."""
        # Headers of URLs take as long as a round trip does.
        with pool_of(4 * (os.cpu_count() or 2)) as pool:
            pending: deque[Future[RowForecast]] = deque()
            for row in rows:
                pending.append(pool.submit(self.one, row))
                if len(pending) == 64:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()

    def one(self, row: Row) -> RowForecast:
        try:
            if row.problem is not None:
                raise row.problem
            text = self.prompt.of(row.values, row.source)
            pages = [page for image in row.images for page in self.pages(image)]
        except EyelineError as error:
            return RowForecast(row.source, problem=str(error), kind=kind_of(error))
        low = sum(page[1].tokens for page in pages) if len(self.models) > 1 else None
        return RowForecast(
            row.source,
            len(pages),
            sum(page[0].tokens for page in pages),
            low,
            self.fixed_bytes + len(text.encode("utf-8", "replace")),
        )

    def pages(self, image: object) -> Iterable[Sequence[Any]]:
        from eyeline.wiring import parse_references

        for reference in parse_references([image]):
            if not isinstance(reference, FileId):
                yield from self.driver.run(estimate(reference, self.models, self.media_types))


@contextmanager
def pool_of(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Give threads; what was not begun when the block ends is let go of."""
    pool = ThreadPoolExecutor(threads, "eyeline-forecast")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
