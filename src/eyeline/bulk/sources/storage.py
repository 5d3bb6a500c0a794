"""
Files wherever they are: paths of this machine, and what fsspec reaches with the drivers that are
installed.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any, BinaryIO, cast

from eyeline.bulk.errors import DriverMissing, SourceError
from eyeline.core.reference import shown
from eyeline.errors import MissingExtra

# Two letters or more, so that C:\photos stays a path; `zip::s3://` chains two drivers.
SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+)(::|://)")
# What people install for a scheme, where it is not named as fsspec says.
PACKAGES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs",
    "hf": "huggingface_hub", "http": "aiohttp", "https": "aiohttp", "sftp": "paramiko",
}  # fmt: skip


def is_remote(location: str) -> bool:
    """Say whether a location is a URL that fsspec is to open; `file:` and paths are not."""
    found = SCHEME.match(location)
    return found is not None and found[1].lower() != "file"


def is_web(location: str) -> bool:
    """Say whether a location is an address, whose ? begins a query and stands for no letter."""
    return location.startswith(("http:", "https:"))


def bare(location: str) -> str:
    """Give a location without the query of an address, for its name."""
    return location.partition("?")[0] if is_web(location) else location


def local_path(location: str) -> Path:
    """Give the path of a location on this machine, written as a path or a `file:` URL."""
    from eyeline.core.reference import file_url_path

    return file_url_path(location) if SCHEME.match(location) else Path(location)


def file_system(location: str) -> tuple[Any, str]:
    """
    Give the fsspec file system of a URL, and the path in it.

    Raises MissingExtra where fsspec or the driver is not installed, SourceError for an unknown
    scheme.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise MissingExtra("reading URLs of storage", "bulk", "fsspec") from None
    scheme = location.partition("://")[0].rpartition("::")[2]
    try:
        found: tuple[Any, str] = url_to_fs(location, use_listings_cache=False)
    except ImportError:
        raise DriverMissing(shown(location), scheme, PACKAGES.get(scheme, scheme)) from None
    except ValueError as error:
        raise SourceError(shown(location), str(error), "a URL that fsspec knows") from None
    return found


def open_binary(location: str, start: int = 0) -> BinaryIO:
    """Open a file to read from byte `start`. Raises SourceError where that cannot be done."""
    try:
        file = open_anywhere(location)
        if start:
            file.seek(start)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SourceError(shown(location), reason, "a file that can be read") from None
    return file


def open_anywhere(location: str) -> BinaryIO:
    if not is_remote(location):
        return local_path(location).open("rb")
    files, path = file_system(location)
    return cast(BinaryIO, files.open(path, "rb"))


def stamp(location: str) -> dict[str, Any]:
    """Give what tells one state of a file from another: its size, and its time or tag."""
    if not is_remote(location):
        status = local_path(location).stat()
        return {"bytes": status.st_size, "changed_ns": status.st_mtime_ns}
    files, path = file_system(location)
    facts = files.info(path)
    tag = facts.get("ETag") or facts.get("etag") or facts.get("mtime") or facts.get("created")
    return {"bytes": facts.get("size"), "tag": None if tag is None else str(tag)}


class RemoteFile:
    """
    A file behind fsspec as a binary file object, read when it is read and not before.

    It is what `images` of a row hold for `s3://…`: a listing of a million costs no open file.
    """

    def __init__(self, location: str) -> None:
        self.location, self.at = location, 0

    @property
    def name(self) -> str:
        return shown(self.location, 200)

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only from the start")
        self.at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, or all. Raises OSError, whatever the driver raises."""
        files, path = file_system(self.location)
        end = None if size < 0 else self.at + size
        try:
            data: bytes = files.cat_file(path, start=self.at, end=end)
        except OSError:
            raise
        except Exception as error:  # each driver has errors of its own
            raise OSError(f"{type(error).__name__}: {error}") from None
        self.at += len(data)
        return data
