"""Headers that stand far into a file are read where they stand, and no more of it."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import pytest
from core.support import encoded, exif, question
from PIL import Image

import eyeline
from eyeline.adapters.images import Images
from eyeline.core.plan import Look
from eyeline.core.reference import FileRef, Loaded, Reference
from eyeline.drivers import Driver, Outside
from eyeline.effects import Load
from eyeline.errors import FetchError
from eyeline.flow import HEAD_BYTES, estimate, measure
from eyeline.policy.limits import Limits
from eyeline.policy.pace import Pace

NOISE = Image.effect_noise((700, 400), 90)


class Counting(Images):
    """Counts the bytes that are read."""

    read_bytes = 0

    def load(self, reference: Reference, bytes_max: int | None, start: int = 0) -> Loaded:
        loaded = super().load(reference, bytes_max, start)
        self.read_bytes += len(loaded.data)
        return loaded


def scan(pages: int = 1) -> bytes:
    buffer = BytesIO()
    more = [NOISE] * (pages - 1)
    # Packed, it is written by libtiff, which puts each directory behind its pixels.
    NOISE.save(buffer, "TIFF", save_all=True, append_images=more, compression="tiff_lzw")
    data = buffer.getvalue()
    assert len(data) > pages * 200_000
    return data


FILES = {
    "scan.tif": scan(),
    "three.tif": scan(3),
    "turned.webp": encoded(NOISE.convert("RGB"), "WEBP", quality=100, exif=exif(6)),
    "profile.jpg": encoded(NOISE, "JPEG", quality=95, icc_profile=bytes(200_000)),
}


@pytest.mark.parametrize("name", FILES)
def test_a_late_header_takes_some_parts(name: str, tmp_path: Path) -> None:
    """Directories at the end, EXIF behind the pixels, a frame behind a profile."""
    data, path = FILES[name], tmp_path / name
    path.write_bytes(data)
    images = Counting()
    pages = Driver(Outside(images, images, Limits(Pace())), None).run(measure(FileRef(path)))
    whole = eyeline.estimate(data, model="gpt-4o")
    assert [page.info.size for page in pages] == [
        (image.width_px, image.height_px) for image in whole
    ]
    assert images.read_bytes < len(data) - HEAD_BYTES
    with path.open("rb") as file:
        assert eyeline.estimate(file, model="gpt-4o").tokens == whole.tokens
        assert file.tell() == 0


def test_a_document_of_many_pages_is_read_whole() -> None:
    """Each page has a directory of its own: of many it is quicker to read all."""
    data, reference = scan(20), FileRef(Path("scan.tif"))
    flow = estimate(reference, [(question().model, Look())], frozenset())
    effect, count = next(flow), 0
    while effect.bytes_max:
        assert effect.reference == reference
        part = data[effect.start : effect.start + effect.bytes_max]
        effect, count = flow.send(Loaded(part, size_bytes=len(data))), count + 1
    assert (effect, count) == (Load(reference), 17)
    with pytest.raises(StopIteration) as stop:
        flow.send(Loaded(data))
    assert len(stop.value.value) == 20


def test_a_server_that_gives_no_parts() -> None:
    """Where a part cannot be had, the whole is asked for."""
    data, reference = scan(), FileRef(Path("scan.tif"))
    flow = measure(reference)
    next(flow)
    part = flow.send(Loaded(data[:HEAD_BYTES], size_bytes=len(data)))
    assert part.start > HEAD_BYTES
    assert flow.throw(FetchError("scan.tif", "the server answered 416")) == Load(reference)
    with pytest.raises(StopIteration):
        flow.send(Loaded(data))


def test_a_header_in_thousands_of_pieces() -> None:
    """It is read from the whole, which is quicker."""
    sides = struct.pack("<HHIIHHII", 256, 4, 1, 9, 257, 4, 1, 9)
    pages = (struct.pack("<H", 2) + sides + struct.pack("<I", 38 + 30 * at) for at in range(4_000))
    data, reference = (
        b"II*\0\x08\0\0\0" + b"".join(pages)[:-4] + bytes(4),
        FileRef(Path("scan.tif")),
    )
    flow = measure(reference)
    effect, count = next(flow), 0
    while effect.bytes_max:
        part = data[effect.start : effect.start + effect.bytes_max]
        effect, count = flow.send(Loaded(part, size_bytes=len(data))), count + 1
    assert count < 16
    assert effect == Load(reference)
    with pytest.raises(StopIteration) as stop:
        flow.send(Loaded(data))
    assert len(stop.value.value) == 4_000
