"""`eyeline show`: a picture of what models see."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from eyeline.cli.options import look_options, read_images
from eyeline.cli.terminal import note, safe, show_log


@click.command("show")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option(
    "-o", "--output", required=True, metavar="OUT.png", help="Where to; - is standard output."
)
@click.option("-m", "--model", "models", multiple=True, metavar="MODEL", help="May be repeated.")
@look_options
def command(images: tuple[str, ...], output: str, models: tuple[str, ...], **look: Any) -> int:
    """
    Draw each IMAGE as it would be sent, with its patches or tiles, size, tokens and price.

    Several models stand side by side. Nothing is sent.
    """
    from eyeline.calls import show

    show_log()
    sheet = show(*read_images(images), model=models or None, **look)
    if output == "-":
        sys.stdout.buffer.write(sheet.png)
        return 0
    sheet.save(Path(output))
    note(f"{safe(output)}: {len(sheet.png):,} bytes")
    return 0
