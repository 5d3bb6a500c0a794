"""What crosses the wire does not show its bodies."""

from __future__ import annotations

from eyeline.core.wire import Request, Response


def test_bodies_stay_out_of_logs() -> None:
    """Printing a request or response shows neither prompt nor image nor answer."""
    request = Request("/responses", b"SECRET", stream=False, timeout_s=1.0)
    response = Response(200, {"x-request-id": "req_1"}, b"SECRET")
    assert "SECRET" not in repr(request) + repr(response)
    assert "req_1" in repr(response)
