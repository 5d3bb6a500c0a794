"""How the command line looks: what goes to which stream, colour, figures, and safe text."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TextIO

import click

from eyeline.cli.pipe import PipeClosed
from eyeline.core.answer import Answer, token_figures
from eyeline.errors import AnswerError, EyelineError
from eyeline.settings import is_set

# The least that five places show.
LEAST_USD = Decimal("0.00001")


def is_coloured(stream: TextIO) -> bool:
    return stream.isatty() and not is_set("NO_COLOR")


def note(text: str) -> None:
    """Say something beside the answer: on stderr, dim."""
    click.echo(click.style(text, dim=True) if is_coloured(sys.stderr) else text, err=True)


def complain(word: str, text: str, colour: str = "red") -> None:
    """Say `error: …`, `warning: …` or `hint: …` on stderr."""
    label = click.style(f"{word}:", fg=colour, bold=True) if is_coloured(sys.stderr) else f"{word}:"
    click.echo(f"{label} {safe(text)}", err=True)


def show_error(error: EyelineError) -> None:
    complain("error", str(error))
    if isinstance(error, AnswerError) and error.answer.text not in ("", error.found):
        # It was paid for, and is not an answer that stdout may hold.
        note(safe(error.answer.text))
    if error.hint:
        complain("hint", error.hint, "cyan")


def safe(text: str) -> str:
    """
    Show control characters instead of obeying them; a picture's text may hold terminal escapes.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text
    )


def write(text: str) -> None:
    """Put a piece of the answer on stdout: made safe on a terminal, as it is in a pipe."""
    try:
        sys.stdout.write(safe(text) if sys.stdout.isatty() else text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise PipeClosed from None


def write_answer(text: str) -> None:
    write(text if text.endswith("\n") else f"{text}\n")


def show_log() -> None:
    """Put eyeline's own warnings on stderr as plain lines, not as a log."""
    logger = logging.getLogger("eyeline")
    if not any(isinstance(handler, NoteHandler) for handler in logger.handlers):
        logger.addHandler(NoteHandler())
        logger.propagate = False


class NoteHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())


def show_figures(answer: Answer) -> None:
    """Say on a terminal what was done to each picture, and what the answer took."""
    if not sys.stderr.isatty():
        return
    for image in answer.images:
        if image.notes:
            note(f"{image.source}: {', '.join(image.notes)}")
    figures = [answer.model, *token_figures(answer.usage)]
    if answer.cost_usd is not None:
        figures.append(dollars(answer.cost_usd))
    if answer.cached:
        figures.append("cached")
    note(" · ".join([*figures, f"{answer.latency_s:.1f} s"]))


def dollars(usd: Decimal | None) -> str:
    """Show dollars with five places below one dollar, two above; what is less is not nothing."""
    if usd is None:
        return "price unknown"
    if not usd:
        return "$0"
    if usd < LEAST_USD:
        return f"<${LEAST_USD}"
    return f"${usd:,.2f}" if usd >= 1 else f"${usd:.5f}"


def table(rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Lay out rows in columns two spaces apart; the columns in `right` are set to the right."""
    lines = [list(map(safe, row)) for row in rows]
    if not lines:
        return ""
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    to_right = set(right)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at in to_right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
