"""What became of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from eyeline.bulk.batch.state import on_the_way
from eyeline.bulk.commits import Commits
from eyeline.bulk.folder import RunFolder
from eyeline.bulk.job import Job, standing
from eyeline.bulk.ledger import Doubt, recover
from eyeline.bulk.plan import Plan
from eyeline.bulk.run_errors import NoSuchRun
from eyeline.bulk.tables import read_rows
from eyeline.bulk.tally import Tally
from eyeline.core.cost import FREE

# In a notebook.
SHOWN_ROWS = 10


@dataclass(frozen=True, slots=True)
class RunResult:
    """
    A run at its end: rows of the whole run, dollars of the whole run.

    `stopped_by` is the error that ended it early, None where every row has its outcome. `doubts`
    are the rows that were sent and whose answer was never recorded, how often, and for how much at
    most; that is part of `spent_usd`. `parts` are the files with the answers so far, `batches` what
    is with the Batch API.
    """

    out: str
    rows: int
    done: int
    failed: int
    cached: int
    spent_usd: Decimal
    shards: int = 0
    finished: int = 0
    elapsed_s: float = 0.0
    damaged: int = 0
    stopped_by: BaseException | None = None
    doubts: Mapping[str, Doubt] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[Path, ...] = ()
    batches: tuple[Mapping[str, Any], ...] = ()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give each row that has an outcome, in input order."""
        for part in self.parts:
            yield from read_rows(part)

    def to_json(self) -> dict[str, Any]:
        """Give the figures as plain JSON; dollars as numbers, rows in doubt by their keys."""
        return {
            "out": self.out,
            "rows": self.rows,
            "done": self.done,
            "failed": self.failed,
            "cached": self.cached,
            "spent_usd": float(self.spent_usd),
            "shards": self.shards,
            "shards_finished": self.finished,
            "elapsed_s": round(self.elapsed_s, 3),
            "in_doubt": sorted(self.doubts),
            "in_doubt_requests": sum(doubt.times for doubt in self.doubts.values()),
            "in_doubt_usd": float(self.doubts_usd),
            "damaged_lines": self.damaged,
            "error_kinds": dict(self.kinds),
            "batches": [dict(batch) for batch in self.batches],
            "stopped_by": None if self.stopped_by is None else str(self.stopped_by),
        }

    def figures(self) -> list[str]:
        """Say what became of the rows, how long it took, what it cost, and where it is."""
        from eyeline.bulk.watches import duration, usd

        said = [f"done {self.done:,}"]
        said += [f"failed {self.failed:,}"] if self.failed else []
        said += [f"cached {self.cached:,}"] if self.cached else []
        return [*said, duration(self.elapsed_s), f"${usd(self.spent_usd)}", self.out]

    def _repr_html_(self) -> str:
        from eyeline.bulk.notebook import result_html

        first = list(islice(self, SHOWN_ROWS))
        hidden = {"key", "error_kind", "image_tokens", "latency_s", "attempts"}
        names = [name for name in first[0] if name not in hidden] if first else []
        return result_html(" · ".join(self.figures()), first, names)

    @property
    def doubts_usd(self) -> Decimal:
        return sum((doubt.usd_max or FREE for doubt in self.doubts.values()), FREE)

    @property
    def exit_code(self) -> int:
        """Give the command line's status: 0 all done, 1 some failed, or what stopped it."""
        if self.stopped_by is None:
            return 1 if self.failed else 0
        code = getattr(self.stopped_by, "exit_code", 1)
        return 1 if code == 2 and self.rows else int(code)


def status_of(out: str) -> RunResult:
    """Say how far the run of an output is, whether or not it is at work. Raises NoSuchRun."""
    folder, commits = run_of(out)
    tally = standing(folder, commits)
    recover_live(tally, commits)
    return result(folder, commits, tally)


def failed_rows(out: str) -> Iterator[dict[str, Any]]:
    """Give key, source, error and kind of each failed row so far. Raises NoSuchRun."""
    folder, commits = run_of(out)
    names = ("key", "source", "status", "error", "error_kind")
    for number, commit in sorted(commits.last.items()):
        if commit.failed:
            for row in read_rows(folder.parts / commits.part_name(number), names):
                if row.pop("status") == "failed":
                    yield row
    for tries in commits.live():
        for record in recover(*tries).records.values():
            if record["status"] == "failed":
                yield {name: record[name] for name in names if name != "status"}


def run_of(out: str) -> tuple[RunFolder, Commits]:
    folder = RunFolder.of(out)
    if Plan.read(folder.plan) is None:
        raise NoSuchRun(out)
    return folder, Commits(folder)


def recover_live(tally: Tally, commits: Commits) -> None:
    """Count the rows that have an outcome in a shard that is not finished."""
    for tries in commits.live():
        for record in recover(*tries).records.values():
            tally.count(record)


def result_of_run(job: Job, stopped_by: BaseException | None, elapsed_s: float) -> RunResult:
    return replace(
        result(job.folder, job.commits, job.tally), stopped_by=stopped_by, elapsed_s=elapsed_s
    )


def result(folder: RunFolder, commits: Commits, tally: Tally) -> RunResult:
    return RunResult(
        out=folder.target,
        rows=tally.rows,
        done=tally.done,
        failed=tally.failed,
        cached=tally.cached,
        spent_usd=tally.spent_usd,
        shards=tally.shards,
        finished=tally.finished,
        doubts=tally.doubts,
        damaged=tally.damaged,
        kinds=dict(tally.kinds),
        parts=tuple(folder.parts / commits.part_name(number) for number in sorted(commits.last)),
        batches=on_the_way(folder.batch),
    )
