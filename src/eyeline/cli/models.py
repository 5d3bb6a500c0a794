"""`eyeline models`: the catalogue as a table; needs no network."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import click

from eyeline.cli.terminal import table, write_answer
from eyeline.core.catalogue import Model
from eyeline.core.tokens import PatchRule
from eyeline.settings import catalogue, read_settings


@click.command("models")
@click.option("--all", "with_shut_down", is_flag=True, help="Also those that are shut down.")
@click.option("--json", "as_json", is_flag=True, help="Print one object for each model.")
def command(with_shut_down: bool, as_json: bool) -> int:
    """List the models that see: dollars for a million tokens, details, tokens of a photo, dates."""
    own, today = read_settings().catalogue, str(date.today())
    known = catalogue(own)
    models = [model for model in known.models if with_shut_down or not model.is_shut_down(today)]
    if as_json:
        for model in models:
            write_answer(json.dumps(entry(model), ensure_ascii=False))
        return 0
    head = ["model", "in $/M", "out $/M", "rule", "details", "status"]
    write_answer(table([head, *(row(model, today) for model in models)], right=(1, 2)))
    write_answer(f"Catalogue of {known.as_of}; every other name is sent as it is.")
    if own is not None:
        write_answer(f"* from {own.path}")
    return 0


def row(model: Model, today: str) -> list[str]:
    details = " ".join(name for name in model.details if name != "auto")
    name = f"{model.name} *" if model.overridden else model.name
    return [name, *prices(model), rule_name(model), details, status(model, today)]


def status(model: Model, today: str) -> str:
    """Say until when there is a model, and what follows it."""
    after = f", then {model.successor}" if model.successor else ""
    if model.is_shut_down(today):
        return f"shut down {model.shutdown_date or ''}{after}"
    return f"until {model.shutdown_date}{after}" if model.shutdown_date else model.status


def rule_name(model: Model) -> str:
    if isinstance(model.rule, PatchRule):
        return f"patches ×{model.rule.multiplier:g}"
    return "tiles"


def prices(model: Model) -> list[str]:
    rates = model.price.standard if model.price else None
    return [short(rates.input), short(rates.output)] if rates else ["?", "?"]


def short(usd: Decimal) -> str:
    return f"{usd.normalize():f}"


def entry(model: Model) -> dict[str, object]:
    rates = model.price.standard if model.price else None
    batch = model.price.batch if model.price else None
    return {
        "model": model.name,
        "status": model.status,
        "shutdown_date": model.shutdown_date,
        "successor": model.successor,
        "apis": model.apis,
        "details": model.details,
        "input_usd_per_million": float(rates.input) if rates else None,
        "output_usd_per_million": float(rates.output) if rates else None,
        "batch_input_usd_per_million": float(batch.input) if batch else None,
        "batch_output_usd_per_million": float(batch.output) if batch else None,
        "overridden": model.overridden,
    }
