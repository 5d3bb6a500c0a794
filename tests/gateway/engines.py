"""Engines of one connection, which notice when it is closed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def one_connection(first: bytes, more: bytes = b"") -> Iterator[tuple[str, threading.Event]]:
    """
    Serve one connection: send `first` for its request, then `more` without end, or nothing; and
    wait until it is closed.
    """
    closed = threading.Event()

    def run(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(ConnectionError):
            connection.recv(65536)
            connection.sendall(first)
            while more or connection.recv(65536):
                connection.sendall(more)
        closed.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=run, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", closed
