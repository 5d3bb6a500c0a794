"""The ledger of a shard: what is written comes back, whatever was cut or damaged."""

from __future__ import annotations

import inspect
import pickle
import resource
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from eyeline.bulk import run_errors
from eyeline.bulk.folder import RunFolder
from eyeline.bulk.journal import line_of
from eyeline.bulk.ledger import Doubt, Ledger, Recovered, recover
from eyeline.bulk.run_errors import RunUnwritable
from eyeline.bulk.whole import whole_file
from eyeline.errors import EyelineError

USD = Decimal("0.012")
RECORD = {"key": "b", "status": "done", "text": 'Zwölf "Eier"\n', "cost_usd": 0.001}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "000000.jsonl"


def written(path: Path) -> list[bytes]:
    """Write one line of each kind, and give them."""
    ledger = Ledger(path)
    ledger.intent("a", USD)
    ledger.intent("b", USD)
    ledger.outcome("b", Decimal("0.001"), RECORD)
    ledger.intent("c\udcff", None)
    ledger.left("a", Decimal(0))
    ledger.sync()
    ledger.close()
    return path.read_bytes().splitlines(keepends=True)


def test_what_is_written_comes_back(path: Path) -> None:
    """Outcomes come back whole, with what they cost; what was sent and not answered is in doubt."""
    written(path)
    found = recover(path)
    assert found.records == {"b": RECORD}
    assert found.spent_usd == Decimal("0.001")
    assert found.in_doubt() == {"c\udcff": Doubt(1, None)}
    assert (found.damaged, found.size_bytes) == (0, path.stat().st_size)


def test_a_ledger_that_is_not_there_is_empty(path: Path) -> None:
    """A shard that was never begun has nothing to recover."""
    assert recover(path) == Recovered()


def test_cut_at_every_byte(path: Path) -> None:
    """Cut anywhere, the lines before the cut are there, and one written next is too."""
    lines = written(path)
    whole, ends = path.read_bytes(), [len(b"".join(lines[:n])) for n in range(len(lines) + 1)]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        found = recover(path)
        count = sum(end <= cut for end in ends) - 1
        assert (found.size_bytes, found.damaged) == (ends[count], 0), cut
        ledger = Ledger(path, found.size_bytes)
        ledger.outcome("d", Decimal(0), RECORD)
        ledger.close()
        again = recover(path)
        assert {*again.records} == {*found.records, "d"}
        assert again.damaged == 0


def test_damage_at_every_byte(path: Path) -> None:
    """
    A flipped bit is counted, and hides no other line; in what may be a torn end it is cut off.
    """
    lines = written(path)
    whole = path.read_bytes()
    for at in range(len(whole) - len(lines[-1]) - 1):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        found = recover(path)
        assert found.damaged >= 1, at
        assert found.size_bytes == len(whole)


def test_a_whole_line_of_another_kind_is_damage(path: Path) -> None:
    """What no version of eyeline wrote is told, not passed over."""
    path.write_bytes(line_of({"other": "a"}) + line_of({"left": "a", "spent_usd": "0"}))
    assert recover(path).damaged == 1


@pytest.mark.parametrize(
    "entry",
    [
        {"intent": "a", "usd_max": "much"},
        {"doubt": "a", "usd_max": "NaN"},
        {"left": "a", "spent_usd": "1e9999999"},
        {"left": ["a"], "spent_usd": "0"},
        {"outcome": "a", "spent_usd": "-inf", "record": RECORD},
        {"outcome": "a", "spent_usd": "0", "record": "done"},
    ],
)
def test_amounts_that_are_none_are_damage(path: Path, entry: dict[str, object]) -> None:
    """A line whose checksum is right and whose content is none of ours changes nothing else."""
    path.write_bytes(line_of({"intent": "b", "usd_max": None}) + line_of(entry))
    found = recover(path)
    assert found == Recovered(open_usd={"b": {None}}, size_bytes=path.stat().st_size, damaged=1)


def test_retries_are_billed_once_and_corrections_add_up(path: Path) -> None:
    """Equal amounts are one request repeated, different ones were each billed."""
    ledger = Ledger(path)
    for usd in (USD, USD, USD, USD + 1):
        ledger.intent("a", usd)
    ledger.close()
    assert recover(path).in_doubt() == {"a": Doubt(1, USD + USD + 1)}


def test_doubts_stay(path: Path) -> None:
    """What was found in doubt counts as spent, also after the row was answered."""
    ledger = Ledger(path)
    for _ in range(2):
        ledger.intent("a", USD)
        ledger.doubt("a", USD)
    ledger.intent("a", USD)
    ledger.outcome("a", Decimal("0.001"), RECORD)
    ledger.close()
    found = recover(path)
    assert found.doubts == {"a": Doubt(2, 2 * USD)}
    assert found.spent_usd == 2 * USD + Decimal("0.001")
    assert not found.in_doubt()


@pytest.fixture
def _no_room(path: Path) -> Iterator[None]:
    """Let no file of this process grow beyond 100 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("_no_room")
def test_no_room_leaves_whole_lines(path: Path) -> None:
    """Where no room is left, the line that found none leaves nothing, and the error says where."""
    ledger = Ledger(path)
    ledger.left("a", Decimal(0))
    for _ in range(2):
        with pytest.raises(RunUnwritable, match=r"000000\.jsonl: cannot be written"):
            ledger.outcome("b", Decimal(0), RECORD)
    ledger.left("c", Decimal(0))
    ledger.close()
    found = recover(path)
    assert (found.damaged, found.size_bytes) == (0, path.stat().st_size)


@pytest.mark.usefixtures("_no_room")
def test_room_is_made_once(path: Path) -> None:
    """A little space kept back takes the line that found no room."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

    def make_room() -> bool:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit))
        return True

    ledger = Ledger(path, make_room=make_room)
    ledger.outcome("b", Decimal(0), RECORD)
    ledger.close()
    assert recover(path).records == {"b": RECORD}


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A ledger that cannot be opened is an error with its path."""
    with pytest.raises(RunUnwritable, match="No such file"):
        Ledger(tmp_path / "gone" / "000000.jsonl")


@pytest.mark.parametrize(
    "kind", [each for each in vars(run_errors).values() if isinstance(each, type)]
)
def test_errors_survive_pickle(kind: type[EyelineError]) -> None:
    """An error of a run crosses to another process with its words."""
    if kind is EyelineError:
        return
    count = len(inspect.signature(kind).parameters) if "__init__" in vars(kind) else 0
    fields = [f"field {at}" for at in range(count)]
    error = kind(*fields)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert error.hint


def test_tries_add_up(tmp_path: Path) -> None:
    """
    What one try sent and never recorded is in doubt for the next, however late the first one, on
    a machine that was thought lost, still writes down its answer.
    """
    folder = RunFolder.of(f"{tmp_path}/out.csv")
    folder.prepare()
    first = Ledger(folder.new_ledger(3, 0))
    first.intent("a", USD)
    second = Ledger(folder.new_ledger(3, 0))
    (key, doubt) = recover(*folder.tries(3, 0)).in_doubt().popitem()
    second.doubt(key, doubt.usd_max)
    first.outcome("a", USD, RECORD)
    second.outcome("a", USD, RECORD)
    assert [path.name for path in folder.tries(3, 0)] == ["000003.0.1.jsonl", "000003.0.2.jsonl"]
    found = recover(*folder.tries(3, 0))
    assert (found.spent_usd, found.doubts.keys()) == (3 * USD, {"a"})


def test_the_tenth_try_comes_after_the_ninth(tmp_path: Path) -> None:
    """Tries are counted, not spelt."""
    folder = RunFolder.of(f"{tmp_path}/out.csv")
    folder.prepare()
    made = [folder.new_ledger(0, 1) for _ in range(11)]
    assert folder.tries(0, 1) == made
    assert folder.tries(0, 0) == []


def test_a_first_part_is_written_once(tmp_path: Path) -> None:
    """Of two who write the same part the first one's stays; where it is to be replaced, it goes."""
    for replaces, text in ((False, b"first"), (False, b"second"), (True, b"third")):
        with whole_file(str(tmp_path / "part"), replaces=replaces) as file:
            file.write(text)
        expected = b"third" if replaces else b"first"
        assert (tmp_path / "part").read_bytes() == expected
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["part"]
