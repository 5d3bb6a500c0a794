"""Tables on a web server: read where it gives ranges, copied into the run where it does not."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eyeline.bulk.errors import SourceError
from eyeline.bulk.rows import open_source


class Ranges(SimpleHTTPRequestHandler):
    """Serves a folder; names that begin with `ranged` in the pieces asked for."""

    def do_GET(self) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        path = Path(self.translate_path(self.path))
        if not asked or not path.name.startswith("ranged"):
            return super().do_GET()
        data = path.read_bytes()
        start, end = int(asked[1]), int(asked[2] or len(data) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
        self.send_header("Content-Length", str(len(data[start : end + 1])))
        self.end_headers()
        self.wfile.write(data[start : end + 1])
        return None

    def do_HEAD(self) -> None:
        super().do_HEAD()

    def end_headers(self) -> None:
        if self.path.startswith("/ranged"):
            self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "web").mkdir()
    handler = partial(Ranges, directory=str(tmp_path / "web"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("name", ["ranged", "whole"])
def test_a_table_of_a_web_server_is_read(tmp_path: Path, web: str, name: str) -> None:
    """Relative names are addresses beside it, fetched with the same guard as any; no path of this
    machine is taken from it."""
    cells = ["a.jpg", "/etc/passwd", "file:///etc/passwd", "https://h/b.jpg"]
    pq.write_table(pa.table({"image": cells}), tmp_path / "web" / f"{name}.parquet")
    (tmp_path / "web" / f"{name}.csv").write_text("image\n" + "\n".join(cells) + "\n")
    for ending in ("parquet", "csv"):
        spool = tmp_path / f"run-{ending}"
        source = open_source(f"{web}/{name}.{ending}?token=a/b", spool=spool)
        rows = [row for shard in source.shards() for row in source.rows(shard)]
        assert [row.images for row in rows] == [(f"{web}/a.jpg",), (), (), ("https://h/b.jpg",)]
        assert "a path of this machine, in a table from elsewhere" in str(rows[1].problem)
        assert [path.name for path in spool.iterdir()] == (
            [] if name == "ranged" else [f"whole.{ending}"]
        )


def test_a_table_that_is_not_there_is_told(tmp_path: Path, web: str) -> None:
    """The address stands in the sentence."""
    with pytest.raises(SourceError, match=r"absent\.csv"):
        open_source(f"{web}/absent.csv", spool=tmp_path / "run")
