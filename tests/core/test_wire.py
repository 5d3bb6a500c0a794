"""What crosses the wire does not show its bodies."""

from __future__ import annotations

from eyeline.core.wire import Request, Response, lower_names


def test_bodies_stay_out_of_logs() -> None:
    """Printing a request or response shows neither prompt nor image nor answer."""
    request = Request("/responses", b"SECRET", stream=False, timeout_s=1.0)
    response = Response(200, {"x-request-id": "req_1"}, b"SECRET")
    assert "SECRET" not in repr(request) + repr(response)
    assert "req_1" in repr(response)


def test_header_names_in_lower_case() -> None:
    """Names are put in lower case, values stay."""
    assert lower_names({"X-Request-ID": "A", "retry-after": "B"}) == {
        "x-request-id": "A",
        "retry-after": "B",
    }
