"""Servers with a limit, and a client that asks many at once, in virtual time."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from eyeline.policy.pace import Pace, Turn

RateAt = Callable[[float], float]
# From client to server; the spread is what makes even sending uneven.
NET_S, SPREAD_S = 0.002, 0.003


class BucketServer:
    """Fills at the rate up to `burst_s` seconds' worth."""

    def __init__(self, burst_s: float) -> None:
        self.burst_s = burst_s
        self.level: float | None = None
        self.at_s = 0.0

    def allows(self, now_s: float, per_s: float) -> bool:
        most = max(1.0, self.burst_s * per_s)
        filled = (now_s - self.at_s) * per_s
        self.level = most if self.level is None else min(most, self.level + filled)
        self.at_s = now_s
        if self.level < 1:
            return False
        self.level -= 1
        return True


class SlidingServer:
    """Counts the last second."""

    def __init__(self) -> None:
        self.passed: deque[float] = deque()

    def allows(self, now_s: float, per_s: float) -> bool:
        while self.passed and self.passed[0] <= now_s - 1:
            self.passed.popleft()
        if len(self.passed) >= per_s:
            return False
        self.passed.append(now_s)
        return True


class ClockServer:
    """Counts each second of the clock."""

    def __init__(self) -> None:
        self.second, self.passed = -1, 0

    def allows(self, now_s: float, per_s: float) -> bool:
        if int(now_s) != self.second:
            self.second, self.passed = int(now_s), 0
        if self.passed >= per_s:
            return False
        self.passed += 1
        return True


SERVERS: dict[str, Callable[[], Any]] = {
    "a tenth of a second's burst": lambda: BucketServer(0.1),
    "a second's burst": lambda: BucketServer(1.0),
    "two seconds' burst": lambda: BucketServer(2.0),
    "the last second": SlidingServer,
    "the clock's second": ClockServer,
}


@dataclass
class Count:
    """What a server let through and refused, second by second."""

    served: list[int]
    refused: list[int]

    def reached(self, per_s: float, from_s: int, until_s: int | None = None) -> float:
        """Give the share of a rate that was reached."""
        served = self.served[from_s:until_s]
        return sum(served) / len(served) / per_s

    def share_refused(self, from_s: int = 0, until_s: int | None = None) -> float:
        refused = sum(self.refused[from_s:until_s])
        return refused / (refused + sum(self.served[from_s:until_s]))


@dataclass
class Run:
    """
    One client's run of many requests against one server; a row that is refused comes again. As
    many as the pace wants are in flight, or so many `at_once`, which wait for nothing.
    """

    pace: Pace
    server: Any
    rate: RateAt
    latency_s: float
    count: Count
    advised_s: float | None = None
    at_once: int | None = None
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    events: list[tuple[float, int, Callable[..., None], Any]] = field(default_factory=list)
    order: Iterator[int] = field(default_factory=itertools.count)
    now_s: float = 0.0
    rows: int = 0

    def later(self, wait_s: float, act: Callable[..., None], *given: Any) -> None:
        heapq.heappush(self.events, (self.now_s + wait_s, next(self.order), act, given))

    def run(self, until_s: float) -> Count:
        self.begin_rows()
        while self.events and self.events[0][0] < until_s:
            self.now_s, _, act, given = heapq.heappop(self.events)
            act(*given)
        return self.count

    def begin_rows(self) -> None:
        while self.rows < (self.at_once or self.pace.in_flight):
            self.rows += 1
            self.ask(None, 0)

    def ask(self, turn: Turn | None, tries: int) -> None:
        turn = self.pace.reserve(1, turn, self.now_s, patient=self.at_once is None)
        if turn.wait_s:
            self.later(turn.wait_s + self.spread(0.0005), self.ask, turn, tries)
        else:
            self.later(NET_S + self.spread(SPREAD_S), self.arrive, turn, tries)

    def arrive(self, turn: Turn, tries: int) -> None:
        if self.server.allows(self.now_s, self.rate(self.now_s)):
            self.count.served[int(self.now_s)] += 1
            self.later(self.latency_s * self.chance.uniform(0.7, 1.3), self.end, turn)
        else:
            self.count.refused[int(self.now_s)] += 1
            self.later(NET_S + self.spread(SPREAD_S), self.fail, turn, tries)

    def end(self, turn: Turn) -> None:
        self.pace.answer(turn, self.now_s)
        self.rows -= 1
        self.begin_rows()

    def fail(self, turn: Turn, tries: int) -> None:
        self.pace.refuse(turn, self.advised_s, self.now_s)
        backoff_s = self.chance.random() * min(1.0, 0.5 * 2 ** min(tries, 9))
        wait_s = backoff_s if self.advised_s is None else self.advised_s
        self.later(wait_s, self.ask, None, tries + 1)

    def spread(self, mean_s: float) -> float:
        return self.chance.expovariate(1 / mean_s)


def run(
    server: str, rate: RateAt, seconds: int, latency_s: float = 0.2, *,
    pace: Pace | None = None, advised_s: float | None = None, at_once: int | None = None,
) -> Count:  # fmt: skip
    """Ask for so many seconds of virtual time."""
    count = Count([0] * seconds, [0] * seconds)
    made = pace or Pace()
    made_run = Run(made, SERVERS[server](), rate, latency_s, count, advised_s, at_once)
    return made_run.run(seconds)
