"""Which errors end a run, and which only a row."""

from __future__ import annotations

from eyeline.bulk.errors import SourceError
from eyeline.bulk.run_errors import EngineLost
from eyeline.errors import (
    AuthenticationFailed,
    BudgetExceeded,
    ConnectionFailed,
    EyelineError,
    KeyMissing,
    ModelLacksVision,
    ModelNotFound,
    PermissionDenied,
    PriceUnknown,
    QuotaExceeded,
    RateLimited,
    SchemaError,
    ServerFailed,
    SettingsError,
    StreamCut,
    TimedOut,
)

# What every other row would meet too: to go on would turn them all into failures.
FOR_ALL = (
    AuthenticationFailed, BudgetExceeded, KeyMissing, ModelLacksVision, ModelNotFound,
    PermissionDenied, PriceUnknown, QuotaExceeded, SchemaError, SettingsError, SourceError,
)  # fmt: skip
PASSING = (ConnectionFailed, RateLimited, ServerFailed)
HUNG = (TimedOut, StreamCut)
# A row that was tried again for so long while others were answered is at fault itself.
SILENT_S = 300.0


def is_for_all(error: Exception, answered_s: float | None, now_s: float) -> EyelineError | None:
    """
    Give the reason for which a run ends, None where only the row failed.

    `answered_s` is when any row was answered last, on the clock of `now_s`.
    """
    if isinstance(error, FOR_ALL):
        return error
    is_silent = answered_s is None or now_s - answered_s > SILENT_S
    if isinstance(error, PASSING) and is_silent:
        return EngineLost(error.engine, str(error))
    return None


def is_hung(error: Exception, answered_s: float, now_s: float) -> bool:
    """
    Say whether a run ends beside the row that failed: that one may have been billed, and all others
    would wait as long. `answered_s` is when any row was answered last, or the run begun.
    """
    return isinstance(error, HUNG) and now_s - answered_s > SILENT_S
