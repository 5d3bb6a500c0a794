"""
Rows of WebDataset archives: members whose names are alike up to the first dot are one sample.

Source of the convention: the README of webdataset, "The WebDataset Format": the name up to the
first dot is the key, what follows says what a member holds.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, NamedTuple

from eyeline.bulk.arrow import pa
from eyeline.bulk.errors import RowUnreadable, SourceError
from eyeline.bulk.rows import Row, Shard
from eyeline.bulk.sources.kinds import Kinds
from eyeline.bulk.sources.lines import Record, cut
from eyeline.bulk.sources.storage import is_remote, open_binary, stamp
from eyeline.core.media import sniff
from eyeline.core.pages import EXTENSIONS
from eyeline.core.reference import shown

MEMBER_BYTES_MAX = 512 * 10**6
TEXTS = {"txt", "text", "caption", "cls", "id", "url"}
SAMPLE_ROWS = 100
# A name that no member has.
NO_KINDS = ("/",)
END = "(end)"
Reading = tuple[BinaryIO, Sequence[str]]


class Member(NamedTuple):
    """One member of a sample: what its name says it holds, and where it lies."""

    kind: str
    info: tarfile.TarInfo


@dataclass(slots=True)
class Sample:
    """The members of one row; `start` is where its first header lies in the archive."""

    key: str
    start: int
    members: list[Member] = field(default_factory=list)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TarSource:
    """Rows of one archive; `kinds` are the members that hold images, () for all that look so."""

    location: str
    kinds: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def identity(self) -> Mapping[str, Any]:
        place = shown(self.location, 500)
        return {"kind": "tar", "location": place, "images": [*self.kinds], **stamp(self.location)}

    def shards(self) -> Iterator[Shard]:
        """Cut between samples. Of storage, where each header is a request, it is one shard."""
        if is_remote(self.location):
            yield Shard(0, self.location)
            return
        with open_binary(self.location) as file:
            starts = (sample.start for sample in samples(file))
            shards = [*cut(sizes(starts), self.location)]
        yield from shards[:-1]
        yield replace(shards[-1], stop=None)

    def rows(self, shard: Shard) -> Iterator[Row]:
        return self.read(shard, self.kinds)

    def peek(self, shard: Shard) -> Iterator[Row]:
        """Give the rows without their images, which are passed over."""
        return self.read(shard, NO_KINDS)

    def read(self, shard: Shard, kinds: Sequence[str]) -> Iterator[Row]:
        with open_binary(self.location, shard.start) as file:
            seen: set[str] = set()
            for at, sample in enumerate(samples(file, shard.stop)):
                # A name that comes twice is an error of whoever wrote the archive; both are rows.
                key = f"{sample.key}#{at}" if sample.key in seen else sample.key
                seen.add(key)
                yield self.row(at, key, sample, (file, kinds))

    def row(self, at: int, key: str, sample: Sample, reading: Reading) -> Row:
        file, kinds = reading
        source = f"{shown(self.location, 4096).rpartition('/')[2]}/{sample.key}"
        try:
            if sample.problem:
                raise RowUnreadable(source, sample.problem)
            values, images = contents(sample, kinds, file, source)
        except RowUnreadable as problem:
            return Row(at, key, source, problem=problem)
        told = {name: values.get(name) for name in self.columns}
        if not images:
            return Row(at, key, source, (), told, RowUnreadable(source, "no image in this sample"))
        return Row(at, key, source, images, told)

    def schema(self) -> pa.Schema:
        kinds = Kinds(self.columns)
        for shard in self.shards():
            for row in self.peek(shard):
                kinds.take(row.values)
        return kinds.schema()


def open_tar(location: str, kinds: Sequence[str] = ()) -> TarSource:
    """Open an archive. Raises SourceError where it is none, or its samples hold no such member."""
    columns: dict[str, None] = {}
    found: dict[str, None] = {}
    with open_binary(location) as file:
        for count, sample in enumerate(samples(file), 1):
            found |= dict.fromkeys(member.kind for member in sample.members)
            with suppress(RowUnreadable):  # it will be told where it is a row
                columns |= dict.fromkeys(contents(sample, NO_KINDS, file, location)[0])
            if count == SAMPLE_ROWS:
                break
    if not found:
        raise SourceError(shown(location), "no samples", "a WebDataset archive (.tar)")
    for kind in kinds:
        if kind not in found:
            members = f"members {', '.join(found)}"
            raise SourceError(shown(location), members, f"one called {kind}, as --image says")
    return TarSource(location, tuple(kinds), tuple(columns))


def samples(file: BinaryIO, stop: int | None = None) -> Iterator[Sample]:
    """
    Give the samples from where a file stands, up to byte `stop`.

    Of an archive cut short these are the whole ones, and at last one that carries the problem.
    """
    current: Sample | None = None
    for found in headers(file, stop):
        key, kind = key_and_kind(found.name)
        if current is None or current.key != key:
            if current is not None:
                yield current
            current = Sample(key, found.offset)
        if isinstance(found, Cut):
            current.problem = found.problem
        else:
            current.members.append(Member(kind, found))
    if current is not None:
        yield current


class Cut(NamedTuple):
    """Where an archive ends early: in the member `name`, or between two, at "(end)"."""

    offset: int
    name: str
    problem: str


def headers(file: BinaryIO, stop: int | None) -> Iterator[tarfile.TarInfo | Cut]:
    """Give the header of each visible file, and at last where the archive is cut, if it is."""
    end = size_of(file)
    try:
        archive = tarfile.TarFile(fileobj=file)
        while (info := archive.next()) is not None:
            if stop is not None and info.offset >= stop:
                return
            archive.members.clear()  # type: ignore[attr-defined]  # every header is kept otherwise
            if info.isfile() and info.offset_data + info.size > end:
                yield Cut(info.offset, info.name, "the archive is cut short in this sample")
                return
            if info.isfile() and not info.name.rpartition("/")[2].startswith("."):
                yield info
        file.seek(archive.offset)
        # What ends an archive; damage and a cut between members look alike to tarfile.
        if file.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            yield Cut(archive.offset, END, "the archive is cut short or damaged here")
    except (tarfile.TarError, OSError, ValueError) as error:
        yield Cut(end, END, f"the archive is damaged: {error}")


def size_of(file: BinaryIO) -> int:
    at = file.tell()
    end = file.seek(0, 2)
    file.seek(at)
    return end


def key_and_kind(name: str) -> tuple[str, str]:
    """Split a member's name at the first dot of its last part."""
    folder, slash, base = name.rpartition("/")
    stem, _, kind = base.partition(".")
    return f"{folder}{slash}{stem}", kind.lower()


def sizes(starts: Iterator[int]) -> Iterator[Record]:
    """Give the sizes of samples, told by where they start; the last has no end of its own."""
    before = next(starts, None)
    for start in starts:
        assert before is not None
        yield Record(start - before, True)
        before = start
    if before is not None:
        yield Record(1, True)


def contents(
    sample: Sample, kinds: Sequence[str], file: BinaryIO, source: str
) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """Read what a sample says and shows. Raises RowUnreadable."""
    values: dict[str, Any] = {}
    images = []
    for kind, info in sample.members:
        ending = kind.rpartition(".")[2]
        if kind in kinds or (not kinds and is_image(ending, info, file)):
            images.append(read(info, file, source))
        elif ending == "json":
            values |= read_json(read(info, file, source), kind, source)
        elif ending in TEXTS:
            values[kind] = read(info, file, source).decode("utf-8", "replace").strip()
    return values, tuple(images)


def is_image(ending: str, info: tarfile.TarInfo, file: BinaryIO) -> bool:
    if ending in EXTENSIONS:
        return True
    if ending:
        return False
    file.seek(info.offset_data)
    return bool(sniff(file.read(min(info.size, 1024))))


def read(info: tarfile.TarInfo, file: BinaryIO, source: str) -> bytes:
    if info.size > MEMBER_BYTES_MAX:
        limit = f"more than {MEMBER_BYTES_MAX // 10**6} MB"
        raise RowUnreadable(source, f"{info.name}: {info.size:,} bytes, {limit}")
    file.seek(info.offset_data)
    return file.read(info.size)


def read_json(data: bytes, kind: str, source: str) -> dict[str, Any]:
    """Give the fields of a JSON member; what is no object stands under the member's own name."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RowUnreadable(source, f"{kind} is no JSON: {error}") from None
    return value if isinstance(value, dict) else {kind: value}
