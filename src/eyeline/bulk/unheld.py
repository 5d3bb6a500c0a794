"""Large files, which a run reads again when they are prepared or sent: nobody holds them before."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from eyeline.adapters.sightings import AsSeen, absolute, state_of
from eyeline.core.picture import Picture, Sighting

# Reading a smaller one twice costs more than holding what waits.
HELD_BYTES_MAX = 2**18


class LargeFiles:
    """
    The Files of a run. It remembers nothing: that saves reading a file a second time, and a run
    reads each but once.
    """

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.now_ns = now_ns

    def glance(self, file: Path) -> Sighting:
        return self.known(file)

    def known(self, file: Path) -> Sighting:
        path = absolute(file)
        state = state_of(path)
        if state is None or state.size_bytes <= HELD_BYTES_MAX:
            return Sighting(path, None)
        if not state.is_settled(self.now_ns()):
            # Written so lately that it may be written again unnoticed.
            return Sighting(path, None)
        return Sighting(path, state, None, AsSeen(path, state))

    def remember(self, sighting: Sighting, picture: Picture) -> None:
        pass

    def recognise(self, digest: str) -> None:
        return None
