"""
Send images to the OpenAI API, and to every server that speaks it, and get answers back.

    >>> import eyeline
    >>> print(eyeline.ask("What does the sign say?", "street.jpg"))

Names are imported on first use, so `import eyeline` itself takes a few milliseconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from eyeline.version import VERSION as __version__

if TYPE_CHECKING:
    from eyeline.bulk.calls import run
    from eyeline.bulk.result import RunResult
    from eyeline.calls import ask, check, content_parts, estimate, repair, show, stream
    from eyeline.client import AsyncClient, AsyncStream, Client, Stream
    from eyeline.cluster.batches import AskBatch
    from eyeline.core.answer import Answer, SentImage
    from eyeline.core.cost import Usage
    from eyeline.core.estimate import Estimate, ImageEstimate
    from eyeline.core.misplaced import Finding
    from eyeline.core.reference import FileId
    from eyeline.errors import EyelineError, MisplacedImage
    from eyeline.sdk import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

HOME = {
    "ask": "eyeline.calls",
    "check": "eyeline.calls",
    "content_parts": "eyeline.calls",
    "estimate": "eyeline.calls",
    "repair": "eyeline.calls",
    "run": "eyeline.bulk.calls",
    "show": "eyeline.calls",
    "stream": "eyeline.calls",
    "AsyncClient": "eyeline.client",
    "AsyncStream": "eyeline.client",
    "Client": "eyeline.client",
    "Stream": "eyeline.client",
    "Answer": "eyeline.core.answer",
    "SentImage": "eyeline.core.answer",
    "Usage": "eyeline.core.cost",
    "Estimate": "eyeline.core.estimate",
    "ImageEstimate": "eyeline.core.estimate",
    "Finding": "eyeline.core.misplaced",
    "FileId": "eyeline.core.reference",
    "EyelineError": "eyeline.errors",
    "MisplacedImage": "eyeline.errors",
    "AsyncAzureOpenAI": "eyeline.sdk",
    "AsyncOpenAI": "eyeline.sdk",
    "AzureOpenAI": "eyeline.sdk",
    "OpenAI": "eyeline.sdk",
    "RunResult": "eyeline.bulk.result",
    "AskBatch": "eyeline.cluster.batches",
}

__all__ = [
    "Answer",
    "AskBatch",
    "AsyncAzureOpenAI",
    "AsyncClient",
    "AsyncOpenAI",
    "AsyncStream",
    "AzureOpenAI",
    "Client",
    "Estimate",
    "EyelineError",
    "FileId",
    "Finding",
    "ImageEstimate",
    "MisplacedImage",
    "OpenAI",
    "RunResult",
    "SentImage",
    "Stream",
    "Usage",
    "__version__",
    "ask",
    "check",
    "content_parts",
    "estimate",
    "repair",
    "run",
    "show",
    "stream",
]


def __getattr__(name: str) -> Any:
    if name not in HOME:
        raise AttributeError(f"module 'eyeline' has no attribute {name!r}")
    value = getattr(import_module(HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
