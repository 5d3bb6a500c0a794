"""Requests and tokens a minute, as token buckets; the clock's reading is an argument."""

from __future__ import annotations

import threading

MINUTE_S = 60.0


class TokenBucket:
    """
    A reservation bucket: each caller takes its amount at once and is told how long to wait.

    The level may go below zero, so a request larger than the bucket passes too, later.
    """

    def __init__(self, per_minute: float) -> None:
        self.rate_per_s = per_minute / MINUTE_S
        # A second's worth, and one whole request where a minute takes fewer than sixty.
        self.burst = max(1.0, per_minute / MINUTE_S)
        self.level = self.burst
        self.at_s: float | None = None

    def reserve(self, amount: float, now_s: float) -> float:
        """Take `amount` and give the seconds to wait before it may be used."""
        # A thread may come with an older reading than the one before it: time is counted once.
        at_s = now_s if self.at_s is None else max(now_s, self.at_s)
        passed_s = 0.0 if self.at_s is None else at_s - self.at_s
        self.level = min(self.burst, self.level + passed_s * self.rate_per_s) - amount
        self.at_s = at_s
        return max(0.0, at_s - now_s - self.level / self.rate_per_s)


class Pace:
    """The two limits of one engine and model; None is no limit. Safe to share between threads."""

    def __init__(
        self, requests_per_min: float | None = None, tokens_per_min: float | None = None
    ) -> None:
        self.requests = TokenBucket(requests_per_min) if requests_per_min else None
        self.tokens = TokenBucket(tokens_per_min) if tokens_per_min else None
        self.lock = threading.Lock()

    def reserve(self, tokens: int, now_s: float) -> float:
        """Take one request of `tokens` and give the seconds to wait before sending it."""
        with self.lock:
            return max(
                self.requests.reserve(1, now_s) if self.requests else 0.0,
                self.tokens.reserve(tokens, now_s) if self.tokens else 0.0,
            )
