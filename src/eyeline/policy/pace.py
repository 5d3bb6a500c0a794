"""How fast requests go out to one model under one key; the clock's reading is an argument."""

from __future__ import annotations

from dataclasses import dataclass

from eyeline.core.ratelimits import Allowance, Allowances
from eyeline.policy.bucket import Bucket

MINUTE_S = 60.0
# Of a limit that a server names: what comes evenly still comes a little unevenly to it.
SHARE = 0.97
# However long the wait, somebody who waits looks again: the rate may have risen.
WAIT_S_MAX = 1.0
# Sooner than clocks can tell.
SOON_S = 0.0005


@dataclass(frozen=True, slots=True)
class Turn:
    """
    A place in the line of one model. It is asked for again after `wait_s`, until that is 0: then
    the request may go, at `at_s`.
    """

    wait_s: float
    at_s: float
    request: float | None = None
    token: float | None = None


NOWHERE = Turn(0.0, 0.0)


class Pace:
    """The two limits of one model, set by hand or named by the server; None as long as unknown."""

    def __init__(
        self, requests_per_min: float | None = None, tokens_per_min: float | None = None
    ) -> None:
        self.requests = Limit(requests_per_min)
        self.tokens = Limit(tokens_per_min)

    def reserve(self, tokens: int, turn: Turn | None, now_s: float) -> Turn:
        """Take a place in line, or look again how long the wait for it is."""
        before = turn or NOWHERE
        request, request_wait_s = self.requests.wait(1, before.request, now_s)
        token, token_wait_s = self.tokens.wait(tokens, before.token, now_s)
        wait_s = max(request_wait_s, token_wait_s)
        return Turn(0.0 if wait_s < SOON_S else min(wait_s, WAIT_S_MAX), now_s, request, token)

    def give_back(self, tokens: int, turn: Turn) -> None:
        """Leave the line without having sent."""
        self.requests.give_back(1, turn.request)
        self.tokens.give_back(tokens, turn.token)

    def correct(self, more_tokens: int) -> None:
        """Count the tokens that an answer took beyond those it was given."""
        if self.tokens.bucket:
            self.tokens.bucket.correct(more_tokens)

    def heed(self, allowances: Allowances, now_s: float) -> None:
        """Take the limits that a server names."""
        if allowances.requests:
            self.requests.heed(allowances.requests, now_s)
        if allowances.tokens:
            self.tokens.heed(allowances.tokens, now_s)


class Limit:
    """One limit: what was set by hand stands, what the server names is followed."""

    def __init__(self, per_min: float | None) -> None:
        self.is_by_hand = per_min is not None
        self.bucket = None if per_min is None else Bucket(per_min / MINUTE_S)

    def wait(self, amount: float, place: float | None, now_s: float) -> tuple[float | None, float]:
        """Give a place, the same if there is one, and the wait for it in seconds."""
        if self.bucket is None:
            return None, 0.0
        place = self.bucket.take(amount, now_s) if place is None else place
        return place, self.bucket.wait_s(place, now_s)

    def give_back(self, amount: float, place: float | None) -> None:
        if self.bucket is not None and place is not None:
            self.bucket.give_back(place, amount)

    def heed(self, allowance: Allowance, now_s: float) -> None:
        """
        Follow what the server names; who has used it up waits until there is one again.

        What remains is never a reason to go faster: a server that counts by the second says so of
        its minute too.
        """
        rate_per_s = SHARE * allowance.per_min / MINUTE_S
        if self.bucket is None:
            self.bucket = Bucket(rate_per_s)
        elif not self.is_by_hand and rate_per_s != self.bucket.rate_per_s:
            self.bucket.set_rate(rate_per_s, now_s)
        if allowance.remaining < 1:
            self.bucket.pause(now_s + (1 - allowance.remaining) / self.bucket.rate_per_s, now_s)
