"""What a source's name means."""

from __future__ import annotations

import glob
import gzip
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from eyeline.adapters.folders import is_image_name
from eyeline.bulk.errors import SourceError
from eyeline.bulk.rows import Selection, Source
from eyeline.bulk.sources.chosen import Peekable, choose
from eyeline.bulk.sources.files import FileSource
from eyeline.bulk.sources.listing import is_image, list_files
from eyeline.bulk.sources.many import ManySource, remembering
from eyeline.bulk.sources.storage import bare, is_remote, is_web, local_path, open_binary
from eyeline.bulk.whole import whole_file
from eyeline.core.reference import shown

LISTING, STDIN = "listing.jsonl", "stdin.jsonl"
READ_BYTES = 2**20
KINDS = {
    ".txt": "references", ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".jsonl": "jsonl",
    ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet", ".tar": "tar",
}  # fmt: skip
# Tables in a folder of their own; a .txt beside images is a note.
TABLES = tuple(suffix for suffix in KINDS if suffix != ".txt")


def opened(text: str, spool: Path, image_columns: tuple[str, ...], selection: Selection) -> Source:
    """Open the source that `text` names; see `open_source`."""
    spool.mkdir(parents=True, exist_ok=True)
    return choose(find(text, spool, image_columns), selection, spool)


def find(text: str, spool: Path, columns: Sequence[str]) -> Peekable:
    if text == "-":
        return open_table(str(spooled(spool)), columns, "")
    is_there = not is_remote(text) and local_path(text).exists()
    if is_glob(text) and not is_there:
        return listed(text, "", spool, columns)
    if not is_there and not is_remote(text):
        raise SourceError(shown(text), "no such file or folder", "a folder, a table or a glob")
    if is_folder(text):
        return listed(text, text.rstrip("/") or "/", spool, columns)
    return single(text, spool, columns)


def is_glob(text: str) -> bool:
    return glob.has_magic(text) and not is_web(text)


def is_folder(text: str) -> bool:
    """Say whether a source is a folder; of storage, where its name is no table's or image's."""
    if not is_remote(text):
        return local_path(text).is_dir()
    return not (is_web(text) or kind(text) or is_image_name(text))


def kind(name: str) -> str:
    """Give the kind of table that a name says, "" for none; `.gz` after it does not matter."""
    return KINDS.get(Path(name.lower().removesuffix(".gz")).suffix, "")


def single(text: str, spool: Path, columns: Sequence[str]) -> Peekable:
    """Open one file: a table, or an image, which is a run of one row."""
    name = bare(text)
    if kind(name):
        return open_table(here(text, name, spool), columns, text)
    if is_image_name(name) if is_remote(text) else is_image(text):
        return listed(text if is_remote(text) else glob.escape(text), "", spool, columns)
    expected = f"a folder, images, or a table in {', '.join(KINDS)}"
    hint = "put it as lines: jq -c '.[]' FILE.json > FILE.jsonl" if name.endswith(".json") else ""
    raise SourceError(shown(text), "not a kind that is read here", expected, hint)


def open_table(location: str, columns: Sequence[str], origin: str | None = None) -> Peekable:
    """
    Open a table by the kind its name says; what reads it is imported with it. `origin` is where it
    comes from, if not from there: relative names in it are meant from there.
    """
    origin = location if origin is None else origin
    match kind(bare(location)):
        case "references":
            from eyeline.bulk.sources.texts import open_references

            return open_references(location, origin)
        case "csv":
            from eyeline.bulk.sources.texts import open_csv

            return open_csv(location, origin, columns)
        case "jsonl":
            from eyeline.bulk.sources.texts import open_jsonl

            return open_jsonl(location, origin, columns)
        case "parquet":
            from eyeline.bulk.sources.parquet import open_parquet

            return open_parquet(location, origin, columns)
    from eyeline.bulk.sources.tars import open_tar

    return open_tar(location, columns)


def listed(text: str, top: str, spool: Path, columns: Sequence[str]) -> Peekable:
    """Give the images of a folder or glob, or else its tables, listed now or when the run began."""
    listing, tables = spool / LISTING, spool / f"tables-{LISTING}"
    if is_table_glob(text) or tables.exists():
        return many(text, top, tables, columns)
    if listing.exists() or list_files(text, listing):
        return FileSource(top, listing)
    return many(text, top, tables, columns)


def is_table_glob(text: str) -> bool:
    return is_glob(text) and kind(text) != ""


def many(text: str, top: str, listing: Path, columns: Sequence[str]) -> ManySource:
    if not listing.exists() and not list_files(text, listing, TABLES):
        raise SourceError(shown(text), "no images or tables, hidden files left out", "at least one")
    return ManySource(top, listing, remembering(partial(open_table, columns=tuple(columns))))


# --- what is copied into the run -----------------------------------------------------------------


def here(text: str, name: str, spool: Path) -> str:
    """
    Give where a table is read: a compressed one, and one of a web server that gives no ranges, is
    copied into the run first, since it is read from the middle.
    """
    is_packed = name.lower().endswith(".gz")
    if not is_packed and not (is_remote(text) and is_stream(text)):
        return text
    file_name = Path(name).name
    copy = spool / (file_name[:-3] if is_packed else file_name)
    if not copy.exists():
        with open_binary(text) as file:
            if is_packed:
                with gzip.open(file) as unpacked:
                    keep(copy, unpacked.read, text)
            else:
                keep(copy, file.read, text)
    return str(copy)


def is_stream(text: str) -> bool:
    """Say whether a table is on a web server that gives it from its beginning alone."""
    if not is_web(text):
        return False
    try:
        with open_binary(text, 1) as file:
            return not file.read(1)
    except ValueError:  # so fsspec says that there are no ranges
        return True


def keep(copy: Path, read: Callable[[int], bytes], source: str) -> None:
    """Write all that `read` gives to a file. Raises SourceError where it fails half way."""
    try:
        with whole_file(str(copy)) as file:
            while chunk := read(READ_BYTES):
                file.write(chunk)
    except (OSError, EOFError) as error:
        raise SourceError(shown(source), str(error), "a file that can be read whole") from None


def spooled(spool: Path) -> Path:
    """
    Give the file that holds what came on standard input when the run began.

    Raises SourceError where other rows come now than came then.
    """
    copy = spool / STDIN
    if not copy.exists():
        if sys.stdin is None or sys.stdin.isatty():
            raise SourceError("-", "a terminal", "JSONL on standard input")
        keep(copy, sys.stdin.buffer.read, "-")
    elif not (sys.stdin is None or sys.stdin.isatty()):
        check_same(copy, sys.stdin.buffer)
    return copy


def check_same(copy: Path, stream: BinaryIO) -> None:
    """Compare standard input with what was kept; where nothing comes, what was kept stands."""
    with copy.open("rb") as file:
        is_first = True
        while (now := stream.read(READ_BYTES)) or not is_first:
            if now != file.read(READ_BYTES):
                hint = "resume without input, as in < /dev/null, or begin a new run"
                raise SourceError("-", "other rows than the run began with", "the same", hint)
            if not now:
                return
            is_first = False
