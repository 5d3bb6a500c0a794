"""What every gateway has: its health, its models, the page's files."""

from __future__ import annotations

import httpx
import openai
import pytest

from gateway.running import Running


def test_healthz_says_that_it_is_up(offline: Running) -> None:
    """Whoever waits for the gateway asks /healthz."""
    assert httpx.get(f"{offline.origin}/healthz").json()["status"] == "ok"


def test_models_are_listed(offline: Running) -> None:
    """The models that a request may name are listed, with and without /v1, each by name too."""
    with offline.client() as client:
        names = [model.id for model in client.models.list()]
        assert names[0] == "reader"
        assert "gpt-6-luna" in names
        assert client.models.retrieve("gpt-6-luna").owned_by == "openai"
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            client.models.retrieve("gpt-0")
    assert len(httpx.get(f"{offline.origin}/models").json()["data"]) == len(names)
