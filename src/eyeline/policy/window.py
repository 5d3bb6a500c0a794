"""How many requests are worth having in flight: more, as long as more comes back for it."""

from __future__ import annotations

IN_FLIGHT_AT_FIRST, IN_FLIGHT_MAX = 8, 1024
# Twice as many in flight should bring twice as many answers; a server that brings less than this
# makes them wait instead.
GAIN_MIN = 1.25
# For how many rounds it is then left as it is.
ROUNDS_OF_REST = 8


class Window:
    """
    Grows with each answer to a request that did not have to wait for the pace: then it is what
    holds requests back. It falls back where answers come no faster for it.

    A round is as many answers as were in flight when it began, so a round of growth doubles it.
    """

    def __init__(self, size_max: int = IN_FLIGHT_MAX) -> None:
        self.size = self.round = min(IN_FLIGHT_AT_FIRST, size_max)
        self.size_max = size_max
        self.answers = self.waited = self.rest = 0
        self.begun_s: float | None = None
        # Size and answers a second of the round of growth before.
        self.before: tuple[int, float] | None = None

    def answer(self, now_s: float, *, has_waited: bool) -> None:
        """Count an answer."""
        self.begun_s = now_s if self.begun_s is None else self.begun_s
        self.answers += 1
        self.waited += has_waited
        if not self.rest and not has_waited and self.size < self.size_max:
            self.size += 1
        if self.answers >= self.round and now_s > self.begun_s:
            self.end_round(self.answers / (now_s - self.begun_s))
            self.answers, self.waited, self.round, self.begun_s = 0, 0, self.size, now_s

    def end_round(self, per_s: float) -> None:
        if 8 * self.waited > self.answers:
            self.before = None  # the pace decides how fast answers come
        elif self.rest:
            self.rest -= 1
        elif self.before is not None and per_s < GAIN_MIN * self.before[1]:
            self.size, self.before, self.rest = self.before[0], None, ROUNDS_OF_REST
        else:
            self.before = (self.round, per_s)
