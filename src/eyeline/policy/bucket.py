"""A token bucket with a line before it: permits come evenly, and each caller keeps its place."""

from __future__ import annotations

# How much may go at once where nobody waited before. It is little on purpose: a server that counts
# seconds refuses what comes in bursts.
BURST_S = 0.01


class Bucket:
    """
    Permits at `rate_per_s`. A place in line is a number of permits, counted from the first.

    A place is due once so many permits have come. When is a question of the rate, which may change
    while people wait: they keep their order, and ask again for how long.
    """

    def __init__(self, rate_per_s: float) -> None:
        self.rate_per_s = rate_per_s
        self.come = self.tail = 0.0
        self.at_s: float | None = None
        self.gaps: list[tuple[float, float]] = []

    def take(self, amount: float, now_s: float) -> float:
        """Give the last place in line; behind it are `amount` permits of its own."""
        self.advance(now_s)
        place, self.tail = self.tail, self.tail + amount
        return place

    def wait_s(self, place: float, now_s: float) -> float:
        """Say how long until a place is due, as far as is known now."""
        at_s = self.advance(now_s)
        left = sum(amount for gap, amount in self.gaps if gap < place)
        return max(0.0, at_s - now_s + (place - left - self.come) / self.rate_per_s)

    def give_back(self, place: float, amount: float) -> None:
        """Leave the line; who stands behind moves up."""
        self.gaps.append((place, amount))
        self.gaps.sort()

    def correct(self, more: float) -> None:
        """Count what a request took beyond what it was given; less than nothing gives it back."""
        self.come -= more

    def set_rate(self, rate_per_s: float, now_s: float) -> None:
        self.advance(now_s)
        self.rate_per_s = rate_per_s

    def pause(self, until_s: float, now_s: float) -> None:
        """Let no permit come before `until_s`."""
        self.at_s = max(self.advance(now_s), until_s)

    def is_paused(self, now_s: float) -> bool:
        return self.at_s is not None and self.at_s > now_s

    def advance(self, now_s: float) -> float:
        """Let permits come up to now, and give the time up to which they have."""
        # A thread may come with an older reading than the one before it: time is counted once.
        at_s = now_s if self.at_s is None else max(now_s, self.at_s)
        self.come += (at_s - (at_s if self.at_s is None else self.at_s)) * self.rate_per_s
        while self.gaps and self.gaps[0][0] <= self.come:
            self.come += self.gaps.pop(0)[1]
        self.come = min(self.come, self.tail + self.rate_per_s * BURST_S)
        self.at_s = at_s
        return at_s
