"""
What the outside must offer, as Protocols; adapters and local engines satisfy them by shape alone.

A transport raises `ConnectionFailed` where nothing came back, `StreamCut` where a response began
and broke off, and `TimedOut`. Every HTTP status, 500 too, is a response, and what it means is
decided in the flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from eyeline.core.parts import PreparedImage
from eyeline.core.picture import Picture, Sighting
from eyeline.core.plan import PreparePlan
from eyeline.core.reference import Loaded, Reference
from eyeline.core.size import Size
from eyeline.core.wire import Request, Response


class ResponseStream(Protocol):
    """A response whose body is read piece by piece."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]:
        """Header names are in lower case."""

    def read(self) -> bytes:
        """Give the next bytes as soon as any are there; `b""` only at the end."""

    def close(self) -> None:
        """Let go of the connection, also before the end; calling it twice is harmless."""


class Transport(Protocol):
    """Carries requests to one engine, blocking; safe to share between threads."""

    def send(self, request: Request) -> Response: ...
    def open(self, request: Request) -> ResponseStream: ...
    def close(self) -> None: ...


class AsyncResponseStream(Protocol):
    """The awaiting form of ResponseStream."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    async def read(self) -> bytes: ...
    async def close(self) -> None: ...


class AsyncTransport(Protocol):
    """The awaiting form of Transport, for one event loop."""

    async def send(self, request: Request) -> Response: ...
    async def open(self, request: Request) -> AsyncResponseStream: ...
    async def close(self) -> None: ...


class Loader(Protocol):
    """Gives the bytes a reference names; raises an ImageError that says what is wrong with it."""

    def load(self, reference: Reference, bytes_max: int | None, start: int = 0) -> Loaded:
        """Read the whole, or no more than `bytes_max` from `start` on."""

    def glance(self, reference: Reference, bytes_max: int | None) -> Loaded:
        """Load what is read in no time. Raises BlockingIOError for all else."""


class Pixels(Protocol):
    """Executes plans; raises ImageTruncated where the pixels cannot be decoded."""

    def pages(self, data: bytes, source: str) -> tuple[Size, ...]:
        """Give the size in pixels at which each page of a PDF is drawn."""

    def prepare(self, data: bytes, plan: PreparePlan, source: str) -> PreparedImage:
        """Execute a plan; of what goes as it is, see that its pixels unpack."""

    def fingerprint(self, image: PreparedImage) -> str:
        """Name what an image shows, however it is encoded; "" where it cannot be decoded."""


class Files(Protocol):
    """Remembers what was read: of files while they stay as they are. It never raises."""

    def glance(self, file: Path) -> Sighting:
        """Give what `known` does. Raises BlockingIOError where that would wait for anybody."""

    def known(self, file: Path) -> Sighting: ...
    def remember(self, sighting: Sighting, picture: Picture) -> None: ...
    def recognise(self, digest: str) -> Picture | None:
        """Give what is remembered of bytes that have no metadata and are all there."""


class Shelf(Protocol):
    """
    Keeps what clients leave with the API that this process gives: objects by kind and id, some
    with bytes. Any process may share it.
    """

    def put(
        self, kind: str, id: str, value: Mapping[str, Any], data: bytes | None = None
    ) -> None: ...
    def get(self, kind: str, id: str) -> dict[str, Any] | None: ...
    def data(self, id: str) -> bytes | None: ...
    def delete(self, kind: str, id: str) -> bool: ...
    def swap(self, kind: str, id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Put `new` in the place of `old`, unless somebody else was quicker."""

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Give every object of a kind, the newest first."""


class Cache(Protocol):
    """Keeps answers by key. It never raises: a cache that fails is a cache that misses."""

    def get(self, key: str) -> Mapping[str, Any] | None: ...
    def glance(self, key: str) -> Mapping[str, Any] | None:
        """Give what `get` does. Raises BlockingIOError where that would wait for anybody."""

    def put(self, key: str, record: Mapping[str, Any]) -> None: ...
    def put_soon(self, key: str, record: Mapping[str, Any]) -> None:
        """Put a record without waiting: here it is found at once, elsewhere soon."""

    def flush(self) -> None:
        """Write what was put without waiting."""

    def close(self) -> None: ...
