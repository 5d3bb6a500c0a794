"""Runs the gateway under uvicorn, until SIGINT or SIGTERM."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from dataclasses import replace

import uvicorn

from eyeline.core.secret import Secret
from eyeline.errors import SettingsError
from eyeline.gateway.app import make_app
from eyeline.gateway.options import Options
from eyeline.gateway.protocol import Config

# How long answers that are on their way may take once the gateway is told to stop.
DRAIN_S = 30
BACKLOG = 2048


def serve(options: Options, say: Callable[[str], None]) -> int:
    """
    Serve until told to stop; answers on their way are given first. `say` gets each line for people.

    Raises SettingsError where nobody can listen at that address, and what `make_app` raises.
    """
    options = with_token(options, say)
    listener = listen(options)
    server, here = uvicorn.Server(config(options)), address(options, listener)
    say(f"eyeline serves {here}/v1 and the page at {here}/")
    server.run([listener])
    return 0


def config(options: Options) -> uvicorn.Config:
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
