"""Runs the gateway under uvicorn, until SIGINT or SIGTERM."""

from __future__ import annotations

import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn

from eyeline.core.engine import Chosen
from eyeline.core.secret import Secret
from eyeline.errors import SettingsError
from eyeline.gateway.app import make_app
from eyeline.gateway.metrics import forget
from eyeline.gateway.options import Options
from eyeline.gateway.protocol import Config
from eyeline.gateway.workers import Crew

# How long answers that are on their way may take once the gateway is told to stop.
DRAIN_S = 30
BACKLOG = 2048


def serve(options: Options, say: Callable[[str], None]) -> int:
    """
    Serve until told to stop; answers on their way are given first. `say` gets each line for people.

    Raises SettingsError where nobody can listen at that address, and what `make_app` raises.
    """
    options = with_token(options, say)
    # Made once before anything is promised: what is wrong with engine or key is said now.
    made = config(options)
    with listen(options) as listener, TemporaryDirectory(prefix="eyeline-") as folder:
        here = address(options, listener)
        say(f"eyeline serves {here}/v1 and the page at {here}/")
        for line in about(made.chosen):
            say(line)
        if options.workers == 1:
            return run(made, listener)
        shared = for_each_worker(options, Path(folder))

        def mourn(pid: int) -> None:
            say(f"worker {pid} died")
            forget(Path(folder), pid)

        return Crew(options.workers, listener, lambda: run(config(shared), listener), mourn).run()


def about(chosen: Chosen) -> Iterator[str]:
    """Say who answers; of the reader, that it is no language model, where nobody chose it."""
    if chosen.is_fallback:
        yield "No OPENAI_API_KEY: answered by the built-in reader (not a language model)."
    else:
        yield f"Answered by {chosen.engine.name}: {chosen.why}."


def run(made: Config, listener: socket.socket) -> int:
    """Serve until SIGINT or SIGTERM, and give 0 once all that was in flight is answered."""
    # uvicorn raises the signal again when it is done, for whoever was there before it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: None)
    uvicorn.Server(made).run([listener])
    return 0


def for_each_worker(options: Options, folder: Path) -> Options:
    """Give the options of one worker of several: a budget is shared out, so that it holds."""
    client = options.client
    budget_usd = client.get("budget_usd")
    if budget_usd is not None:
        client = {**client, "budget_usd": Decimal(str(budget_usd)) / options.workers}
    return replace(options, client=client, metrics_folder=folder)


def config(options: Options) -> Config:
    return Config(
        make_app(options),
        options.bounds,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
    )


def with_token(options: Options, say: Callable[[str], None]) -> Options:
    """Where others can reach the gateway it has a token: the given one, or one made here."""
    if options.token or options.is_loopback:
        return options
    token = secrets.token_urlsafe(24)
    say(f"Others can reach {options.host}, so clients need this key: {token}")
    return replace(options, token=Secret(token))


def listen(options: Options) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    made = socket.socket(family)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((options.host, options.port))
    except OSError as error:
        made.close()
        found = f"{options.host} port {options.port} ({error.strerror or error})"
        raise SettingsError("--host, --port", found, "an address of this machine") from None
    made.listen(BACKLOG)
    return made


def address(options: Options, listener: socket.socket) -> str:
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"http://{host}:{listener.getsockname()[1]}"
