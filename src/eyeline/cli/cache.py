"""`eyeline cache`: what is kept of earlier answers, where, and how to be rid of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from eyeline.cli.terminal import show_log, table, write_answer
from eyeline.errors import SettingsError
from eyeline.settings import read_settings

if TYPE_CHECKING:
    from eyeline.adapters.sqlite import AnswerCache

T = TypeVar("T")


@click.group("cache")
def command() -> None:
    """What is kept of earlier answers, and where."""


@command.command("stats")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def stats(as_json: bool) -> int:
    """Say how many answers are kept, and how much room they take."""
    cache = open_cache()
    found = attempt(cache, cache.stats)
    if as_json:
        report = {
            "answers": found.answers,
            "entries": found.entries,
            "size_bytes": found.size_bytes,
            "max_bytes": cache.bytes_max,
            "path": str(cache.path),
        }
        write_answer(json.dumps(report, ensure_ascii=False))
        return 0
    size = f"{megabytes(found.size_bytes)} of {megabytes(cache.bytes_max)}"
    rows = [["answers", f"{found.answers:,}"], ["size", size], ["path", str(cache.path)]]
    write_answer(table(rows))
    return 0


@command.command("clear")
def clear() -> int:
    """Forget everything; what other processes ask meanwhile is kept anew."""
    show_log()
    cache = open_cache()
    found = attempt(cache, cache.clear)
    write_answer(f"cleared {found.answers:,} answers, {megabytes(found.size_bytes)}")
    return 0


@command.command("path")
def path() -> int:
    """Print the path of the cache file, which need not be there yet."""
    write_answer(str(open_cache().path))
    return 0


def open_cache() -> AnswerCache:
    from eyeline.wiring import answer_cache

    return answer_cache(read_settings())


def attempt(cache: AnswerCache, act: Callable[[], T]) -> T:
    """Do what needs the file. Raises SettingsError where that cannot be used."""
    try:
        return act()
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsError("cache", str(cache.path), f"a cache file ({reason})") from None
    finally:
        cache.close()


def megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 10**6:,.1f} MB"
