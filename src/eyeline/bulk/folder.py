"""
A run's folder, `OUT.run/`: where everything is that a run must not forget.

    plan.json          what is asked, of what; see `plan`
    source/            what of the source could not be read twice alike
    shards.jsonl       the pieces of the source, one a line
    commits.jsonl      a line for each shard that was finished, with its figures
    ledger/            what was sent and answered in the shards that are not; see `ledger`
    parts/             the answers of each finished shard, in input order
    answers.sqlite3    answers of this run, where it was told to leave the cache alone
    batch/             what went to the Batch API; see `batch.state`
    lock, ballast      who works here; a little room for a full disk
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from eyeline.bulk.journal import Reading, line_of, unwritable
from eyeline.bulk.rows import Shard
from eyeline.bulk.run_errors import RunBusy
from eyeline.bulk.sources.storage import is_remote, local_path
from eyeline.bulk.tables import check_format
from eyeline.bulk.whole import whole_file
from eyeline.errors import SettingsError

# Enough for the lines of what is in flight when the disk is full.
BALLAST_BYTES = 2**18
# Of the names of parts in a folder of the user's.
PART_PREFIX = "part-"


class RunFolder:
    """The files of one run, by name; `parts` is OUT itself where that is a folder."""

    def __init__(self, target: str, path: Path, *, is_folder: bool = False) -> None:
        self.target, self.path, self.is_folder = target, path, is_folder
        self.parts = Path(target) if is_folder else path / "parts"
        self.ledgers = path / "ledger"
        self.source = path / "source"
        self.plan = path / "plan.json"
        self.shards = path / "shards.jsonl"
        self.commits = path / "commits.jsonl"
        self.answers = path / "answers.sqlite3"
        self.batch = path / "batch"
        self.ballast = path / "ballast"

    @classmethod
    def of(cls, out: str) -> RunFolder:
        """
        Give the folder of the run with this output: a file, or a folder where it ends in / or is
        one. That of an output in storage is here, under its last name.

        Raises SettingsError for an output that cannot be written.
        """
        if is_remote(out):
            check_format(out)
            return cls(out, Path(f"{Path(out.partition('?')[0]).name}.run"))
        path = local_path(out)
        is_folder = out.endswith("/") or path.is_dir()
        if not is_folder:
            check_format(out)
        return cls(str(path), path.with_name(f"{path.name}.run"), is_folder=is_folder)

    @property
    def is_made(self) -> bool:
        """Say whether the output is there, as far as can be told without asking a storage."""
        return is_remote(self.target) or Path(self.target).exists()

    def tries(self, number: int, generation: int) -> list[Path]:
        """
        Give the ledgers of a shard, the first try at it first; `generation` counts how often the
        shard was finished before.
        """
        return sorted(self.ledgers.glob(f"{number:06d}.{generation}.*.jsonl"), key=try_of)

    def new_ledger(self, number: int, generation: int) -> Path:
        """
        Make the ledger of a new try at a shard. Whoever still writes to an older one, on a machine
        that was thought lost, spoils nothing. Raises RunUnwritable.
        """
        count = max(map(try_of, self.tries(number, generation)), default=0)
        while True:
            count += 1
            path = self.ledgers / f"{number:06d}.{generation}.{count}.jsonl"
            try:
                path.touch(mode=0o600, exist_ok=False)
            except FileExistsError:
                continue
            except OSError as error:
                raise unwritable(path, error) from None
            return path

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Be the only process that works on this run. Raises RunBusy where another one does."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise unwritable(self.path, error) from None
        try:
            take_lock(file, self.path)
            yield
        finally:
            os.close(file)

    def prepare(self) -> None:
        """Make what is written to, and the ballast."""
        try:
            for folder in (self.ledgers, self.parts):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from None
        # Where there is no room for it, there is none to keep back.
        with suppress(OSError):
            if not self.ballast.exists():
                with whole_file(str(self.ballast)) as file:
                    file.write(b"\0" * BALLAST_BYTES)

    def make_room(self) -> bool:
        """Let go of the ballast; say whether there was any."""
        try:
            self.ballast.unlink()
        except OSError:
            return False
        return True

    def clear(self) -> None:
        """Forget the run; what is not of a run stays, and so does the lock that is held."""
        files = [self.plan, self.shards, self.commits, self.ballast]
        answers = self.path.glob(f"{self.answers.name}*")
        for path in [*files, *answers, *self.parts_made()]:
            path.unlink(missing_ok=True)
        for folder in (self.ledgers, self.source, self.batch):
            shutil.rmtree(folder, ignore_errors=True)

    def parts_made(self) -> Iterator[Path]:
        """Give the parts that are there; a folder that is the output may hold other tables."""
        return self.parts.glob(f"{PART_PREFIX * self.is_folder}[0-9]*.parquet")

    def refuse_taken(self) -> None:
        """Raise SettingsError where the output is there, and no run that made it."""
        target = Path(self.target)
        if self.is_folder:
            is_taken = any(self.parts_made())
        else:
            is_taken = not is_remote(self.target) and target.exists() and target.stat().st_size > 0
        if is_taken:
            expected = "a name that nothing has yet, or --new, which replaces what is there"
            raise SettingsError("-o", self.target, expected)

    def write_plan(self, plan: Mapping[str, Any]) -> None:
        text = json.dumps(plan, indent=2, ensure_ascii=False) + "\n"
        with writing(self.plan) as file:
            file.write(text.encode())

    def write_shards(self, shards: Iterable[Shard]) -> None:
        with writing(self.shards) as file:
            file.writelines(line_of(shard.to_record()) for shard in shards)

    def read_shards(self) -> Iterator[Shard]:
        yield from map(Shard.from_record, Reading(self.shards))


def try_of(ledger: Path) -> int:
    return int(ledger.name.split(".")[2])


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Write a file that is whole or not there. Raises RunUnwritable."""
    try:
        with whole_file(str(path)) as file:
            yield file
    except OSError as error:
        raise unwritable(path, error) from None


def take_lock(file: int, path: Path) -> None:
    """Lock an open file, and write our number into it. Raises RunBusy."""
    try:
        import fcntl
    except ImportError:  # no such locks on Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise RunBusy(str(path), os.read(file, 20).decode()) from None
    os.ftruncate(file, 0)
    os.write(file, str(os.getpid()).encode())
