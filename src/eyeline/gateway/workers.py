"""Several workers behind one socket: started, watched, replaced where one dies, and stopped."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from threading import Thread
from types import FrameType

# A worker that dies so often has a fault that starting it again does not mend.
DEATHS_MAX = 20


class Crew:
    """
    Forks workers, which each run `work` on what comes in at `listener`, and stays until they are
    told to stop. `mourn` is told of each that dies before.
    """

    def __init__(
        self,
        count: int,
        listener: socket.socket,
        work: Callable[[], int],
        mourn: Callable[[int], None],
    ) -> None:
        self.count, self.listener, self.work, self.mourn = count, listener, work, mourn
        self.pids: set[int] = set()
        # Held open by this process alone: its end is how a worker learns of ours.
        self.watched, self.held = os.pipe()
        self.is_stopping = False
        self.deaths = 0

    def run(self) -> int:
        """Give the exit status: 0 once all stopped as they were told, 1 where they kept dying."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        for _ in range(self.count):
            self.start()
        while self.pids:
            pid, _ = os.wait()
            self.pids.discard(pid)
            if not self.is_stopping:
                self.replace(pid)
        return 1 if self.deaths > DEATHS_MAX else 0

    def start(self) -> None:
        pid = os.fork()
        if pid:
            self.pids.add(pid)
            return
        status = 1
        try:
            os.close(self.held)
            Thread(target=end_with, args=(self.watched,), daemon=True).start()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            status = self.work()
        finally:
            os._exit(status)

    def replace(self, pid: int) -> None:
        self.deaths += 1
        self.mourn(pid)
        if self.deaths > DEATHS_MAX:
            self.stop(signal.SIGTERM, None)
        else:
            self.start()

    def stop(self, number: int, frame: FrameType | None) -> None:
        self.is_stopping = True
        # Or who connects now would wait in line for nobody.
        self.listener.close()
        for pid in self.pids:
            os.kill(pid, signal.SIGTERM)


def end_with(pipe: int) -> None:
    """Stop this process once nobody holds the other end of a pipe: no worker outlives its crew."""
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)
