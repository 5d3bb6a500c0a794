"""Images in the cells of tables: which columns hold them, and what a cell names."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from eyeline.adapters.folders import is_image_name
from eyeline.bulk.errors import RowUnreadable, SourceError
from eyeline.bulk.rows import Row
from eyeline.bulk.sources.storage import SCHEME, RemoteFile, bare, is_remote, is_web
from eyeline.core.media import sniff
from eyeline.core.reference import shown

# Names that say it, where content does not: of URLs without an extension, say.
NAMES = {
    "image", "images", "image_url", "image_urls", "image_path", "image_file", "img", "img_url",
    "img_path", "photo", "photo_url", "picture", "picture_url", "file", "file_name", "filename",
    "file_path", "filepath", "path", "url",
}  # fmt: skip
SAMPLE_ROWS = 100
NAME_CHARS = 4096
# What anybody may have put there: a table from such a place names no files of this machine.
STRANGERS = {"http", "https", "hf", "github", "ftp"}


@dataclass(frozen=True, slots=True)
class Table:
    """
    What the rows of a table have in common: where it is read, and which of its columns hold images.

    `columns` are those whose values a prompt may name; images in bytes are none of them. `origin`
    is what the user called it, for what is read from a copy; "" for what has no place of its own.
    """

    location: str
    origin: str
    image_columns: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        return shown(self.origin or self.location, NAME_CHARS).rpartition("/")[2]

    def row(self, at: int, first: int, cells: Mapping[str, Any]) -> Row:
        """Make a row of the cells of row `at` of a shard whose first row is number `first`."""
        number = first + at
        values = {name: cells.get(name) for name in self.columns}
        named = f"{self.name} row {number}"
        try:
            images, names = self.images(cells, named)
        except RowUnreadable as problem:
            return Row(at, str(number), named, (), values, problem)
        return Row(at, str(number), " + ".join(names) or named, images, values)

    def failed(self, at: int, first: int, found: str) -> Row:
        """Make a row of one that could not be read; `found` says why."""
        named = f"{self.name} row {first + at}"
        return Row(at, str(first + at), named, problem=RowUnreadable(named, found))

    def peeked(self, at: int, first: int, cells: Mapping[str, Any]) -> Row:
        """Make a row without its images."""
        number = str(first + at)
        return Row(at, number, number, values={name: cells.get(name) for name in self.columns})

    def images(self, cells: Mapping[str, Any], named: str) -> tuple[tuple[object, ...], list[str]]:
        """Give the images of a row, and what those that have a name are called."""
        found: list[object] = []
        names: list[str] = []
        for column in self.image_columns:
            for image, name in images_in(cells.get(column), self.origin, f"{named}, {column}"):
                found.append(image)
                names += [name] if name else []
        return tuple(found), names


def images_in(cell: Any, table: str, place: str) -> list[tuple[object, str]]:
    """
    Give each image that a cell holds, with its name, "" where it has none. Raises RowUnreadable
    where it holds none: a row is never asked about without the picture it should have.
    """
    match cell:
        case str() if cell.strip():
            return [(resolve(cell.strip(), table, place), called(cell.strip()))]
        case bytes() | bytearray() if cell:
            return [(bytes(cell), "")]
        case list() | tuple() if cell:
            return [image for each in cell for image in images_in(each, table, place)]
        case {"bytes": bytes() | str() as data, **rest} if data:
            name = rest.get("path")
            return [(decoded(data, place), name if isinstance(name, str) else "")]
        case {"path": str() as name} | {"url": str() as name} | {"image_url": str() as name} if (
            name
        ):
            return images_in(name, table, place)
        case {"image_url": {"url": str() as name}} if name:
            return images_in(name, table, place)
        case None | str() | bytes() | bytearray() | [] | float():
            raise RowUnreadable(place, "no image")
    raise RowUnreadable(place, f"a {type(cell).__name__}, expected a path, URL or bytes")


def called(name: str) -> str:
    """Give what a person calls a reference; of a data URL its beginning."""
    return shown(name) if name[:5].lower() == "data:" else shown(name, NAME_CHARS)


def decoded(data: bytes | str, place: str) -> bytes:
    """Give bytes; in JSON they come as base64."""
    if isinstance(data, bytes):
        return data
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RowUnreadable(place, f"bytes that are no base64: {error}") from None


def resolve(name: str, table: str, place: str) -> object:
    """Give what a name in a table refers to: a relative path is one from the table's folder."""
    scheme = name[: found.end(1)].lower() if (found := SCHEME.match(name)) else ""
    if scheme in ("http", "https") or name[:5].lower() == "data:":
        return name
    if scheme and scheme != "file":
        return RemoteFile(name)
    if scheme == "file" or os.path.isabs(name):  # noqa: PTH117  # of text, and very often
        if table.partition("://")[0] in STRANGERS:
            raise RowUnreadable(place, "a path of this machine, in a table from elsewhere")
        return name
    if is_web(table):
        return f"{bare(table).rpartition('/')[0]}/{name}"
    if is_remote(table):
        return RemoteFile(f"{table.rpartition('/')[0]}/{name}")
    return os.path.join(os.path.dirname(table), name)  # noqa: PTH118, PTH120


# --- which columns -------------------------------------------------------------------------------


def image_columns(
    location: str, given: Sequence[str], names: Sequence[str], sample: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """
    Give the columns that hold images: those `given`, or the one that says so by its content or its
    name. Raises SourceError where none does, or several do.
    """
    if given:
        for column in given:
            check_column(location, column, names)
        return tuple(given)
    by_content = [name for name in names if holds_images(row.get(name) for row in sample)]
    by_name = [name for name in by_content or names if name.lower() in NAMES]
    found = by_content if len(by_content) == 1 else by_name
    if len(found) == 1:
        return (found[0],)
    columns = ", ".join(by_content or names)
    said = f"images in the columns {columns}" if by_content else f"the columns {columns}"
    raise SourceError(shown(location), said, "one that holds images", "name it with --image COLUMN")


def check_column(location: str, column: str, names: Sequence[str]) -> None:
    if column not in names:
        near = get_close_matches(column, names, n=1)
        hint = f"did you mean {near[0]}?" if near else ""
        found = f"no column {column!r}"
        raise SourceError(shown(location), found, f"one of {', '.join(names)}", hint)


def holds_images(cells: Iterable[Any]) -> bool:
    """Say whether every cell that holds something holds an image, and one does."""
    held = [cell for cell in cells if cell not in (None, "", b"")]
    return bool(held) and all(map(looks_like_image, held))


def looks_like_image(cell: Any) -> bool:
    match cell:
        case str():
            name = cell.strip().partition("?")[0].partition("#")[0]
            return cell.startswith("data:image/") or (is_image_name(name) and "\n" not in name)
        case bytes():
            return bool(sniff(cell))
        case {"bytes": bytes() | str() as data} if data:
            return isinstance(data, str) or bool(sniff(data))
        case {"path": str() as path}:
            return is_image_name(path)
        case list() if cell:
            return all(map(looks_like_image, cell))
    return False


def plain_columns(
    names: Sequence[str], images: Sequence[str], sample: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Give the columns whose values are told: all, but those of images that are not names."""
    return tuple(
        name
        for name in names
        if name not in images or all(isinstance(row.get(name), str | None) for row in sample)
    )
