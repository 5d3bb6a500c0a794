"""The version, and how eyeline names itself to servers."""

from __future__ import annotations

VERSION = "0.1.0"
USER_AGENT = f"eyeline/{VERSION}"
