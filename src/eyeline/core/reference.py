"""What the user pointed at, read into one of a few kinds; nothing is opened here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast
from urllib.parse import unquote, urlsplit

from eyeline.errors import BadReference

# Two letters or more, so that C:\photo.jpg stays a path.
SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+):")
# A page or frame after a file's extension; `notes#3` without one is a path.
NUMBERED = re.compile(r"(?s:(.*\.\w+))#(\d{1,7})")


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file on this machine."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class UrlRef:
    """An http or https address; shown without user, password and query, which may hold secrets."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"


@dataclass(frozen=True, slots=True)
class DataUrlRef:
    """A data URL; shown by its head alone."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        head = self.url.partition(",")[0][:40]
        return f"{head},… ({len(self.url):,} characters)"


@dataclass(frozen=True, slots=True)
class BytesRef:
    """An encoded image in memory."""

    data: bytes = field(repr=False)

    def __str__(self) -> str:
        return f"bytes ({len(self.data):,})"


@dataclass(frozen=True, slots=True)
class StreamRef:
    """A binary file object, read from where it stands to its end."""

    stream: BinaryIO = field(repr=False)

    def __str__(self) -> str:
        name = getattr(self.stream, "name", None)
        return name if isinstance(name, str) else "file object"


@dataclass(frozen=True, slots=True)
class PixelsRef:
    """A PIL image or a numpy array."""

    pixels: Any = field(repr=False)

    def __str__(self) -> str:
        return f"{type(self.pixels).__name__} in memory"


@dataclass(frozen=True, slots=True)
class FileId:
    """An image already uploaded to the provider, named by its file id (`file-…`)."""

    id: str

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class PageRef:
    """
    One page or frame of a file, as in `scan.pdf#2` or `clip.gif#0`.

    Pages of a document are counted from 1, frames of an animation from 0.
    """

    file: FileRef | UrlRef
    number: int

    def __str__(self) -> str:
        return f"{self.file}#{self.number}"


Reference = FileRef | UrlRef | DataUrlRef | BytesRef | StreamRef | PixelsRef | PageRef | FileId
KINDS = (FileRef, UrlRef, DataUrlRef, BytesRef, StreamRef, PixelsRef, PageRef, FileId)


class Loaded(NamedTuple):
    """
    The bytes of a reference, or some of them, and the media type that came with them, "" if none
    did; how long the whole is, None where nobody said.
    """

    data: bytes
    declared: str = ""
    size_bytes: int | None = None


def parse_reference(value: object) -> Reference:
    """
    Read what the user pointed at. A bare string is a path unless it has a scheme; base64 is never
    guessed.

    Raises BadReference for a scheme or a type that cannot name an image.
    """
    match value:
        case str():
            return parse_string(value)
        case Path():
            return FileRef(value)
        case bytes() | bytearray() | memoryview():
            return BytesRef(bytes(value))
        case _ if isinstance(value, KINDS):
            return value
        case _ if hasattr(type(value), "__fspath__"):  # a DirEntry, say
            return FileRef(Path(cast(Path, value)))
        case _ if callable(getattr(value, "read", None)):
            return StreamRef(cast(BinaryIO, value))
        case _ if is_pixels(value):
            return PixelsRef(value)
    raise BadReference(type(value).__name__, "not a thing that can name an image")


def parse_string(value: str) -> Reference:
    numbered = NUMBERED.fullmatch(value)
    if numbered is not None:
        file = parse_file(numbered[1])
        if isinstance(file, FileRef | UrlRef):
            return PageRef(file, int(numbered[2]))
    return parse_file(value)


def parse_file(value: str) -> Reference:
    scheme = SCHEME.match(value)
    if scheme is None:
        if not value:
            raise BadReference("''", "an empty string, expected a path or URL")
        return FileRef(Path(value))
    match scheme[1].lower():
        case "http" | "https":
            return UrlRef(readable_url(value))
        case "data":
            return DataUrlRef(value)
        case "file":
            return FileRef(file_url_path(value))
    found = f"the scheme {scheme[1]}: is not one of file, http, https, data"
    raise BadReference(shown(value), found)


def readable_url(url: str) -> str:
    """Give `url` back. Raises BadReference where its host makes no sense, as in `http://[::1/`."""
    try:
        urlsplit(url)
    except ValueError as error:
        raise BadReference(shown(url), f"not a URL: {error}") from None
    return url


def file_url_path(url: str) -> Path:
    parts = urlsplit(readable_url(url))
    if parts.netloc not in ("", "localhost"):
        raise BadReference(shown(url), f"a file URL on the host {parts.netloc}, expected file:///…")
    return Path(unquote(parts.path))


def is_pixels(value: object) -> bool:
    """Say whether `value` is a PIL image or an array, without importing either library."""
    return any(kind.__module__.startswith("PIL.") for kind in type(value).__mro__) or hasattr(
        value, "__array_interface__"
    )


def is_file_id(reference: Reference) -> bool:
    return isinstance(reference, FileId)


def name_of(reference: Reference) -> str:
    """Give the file name that a reference carries, "" where it has none; no path, no query."""
    match reference:
        case PageRef(file):
            return name_of(file)
        case FileRef(path):
            return path.name
        case UrlRef(url):
            return unquote(urlsplit(url).path).rpartition("/")[2]
        case StreamRef(stream):
            name = getattr(stream, "name", None)
            return Path(name).name if isinstance(name, str) else ""
    return ""


def shown(value: str, length_max: int = 60) -> str:
    """Give a reference for a message: without user, password and query, and not too long."""
    value = re.sub(r"(?<=//)[^/?#]*@|(?<=\?).*", "", value, flags=re.DOTALL)
    return value if len(value) <= length_max else f"{value[:length_max]}…"
