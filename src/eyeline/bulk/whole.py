"""Files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from eyeline.bulk.sources.storage import file_system, is_remote, local_path

# Storage where a file appears when its upload is complete, and where to rename is to copy.
OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hf", "oci", "oss", "memory"}


@contextmanager
def whole_file(location: str, *, replaces: bool = True) -> Iterator[BinaryIO]:
    """
    Write a file under another name; at the end of the block it is synced and gets its own.

    Where the block raises, nothing is left, and what was there before stays; without `replaces` it
    always does. The folder is made.
    """
    if is_remote(location):
        with TemporaryDirectory(prefix="eyeline-") as folder:
            made = Path(folder) / "whole"
            with made.open("wb") as file:
                yield file
            upload(made, location, replaces=replaces)
        return
    path = local_path(location)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        settle(temporary, path, replaces=replaces)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def settle(temporary: Path, path: Path, *, replaces: bool) -> None:
    """Give a file its own name; one that is there goes, or else stays."""
    if replaces:
        temporary.replace(path)
        return
    with suppress(FileExistsError):
        path.hardlink_to(temporary)
    temporary.unlink()


def sync_folder(folder: Path) -> None:
    """Make sure that a rename in `folder` outlives a power cut; Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def upload(made: Path, location: str, *, replaces: bool) -> None:
    files, path = file_system(location)
    if not replaces and files.exists(path):
        return
    files.makedirs(files._parent(path), exist_ok=True)
    protocols = files.protocol if isinstance(files.protocol, tuple) else (files.protocol,)
    if OBJECT_STORES & {*protocols}:
        files.put_file(str(made), path)
        return
    temporary = f"{path}.tmp"
    files.put_file(str(made), temporary)
    replace(files, temporary, path)


def replace(files: Any, temporary: str, path: str) -> None:
    """Rename; where that refuses to replace a file, the old one goes first."""
    try:
        files.mv(temporary, path)
    except FileExistsError:
        files.rm_file(path)
        files.mv(temporary, path)
