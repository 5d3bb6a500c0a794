"""What the gateway is told when it starts: the engine, where it listens, and its limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from eyeline.core.secret import Secret
from eyeline.wiring import ClientOptions

NO_TOKEN = Secret("")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    What one gateway takes on at once.

    The API itself takes 512 MB and 1,500 images a request. `pixels_max` are those of one request
    that must be decoded; what goes as it is, is not. A body must come in within `body_s`, its next
    piece within `piece_s`, and headers within `headers_s`; an answer must be taken at that pace
    too. All bodies together may be `held_bytes_max`; one that does not say its length counts as the
    longest. `idle_s` is how long a connection may wait for its next request.
    """

    body_bytes_max: int = 128 * 2**20
    images_max: int = 1500
    pixels_max: int = 200 * 10**6
    held_bytes_max: int = 4 * 2**30
    upload_bytes_max: int = 512 * 2**20
    in_flight_max: int = 1000
    connections_max: int = 4000
    headers_s: float = 10.0
    piece_s: float = 30.0
    body_s: float = 300.0
    idle_s: float = 75.0


@dataclass(frozen=True, slots=True)
class Options:
    """
    How one gateway runs.

    `client` is what `eyeline.Client` takes. With a `token` every request but those for the page's
    own files must carry it; without one any key is taken, and replaced by the engine's.
    `allow_names` are further names by which clients may call it. Of several `workers` each is one
    gateway; in `metrics_folder` they find each other's numbers.
    """

    client: ClientOptions = field(default_factory=ClientOptions)
    host: str = "127.0.0.1"
    port: int = 8321
    token: Secret = NO_TOKEN
    allow_names: tuple[str, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)
    workers: int = 1
    metrics_folder: Path | None = None

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK
