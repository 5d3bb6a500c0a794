"""When to send again, and after how long; chance and time are arguments."""

from __future__ import annotations

from dataclasses import dataclass

from eyeline.errors import ApiError, ConnectionFailed, EngineError, RateLimited, ServerFailed

PASSING_STATUS = {408, 409}


@dataclass(frozen=True, slots=True)
class Retry:
    """
    Full-jitter exponential backoff with a cap on attempts and on total time.

    An engine's own advice (`Retry-After`) is followed, unless it would pass `total_s`. What came
    too fast is sent again sooner, and more often: the pace slows down all, and has it wait.
    """

    attempts_max: int = 3
    base_s: float = 0.5
    cap_s: float = 8.0
    refused_max: int = 8
    refused_cap_s: float = 1.0
    total_s: float = 60.0

    def delay_s(
        self, number: int, error: EngineError, elapsed_s: float, chance: float
    ) -> float | None:
        """
        Give the wait after attempt `number` (from 1) failed, or None for "do not send again".

        `elapsed_s` counts from the first attempt, `chance` is in [0, 1).
        """
        is_refused = isinstance(error, RateLimited)
        most = max(self.refused_max, self.attempts_max) if is_refused else self.attempts_max
        if number >= most or not is_passing(error):
            return None
        advised = error.retry_after_s if isinstance(error, RateLimited | ServerFailed) else None
        cap_s = self.refused_cap_s if is_refused else self.cap_s
        # A power past any cap would be a number too large to multiply.
        backoff_s = chance * min(cap_s, self.base_s * 2 ** min(number - 1, 30))
        delay_s = backoff_s if advised is None else advised
        return delay_s if elapsed_s + delay_s <= self.total_s else None


def is_passing(error: EngineError) -> bool:
    """
    Say whether the same request may succeed later.

    A time-out is not repeated: the request may have been carried out and billed. Nor is a cut
    stream: part of its answer is already out.
    """
    return isinstance(error, ConnectionFailed | RateLimited | ServerFailed) or (
        isinstance(error, ApiError) and error.status in PASSING_STATUS
    )
