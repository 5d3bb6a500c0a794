"""`eyeline models`: the catalogue as a table; needs no network."""

from __future__ import annotations

import json
from decimal import Decimal

import click

from eyeline.cli.terminal import table, write_answer
from eyeline.core.catalogue import Model, document, known_models
from eyeline.core.tokens import PatchRule


@click.command("models")
@click.option("--all", "with_shut_down", is_flag=True, help="Also those that are shut down.")
@click.option("--json", "as_json", is_flag=True, help="Print one object for each model.")
def command(with_shut_down: bool, as_json: bool) -> int:
    """List the models that see: dollars for a million tokens, details, tokens of a photo, dates."""
    models = [model for model in known_models() if with_shut_down or model.status != "shut_down"]
    if as_json:
        for model in models:
            write_answer(json.dumps(entry(model), ensure_ascii=False))
        return 0
    head = ["model", "in $/M", "out $/M", "rule", "details", "status"]
    write_answer(table([head, *map(row, models)], right=(1, 2)))
    write_answer(f"Catalogue of {document()['as_of']}; every other name is sent as it is.")
    return 0


def row(model: Model) -> list[str]:
    status = f"until {model.shutdown_date}" if model.status == "deprecated" else model.status
    details = " ".join(name for name in model.details if name != "auto")
    return [model.name, *prices(model), rule_name(model), details, status.replace("_", " ")]


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
    return {
        "model": model.name,
        "status": model.status,
        "shutdown_date": model.shutdown_date,
        "apis": model.apis,
        "details": model.details,
        "input_usd_per_million": float(rates.input) if rates else None,
        "output_usd_per_million": float(rates.output) if rates else None,
    }
