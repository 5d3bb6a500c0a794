"""Files that nobody holds while their rows wait: a run reads each but once, and lets it go."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from eyeline.adapters.sightings import AsSeen, absolute, state_of
from eyeline.core.picture import FileState, Picture, Sighting

# A larger file is read a second time, where it is prepared: many wait for that, each in memory.
KEPT_BYTES_MAX = 2**18


class Once:
    """
    Gives a file's bytes as they were loaded, once, and after that, as for a second try, as long as
    the file is what it was.
    """

    def __init__(self, path: str, state: FileState) -> None:
        self.again = AsSeen(path, state)
        self.data = b""

    def keep(self, data: bytes) -> None:
        self.data = data if len(data) <= KEPT_BYTES_MAX else b""

    def __call__(self) -> bytes:
        data, self.data = self.data, b""
        return data or self.again()


class Unheld:
    """The Files of a run. It remembers nothing: that is for who asks about a file again."""

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.now_ns = now_ns

    def glance(self, file: Path) -> Sighting:
        return self.known(file)

    def known(self, file: Path) -> Sighting:
        path = absolute(file)
        state = state_of(path)
        if state is None or not state.is_settled(self.now_ns()):
            # Written so lately that it may be written again unnoticed: what was loaded is sent.
            return Sighting(path, None)
        return Sighting(path, state, None, Once(path, state))

    def remember(self, sighting: Sighting, picture: Picture) -> None:
        pass

    def recognise(self, digest: str) -> Picture | None:
        return None
