"""Folders of images, listed: every file whose name ends as an image's does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from eyeline.core.pages import EXTENSIONS
from eyeline.core.reference import FileRef, Reference
from eyeline.errors import BadReference, ImageUnreadable


def files_of(reference: Reference) -> list[Reference]:
    """
    Give the images of a folder, and of the folders in it, by path; any other reference as it is.

    Hidden files and folders are left out. Raises BadReference for a folder without images, and
    ImageUnreadable for one that cannot be listed.
    """
    if not isinstance(reference, FileRef) or not os.path.isdir(reference.path):  # noqa: PTH112  # unlike Path, False for any name
        return [reference]
    found = sorted(image_paths(str(reference.path)))
    if not found:
        raise BadReference(str(reference), "a folder without images, hidden ones left out")
    return [FileRef(Path(path)) for path in found]


def image_paths(folder: str) -> Iterator[str]:
    """Give the path of every image under a folder; a folder met again, by a link, is passed by."""
    waiting, seen = [folder], set()
    while waiting:
        folder = waiting.pop()
        try:
            status = os.stat(folder)  # noqa: PTH116  # paths stay text: there may be very many
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            raise ImageUnreadable(folder, error.strerror or str(error)) from None
        folders = {entry.path for entry in visible if is_folder(entry)}
        # By name, so that of several ways to a folder it is always the same one that is taken.
        waiting += sorted(folders, reverse=True)
        yield from {entry.path for entry in visible if is_image_name(entry.name)} - folders


def is_folder(entry: os.DirEntry[str]) -> bool:
    # Where it is a link, `entry.is_dir` raises if that leads in a circle.
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()  # noqa: PTH112


def is_image_name(name: str) -> bool:
    return name.rpartition(".")[2].lower() in EXTENSIONS and "." in name
