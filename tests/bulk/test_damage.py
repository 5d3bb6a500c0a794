"""Sources that are damaged anywhere: rows with problems, or an error of ours, never another."""

from __future__ import annotations

import io
import json
import tarfile
from contextlib import suppress
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eyeline.bulk.rows import Row, Source, open_source
from eyeline.bulk.sources import parquet
from eyeline.errors import EyelineError

PNG = b"\x89PNG\r\n\x1a\n and more"


def parquet_of(rows: int) -> bytes:
    cells = [{"bytes": PNG * 20, "path": f"{number}.png"} for number in range(rows)]
    table = pa.table({"image": cells, "seen": pa.array(range(rows), pa.timestamp("ns"))})
    made = io.BytesIO()
    pq.write_table(table, made, row_group_size=20, compression="none", use_dictionary=False)
    return made.getvalue()


def tar_of(samples: int) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for number in range(samples):
            for name, data in ((f"s{number}.png", PNG), (f"s{number}.json", b'{"a": 1}')):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def jsonl_of(rows: int) -> bytes:
    cells = {"image": {"bytes": "iVBORw0KGgo=", "path": "a.png"}, "more": [1, [2, {"a": None}]]}
    return (json.dumps(cells).encode() + b"\n") * rows


WHOLE = {
    "t.parquet": parquet_of(50),
    "t.tar": tar_of(5),
    "t.jsonl": jsonl_of(9),
    "t.csv": b'\xef\xbb\xbfimage,a\n"x, y.png","q ""q""\nz"\nb.png,\n' * 3,
    "t.txt": b"a.png\nhttp://h/x\n\xff\n",
}


def damaged(data: bytes, chance: Random) -> bytes:
    """Change, cut out, put in or cut off bytes, once or several times."""
    made = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(4):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del made[at : at + chance.randrange(60)]
            case 2:
                made[at:at] = chance.randbytes(chance.randrange(30))
            case 3:
                del made[at + len(made) // 2 :]
    return bytes(made)


def every(source: Source) -> list[Row]:
    return [row for shard in source.shards() for row in source.rows(shard)]


@pytest.mark.parametrize("name", WHOLE)
def test_damage_ends_in_words_of_ours(name: str, tmp_path: Path) -> None:
    """Whatever became of the bytes, there is no other exception, and no row without a problem lacks
    its image."""
    chance = Random(name)
    for _ in range(80):
        (tmp_path / name).write_bytes(damaged(WHOLE[name], chance))
        with suppress(EyelineError):
            source = open_source(str(tmp_path / name), spool=tmp_path / "run")
            assert all(row.problem or row.images for row in every(source))
            source.schema()


def test_a_damaged_page_fails_the_rows_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row of a damaged Parquet file is lost: those that cannot be read say so."""
    monkeypatch.setattr(parquet, "SHARD_ROWS", 5)
    data = bytearray(WHOLE["t.parquet"])
    middle = data.index(b"25.png")
    data[middle - 60 : middle - 20] = b"\xff" * 40
    (tmp_path / "t.parquet").write_bytes(data)
    source = open_source(str(tmp_path / "t.parquet"), spool=tmp_path / "run")
    rows = every(source)
    assert [row.key for row in rows] == [str(number) for number in range(50)]
    failed = [int(row.key) for row in rows if row.problem]
    assert {20, 39} <= {*failed} <= {*range(20, 40)}
