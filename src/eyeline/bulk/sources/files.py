"""Rows that are image files: each line of a listing is one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyeline.bulk.errors import RowUnreadable
from eyeline.bulk.rows import Row, Shard
from eyeline.bulk.sources.lines import contents, cut_file
from eyeline.bulk.sources.listing import Listed
from eyeline.bulk.sources.storage import RemoteFile, is_remote, is_web, local_path
from eyeline.core.reference import shown

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class FileSource:
    """
    The files of a listing, under `top`, "" where the listing names them whole.

    A shard is a range of bytes of the listing, which is a file of the run's own.
    """

    top: str
    listing: Path
    columns: tuple[str, ...] = ()

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"kind": "files", "top": shown(self.top, 500)}

    def shards(self) -> Iterator[Shard]:
        return cut_file(str(self.listing))

    def rows(self, shard: Shard) -> Iterator[Row]:
        for at, line in enumerate(contents(shard)):
            yield self.row(at, Listed(*json.loads(line)))

    def peek(self, shard: Shard) -> Iterator[Row]:
        return self.rows(shard)

    def row(self, at: int, listed: Listed) -> Row:
        place = joined(self.top, listed.name)
        if listed.problem:
            problem = RowUnreadable(place, listed.problem)
            return Row(at, listed.name, place, problem=problem)
        return Row(at, listed.name, place, (image_at(place),))

    def schema(self) -> pa.Schema:
        from eyeline.bulk.arrow import pa

        return pa.schema([])


def image_at(place: str) -> object:
    """Give what `parse_reference` takes; an address on the web goes the way of all addresses."""
    if is_web(place):
        return place
    return RemoteFile(place) if is_remote(place) else local_path(place)


def joined(top: str, name: str) -> str:
    """Give the place of a listed file."""
    return f"{top.rstrip('/')}/{name}" if top else name
