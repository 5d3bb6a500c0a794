"""`eyeline estimate`: a table of tokens and dollars, before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from eyeline.cli.options import read_images
from eyeline.cli.terminal import dollars, show_error, table, write_answer
from eyeline.core.catalogue import Model, find
from eyeline.core.estimate import Estimate, ImageEstimate
from eyeline.core.question import choose_detail
from eyeline.core.tokens import DETAILS, Detail
from eyeline.errors import ImageError

# One cheap, one strong, and the one that most existing code names.
MODELS = ("gpt-6-luna", "gpt-6.2-sol", "gpt-4o")


@click.command("estimate")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option("-m", "--model", "models", multiple=True, metavar="MODEL", help="May be repeated.")
@click.option("--detail", type=click.Choice(DETAILS), default="auto", help="auto is high.")
@click.option("--json", "as_json", is_flag=True, help="Print one line for each image and model.")
def command(images: tuple[str, ...], models: tuple[str, ...], detail: Detail, as_json: bool) -> int:
    """Say what each IMAGE will cost in tokens and dollars of input. Nothing is sent."""
    asked = [find(name) for name in models or MODELS]
    levels = [(model, choose_detail(detail, model)) for model in asked]
    rows, failed = estimate_all(read_images(images), levels)
    if as_json:
        for row in rows:
            for image in row:
                write_answer(json.dumps(image.to_json(), ensure_ascii=False))
    elif rows:
        write_answer(layout(rows))
    if not failed:
        return 0
    return 1 if rows else 2


def estimate_all(
    images: Sequence[object], levels: list[tuple[Model, Detail]]
) -> tuple[list[tuple[ImageEstimate, ...]], int]:
    """Estimate each image; a bad one is named on stderr and counted."""
    from eyeline.drivers import Driver
    from eyeline.flow import estimate
    from eyeline.wiring import parse_references, wire

    wiring = wire({"engine": "openai", "cache": False})
    driver, rows, failed = Driver(wiring.outside, None), [], 0
    for image in images:
        try:
            for reference in parse_references([image]):
                rows.append(driver.run(estimate(reference, levels, wiring.engine.media_types)))  # noqa: PERF401  # errors are per image
        except ImageError as error:
            show_error(error)
            failed += 1
    return rows, failed


def layout(rows: list[tuple[ImageEstimate, ...]]) -> str:
    """Give the table: a row an image, two columns a model, a total where there is more than one."""
    names = [image.model for image in rows[0]]
    head = ["", "", *(cell for name in names for cell in (name, "")), ""]
    lines = [head, *map(line, rows)]
    if len(rows) > 1:
        sums = [Estimate(column) for column in zip(*rows, strict=True)]
        figures = (cell for each in sums for cell in (tokens(each.tokens), dollars(each.cost_usd)))
        lines.append(["total", "", *figures, ""])
    columns = range(2, 2 + 2 * len(names))
    text = table(lines, right=columns)
    return "\n".join([text, *dearer_defaults(rows)])


def line(images: tuple[ImageEstimate, ...]) -> list[str]:
    first = images[0]
    figures = (cell for image in images for cell in (tokens(image.tokens), dollars(image.cost_usd)))
    # Sizes differ from model to model; in one line only what is done for all of them has a place.
    notes = [note for note in first.notes if all(note in image.notes for image in images)]
    return [first.source, f"{first.width_px}×{first.height_px}", *figures, ", ".join(notes)]


def tokens(count: int) -> str:
    return f"{count:,} tok"


def dearer_defaults(rows: list[tuple[ImageEstimate, ...]]) -> list[str]:
    """Say where the provider's own default would bill much more than what is sent here."""
    lines = []
    for image in (image for row in rows for image in row):
        default = image.provider_default
        if default is not None and default.tokens > 1.5 * image.tokens:
            lines.append(
                f"At the provider's own default (detail {default.detail}) {image.model} would bill "
                f"{default.tokens:,} tokens for {image.source}."
            )
    return lines
