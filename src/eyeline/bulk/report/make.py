"""A run's report: its rows as its parts have them, beside the images as its source gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from eyeline.bulk.job import Job
from eyeline.bulk.report.thumbnails import Thumbnails
from eyeline.bulk.report.write import Choice, Facts, Seen, write_report
from eyeline.bulk.result import RunResult
from eyeline.bulk.rows import Row, Shard
from eyeline.bulk.tables import read_rows
from eyeline.drivers import Driver
from eyeline.errors import EyelineError, SettingsError


def report_run(job: Job, result: RunResult, path: str) -> None:
    """
    Write the report of what is finished of a run. Raises SettingsError where it cannot be written.
    """
    commits = job.commits.last.values()
    choice = Choice(sum(each.rows for each in commits), sum(each.failed for each in commits))
    thumbnails = Thumbnails(Driver(job.wiring.outside, None))
    try:
        write_report(path, facts_of(job, result), job.columns, thumbnails.each(seen(job, choice)))
    except OSError as error:
        expected = f"a file that can be written ({error.strerror or error})"
        raise SettingsError("--report", path, expected) from None


def seen(job: Job, choice: Choice) -> Iterator[Seen]:
    """Give the rows that are shown, in input order, each with where it came from."""
    for shard in job.folder.read_shards():
        part = job.folder.parts / job.commits.part_name(shard.number)
        if shard.number not in job.commits.last or not part.exists():
            continue
        for record, row in paired(read_rows(part), job, shard):
            if choice.takes(record):
                yield Seen(record, row=row)


def paired(
    records: Iterator[dict[str, Any]], job: Job, shard: Shard
) -> Iterator[tuple[Mapping[str, Any], Row | None]]:
    """Pair the records of a part with the rows of its shard, None once the source gives others."""
    rows = source_rows(job, shard)
    row: Row | None = None
    for record in records:
        row = next(rows, None)
        yield record, row if row is not None and row.key == record["key"] else None


def source_rows(job: Job, shard: Shard) -> Iterator[Row]:
    """Give the rows of a shard; a source that is gone by now gives none."""
    try:
        yield from job.source.rows(shard)
    except EyelineError:
        return


def facts_of(job: Job, result: RunResult) -> Facts:
    fixed, noted = job.plan.fixed, job.plan.noted
    commits = job.commits.last.values()
    budget_usd = job.options.get("budget_usd")
    # The time of earlier sessions is not known.
    is_whole = job.tally.now_done + job.tally.now_failed == result.rows
    return Facts(
        title=Path(result.out).name,
        prompt=str(fixed["prompt"]),
        model=str(fixed["model"]),
        source=str(fixed["source"]["name"]),
        rows=sum(each.rows for each in commits),
        done=sum(each.done for each in commits),
        failed=sum(each.failed for each in commits),
        cached=sum(each.cached for each in commits),
        input_tokens=sum(each.input_tokens for each in commits),
        output_tokens=sum(each.output_tokens for each in commits),
        spent_usd=str(result.spent_usd),
        budget_usd=None if budget_usd is None else str(budget_usd),
        in_doubt_usd=str(result.doubts_usd) if result.doubts else None,
        wall_s=result.elapsed_s if is_whole else None,
        notes=(
            f"detail {fixed['detail']}",
            str(noted["engine"]),
            str(noted["begun"])[:10],
            f"eyeline {noted['eyeline']}",
        ),
    )
