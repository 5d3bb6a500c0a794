"""`eyeline run`: the same question of many images."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from eyeline.cli.options import question_options, read_schema_file
from eyeline.cli.terminal import complain, note, safe, show_error, show_log, write
from eyeline.errors import EyelineError, SettingsError

if TYPE_CHECKING:
    from eyeline.bulk.job import Job
    from eyeline.bulk.options import RunOptions
    from eyeline.bulk.result import RunResult
    from eyeline.bulk.watch import Watch
    from eyeline.wiring import Wiring

ASKED_ABOVE_USD = 1
# Enough to know about what a run costs before it begins; --dry-run looks at all rows.
ROWS_LOOKED_AT = 200


@click.command("run")
@click.argument("prompt", required=False)
@click.argument("source", required=False)
@click.option("-o", "--out", metavar="OUT", help="A .parquet, .jsonl or .csv file, or a folder/.")
@question_options
@click.option("--image", multiple=True, metavar="COLUMN", help="A column of images; repeatable.")
@click.option("--keep", multiple=True, metavar="COLUMN", help="A column to keep; repeatable.")
@click.option("--where", metavar="CONDITION", help="Only rows of which this holds: price > 10.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Only N rows, by chance.")
@click.option("--seed", type=int, metavar="N", help="Which N rows a sample takes; 0 by default.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N rows.")
@click.option("--new", is_flag=True, help="Forget the run of this name, and start over.")
@click.option("--retry-failed", is_flag=True, help="Ask failed rows again.")
@click.option(
    "--in-doubt",
    type=click.Choice(("resend", "skip")),
    help="Rows sent before an interruption and never answered: resend is the default.",
)
@click.option("--fail-fast", is_flag=True, help="End at the first row that fails.")
@click.option(
    "--max-failures", type=click.IntRange(0), metavar="N", help="End after more failures than N."
)
@click.option(
    "--rows-in-flight", type=click.IntRange(1), metavar="N", help="Rows open at once, at most."
)
@click.option("--batch", is_flag=True, help="Through the Batch API: half the price, in a day.")
@click.option("--no-wait", is_flag=True, help="With --batch: end once all is on its way.")
@click.option("--dry-run", is_flag=True, help="Say what it will take, and send nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before a run that costs more than $1.")
@click.option("--report", metavar="FILE", help="An HTML page of the rows, written at the end.")
@click.option("--on", metavar="CLUSTER", help="Where to do it: ray, or ray://HOST:PORT.")
@click.option("--no-cache", is_flag=True, help="Neither look in the cache nor write to it.")
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON lines on stderr.")
@click.option("--status", metavar="OUT", help="Say how far the run of OUT is, and end.")
@click.option("--show-failed", metavar="OUT", help="Print the failed rows of OUT, and end.")
def command(
    prompt: str | None, source: str | None, out: str | None, status: str | None,
    show_failed: str | None, **options: Any,
) -> int:  # fmt: skip
    """
    Ask PROMPT about every image of SOURCE, and write a table of answers to OUT.

    SOURCE is a folder, a glob, a list (.txt), a table, a .tar, a URL of storage, or - for JSONL on
    standard input. The same command goes on where it stopped, and pays for nothing twice that was
    answered. PROMPT may name columns of a table: "Is this {product}?".
    """
    if status is not None:
        return show_status(status, as_json=options["as_json"])
    if show_failed is not None:
        return print_failed(show_failed)
    for name, value in (("PROMPT", prompt), ("SOURCE", source), ("-o", out)):
        if value is None and not (name == "-o" and options["dry_run"]):
            raise SettingsError(
                name, "nothing", 'as in: eyeline run "What is it?" photos/ -o a.csv'
            )
    return run(str(prompt), str(source), out, **options)


def run(prompt: str, source: str, out: str | None, **options: Any) -> int:
    """Run, say what became of it, and give the exit status."""
    from eyeline.bulk.calls import What, blocking, whole_run, wired

    show_log()
    as_json, cache = options.pop("as_json"), not options.pop("no_cache")
    is_dry, is_agreed = options.pop("dry_run"), options.pop("yes")
    options["schema"] = read_schema_file(options["schema"])
    given = {name: value for name, value in options.items() if value not in (None, (), False)}
    given |= {"cache": cache, "sight_check": options["sight_check"]}
    wiring, of_run = wired(given)
    if is_dry:
        return show_forecast(wiring, (prompt, source, out), of_run, as_json=as_json)
    assert out is not None
    watch = watch_for(out, as_json=as_json)
    agree = None if is_agreed or not is_asked() else ask_first
    try:
        result = blocking(whole_run(wiring, What(prompt, source, out), of_run, watch, agree))
    except KeyboardInterrupt:
        complain("hint", f"stopped at once; this goes on: {again()}", "cyan")
        return 130
    finally:
        if wiring.outside.cache:
            wiring.outside.cache.close()
    show_end(result, as_json=as_json)
    return result.exit_code


def show_forecast(
    wiring: Wiring, what: tuple[str, str, str | None], options: RunOptions, *, as_json: bool
) -> int:
    """Print what a run will take; 1 where some rows will fail, 2 where all will."""
    from eyeline.bulk.forecast import forecast
    from eyeline.cli.forecast import words_of

    found = forecast(wiring, *what, options)
    write((json.dumps(found.to_json()) if as_json else words_of(found)) + "\n")
    if found.failed and found.failed == found.todo:
        return 2
    return 1 if found.failed else 0


def is_asked() -> bool:
    """Say whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_first(job: Job) -> None:
    """Ask before a run that may cost more than a dollar. Raises RunDeclined."""
    from eyeline.bulk.errors import RunDeclined
    from eyeline.bulk.forecast import forecast_of
    from eyeline.cli.forecast import money

    found = forecast_of(job, rows_max=ROWS_LOOKED_AT)
    usd = found.scaled_usd()
    if usd.high is None or usd.high <= ASKED_ABOVE_USD:
        return
    rows = found.todo if found.rows_total is None else found.rows_total - found.done
    question = f"{rows:,} rows to do, about {money(usd)}. Begin?"
    if not click.confirm(question, err=True):
        raise RunDeclined(money(usd))


def watch_for(out: str, *, as_json: bool) -> Watch:
    from eyeline.bulk.watches import Events, Lines, terminal_watch

    if as_json:
        return Events(sys.stderr)
    return terminal_watch(out) if sys.stderr.isatty() else Lines(sys.stderr)


def again() -> str:
    """Give the command line that goes on, which is the same one without --new."""
    return "eyeline " + shlex.join(each for each in sys.argv[1:] if each != "--new")


def show_end(result: RunResult, *, as_json: bool) -> None:
    """Say what became of a run."""
    from eyeline.bulk.batch.errors import BatchPending

    if as_json:
        from eyeline.bulk.watches import Events

        Events(sys.stderr).tell("end", result.to_json())
        return
    note(safe(" · ".join(result.figures())))
    for words in doubt_words(result):
        complain("warning", words, "yellow")
    if isinstance(result.stopped_by, BatchPending):
        note(f"{result.stopped_by}; {result.stopped_by.hint}: {again()}")
        return
    if isinstance(result.stopped_by, EyelineError):
        show_error(result.stopped_by)
    elif result.stopped_by is not None:
        raise result.stopped_by
    if result.stopped_by is not None:
        note(f"goes on with: {again()}")
    elif result.failed:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in result.kinds.items())
        complain("hint", f"{kinds}; the same command with --retry-failed repeats them", "cyan")


def doubt_words(result: RunResult) -> list[str]:
    from eyeline.bulk.watches import usd

    if not result.doubts:
        return []
    count = len(result.doubts)
    rows = "1 row was" if count == 1 else f"{count:,} rows were"
    times = sum(doubt.times for doubt in result.doubts.values())
    often = f" ({times:,} requests)" if times > count else ""
    return [
        f"{rows} on the way when a run was cut off{often}, and may have been paid twice: "
        f"${usd(result.doubts_usd)} at most, counted above"
    ]


def show_status(out: str, *, as_json: bool) -> int:
    """Print how far the run of an output is."""
    from eyeline.bulk.result import status_of

    result = status_of(out)
    if as_json:
        write(json.dumps(result.to_json(), ensure_ascii=False) + "\n")
        return 0
    shown: Mapping[str, object] = result.to_json()
    width = max(map(len, shown))
    for name, value in shown.items():
        write(f"{name:<{width}}  {safe(text_of(value))}\n")
    return 0


def text_of(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def print_failed(out: str) -> int:
    """Print each failed row as a line of JSON: key, source, error, error_kind."""
    from eyeline.bulk.result import failed_rows

    for row in failed_rows(out):
        write(json.dumps(row, ensure_ascii=False) + "\n")
    return 0
