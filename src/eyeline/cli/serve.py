"""`eyeline serve`: the gateway and the page."""

from __future__ import annotations

import logging
from typing import Any

import click

from eyeline.cli.terminal import note, show_log
from eyeline.core.secret import Secret
from eyeline.errors import MissingExtra


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8321, show_default=True, type=click.IntRange(0, 65535))
@click.option("--token", metavar="TOKEN", help="What clients must send as their key.")
@click.option(
    "--allow-host",
    "allow_names",
    metavar="NAME",
    multiple=True,
    help="Another name by which clients call this gateway; may be repeated.",
)
@click.option("-m", "--model", metavar="MODEL", help="Default model, or a .gguf file.")
@click.option(
    "--engine",
    metavar="ENGINE",
    help="openai, ollama, lmstudio, llamacpp, vllm, a base URL, or local.",
)
@click.option("--budget", "budget_usd", type=float, metavar="USD", help="Refuse to pass this.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes."
)
@click.option("--access-log", is_flag=True, help="A line of JSON on stderr for each request.")
@click.option("--no-cache", is_flag=True, help="Neither look in the cache nor write to it.")
def command(*, token: str | None, no_cache: bool, access_log: bool, **given: Any) -> int:
    """
    Serve an OpenAI-compatible API that makes images right on their way to the engine, and a page
    to try it on, until interrupted.

    Clients set their base URL to http://HOST:PORT/v1. Elsewhere than on this machine they need the
    token; one is made and printed where none is given.
    """
    show_log()
    try:
        from eyeline.gateway.options import Options
        from eyeline.gateway.serve import serve
    except ModuleNotFoundError as error:
        raise MissingExtra("eyeline serve", "gateway", error.name or "starlette") from error
    named = {name: given.pop(name) for name in ("model", "engine", "budget_usd")}
    client: Any = {name: value for name, value in named.items() if value is not None}
    client["cache"] = not no_cache
    if access_log:
        show_access()
    return serve(Options(client, token=Secret(token or ""), **given), note)


def show_access() -> None:
    """Put the access log on stderr, a line of JSON each, and nothing else of it."""
    logger = logging.getLogger("eyeline.gateway.access")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.INFO)
    logger.propagate = False
