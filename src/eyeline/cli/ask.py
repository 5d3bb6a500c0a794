"""`eyeline ask`: one question about one or more images."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from eyeline.cli.options import ask_options, read_images, read_schema_file
from eyeline.cli.terminal import complain, show_figures, show_log, write, write_answer


@click.command("ask")
@click.argument("prompt")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@ask_options
def command(prompt: str, images: tuple[str, ...], **options: Any) -> int:
    """
    Ask PROMPT about each IMAGE: a path, an http(s), file or data URL, or - for standard input.

    Several images go into one question. On a terminal the answer appears as it comes.
    """
    return ask(prompt, images, **options)


def ask(
    prompt: str,
    images: tuple[str, ...],
    *,
    schema: Path | None,
    as_json: bool,
    no_stream: bool,
    no_cache: bool,
    **options: Any,
) -> int:
    """Ask, print, and give the exit status."""
    from eyeline.client import Client

    show_log()
    given = {name: value for name, value in options.items() if value is not None}
    of_client = given.keys() & {"model", "engine", "api", "budget_usd", "mmproj"}
    question = {name: value for name, value in given.items() if name not in of_client}
    question["schema"] = read_schema_file(schema)
    references = read_images(images)
    is_streamed = sys.stdout.isatty() and not (no_stream or as_json or schema)
    with Client(cache=not no_cache, **{name: given[name] for name in of_client}) as client:
        if is_streamed:
            answer = stream(client, prompt, references, question)
        else:
            answer = client.ask(prompt, *references, **question)
    if as_json:
        write_answer(json.dumps(answer.to_json(), ensure_ascii=False))
    elif not is_streamed:
        write_answer(answer.text)
    show_figures(answer)
    if answer.ending == "length":
        complain("warning", "the answer was cut at the token limit", "yellow")
        complain("hint", "allow more with --max-output-tokens", "cyan")
        return 1
    return 0


def stream(client: Any, prompt: str, references: tuple[object, ...], question: Any) -> Any:
    """Print an answer as it comes, and end its line whatever happens."""
    pieces = client.stream(prompt, *references, **question)
    ends_line = True
    try:
        for piece in pieces:
            write(piece)
            ends_line = piece.endswith("\n")
    finally:
        if not ends_line:
            write("\n")
    return pieces.answer
