"""What is said on the log, once a process: who answered, and which model is about to go."""

from __future__ import annotations

import logging
from datetime import date, timedelta

from eyeline.core.catalogue import READER, Model, shutdown_warning
from eyeline.core.wire import Request, Response
from eyeline.ports import ResponseStream, Transport

logger = logging.getLogger("eyeline")
SHUTDOWN_NOTICE = timedelta(days=180)


class Announcing:
    """A transport to the reader that says once a process who answered, since nobody chose it."""

    def __init__(self, transport: Transport, model: str | None) -> None:
        self.transport, self.model = transport, model

    def send(self, request: Request) -> Response:
        response = self.transport.send(request)
        announce_reader(self.model)
        return response

    def open(self, request: Request) -> ResponseStream:
        stream = self.transport.open(request)
        announce_reader(self.model)
        return stream

    def close(self) -> None:
        self.transport.close()


def announce_reader(model: str | None) -> None:
    """Say on the log's stderr that no model was asked."""
    asked = f"{model} is not asked; " if model and model != READER else ""
    announce(f"No OPENAI_API_KEY: {asked}answered by the built-in reader (not a language model).")


def announce_shutdown(model: Model) -> None:
    """Say on the log that a model is, or soon will be, shut down; never of one that runs here."""
    warning = shutdown_notice(model)
    if warning:
        announce(warning)


def shutdown_notice(model: Model) -> str:
    """Give the warning for a model that is shut down, or will be within half a year; else ""."""
    if model.shutdown_date is None and not model.is_shut_down(""):
        return ""
    today = date.today()
    return shutdown_warning(model, str(today), str(today + SHUTDOWN_NOTICE))


def announce(message: str) -> None:
    """Log a warning, once a process."""
    if message not in announced:
        announced.add(message)
        logger.warning(message)


announced: set[str] = set()
