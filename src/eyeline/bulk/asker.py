"""Rows made into questions, for one engine, with the options of the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from eyeline.bulk.book import Book
from eyeline.bulk.prompt import Prompt
from eyeline.bulk.records import Record
from eyeline.bulk.rows import Row
from eyeline.core.dialect import STANDARD
from eyeline.core.question import Question, readable_text
from eyeline.core.reference import FileId, Reference
from eyeline.drivers import Outside
from eyeline.exchange import Asking
from eyeline.policy.limits import Hold
from eyeline.policy.retry import Retry
from eyeline.ports import AsyncTransport
from eyeline.wiring import AskOptions, Wiring, parse_references

if TYPE_CHECKING:
    from eyeline.bulk.shard import ShardSpec

# A run has time: a row is sent again until the network, the server or the limit is back. Before the
# first answer the address may simply be wrong.
PATIENT = Retry(attempts_max=10_000, cap_s=15.0, total_s=600.0)
AT_FIRST = replace(PATIENT, total_s=60.0)


@dataclass(frozen=True, slots=True)
class Asker:
    """What is asked of every row, and through what."""

    prompt: Prompt
    wiring: Wiring
    options: AskOptions
    transport: AsyncTransport
    # Whether the pace says how fast rows are sent to a server of which nothing is known.
    patient: bool = True
    # A question that was made whole, by whether its images are named by file ids: all others differ
    # from it in prompt and images alone.
    made: dict[bool, Question] = field(default_factory=dict)

    @property
    def outside(self) -> Outside:
        return self.wiring.outside

    def way(self, spec: ShardSpec, row: Row, book: Book) -> AsyncTransport:
        """Give what carries the requests of a row."""
        return self.transport

    def journal(self, book: Book) -> Callable[[Hold], None]:
        """Give what writes down that a request of a row goes out."""
        return book.intend

    def told(self, record: Record) -> Record:
        """Give the record of a row as it is to be kept."""
        return record

    def asking(self, row: Row, *, has_answered: bool) -> Asking:
        """Make the question of a row. Raises an EyelineError where it cannot be asked."""
        question = self.question(self.prompt.of(row.values, row.source), row)
        engine, outside = self.wiring.engine, self.outside
        dialect = STANDARD if engine.is_local else outside.recall(engine.base_url)
        retry = PATIENT if has_answered else AT_FIRST
        return Asking(question, engine, retry, dialect=dialect, patient=self.patient)

    def question(self, prompt: str, row: Row) -> Question:
        references: tuple[Reference, ...] = tuple(parse_references(row.images))
        by_id = any(isinstance(each, FileId) for each in references)
        made = self.made.get(by_id) if references else None
        if made is None:
            made = self.made[by_id] = self.wiring.question(prompt, references, self.options)
        return replace(made, prompt=readable_text(prompt), references=references)
