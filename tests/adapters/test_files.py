"""Files as they lie on a disk: there, missing, misnamed, empty, unreadable or no files at all."""

from __future__ import annotations

import io
import os
import threading
from base64 import b64encode
from pathlib import Path

import pytest

from eyeline.adapters.files import BYTES_MAX, read_again, read_file
from eyeline.errors import (
    BadReference,
    ImageIsDirectory,
    ImageNotFound,
    ImageTooLarge,
    ImageUnreadable,
)
from eyeline.testing import tiny_png

PNG = tiny_png()


def read(path: Path | str, bytes_max: int | None = None) -> bytes:
    return read_file(Path(path), str(path), bytes_max)


def test_reads_a_file(tmp_path: Path) -> None:
    """A file is read whole, or no more of it than was asked for."""
    file = tmp_path / "sign.png"
    file.write_bytes(PNG)
    assert read(file) == PNG
    assert read(file, 8) == PNG[:8]
    assert read(file, 10**6) == PNG


def test_reads_an_empty_file(tmp_path: Path) -> None:
    """An empty file has no bytes; what that means is said by who looks at them."""
    (tmp_path / "empty.png").touch()
    assert read(tmp_path / "empty.png") == b""


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [("strret.jpg", "street.jpg"), ("STREET.JPG", "street.jpg"), ("house.png", "")],
)
def test_names_the_nearest_file(tmp_path: Path, asked: str, nearest: str) -> None:
    """A missing file is told with the most alike name beside it, and none that is not alike."""
    (tmp_path / "street.jpg").touch()
    (tmp_path / "other.gif").touch()
    with pytest.raises(ImageNotFound) as raised:
        read(tmp_path / asked)
    expected = str(tmp_path / nearest) if nearest else ""
    assert raised.value.nearest == expected
    assert str(raised.value) == f"{tmp_path / asked}: no such file"
    assert raised.value.hint == (f"did you mean {expected}?" if nearest else "")


def test_a_path_through_nothing(tmp_path: Path) -> None:
    """A file in a folder that is missing, or that is a file, is no such file."""
    (tmp_path / "street.jpg").touch()
    for path in (tmp_path / "photos" / "a.jpg", tmp_path / "street.jpg" / "a.jpg"):
        with pytest.raises(ImageNotFound):
            read(path)


def test_a_folder(tmp_path: Path) -> None:
    """A folder is told apart from a file, and how to name the files in it."""
    with pytest.raises(ImageIsDirectory) as raised:
        read(tmp_path)
    assert "FOLDER/*.jpg" in raised.value.hint


def test_a_name_that_no_system_takes() -> None:
    """A name with a NUL in it cannot be read, and that is all that happens."""
    with pytest.raises(ImageUnreadable, match="null byte"):
        read("street\0.jpg")


def test_what_the_system_does_not_let_us_read(tmp_path: Path) -> None:
    """A loop of links cannot be read, and the error gives the system's reason."""
    loop = tmp_path / "loop.jpg"
    loop.symlink_to(loop)
    with pytest.raises(ImageUnreadable, match="ymbolic links"):
        read(loop)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    """A file that is not ours to read cannot be read."""
    file = tmp_path / "sign.png"
    file.write_bytes(PNG)
    file.chmod(0)
    with pytest.raises(ImageUnreadable, match="Permission denied"):
        read(file)


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    """A named pipe, as `<(…)` in a shell makes one, is read until its writer is done."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(PNG,))
    writer.start()
    assert read(pipe) == PNG
    writer.join()


@pytest.mark.parametrize("size_bytes", [40, 3000, 90_000])
@pytest.mark.parametrize("head", [PNG, b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\0\0\0\0WEBP"])
def test_base64_given_as_a_path_is_not_shown(head: bytes, size_bytes: int) -> None:
    """Base64 without its prefix is told to be that, and none of the image is in the message."""
    text = b64encode((head + os.urandom(size_bytes))[:size_bytes]).decode()
    with pytest.raises(BadReference) as raised:
        read(text)
    assert "data:image/" in str(raised.value)
    assert f"({len(text):,} characters)" in str(raised.value)
    assert text[12:24] not in f"{raised.value} {raised.value!r}"


def test_a_path_too_long_is_not_shown_whole() -> None:
    """A name longer than any path is cut in the message."""
    with pytest.raises(BadReference) as raised:
        read("x" * 100_000)
    assert len(str(raised.value)) < 200


def test_an_endless_file_is_not_read_to_its_end() -> None:
    """A file larger than any request is refused at the limit, not read on."""
    with pytest.raises(ImageTooLarge) as raised:
        read("/dev/zero")
    assert raised.value.limit == f"{BYTES_MAX // 10**6} MB"


# --- file objects -------------------------------------------------------------------------------


def test_a_file_object_is_read_from_where_it_stands() -> None:
    """A file object is read on from its place, and set back there to be asked about again."""
    stream = io.BytesIO(b"skipped" + PNG)
    stream.seek(7)
    assert read_again(stream, "file object") == PNG
    assert read_again(stream, "file object", 8) == PNG[:8]
    assert stream.tell() == 7


class Pipe(io.RawIOBase):
    """Standard input, which cannot be set back."""

    def __init__(self, data: bytes) -> None:
        self.inner = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self.inner.readinto(buffer)


def test_what_cannot_be_set_back_is_read_whole() -> None:
    """A pipe is read whole even where its head would do: there is no second time."""
    assert read_again(io.BufferedReader(Pipe(PNG * 9)), "stdin", 8) == PNG * 9


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    """A file opened in text mode is told to be that."""
    (tmp_path / "sign.txt").write_text("EXIT")
    with (tmp_path / "sign.txt").open() as file, pytest.raises(ImageUnreadable, match="binary"):
        read_again(file, "sign.txt")  # type: ignore[arg-type]


def test_a_closed_file_object() -> None:
    """A file object that was closed is an error about that image."""
    stream = io.BytesIO(PNG)
    stream.close()
    with pytest.raises(ImageUnreadable, match="closed file"):
        read_again(stream, "file object")


def test_a_file_object_open_for_writing(tmp_path: Path) -> None:
    """A file object that gives nothing to read is an error about that image."""
    with (tmp_path / "new.png").open("wb") as file, pytest.raises(ImageUnreadable):
        read_again(file, "new.png")
