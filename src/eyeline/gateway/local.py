"""The engine in this process, as the whole API: what it answers with, and where it keeps things."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from eyeline.adapters.shelf import SqliteShelf
from eyeline.adapters.threaded import ThreadedTransport
from eyeline.client import AsyncClient
from eyeline.core.catalogue import Model
from eyeline.local.reader import Reader
from eyeline.local.service import Service
from eyeline.wiring import Wiring


def open_shelf(wiring: Wiring) -> SqliteShelf:
    """Give the shelf beside the cache; without a cache, one that goes with the process."""
    is_kept = wiring.options.get("cache", True)
    folder = wiring.settings.cache_dir if is_kept else Path(mkdtemp(prefix="eyeline-"))
    return SqliteShelf(folder / "gateway.sqlite3")


def serve_here(client: AsyncClient, shelf: SqliteShelf, find: Callable[[str], Model]) -> None:
    """Let a client of the reader answer as the whole API."""
    client.driver.transport = ThreadedTransport(Service(Reader(), find, shelf))
