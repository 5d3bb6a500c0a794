"""Errors as the API would say them, so that every client of it understands."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

from eyeline.errors import (
    BudgetExceeded,
    EngineError,
    EyelineError,
    ImageError,
    PriceUnknown,
    TimedOut,
)

# The class of an error, its status, type and code; the first that fits.
KINDS: tuple[tuple[type[EyelineError], int, str, str | None], ...] = (
    # As the API says it of its own limits on spending, which no client should send again for.
    (BudgetExceeded, 429, "insufficient_quota", "insufficient_quota"),
    (PriceUnknown, 400, "invalid_request_error", "price_unknown"),
    (TimedOut, 504, "server_error", "upstream_timeout"),
    (EngineError, 502, "server_error", "upstream_failed"),
    (ImageError, 400, "invalid_request_error", "invalid_image"),
    (EyelineError, 500, "server_error", None),
)
# The flow has sent again as often as is good; a client that did too would multiply that.
FINAL = {"x-should-retry": "false"}


# Where the rest of the body is not read, it must not pass for the next request.
UNREAD = (408, 413)


class Refused(Exception):
    """A request that goes no further; the fields are those of the API's error object."""

    def __init__(
        self, status: int, message: str, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(status, message, code, param)
        self.status, self.message, self.code, self.param = status, message, code, param

    def response(self) -> Response:
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        headers = {"connection": "close"} if self.status in UNREAD else None
        return error_response(self.status, self.message, kind, self.code, self.param, headers)


def missing(message: str, param: str | None = None, code: str | None = None) -> Refused:
    """Give the refusal of what is not there."""
    return Refused(404, message, code, param)


def refusal(error: EyelineError) -> Response:
    """Give the response to a request that one of our errors ended."""
    status, kind, code = next(
        (status, kind, code) for of, status, kind, code in KINDS if isinstance(error, of)
    )
    message = f"{error} ({error.hint})" if error.hint else str(error)
    return error_response(status, message, kind, code, headers=FINAL)


def error_response(
    status: int,
    message: str,
    kind: str,
    code: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    error: dict[str, Any] = {"message": message, "type": kind, "param": param, "code": code}
    return Response(orjson.dumps({"error": error}), status, headers, "application/json")
