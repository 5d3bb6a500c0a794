"""Bounds for hypothesis: enough examples to find a fault, few enough for two busy cores."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("bounded", max_examples=60, deadline=None)
settings.load_profile("bounded")
