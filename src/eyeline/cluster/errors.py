"""What a run on a cluster raises beside the errors of a run."""

from __future__ import annotations

from eyeline.errors import EyelineError


class RunUnknown(EyelineError):
    """The limiter does not know this run: it was started again, and is to be told."""

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self.run = run

    def __str__(self) -> str:
        return f"{self.run}: a run that this limiter does not know"


class RunStopped(EyelineError):
    """The run was stopped, so no more requests of it may go out."""

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self.run = run

    def __str__(self) -> str:
        return f"{self.run}: stopped"


class ClusterUnreachable(EyelineError):
    """The cluster cannot be reached, or does not answer; `found` is what its engine said."""

    hint = "check the address, and that the cluster is up; the same command goes on"
    exit_code = 2

    def __init__(self, address: str, found: str) -> None:
        super().__init__(address, found)
        self.address, self.found = address, found

    def __str__(self) -> str:
        return f"{self.address}: no cluster ({self.found})"
