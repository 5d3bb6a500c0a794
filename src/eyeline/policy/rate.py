"""
How many requests a second a server allows that does not say so: found by going faster until it
refuses, and then by counting.

Servers keep such a limit in different ways. One fills a bucket, of a second's worth or of ten
requests; one counts the last second; one counts each second of the clock. What they have in
common is that a refusal says where they stand: the bucket is empty, the window full. What they
let through from one refusal on until the next is therefore no more than their rate, whatever
burst they allow, and the rate at which the next refusal came is no less. Between the two lies
what is believed, with a doubt: half of what lies between them, as a share of the rate.

After a refusal the rate starts below what is believed by the doubt, comes up to a little under it,
stays there the longer the smaller the doubt, and goes on faster and faster: a cubic curve, as TCP
takes it (RFC 9438), counted in requests, not in seconds, so that refusals are the same small share
of requests at any rate. docs/limits.md has the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from eyeline.policy.refusals import Refusals, Sent

UNLIMITED = float("inf")
FIRST_PER_S = 6.0
LEAST_PER_S = 0.2
MARKS_MAX = 100
DOUBT_MIN, DOUBT_MAX = 0.02, 0.4
# Where nothing is known but one refusal, or a pause had to be made.
DOUBT_AT_FIRST = 0.3
# How far under the belief the curve is flat.
UNDER = 0.015
# Requests on the way up to the belief: this over the doubt, in bounds of time.
CLIMB = 4.0
# How much each request adds to the rate at most, in requests a second: so much of it is added each
# second. Near the belief it is little, for a server that counts seconds refuses a second later.
# Where the belief may be far off, it may be more.
STEP_NEAR, STEP_ABOVE, STEP_BELOW = 0.1, 0.25, 0.6
# A measure of less than this much is none: so many let through, or so long.
PASSED_MIN, SHORT_S, LONG_S = 10, 0.05, 0.7
# Refusals further apart say nothing of one another.
LONG_AGO_S = 3.0
# By how many seconds the times of sending and of arriving may differ from request to request.
UNEVEN_S = 0.002


@dataclass(frozen=True, slots=True)
class Belief:
    """A rate, and how far it may be off, as a share of it."""

    per_s: float
    doubt: float

    def joined(self, measured: Belief) -> Belief:
        """Weigh a measure against what was believed; one that contradicts it stands alone."""
        difference = measured.per_s - self.per_s
        if abs(difference) > 2 * (self.doubt + measured.doubt) * self.per_s:
            return measured
        ours, theirs = self.doubt**2, measured.doubt**2
        weight = ours / (ours + theirs)
        doubt = sqrt(ours * theirs / (ours + theirs))
        return Belief(self.per_s + weight * difference, doubt)


class Rate:
    """
    The rate of requests to one server: `per_s` now, `pause_until_s` before which none may go.

    With a `ceiling_per_s`, named or set by hand, it begins there and never passes it.
    """

    def __init__(self, ceiling_per_s: float | None = None) -> None:
        self.per_s = FIRST_PER_S
        self.pause_until_s = 0.0
        self.ceiling_per_s = UNLIMITED
        # What was sent while nothing is known: a request for every tenth that the rate rose, and
        # for every half second.
        self.ramp: list[Sent] | None = []
        self.refusals = Refusals()
        self.count = 0
        # Requests up to this number went before the rate was last cut, or before a pause.
        self.cut = self.paused = 0
        # What was sent without waiting, and of what went before a pause, how much was refused.
        self.rushed = self.missed = 0
        self.rush: list[Sent] = []
        # What was believed while anything was let through.
        self.good_per_s = 0.0
        # How many requests the climb to the belief takes, and how many have gone.
        self.climb = self.climbed = 0.0
        # The first refusal of the latest ones, the belief then, and the first request after a
        # pause that was made since.
        self.anchor: Sent | None = None
        self.before = Belief(self.per_s, DOUBT_MAX)
        self.resumed: Sent | None = None
        self.aim(self.before)
        self.per_s = FIRST_PER_S
        if ceiling_per_s is not None:
            self.limit(ceiling_per_s)

    @property
    def is_known(self) -> bool:
        return self.ramp is None

    def limit(self, per_s: float) -> None:
        """Go at this rate from now on, and never faster."""
        if per_s == self.ceiling_per_s:
            return
        self.ceiling_per_s, self.ramp, self.anchor = per_s, None, None
        self.before = Belief(per_s / (1 - UNDER), DOUBT_MIN)
        self.aim(self.before)
        self.per_s, self.climbed = per_s, self.climb

    # --- sending --------------------------------------------------------------------------------

    def send(self, now_s: float, *, rises: bool) -> Sent:
        """Count a request that goes now; the rate rises by those that show more could be sent."""
        self.count += 1
        sent = Sent(self.count, now_s, self.per_s)
        if self.paused and self.resumed is None and self.count > self.paused:
            self.resume(sent)
        self.rushed += not rises
        if self.ramp is not None and (not self.ramp or is_later(sent, self.ramp[-1])):
            self.ramp.append(sent)
            del self.ramp[:-MARKS_MAX]
        if rises:
            self.per_s = min(self.risen(), self.ceiling_per_s)
        return sent

    def risen(self) -> float:
        if self.ramp is not None:
            return self.per_s + min(1.0, self.per_s / 12)
        if self.per_s < self.good_per_s / 2:
            return self.recovered(self.per_s + STEP_BELOW)
        self.climbed += 1
        believed = self.belief.per_s
        x = self.climbed / self.climb - 1
        curve = 1 - UNDER + self.belief.doubt * x * x * x
        return min(believed * curve, self.per_s + self.step())

    def recovered(self, per_s: float) -> float:
        """Go back, after a server was out of order, to half of what it had let through before."""
        if per_s >= self.good_per_s / 2:
            self.before = Belief(0.7 * self.good_per_s, DOUBT_AT_FIRST)
            self.aim(self.before)
            return self.per_s
        return per_s

    def step(self) -> float:
        """Say how much a request adds to the rate at most."""
        share = self.per_s / self.belief.per_s
        if share < 0.95:
            return STEP_BELOW
        return STEP_ABOVE if share > 1.5 else max(STEP_NEAR, 0.7 * self.belief.doubt)

    def aim(self, belief: Belief, *, is_blind: bool = False) -> None:
        """
        Begin anew below what is now believed; blindly, where nothing at all was let through: such a
        server is rather out of order, and as soon as it lets one through the rate goes back.
        """
        doubt = min(DOUBT_MAX, max(DOUBT_MIN, belief.doubt))
        belief = self.belief = Belief(max(LEAST_PER_S, belief.per_s), doubt)
        self.good_per_s = self.good_per_s if is_blind else belief.per_s
        self.climbed = 0.0
        # Long enough to count, not so long that a slow server's new limit is found only by chance.
        most = max(min(80.0, 16 * belief.per_s), 8 * belief.per_s)
        self.climb = max(min(CLIMB / doubt, most), belief.per_s)
        self.per_s = min(belief.per_s * (1 - doubt), self.ceiling_per_s)

    def resume(self, sent: Sent) -> None:
        """Go on after a pause: what was rushed has come back by now."""
        self.resumed = sent
        if self.rush:
            self.before = Belief(self.passed_per_s(self.rush), DOUBT_AT_FIRST)
            self.rush = []
            self.aim(self.before)

    # --- refusals -------------------------------------------------------------------------------

    def refuse(self, sent: Sent) -> None:
        """Learn from a refusal."""
        if sent.number <= self.paused:
            self.missed += 1
            return
        self.refusals.add(sent)
        is_new = sent.number > self.cut
        if self.ramp is not None:
            self.begin(sent, self.guess(sent, self.ramp))
            if self.rushed > PASSED_MIN:
                self.halt(sent, self.ramp)
            self.ramp = None
        elif self.anchor is None:
            self.begin(sent, Belief(0.9 * sent.per_s, 0.1))
        elif is_new and (self.has_recovered(sent) or self.is_long_ago(self.anchor, sent)):
            self.begin(sent, self.between(sent, self.anchor))
        else:
            self.look_closer(sent, self.anchor)

    def has_recovered(self, sent: Sent) -> bool:
        """Say whether enough was let through before that the rate had come near the belief."""
        return self.refusals.passed_before(sent) > 2 / self.belief.doubt

    def is_long_ago(self, anchor: Sent, sent: Sent) -> bool:
        passed, _ = self.refusals.between(anchor, sent)
        is_another = self.refusals.passed_before(sent) and self.refusals.since(sent) > LONG_AGO_S
        return bool(is_another) or (passed > PASSED_MIN and sent.at_s - anchor.at_s > LONG_AGO_S)

    def begin(self, sent: Sent, belief: Belief) -> None:
        """Take a refusal as the first of new ones: what was sent before this moment is over."""
        self.anchor, self.before, self.resumed = sent, belief, None
        self.cut = self.count
        self.aim(belief)

    def guess(self, sent: Sent, ramp: list[Sent]) -> Belief:
        """
        Take the first refusal of all: the rate is under the one it came at, and over what was let
        through in any time, less a second's burst.
        """
        least = max(
            (sent.number - each.number) / (max(0.0, sent.at_s - each.at_s) + 1) for each in ramp
        )
        really = (
            (sent.number - each.number) / (sent.at_s - each.at_s)
            for each in ramp
            if sent.at_s - each.at_s > 0.5
        )
        most = max(min(sent.per_s, max(really, default=sent.per_s)), least / 0.95)
        least = max(least, 0.05 * most)
        # From a few requests it cannot be told what was burst, and what rate.
        weight = 0.3 if sent.number > PASSED_MIN else 0.7
        doubt = min(DOUBT_AT_FIRST, (most - least) / (most + least))
        return Belief(least ** (1 - weight) * most**weight, doubt)

    def halt(self, sent: Sent, ramp: list[Sent]) -> None:
        """
        Send nothing for a second, where many went without waiting: which of them was refused first
        says nothing, how many says all.
        """
        self.pause_until_s = sent.at_s + 1
        self.rush, self.paused, self.missed = ramp, self.count, 1

    def passed_per_s(self, rush: list[Sent]) -> float:
        """Give the most that was let through in any time before the pause, less a burst."""
        passed, last_s = self.paused - self.missed, rush[-1].at_s
        return max(1.0, *((passed - each.number) / (last_s - each.at_s + 1) for each in rush))

    def between(self, sent: Sent, anchor: Sent) -> Belief:
        """Take a refusal after much was let through: the rate is between that, and the rate now."""
        past_s, most = sent.at_s - anchor.at_s, sent.per_s
        passed, _ = self.refusals.between(anchor, sent)
        least = passed / max(past_s, 0.1)
        if self.resumed is not None:
            # Over a pause a bucket fills, and a window does not: the truth is between.
            since_s = max(sent.at_s - self.resumed.at_s, 0.1)
            least = (least + (sent.number - self.resumed.number) / since_s) / 2
        least = min(most, max((0.5 if past_s > 0.5 else 0.8) * most, least))
        doubt = max(self.belief.doubt / 2, (most - least) / (2 * most))
        return Belief((least + most) / 2, doubt)

    def look_closer(self, sent: Sent, anchor: Sent) -> None:
        """Take one of several refusals: what they let through between them is the rate."""
        last = self.refusals.all[-1]
        passed, refused = self.refusals.between(anchor, last)
        past_s = last.at_s - anchor.at_s
        if past_s <= 0:
            return
        if past_s >= LONG_S or (passed >= PASSED_MIN and past_s > SHORT_S):
            # A server that counts seconds refuses all the rest of one, which tells nothing more.
            if self.refusals.passed_before(sent) or refused > 3 * passed:
                measured = measure(passed, refused, past_s, sent.per_s)
                self.aim(self.before.joined(measured), is_blind=not passed)
            return
        # Nearly all is refused: the limit is another one now, or was never near.
        is_other = past_s > 4 * SHORT_S and refused > 3 * (passed + 1) + 0.2 * sent.per_s
        is_far = self.before.doubt >= 0.2 and refused > passed and refused >= 2 + 0.02 * sent.per_s
        if is_other or is_far:
            self.pause(anchor, 0.4 if is_other else 1.0, is_blind=not passed)

    def pause(self, anchor: Sent, share: float, *, is_blind: bool) -> None:
        """Send nothing for a second, which empties any window, and go on at a share of before."""
        self.pause_until_s = anchor.at_s + 1
        self.cut = self.paused = self.count
        self.missed, self.resumed = 0, None
        self.before = Belief(share * self.before.per_s, DOUBT_AT_FIRST)
        self.aim(self.before, is_blind=is_blind)


def is_later(sent: Sent, mark: Sent) -> bool:
    return sent.per_s > 1.1 * mark.per_s or sent.at_s > mark.at_s + 0.5


def measure(passed: int, refused: int, past_s: float, most_per_s: float) -> Belief:
    """
    Give the rate by what was let through while more was sent. Over less than a second a window of
    one shows the rate of a second ago instead.
    """
    doubt = (1 + UNEVEN_S * most_per_s) / (passed + refused) + 0.25 * max(0.0, 1 - past_s)
    return Belief(min((passed + 0.5) / past_s, most_per_s), doubt)
