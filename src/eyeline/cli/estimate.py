"""`eyeline estimate`: a table of tokens and dollars, before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import click

from eyeline.cli.options import read_images, size_options
from eyeline.cli.terminal import complain, dollars, show_error, table, write_answer
from eyeline.core.catalogue import Model
from eyeline.core.estimate import Estimate, ImageEstimate
from eyeline.errors import ImageError

if TYPE_CHECKING:
    from eyeline.calls import Estimator
    from eyeline.wiring import AskOptions

# One cheap, one strong, and the one that most existing code names.
MODELS = ("gpt-6-luna", "gpt-6.2-sol", "gpt-4o")
# Up to so many images, what `original` would bill is said for each.
NAMED_MAX = 5
# What differs less from the plan is not worth a line.
MUCH = 1.5

# One picture under each model.
Row = tuple[ImageEstimate, ...]


@click.command("estimate")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option("-m", "--model", "models", multiple=True, metavar="MODEL", help="May be repeated.")
@size_options
@click.option("--batch", is_flag=True, help="Prices of the Batch API.")
@click.option("--json", "as_json", is_flag=True, help="Print one line for each image and model.")
def command(
    images: tuple[str, ...], models: tuple[str, ...], batch: bool, as_json: bool, **size: Any
) -> int:
    """
    Say what each IMAGE will cost in tokens and dollars of input. Nothing is sent.

    A folder stands for every image in it, a document for its pages.
    """
    from eyeline.calls import Estimator
    from eyeline.notices import shutdown_notice

    estimator = Estimator.under(models or MODELS, cast("AskOptions", size), batch=batch)
    asked = [model for model, _ in estimator.models]
    # Of models that nobody chose there is nothing to warn of.
    for notice in filter(None, map(shutdown_notice, asked if models else ())):
        complain("warning", notice, "yellow")
    found = Rows(estimator, read_images(images))
    if as_json:
        print_lines(found)
    elif rows := list(found):
        write_answer(layout(rows, asked))
    if not found.failed:
        return 0
    return 1 if found.done else 2


class Rows:
    """Gives a row for each picture as it is estimated; a bad one is named on stderr, counted."""

    def __init__(self, estimator: Estimator, images: Iterable[object]) -> None:
        self.estimator, self.images = estimator, images
        self.done, self.failed = 0, 0

    def __iter__(self) -> Iterator[Row]:
        for found in self.estimator.each(self.images):
            if isinstance(found, ImageError):
                self.failed += 1
                show_error(found)
            else:
                self.done += 1
                yield from found


def print_lines(rows: Iterable[Row]) -> None:
    for row in rows:
        for image in row:
            write_answer(json.dumps(image.to_json(), ensure_ascii=False))


def layout(rows: Sequence[Row], models: Sequence[Model]) -> str:
    """Give the table: a row a picture, two columns a model, and of more than one a total."""
    head = ["", "", *(cell for model in models for cell in (model.name, "")), ""]
    lines = [head, *map(line, rows)]
    columns = list(zip(*rows, strict=True))
    if len(rows) > 1:
        sums = map(Estimate, columns)
        figures = (cell for each in sums for cell in (tokens(each.tokens), dollars(each.cost_usd)))
        lines.append(["total", "", *figures, ""])
    text = table(lines, right=range(2, 2 + 2 * len(models)))
    pairs = [*zip(models, columns, strict=True)]
    said = [each for pair in pairs for each in (*one_by_one(*pair), *originals(*pair))]
    return "\n".join([text, *said])


def line(images: Row) -> list[str]:
    first = images[0]
    figures = (cell for image in images for cell in (tokens(image.tokens), dollars(image.cost_usd)))
    # Sizes differ from model to model; in one line only what is done for all of them has a place.
    notes = [note for note in first.notes if all(note in image.notes for image in images)]
    return [first.source, f"{first.width_px}×{first.height_px}", *figures, ", ".join(notes)]


def tokens(count: int) -> str:
    return f"{count:,} tok"


def one_by_one(model: Model, images: Sequence[ImageEstimate]) -> list[str]:
    """Say what the images cost as a question each, where together they are a long one."""
    estimate = Estimate(tuple(images))
    if estimate.cost_usd == estimate.apart_cost_usd:
        return []
    apart = dollars(estimate.apart_cost_usd)
    return [
        f"The total is that of one question, at the long-context rate of {model.name}; "
        f"one by one the images cost {apart}."
    ]


def originals(model: Model, images: Sequence[ImageEstimate]) -> list[str]:
    """Say where `original` would bill much more than what is sent; of many images, their sum."""
    dear = [
        (image, image.original_tokens)
        for image in images
        if image.original_tokens is not None and image.original_tokens > MUCH * image.tokens
    ]
    is_default = model.rule is not None and model.rule.auto_is == "original"
    where = "At the provider's own default (detail original)" if is_default else "At original"
    if len(images) <= NAMED_MAX:
        return [
            f"{where} {model.name} would bill {count:,} tokens for {image.source}."
            for image, count in dear
        ]
    if not dear:
        return []
    planned = sum(image.tokens for image, _ in dear)
    billed = sum(count for _, count in dear)
    of = "them all" if len(dear) == len(images) else f"{len(dear):,} of the {len(images):,}"
    return [f"{where} {model.name} would bill {billed:,} tokens, not {planned:,}, for {of}."]
