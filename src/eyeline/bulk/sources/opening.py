"""What a source's name means."""

from __future__ import annotations

import glob
from pathlib import Path

from eyeline.bulk.errors import SourceError
from eyeline.bulk.rows import Selection, Source
from eyeline.bulk.sources.files import FileSource
from eyeline.bulk.sources.listing import list_images
from eyeline.bulk.sources.storage import is_remote, local_path
from eyeline.core.reference import shown

LISTING = "listing.jsonl"


def opened(text: str, spool: Path, image_columns: tuple[str, ...], selection: Selection) -> Source:
    """Open the source that `text` names; see `open_source`."""
    spool.mkdir(parents=True, exist_ok=True)
    is_there = is_remote(text) or local_path(text).exists()
    if glob.has_magic(text) and (is_remote(text) or not is_there):
        return listed(text, "", spool)
    if not is_there:
        raise SourceError(shown(text), "no such file or folder", "a folder, a table or a glob")
    return listed(text, text.rstrip("/") or "/", spool)


def listed(text: str, top: str, spool: Path) -> FileSource:
    """Give the images of a folder or glob, listed now or when the run began."""
    listing = spool / LISTING
    if not listing.exists() and not list_images(text, listing):
        listing.unlink()
        raise SourceError(shown(text), "no images, hidden files left out", "at least one")
    return FileSource(top, listing)
