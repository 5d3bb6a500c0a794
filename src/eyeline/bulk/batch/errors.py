"""
Errors of the Batch API.

EyelineError
├── BatchFailed              a batch was refused as a whole
├── BatchPending             batches are on their way, and nobody waits for them
├── BatchExpired             a row was not answered in time, several times
├── LineTooLarge             one request is more than a file for the Batch API may be
└── ConnectionFailed
    └── Parked               this request goes with a batch
"""

from __future__ import annotations

from eyeline.errors import ConnectionFailed, EyelineError


class Parked(ConnectionFailed):
    """
    This request goes, or is gone, with a batch. For the flow nothing was sent, and nothing costs.
    """

    def __str__(self) -> str:
        return "goes with a batch"


class BatchFailed(EyelineError):
    """A batch was refused as a whole; `found` is the API's reason."""

    hint = "without --batch the same command goes on live"
    exit_code = 1

    def __init__(self, batch: str, found: str) -> None:
        super().__init__(batch, found)
        self.batch, self.found = batch, found

    def __str__(self) -> str:
        return f"{self.batch}: the batch failed ({self.found})"


class BatchPending(EyelineError):
    """Batches are on their way, and nobody waits for them."""

    hint = "the same command collects them"
    exit_code = 0

    def __init__(self, batches: int, requests: int) -> None:
        super().__init__(batches, requests)
        self.batches, self.requests = batches, requests

    def __str__(self) -> str:
        batches = "1 batch" if self.batches == 1 else f"{self.batches:,} batches"
        return f"{batches} with {self.requests:,} requests on the way, done within 24 hours"


class BatchExpired(EyelineError):
    """A row was not answered in time, as often as it was tried; `found` is the last reason."""

    hint = "--retry-failed asks again, without --batch at once"

    def __init__(self, source: str, found: str) -> None:
        super().__init__(source, found)
        self.source, self.found = source, found

    def __str__(self) -> str:
        return f"{self.source}: not answered by the Batch API ({self.found})"


class LineTooLarge(EyelineError):
    """One request is more than a whole file for the Batch API may be."""

    hint = "ask about fewer or smaller images at once, or without --batch"

    def __init__(self, source: str, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(source, size_bytes, limit_bytes)
        self.source, self.size_bytes, self.limit_bytes = source, size_bytes, limit_bytes

    def __str__(self) -> str:
        return f"{self.source}: {self.size_bytes:,} bytes, a batch takes {self.limit_bytes:,}"
