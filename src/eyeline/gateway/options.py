"""What the gateway is told when it starts: the engine, where it listens, and its limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from eyeline.core.secret import Secret
from eyeline.wiring import ClientOptions

NO_TOKEN = Secret("")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Options:
    """
    How one gateway runs.

    `client` is what `eyeline.Client` takes. With a `token` every request but those for the page's
    own files must carry it; without one any key is taken, and replaced by the engine's.
    """

    client: ClientOptions = field(default_factory=ClientOptions)
    host: str = "127.0.0.1"
    port: int = 8000
    token: Secret = NO_TOKEN

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK
