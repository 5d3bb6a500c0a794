"""Lists of objects, page by page, as the API gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.datastructures import QueryParams

LIMIT_MAX = 10_000


def listing(newest_first: Sequence[Any], query: QueryParams, limit: int = 20) -> dict[str, Any]:
    """Give the part of a list that a query asks for by `after`, `limit` and `order`."""
    found = list(newest_first)
    if query.get("order") == "asc":
        found.reverse()
    ids = [each["id"] for each in found]
    if (after := query.get("after")) in ids:
        found = found[ids.index(after) + 1 :]
    asked = query.get("limit", "")
    limit = min(int(asked) if asked.isdecimal() and len(asked) < 9 else limit, LIMIT_MAX)
    shown = found[:limit]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(found) > len(shown),
    }
