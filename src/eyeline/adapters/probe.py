"""
Looks for servers on this machine's usual ports; asks each for its models and sends nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import urllib3
from urllib3.exceptions import HTTPError

from eyeline.core.secret import Secret

TIMEOUT_S = 0.4
NO_KEY = Secret("")
BYTES_MAX = 2**20


def probe(servers: Mapping[str, str]) -> dict[str, list[str] | None]:
    """Give the model names of each server by name, None where none answers; all asked at once."""
    with ThreadPoolExecutor(len(servers)) as pool:
        return dict(zip(servers, pool.map(models, servers.values()), strict=True))


def models(base_url: str, key: Secret = NO_KEY, timeout_s: float = TIMEOUT_S) -> list[str] | None:
    """Ask one server for its models; None if it does not answer as an OpenAI-compatible one."""
    pools = urllib3.PoolManager(timeout=timeout_s, retries=False, headers=key.header())
    try:
        response = pools.request("GET", f"{base_url}/models", preload_content=False, redirect=False)
        found = json.loads(response.read(BYTES_MAX))
        return [str(model["id"]) for model in found["data"]]
    except (HTTPError, OSError, ValueError, KeyError, TypeError):
        return None
    finally:
        pools.clear()
