"""The limits of a client, and of all clients of one account."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from eyeline.core.engine import Engine
from eyeline.core.question import check_positive
from eyeline.policy.budget import Budget
from eyeline.policy.limits import Limits
from eyeline.policy.pace import Pace
from eyeline.settings import Settings

# An engine in this process has its own cores to do with.
LOCAL_IN_FLIGHT = 2


def limits(options: Mapping[str, Any], settings: Settings, engine: Engine, account: str) -> Limits:
    """
    Make the limits of a client. Clients of one account share its pace, but where it is set by hand.

    Raises SettingsError for a limit in the config file that is no number above zero.
    """
    usd = options.get("budget_usd", settings.budget_usd)
    budget = None if usd is None else Budget(Decimal(str(usd)))
    if engine.is_local:
        return Limits(partial(Pace, in_flight_max=LOCAL_IN_FLIGHT, is_here=True), budget)
    requests = options.get("requests_per_min", settings.requests_per_min)
    tokens = options.get("tokens_per_min", settings.tokens_per_min)
    check_positive("requests_per_min", requests)
    check_positive("tokens_per_min", tokens)
    made = Limits(partial(Pace, requests, tokens), budget)
    if requests is None and tokens is None and options.get("transport") is None:
        first = accounts.setdefault(account, made)
        if first is not made:
            made.share_pace(first)
    return made


# The first limits that were made for each account, while anybody still has its pace.
accounts: WeakValueDictionary[str, Limits] = WeakValueDictionary()
