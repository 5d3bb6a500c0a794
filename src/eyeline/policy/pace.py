"""How fast requests go out to one model under one key; the clock's reading is an argument."""

from __future__ import annotations

from dataclasses import dataclass, replace

from eyeline.core.ratelimits import Allowance, Allowances
from eyeline.policy.bucket import Bucket
from eyeline.policy.rate import UNLIMITED, Rate
from eyeline.policy.refusals import Sent
from eyeline.policy.window import IN_FLIGHT_MAX, Window

MINUTE_S = 60.0
# Of a limit that a server names: what comes evenly still comes a little unevenly to it.
SHARE = 0.98
# However long the wait, somebody who waits looks again: the rate may have risen.
WAIT_S_MAX = 1.0
# Sooner than clocks can tell.
SOON_S = 0.0005
# Where a server asks for a longer wait than this, and then does refuse, all wait.
ADVICE_S_MIN = 1.5
# In flight for a limit that is named or set by hand: what waits in line, and no more than this,
# for a limit may be far above what a server can do.
AHEAD, ALLOWED_MAX = 8, 256


@dataclass(frozen=True, slots=True)
class Turn:
    """
    A place in the line of one model. It is asked for again after `wait_s`, until that is 0: then
    the request may go, at `at_s`, and `sent` says what the pace knows of it.
    """

    wait_s: float
    at_s: float
    request: float | None = None
    token: float | None = None
    has_waited: bool = False
    sent: Sent | None = None


NOWHERE = Turn(0.0, 0.0)


class Pace:
    """
    The limits of one model: requests and tokens a minute, set by hand, named by the server, or
    found, and how many may be in flight. An engine in this process has only the last.
    """

    def __init__(
        self,
        requests_per_min: float | None = None,
        tokens_per_min: float | None = None,
        in_flight_max: int = IN_FLIGHT_MAX,
        *,
        is_here: bool = False,
    ) -> None:
        by_hand = None if requests_per_min is None else requests_per_min / MINUTE_S
        self.is_by_hand, self.is_here = by_hand is not None, is_here
        self.rate = Rate(by_hand)
        self.requests = Bucket(self.rate.per_s)
        self.tokens = Tokens(tokens_per_min)
        self.window = Window(in_flight_max)
        self.latency_s = 0.0
        # Until when a server asked to wait, and how many had gone by then.
        self.advised_until_s, self.gone = 0.0, 0

    @property
    def in_flight(self) -> int:
        """How many are worth having in flight: for a rate that is allowed, as many as it takes."""
        if self.rate.ceiling_per_s == UNLIMITED:
            return self.window.size
        enough = AHEAD + int(1.25 * self.rate.per_s * self.latency_s)
        return max(self.window.size, min(enough, ALLOWED_MAX))

    def reserve(self, tokens: int, turn: Turn | None, now_s: float, *, patient: bool) -> Turn:
        """
        Take a place in line, or look again how long the wait for it is.

        Only who is `patient` waits while nothing is known of the server: who sends a great many
        leaves it to the pace how many to begin with, who sends one wants it sent.
        """
        before = turn or NOWHERE
        request, wait_s = before.request, 0.0
        if not self.is_here and (patient or self.rate.is_known):
            request = self.requests.take(1, now_s) if request is None else request
            wait_s = self.requests.wait_s(request, now_s)
        token, token_wait_s = self.tokens.wait(tokens, before.token, now_s)
        wait_s = max(wait_s, token_wait_s)
        if wait_s >= SOON_S:
            return Turn(min(wait_s, WAIT_S_MAX), now_s, request, token, has_waited=True)
        return self.go(
            replace(before, wait_s=0.0, at_s=now_s, request=request, token=token), patient
        )

    def go(self, turn: Turn, patient: bool) -> Turn:
        is_ramp = patient and not self.rate.is_known
        sent = self.rate.send(turn.at_s, rises=turn.has_waited or is_ramp)
        self.follow(turn.at_s)
        return replace(turn, sent=sent)

    def follow(self, now_s: float) -> None:
        """Let the line go at the rate that is right now."""
        if self.rate.per_s != self.requests.rate_per_s:
            self.requests.set_rate(self.rate.per_s, now_s)

    # --- what came back -------------------------------------------------------------------------

    def give_back(self, tokens: int, turn: Turn) -> None:
        """Leave the line without having sent."""
        if turn.request is not None:
            self.requests.give_back(turn.request, 1)
        self.tokens.give_back(tokens, turn.token)

    def answer(self, turn: Turn, now_s: float) -> None:
        """Count a request that was let through."""
        self.window.answer(now_s, has_waited=turn.has_waited)
        self.latency_s += (now_s - turn.at_s - self.latency_s) / (10 if self.latency_s else 1)

    def refuse(self, turn: Turn, advised_s: float | None, now_s: float) -> None:
        """Slow down all, for a request that came too fast."""
        if turn.sent is None or self.is_here:
            return
        self.rate.refuse(turn.sent)
        self.follow(now_s)
        self.requests.pause(self.rate.pause_until_s, now_s)
        if advised_s is not None and advised_s > ADVICE_S_MIN:
            self.heed_advice(turn.sent, now_s + advised_s, now_s)

    def heed_advice(self, sent: Sent, until_s: float, now_s: float) -> None:
        """
        Let all wait as long as a server asks for, once it has refused a request that went after it
        had asked: many servers name a time that their own limit does not need.
        """
        if now_s >= self.advised_until_s:
            self.advised_until_s, self.gone = until_s, self.rate.count
        elif sent.number > self.gone:
            self.requests.pause(self.advised_until_s, now_s)

    def correct(self, more_tokens: int) -> None:
        """Count the tokens that an answer took beyond those it was given."""
        self.tokens.correct(more_tokens)

    def heed(self, allowances: Allowances, now_s: float) -> None:
        """
        Take the limits that a server names; what is set by hand stands.

        What remains is never a reason to go faster, and only where more than all was taken one to
        go slower: then others use the same limit.
        """
        requests, tokens = allowances.requests, allowances.tokens
        if requests and not self.is_by_hand:
            self.rate.limit(SHARE * requests.per_min / MINUTE_S)
            self.follow(now_s)
        if requests:
            overdrawn(self.requests, requests, now_s)
        if tokens:
            self.tokens.heed(tokens, now_s)


class Tokens:
    """The limit of tokens; none as long as nobody names one."""

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

    def correct(self, more: float) -> None:
        if self.bucket is not None:
            self.bucket.correct(more)

    def heed(self, allowance: Allowance, now_s: float) -> None:
        per_s = SHARE * allowance.per_min / MINUTE_S
        if self.bucket is None:
            self.bucket = Bucket(per_s)
        elif not self.is_by_hand and per_s != self.bucket.rate_per_s:
            self.bucket.set_rate(per_s, now_s)
        overdrawn(self.bucket, allowance, now_s)


def overdrawn(bucket: Bucket, allowance: Allowance, now_s: float) -> None:
    """Let nothing through until what was taken too much has come again; not longer, for each."""
    if allowance.remaining < 0 and not bucket.is_paused(now_s):
        bucket.pause(now_s - allowance.remaining / bucket.rate_per_s, now_s)
