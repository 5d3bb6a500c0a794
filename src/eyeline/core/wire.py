"""What crosses the wire: a request ready to send, and the response as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pybase64 import b64encode

from eyeline.core.parts import Encoded, PreparedImage, bytes_of, size_of


@dataclass(frozen=True, slots=True)
class Body:
    """
    JSON around images in base64, whose alphabet needs no escaping there; or a form around an image
    as it is.

    It is put together each time it is wanted, so that only who is sending it holds it: that takes a
    few microseconds, and a request may wait for its answer for minutes.
    """

    pieces: tuple[Encoded | PreparedImage | memoryview, ...] = field(repr=False)

    def made(self) -> list[bytes | memoryview]:
        """Give the body, in pieces that follow each other."""
        return list(map(made, self.pieces))

    @property
    def size_bytes(self) -> int:
        return sum(map(made_bytes, self.pieces))


def made(piece: Encoded | PreparedImage | memoryview) -> bytes | memoryview:
    """Give a piece as it goes out; what a memoryview shows goes as it is."""
    if isinstance(piece, PreparedImage):
        return b64encode(piece.data)
    return piece if isinstance(piece, memoryview) else bytes_of(piece)


def made_bytes(piece: Encoded | PreparedImage | memoryview) -> int:
    if isinstance(piece, PreparedImage):
        return (size_of(piece.content) + 2) // 3 * 4
    return piece.nbytes if isinstance(piece, memoryview) else size_of(piece)


@dataclass(frozen=True, slots=True)
class Request:
    """
    One POST, whole: the transport adds the base URL and the key, and changes nothing.

    `path` is relative to the base URL (`/chat/completions`, `/responses`); `content` is JSON in
    UTF-8, or what gives it, the same on every retry. `headers` are further ones, if any.
    """

    path: str
    content: bytes | Body = field(repr=False)
    stream: bool
    timeout_s: float
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The body, put together; for adapters, since it may read files."""
        return b"".join(self.pieces())

    def pieces(self) -> list[bytes | memoryview]:
        """Give the body in pieces: to put large ones together takes as long as to make them."""
        return [self.content] if isinstance(self.content, bytes) else self.content.made()

    @property
    def size_bytes(self) -> int:
        """The length of the body; nothing is read for it."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.size_bytes


@dataclass(frozen=True, slots=True)
class Response:
    """One whole HTTP response; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def lower_names(headers: Mapping[str, str]) -> dict[str, str]:
    """Give headers under lower-case names, as every reader of a response expects them."""
    return {name.lower(): value for name, value in headers.items()}
