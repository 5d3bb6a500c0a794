"""
Folders and globs, listed once into a file of the run: a line of JSON for each image, sorted.

A listing that was made again would see other files, and rows would change places under a run that
resumes. Sorting goes by pieces on disk, so a folder of ten million costs no more memory than one of
a thousand.
"""

from __future__ import annotations

import glob
import heapq
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from eyeline.adapters.folders import is_folder, is_image_name
from eyeline.bulk.errors import SourceError
from eyeline.bulk.sources.storage import file_system, is_remote, is_web, local_path
from eyeline.core.media import sniff
from eyeline.core.reference import shown

# Says of a path whether its file is listed.
Accept = Callable[[str], bool]
PIECE_NAMES = 100_000
# All that `sniff` looks at.
SNIFFED_BYTES = 1024


class Listed(NamedTuple):
    """One file of a listing: its name below the folder; and why a folder could not be read."""

    name: str
    problem: str = ""


def list_files(location: str, listing: Path, suffixes: tuple[str, ...] = ()) -> int:
    """
    Write the images of a folder, or those a glob matches, to `listing`; give how many. With
    `suffixes` it is the files whose names end so instead; no listing is left where there are none.

    Hidden files and folders are left out. A file counts as an image by its name; one whose name
    says nothing, by its first bytes. Raises SourceError for a folder that cannot be read.
    """
    names = named(suffixes) if suffixes else is_image_name
    if is_remote(location):
        found = remote_files(location, names)
    else:
        found = local_files(location, names if suffixes else is_image)
    count = 0
    temporary = listing.with_suffix(".tmp")
    with temporary.open("w", encoding="ascii") as file:
        for each in sorted_on_disk(found, listing.parent):
            file.write(json.dumps(each) + "\n")
            count += 1
        file.flush()
        os.fsync(file.fileno())
    if count:
        temporary.replace(listing)
    else:
        temporary.unlink()
    return count


def named(suffixes: tuple[str, ...]) -> Accept:
    return lambda name: name.lower().endswith(suffixes)


def sorted_on_disk(found: Iterable[Listed], folder: Path) -> Iterator[Listed]:
    """Sort by name, holding PIECE_NAMES at a time."""
    found = iter(found)
    with TemporaryDirectory(dir=folder) as scratch, ExitStack() as files:
        pieces: list[Iterator[Listed]] = []
        while piece := sorted(islice(found, PIECE_NAMES)):
            if len(piece) < PIECE_NAMES:
                pieces.append(iter(piece))
                break
            path = Path(scratch) / str(len(pieces))
            path.write_text("".join(json.dumps(each) + "\n" for each in piece), "ascii")
            pieces.append(read_listing(files.enter_context(path.open(encoding="ascii"))))
        yield from heapq.merge(*pieces)


def read_listing(lines: Iterable[str]) -> Iterator[Listed]:
    for line in lines:
        yield Listed(*json.loads(line))


# --- this machine --------------------------------------------------------------------------------


def local_files(location: str, accept: Accept) -> Iterator[Listed]:
    path = str(local_path(location))
    return below(path, accept) if os.path.isdir(path) else matched(path, accept)  # noqa: PTH112


def matched(pattern: str, accept: Accept) -> Iterator[Listed]:
    for path in glob.iglob(pattern, recursive=True):  # noqa: PTH207  # paths as they were written
        if accept(path):
            yield Listed(path)


def below(top: str, accept: Accept) -> Iterator[Listed]:
    """Give every file under a folder; a folder met again, by a link, is passed by."""
    waiting, seen = [""], set()
    while waiting:
        folder = waiting.pop()
        try:
            status = os.stat(os.path.join(top, folder))  # noqa: PTH116, PTH118  # text: very many
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            for entry in os.scandir(os.path.join(top, folder)):  # noqa: PTH118
                if entry.name.startswith("."):
                    continue
                name = f"{folder}/{entry.name}" if folder else entry.name
                if is_folder(entry):
                    waiting.append(name)
                elif accept(entry.path):
                    yield Listed(name)
        except OSError as error:
            yield refused(top, folder, error)


def refused(top: str, folder: str, error: OSError) -> Listed:
    """Make a row of a folder that cannot be listed. Raises SourceError if it is the top one."""
    reason = error.strerror or str(error)
    if not folder:
        raise SourceError(top, reason, "a folder that can be read") from None
    return Listed(folder, f"a folder that cannot be read: {reason}")


def is_image(path: str) -> bool:
    """Say whether a file's name says that it is an image, or, where it says nothing, its bytes."""
    name = os.path.basename(path)  # noqa: PTH119
    if is_image_name(name):
        return os.path.isfile(path) or not os.path.exists(path)  # noqa: PTH110, PTH113
    if "." in name:
        return False
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return sniff(file.read(SNIFFED_BYTES)).startswith("image/")
    except OSError:
        return False


# --- storage -------------------------------------------------------------------------------------


def remote_files(location: str, accept: Accept) -> Iterator[Listed]:
    """Give the files below a URL, or those that a glob in it matches, by their names alone."""
    if is_web(location):  # one image; nothing on the web can be listed
        yield Listed(location)
        return
    files, path = file_system(location)
    try:
        if accept(path) and not glob.has_magic(path):  # one file, read when its row is due
            yield Listed(location)
            return
        if glob.has_magic(path):
            found = map(files.unstrip_protocol, files.glob(path))
            yield from (Listed(each) for each in found if accept(each))
            return
        top = path.rstrip("/") + "/"
        for folder, _, names in files.walk(path, on_error="raise"):
            within = (folder.rstrip("/") + "/").removeprefix(top)
            accepted = (within + name for name in names if accept(name))
            yield from (Listed(each) for each in accepted if is_visible(each))
    except OSError as error:
        raise SourceError(shown(location), str(error), "a folder that can be listed") from None


def is_visible(name: str) -> bool:
    return not any(part.startswith(".") for part in name.split("/"))
