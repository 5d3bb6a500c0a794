"""The SIMD resizer of the extra `fast`: as good as Pillow's, safe in threads, forks and alone."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from adapters.pictures import SERVER, saved
from eyeline.adapters.pixels import prepare
from eyeline.adapters.resize import STRIP_PIXELS, Box, resized, simd
from eyeline.core.catalogue import find
from eyeline.core.media import read_info
from eyeline.core.plan import Look, PreparePlan, plan
from eyeline.core.size import Size
from eyeline.errors import ImageTruncated

LANCZOS = Image.Resampling.LANCZOS
needs_simd = pytest.mark.skipif(simd() is None, reason="the extra `fast` is not installed")


def photo(width_px: int = 2000, height_px: int = 1400, seed: int = 0) -> Image.Image:
    """Give a soft picture with grain, another for each seed."""
    rough = np.random.default_rng(seed).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    soft = Image.fromarray(rough).resize((width_px, height_px), Image.Resampling.BICUBIC)
    grain = Image.effect_noise((width_px, height_px), 14).convert("RGB")
    return Image.blend(soft, grain, 0.2)


def planned(data: bytes) -> PreparePlan:
    info = read_info(data, "photo")
    return plan(info, find("gpt-6-luna"), Look("high"), SERVER.media_types, "photo")


def psnr_db(first: Image.Image, second: Image.Image) -> float:
    a, b = (np.asarray(each, dtype=np.float32) for each in (first, second))
    return float(10 * np.log10(255**2 / max(1e-9, np.mean((a - b) ** 2))))


# --- with and without ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("box", [(0, 0, 900, 700), (0, 0, 899.625, 699.5)])
@pytest.mark.parametrize("size", [Size(899, 699), Size(700, 544), Size(97, 75), Size(1, 1)])
def test_gives_what_pillow_gives(mode: str, box: Box, size: Size) -> None:
    """The same picture in every mode, size and box, but for what rounding makes of it."""
    image = photo(900, 700).convert(mode)
    found = resized(image, size, box)
    assert (found.size, found.mode) == (size, mode)
    assert psnr_db(found, image.resize(size, LANCZOS, box)) > 50


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.floats(0.05, 1), st.floats(0, 0.999))
def test_any_size_and_any_box(width: int, height: int, share: float, less: float) -> None:
    """No box of a decoder, which may end within the last pixel, and no size is refused."""
    size = Size(max(1, int(width * share)), max(1, int(height * share)))
    image = Image.new("RGB", (width, height), (9, 99, 199))
    found = resized(image, size, (0, 0, width - less, height - less))
    assert found.getcolors() == [(size.pixels, (9, 99, 199))]


def test_strips_leave_no_seam() -> None:
    """A slope that is made strip by strip is as even as one that is made at once."""
    slope = Image.linear_gradient("L").resize((1500, 1500))
    size = Size(1000, 1000)
    assert size.pixels > 2 * STRIP_PIXELS
    found = np.asarray(resized(slope, size, (0, 0, 1500, 1500)), dtype=int)
    assert np.abs(np.diff(found[:, 0])).max() <= 1


def test_all_else_is_left_to_pillow() -> None:
    """Modes that SIMD does not take are resized all the same."""
    image = photo(300, 200).convert("YCbCr")
    box = (0, 0, 300, 200)
    assert resized(image, Size(60, 40), box).tobytes() == image.resize((60, 40), LANCZOS).tobytes()


@needs_simd
def test_photos_are_no_worse_than_everybody_s() -> None:
    """Photos lie no further from an exact resize than Pillow's full decode at quality 85."""
    data = saved(photo(4000, 3000), "JPEG", quality=90)
    made = planned(data)
    exact = Image.open(BytesIO(data)).convert("RGB").resize(made.size, LANCZOS)
    sent = Image.open(BytesIO(prepare(data, made, "photo").data))
    naive = Image.open(BytesIO(saved(exact, "JPEG", quality=85)))
    assert psnr_db(sent, exact) > psnr_db(naive, exact) - 0.1


# --- threads, forks, damage ---------------------------------------------------------------------


def test_threads_get_what_one_gets() -> None:
    """Eight threads prepare fifty pictures to the very bytes that one makes of them."""
    photos = [saved(photo(2400, 1800, seed), "JPEG", quality=85) for seed in range(5)]

    def prepared(data: bytes) -> bytes:
        return prepare(data, planned(data), "photo").data

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(prepared, photos * 10))
    assert together == [prepared(data) for data in photos] * 10


@pytest.mark.parametrize("part", [0.3, 0.9, 0.999])
def test_a_part_of_a_photo_is_refused(part: float) -> None:
    """Whoever resizes, it is Pillow that decodes, and refuses."""
    data = saved(photo(), "JPEG", quality=85)
    with pytest.raises(ImageTruncated):
        prepare(data[: int(len(data) * part)], planned(data), "photo")


# --- in a process of its own --------------------------------------------------------------------

PREPARE = """
import sys, os
from io import BytesIO
from PIL import Image
import PIL
from eyeline.adapters.pixels import prepare
from eyeline.adapters.resize import simd
from eyeline.core.catalogue import find
from eyeline.core.media import JPEG, PNG, read_info
from eyeline.core.plan import Look, plan

def shrink():
    made = BytesIO()
    Image.effect_noise((2400, 1800), 60).convert("RGB").save(made, "JPEG")
    data = made.getvalue()
    info = read_info(data, "a")
    return prepare(data, plan(info, find("gpt-4o"), Look("high"), (JPEG, PNG), "a"), "a").size
"""


def told(script: str) -> str:
    """Give what a script prints that has all of the above."""
    command = [sys.executable, "-c", PREPARE + script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_works_without_the_library() -> None:
    """Where it is not installed, or does not load, Pillow does it."""
    assert told("sys.modules['cykooz_resizer'] = None; print(shrink(), simd())") == "1024×768 None"


def test_an_unknown_pillow_is_left_alone() -> None:
    """Of a Pillow to come nobody knows how it lays out its memory, so SIMD stays off."""
    assert told("PIL.__version__ = '99.0'; print(shrink(), simd())") == "1024×768 None"


@needs_simd
def test_loads_when_the_first_is_shrunk() -> None:
    """The library costs nothing until an image must be made smaller."""
    loaded = "'cykooz_resizer' in sys.modules"
    assert told(f"print({loaded}); shrink(); print({loaded})") == "False\nTrue"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_prepares_too() -> None:
    """After a fork nothing is waited for that stayed behind in the parent."""
    child = "child = os.fork()\nsize = shrink()\nif not child: os._exit(size != (1024, 768))\n"
    assert told(f"shrink()\n{child}print(os.waitpid(child, 0)[1])") == "0"
