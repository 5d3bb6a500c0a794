"""A key that does not show itself."""

from __future__ import annotations

from collections.abc import Callable


class Secret:
    """Holds an API key; neither `repr`, `str`, pickling nor a traceback's locals show it."""

    __slots__ = ("reveal",)

    def __init__(self, value: str) -> None:
        # A closure, so that not even a dump of the attributes carries the text.
        self.reveal: Callable[[], str] = lambda: value

    def __repr__(self) -> str:
        return "Secret(set)" if self else "Secret(empty)"

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.reveal() == other.reveal()

    def __hash__(self) -> int:
        return hash(self.reveal())

    @property
    def is_sendable(self) -> bool:
        """Say whether a header can hold the key: printable ASCII, as every key is."""
        return self.reveal().isascii() and self.reveal().isprintable()

    def hide(self, body: bytes) -> bytes:
        """Take the key out of somebody else's words."""
        return body.replace(self.reveal().encode(), b"***") if self else body

    def header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.reveal()}"} if self else {}
