"""`eyeline describe`: `ask` with a prompt of its own."""

from __future__ import annotations

from typing import Any

import click

from eyeline.cli.ask import ask
from eyeline.cli.options import ask_options

PROMPT = "Describe this image: what it shows, and any text in it."
PROMPT_MANY = "Describe these images one by one: what each shows, and any text in it."


@click.command("describe")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@ask_options
def command(images: tuple[str, ...], **options: Any) -> int:
    """Describe each IMAGE; takes what `ask` takes, but the prompt."""
    return ask(PROMPT if len(images) == 1 else PROMPT_MANY, images, **options)
