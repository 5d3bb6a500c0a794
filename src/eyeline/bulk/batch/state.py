"""
What is known of the batches of a run: `OUT.run/batch/batches.sqlite3`.

    batches   each batch: how far it is, its ids, how many requests
    slips     for each request of a row, the line that asks it: `id` in `batch`, dollars at most
    answers   where in a batch's file of answers each line stands

Beside it lie `000000.jsonl`, the requests of a batch until they are submitted, and
`000000.out.jsonl`, its answers once they are collected. A batch is there once its file is whole;
slips of one that is not, which a crash leaves, were never there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal
from pathlib import Path
from secrets import token_hex
from typing import Any, Literal

from eyeline.bulk.journal import unwritable
from eyeline.bulk.run_errors import RunUnwritable
from eyeline.core.cost import FREE

# filled: its file is whole · uploaded · submitting: sent, perhaps there · submitted · collected:
# its answers are here
Step = Literal["filled", "uploaded", "submitting", "submitted", "collected"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS run (id TEXT NOT NULL, session INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS batches (
    number INTEGER PRIMARY KEY, endpoint TEXT, requests INTEGER, size_bytes INTEGER, step TEXT,
    attempt INTEGER, file_id TEXT, batch_id TEXT, status TEXT, answered INTEGER);
CREATE TABLE IF NOT EXISTS slips (
    shard INTEGER, generation INTEGER, row BLOB, n INTEGER, id TEXT, batch INTEGER, usd TEXT,
    tries INTEGER, used INTEGER DEFAULT 0, PRIMARY KEY (shard, generation, row, n)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS slips_by_id ON slips (id, batch);
CREATE INDEX IF NOT EXISTS slips_by_batch ON slips (batch, shard);
CREATE TABLE IF NOT EXISTS answers (
    batch INTEGER, id TEXT, at INTEGER, size INTEGER, PRIMARY KEY (batch, id)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch. `attempt` counts how often it was submitted, from 0."""

    number: int
    endpoint: str
    requests: int
    size_bytes: int
    step: Step = "filled"
    attempt: int = 0
    file_id: str = ""
    batch_id: str = ""
    status: str = ""
    answered: int = 0

    @property
    def name(self) -> str:
        return self.batch_id or f"batch {self.number}"


@dataclass(frozen=True, slots=True)
class Place:
    """The `n`-th request of a row, from 0, when its shard is done for the `generation`-th time."""

    shard: int
    generation: int
    key: str
    n: int = 0

    @property
    def columns(self) -> tuple[int, int, bytes, int]:
        # A key may hold half a surrogate pair, of a file name that is no text.
        return self.shard, self.generation, self.key.encode("utf-8", "surrogatepass"), self.n


@dataclass(frozen=True, slots=True)
class Slip:
    """
    The line that asks a request, the most it costs, how often it was asked, and the session of the
    run that got its answer, 0 as long as none has.
    """

    id: str
    batch: int
    usd: Decimal | None
    tries: int
    used: int = 0


SLIP = "id, batch, usd, tries, used"
OF_ROW = "shard = ? AND generation = ? AND row = ?"


class Batches:
    """The batches of one run, as they stand on disk; for one thread at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        path = folder / "batches.sqlite3"
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.db.executescript(f"PRAGMA synchronous = FULL; {SCHEMA}")
        self.db.execute("DELETE FROM slips WHERE batch NOT IN (SELECT number FROM batches)")
        if self.db.execute("UPDATE run SET session = session + 1").rowcount == 0:
            self.db.execute("INSERT INTO run VALUES (?, 1)", (token_hex(8),))
        self.run_id, self.session = self.db.execute("SELECT id, session FROM run").fetchone()

    def close(self) -> None:
        self.db.close()

    def execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        """Do one statement. Raises RunUnwritable where that cannot be done."""
        with told(self.folder):
            return self.db.execute(sql, values)

    def execute_many(self, sql: str, rows: Iterable[Any]) -> None:
        with told(self.folder):
            self.db.executemany(sql, rows)

    # --- batches ---------------------------------------------------------------------------------

    def all(self) -> list[Batch]:
        names = [field.name for field in fields(Batch)]
        rows = self.execute(f"SELECT {', '.join(names)} FROM batches ORDER BY number")
        return [Batch(*row) for row in rows]

    def open(self) -> list[Batch]:
        """Give the batches whose answers are not here."""
        return [batch for batch in self.all() if batch.step != "collected"]

    def next_number(self) -> int:
        return int(self.execute("SELECT coalesce(max(number) + 1, 0) FROM batches").fetchone()[0])

    def begin(self) -> None:
        """Write no more at once, but with the next `keep` or `commit`."""
        if not self.db.in_transaction:
            self.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        if self.db.in_transaction:
            self.execute("COMMIT")

    def keep(self, batch: Batch, **changed: Any) -> Batch:
        """Write down how far a batch is now, and all before that; at once."""
        batch = replace(batch, **changed)
        values = asdict(batch)
        marks = ", ".join(f":{name}" for name in values)
        names = ", ".join(values)
        self.execute(f"INSERT OR REPLACE INTO batches ({names}) VALUES ({marks})", values)
        self.commit()
        return batch

    def forget(self, batch: Batch) -> None:
        """Take a batch for never made; its rows are asked anew."""
        self.execute("DELETE FROM slips WHERE batch = ?", (batch.number,))
        self.execute("DELETE FROM batches WHERE number = ?", (batch.number,))
        self.requests(batch.number).unlink(missing_ok=True)

    def requests(self, number: int) -> Path:
        return self.folder / f"{number:06d}.jsonl"

    def answers(self, number: int) -> Path:
        return self.folder / f"{number:06d}.out.jsonl"

    # --- slips -----------------------------------------------------------------------------------

    def slip(self, place: Place) -> Slip | None:
        sql = f"SELECT {SLIP} FROM slips WHERE {OF_ROW} AND n = ?"
        return slip_of(self.execute(sql, place.columns).fetchone())

    def last_slip(self, place: Place) -> Slip | None:
        """Give the slip of the last request of a row."""
        sql = f"SELECT {SLIP} FROM slips WHERE {OF_ROW} ORDER BY n DESC LIMIT 1"
        return slip_of(self.execute(sql, place.columns[:3]).fetchone())

    def put(self, place: Place, slip: Slip) -> None:
        usd = None if slip.usd is None else str(slip.usd)
        self.execute(
            f"INSERT OR REPLACE INTO slips (shard, generation, row, n, {SLIP}) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (*place.columns, slip.id, slip.batch, usd, slip.tries),
        )

    def use(self, place: Place) -> None:
        """Note that a row got the answer of a slip."""
        sql = f"UPDATE slips SET used = ? WHERE {OF_ROW} AND n = ?"
        self.execute(sql, (self.session, *place.columns))

    def asked_in(self, line_id: str) -> int | None:
        """Give the batch in which a line is asked and not answered yet."""
        row = self.execute(
            "SELECT slips.batch FROM slips LEFT JOIN batches ON number = slips.batch "
            "WHERE id = ? AND coalesce(step, 'filling') != 'collected' LIMIT 1",
            (line_id,),
        ).fetchone()
        return None if row is None else int(row[0])

    def pending_usd(self) -> Decimal:
        """Give the most that all slips cost which no row has got an answer of."""
        rows = self.execute("SELECT usd FROM slips WHERE used = 0 AND usd IS NOT NULL")
        return sum((Decimal(usd) for (usd,) in rows), FREE)

    def has_unused(self) -> bool:
        """Say whether a batch is on its way, or has answers that no row has got."""
        sql = "SELECT 1 FROM slips WHERE used = 0 LIMIT 1"
        return bool(self.open()) or self.execute(sql).fetchone() is not None

    def shards_of(self, numbers: Iterable[int]) -> set[int]:
        """Give the shards that have rows in some batches."""
        return {
            int(shard)
            for number in numbers
            for (shard,) in self.execute(
                "SELECT DISTINCT shard FROM slips WHERE batch = ?", (number,)
            )
        }

    # --- answers ---------------------------------------------------------------------------------

    def put_answers(self, batch: Batch, places: Iterable[tuple[str, int, int]]) -> None:
        """Note where each answer stands; the batch is collected with that."""
        self.begin()
        self.execute_many(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)",
            ((batch.number, *place) for place in places),
        )
        self.keep(batch, step="collected")

    def answer(self, slip: Slip) -> bytes | None:
        """Give the line that answers a slip; None where the batch has none for it."""
        row = self.execute(
            "SELECT at, size FROM answers WHERE batch = ? AND id = ?", (slip.batch, slip.id)
        ).fetchone()
        if row is None:
            return None
        with self.answers(slip.batch).open("rb") as file:
            file.seek(row[0])
            return file.read(row[1])


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Put what the system says of files and the database in our words. Raises RunUnwritable."""
    try:
        yield
    except OSError as error:
        raise unwritable(folder, error) from None
    except sqlite3.Error as error:
        raise RunUnwritable(str(folder), str(error)) from None


def on_the_way(folder: Path) -> tuple[dict[str, Any], ...]:
    """Say of each batch that is on its way what it is called and how far; for whoever looks on."""
    path = folder / "batches.sqlite3"
    if not path.exists():
        return ()
    names = ("number", "batch_id", "step", "status", "requests", "answered")
    sql = f"SELECT {', '.join(names)} FROM batches WHERE step != 'collected' ORDER BY number"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        return tuple(dict(zip(names, row, strict=True)) for row in db.execute(sql))


def slip_of(row: tuple[Any, ...] | None) -> Slip | None:
    if row is None:
        return None
    line_id, batch, usd, tries, used = row
    return Slip(line_id, batch, None if usd is None else Decimal(usd), tries, used)


def lines_with_places(path: Path) -> Iterator[tuple[bytes, int, int]]:
    """Give each line of a file with where it stands and how long it is."""
    at = 0
    with path.open("rb") as file:
        for line in file:
            if not line.isspace():
                yield line, at, len(line)
            at += len(line)
