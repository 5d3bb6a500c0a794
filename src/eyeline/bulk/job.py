"""One run, opened: its folder owned, its plan agreed, its shards known, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

from eyeline.accounts import limits
from eyeline.bulk.columns import Columns, columns_of
from eyeline.bulk.commits import Commit, Commits
from eyeline.bulk.folder import RunFolder
from eyeline.bulk.journal import unwritable
from eyeline.bulk.ledger import joined, recover
from eyeline.bulk.options import RunOptions, fixed_by, of_ask, selection_of
from eyeline.bulk.plan import Plan, plan_of, refuse_other
from eyeline.bulk.prompt import Prompt
from eyeline.bulk.rows import Shard, Source, open_source
from eyeline.bulk.shard import ShardSpec
from eyeline.bulk.tables import assemble
from eyeline.bulk.tally import Tally
from eyeline.bulk.unheld import Unheld
from eyeline.core.cost import FREE
from eyeline.core.schema import read_schema
from eyeline.wiring import AskOptions, ClientOptions, Wiring

# No limit: an answer of this run is wanted until its end.
ANSWERS_BYTES_MAX = 2**50


@dataclass(frozen=True, slots=True)
class Job:
    """All that is decided before the first row."""

    folder: RunFolder
    plan: Plan
    source: Source
    columns: Columns
    commits: Commits
    tally: Tally
    wiring: Wiring
    prompt: Prompt
    asked: AskOptions
    options: RunOptions

    def todo(self) -> Iterator[ShardSpec]:
        """Give the shards that are not finished."""
        retry_failed = self.options.get("retry_failed", False)
        for shard in self.folder.read_shards():
            if self.commits.is_finished(shard.number, retry_failed=retry_failed):
                continue
            yield ShardSpec(
                shard,
                self.commits.part_name(shard.number),
                self.commits.generation[shard.number],
                retry_failed,
                self.options.get("in_doubt") == "skip",
            )

    def commit(self, commit: Commit) -> None:
        """Write down that a shard is finished; only now its ledger may go."""
        generation = self.commits.generation[commit.shard]
        self.commits.append(commit)
        for ledger in self.folder.tries(commit.shard, generation):
            ledger.unlink(missing_ok=True)

    def assemble(self) -> None:
        """Make OUT of the parts, unless it is made, or is the folder they are in."""
        if self.folder.is_folder or not self.commits.last:
            return
        if self.commits.assembled == self.commits.count and self.folder.is_made:
            return
        parts = [
            self.folder.parts / self.commits.part_name(shard.number)
            for shard in self.folder.read_shards()
        ]
        try:
            assemble(parts, self.folder.target, self.plan.to_record())
        except OSError as error:
            raise unwritable(self.folder.target, error) from None
        self.commits.note_assembled()


@contextmanager
def opened(
    prompt: str, source: str, out: str, wiring: Wiring, options: RunOptions
) -> Iterator[Job]:
    """
    Begin a run, or go on with the one that is there. Raises RunBusy, RunDiffers, and what the
    source, the schema or an option may be refused for.
    """
    folder = RunFolder.of(out)
    asked = of_ask(options)
    if asked.get("schema") is not None:
        asked["schema"] = read_schema(asked["schema"])
    # Wrong options are told now, and not by every row.
    question = wiring.question(prompt, ("a.png",), asked)
    with folder.owned():
        if not options.get("new") and not folder.plan.exists():
            folder.refuse_taken()
        if options.get("new") or not folder.plan.exists():
            folder.clear()
        folder.prepare()
        rows = open_source(
            source,
            spool=folder.source,
            image_columns=tuple(options.get("image", ())),
            selection=selection_of(options),
        )
        fixed = fixed_by(prompt, question, source, rows, options)
        template = Prompt.read(prompt, rows.columns)
        keep = tuple(options.get("keep", ()))
        columns = columns_of(question.schema, rows.schema() if keep else None, keep)
        plan = agree(folder, plan_of(fixed, wiring.engine.base_url or wiring.engine.name), rows)
        commits = Commits(folder)
        tally = standing(folder, commits, retry_failed=options.get("retry_failed", False))
        wired = rewired(wiring, folder, options, tally.spent_usd)
        try:
            yield Job(folder, plan, rows, columns, commits, tally, wired, template, asked, options)
        finally:
            if wired.outside.cache is not wiring.outside.cache and wired.outside.cache:
                wired.outside.cache.close()


def agree(folder: RunFolder, plan: Plan, source: Source) -> Plan:
    """Give the plan of the run that is there, or else write down this one, with its shards."""
    old = Plan.read(folder.plan)
    if old is not None:
        refuse_other(folder.path, old, plan)
        return old
    folder.write_shards(source.shards())
    # Last: a run that has a plan has all that belongs to it.
    folder.write_plan(plan.to_record())
    return plan


def standing(folder: RunFolder, commits: Commits, *, retry_failed: bool = False) -> Tally:
    """Say how far a run is: by its commits, and the ledgers of what is not finished."""
    tally = Tally(spent_usd=commits.spent_usd, doubts={**commits.doubts})
    before: Shard | None = None
    for shard in folder.read_shards():
        tally.shards += 1
        if before is not None and before.number in tally.spans:
            tally.spans[before.number] = shard.first - before.first
        if commits.is_finished(shard.number, retry_failed=retry_failed):
            tally.take_finished(commits.last[shard.number])
        else:
            tally.spans[shard.number] = None
        before = shard
    for tries in commits.live():
        found = recover(*tries)
        in_doubt = found.in_doubt()
        tally.doubts = joined(joined(tally.doubts, found.doubts), in_doubt)
        tally.spent_usd += found.spent_usd
        tally.spent_usd += sum((doubt.usd_max or FREE for doubt in in_doubt.values()), FREE)
        tally.damaged += found.damaged
    return tally


def rewired(wiring: Wiring, folder: RunFolder, options: RunOptions, spent_usd: Decimal) -> Wiring:
    """Give the wiring with the run's own budget, and its own memory where the cache is off."""
    outside = replace(wiring.outside, files=Unheld())
    if options.get("budget_usd") is not None:
        given: ClientOptions = {**wiring.options, "budget_usd": options["budget_usd"]}
        limited = limits(given, wiring.settings, wiring.engine, wiring.account)
        assert limited.budget is not None
        limited.budget.spent_usd = spent_usd
        outside = replace(outside, limits=limited)
    if not options.get("cache", True) or (outside.cache is None and not wiring.engine.is_local):
        from eyeline.adapters.sqlite import AnswerCache

        # One question in many rows is still sent once.
        cache = AnswerCache(folder.answers, ANSWERS_BYTES_MAX)
        outside = replace(outside, cache=cache)
    return replace(wiring, outside=outside)
