"""
Numbers for Prometheus, in its text format. Source: the exposition format 0.0.4.

Each worker counts in a file of its own, which any of them can read: whichever is asked gives the
sum of all.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from struct import calcsize, pack_into, unpack_from
from typing import TYPE_CHECKING

from eyeline.relay import APIS

if TYPE_CHECKING:
    from eyeline.gateway.journal import Entry

ENDPOINTS = (
    "chat/completions", "responses", "responses/input_tokens", "files", "batches", "models",
    "eyeline", "other",
)  # fmt: skip
STATUSES = ("2xx", "3xx", "4xx", "5xx")
# Seconds; an answer of the reader's takes some tenths, one of a reasoning model's minutes.
BUCKETS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
TOTALS = {
    "cache_hits": "Requests answered from the cache.",
    "image_tokens": "Tokens of images sent or looked up, as counted here.",
    "input_tokens": "Tokens of input, as engines said.",
    "output_tokens": "Tokens of output, as engines said.",
    "cost_usd": "Dollars spent, where the price is known.",
    "sent_bytes": "Bytes of response bodies.",
}
IN_FLIGHT = "in_flight"
NUMBER = "d"


def slots() -> Iterator[tuple[str, ...]]:
    """Name every number that is counted, in the order in which they stand in a file."""
    for endpoint in ENDPOINTS:
        yield from (("requests", endpoint, status) for status in STATUSES)
    for path in APIS:
        yield from (("bucket", path[1:], str(le)) for le in (*BUCKETS_S, "+Inf"))
        yield "seconds", path[1:]
    yield from ((name,) for name in (*TOTALS, IN_FLIGHT))


PLACES = {slot: at * calcsize(NUMBER) for at, slot in enumerate(slots())}
SIZE_BYTES = len(PLACES) * calcsize(NUMBER)


class Metrics:
    """The numbers of one worker; with a folder, among those of others."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.numbers = mmap.mmap(-1, SIZE_BYTES) if folder is None else own_file(folder)

    def add(self, slot: tuple[str, ...], amount: float = 1) -> None:
        place = PLACES[slot]
        pack_into(NUMBER, self.numbers, place, unpack_from(NUMBER, self.numbers, place)[0] + amount)

    def begin(self) -> None:
        self.add((IN_FLIGHT,))

    def end(self, entry: Entry) -> None:
        """Count one request that is over."""
        endpoint = endpoint_of(entry.path)
        self.add((IN_FLIGHT,), -1)
        self.add(("requests", endpoint, f"{min(max(entry.status // 100, 2), 5)}xx"))
        self.add(("sent_bytes",), entry.sent_bytes)
        if entry.api:
            seconds = entry.ended_s - entry.started_s
            self.add(("bucket", endpoint, bucket(seconds)))
            self.add(("seconds", endpoint), seconds)
        if entry.passed:
            usage = entry.passed.usage
            self.add(("cache_hits",), entry.passed.cached)
            self.add(("image_tokens",), entry.passed.image_tokens)
            self.add(("input_tokens",), usage.input_tokens or 0)
            self.add(("output_tokens",), usage.output_tokens or 0)
            self.add(("cost_usd",), float(entry.passed.cost_usd or 0))

    def text(self) -> str:
        """Give all numbers, those of other workers too, as Prometheus reads them."""
        return "\n".join(lines(self.sums())) + "\n"

    def sums(self) -> dict[tuple[str, ...], float]:
        files = [self.numbers] if self.folder is None else map(read, self.folder.iterdir())
        each = [unpack_from(f"{len(PLACES)}{NUMBER}", numbers) for numbers in files]
        return dict(zip(PLACES, map(sum, zip(*each, strict=True)), strict=True))


def own_file(folder: Path) -> mmap.mmap:
    path = folder / str(os.getpid())
    path.write_bytes(bytes(SIZE_BYTES))
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), SIZE_BYTES)


def forget(folder: Path, pid: int) -> None:
    """Count nothing as in flight in a worker that died; all else it counted stays."""
    path = folder / str(pid)
    if path.exists():
        numbers = bytearray(path.read_bytes())
        pack_into(NUMBER, numbers, PLACES[IN_FLIGHT,], 0)
        path.write_bytes(numbers)


def read(path: Path) -> bytes:
    return path.read_bytes()


def endpoint_of(path: str) -> str:
    """Give the endpoint a path belongs to; what clients make up is all one."""
    plain = path.removeprefix("/v1").strip("/")
    first = plain.partition("/")[0]
    return plain if f"/{plain}" in APIS else first if first in ENDPOINTS else "other"


def bucket(seconds: float) -> str:
    return str(next((le for le in BUCKETS_S if seconds <= le), "+Inf"))


def lines(sums: dict[tuple[str, ...], float]) -> Iterator[str]:
    yield from heading("requests_total", "counter", "Requests by endpoint and kind of status.")
    for endpoint in ENDPOINTS:
        for status in STATUSES:
            labels = f'endpoint="{endpoint}",status="{status}"'
            yield f"eyeline_requests_total{{{labels}}} {sums['requests', endpoint, status]:g}"
    name = "eyeline_request_seconds"
    yield from heading("request_seconds", "histogram", "From the first byte in to the last out.")
    for path in APIS:
        endpoint = path[1:]
        les = [str(le) for le in (*BUCKETS_S, "+Inf")]
        counts = list(accumulate(sums["bucket", endpoint, le] for le in les))
        for le, count in zip(les, counts, strict=True):
            yield f'{name}_bucket{{endpoint="{endpoint}",le="{le}"}} {count:g}'
        yield f'{name}_sum{{endpoint="{endpoint}"}} {sums["seconds", endpoint]:.6f}'
        yield f'{name}_count{{endpoint="{endpoint}"}} {counts[-1]:g}'
    for total, what in TOTALS.items():
        yield from heading(f"{total}_total", "counter", what)
        yield f"eyeline_{total}_total {sums[(total,)]:.10g}"
    yield from heading(IN_FLIGHT, "gauge", "Requests that are being answered.")
    yield f"eyeline_{IN_FLIGHT} {sums[(IN_FLIGHT,)]:g}"


def heading(name: str, kind: str, what: str) -> Iterator[str]:
    yield f"# HELP eyeline_{name} {what}"
    yield f"# TYPE eyeline_{name} {kind}"
