"""Hostile files: each ends in a clear error or a right picture, in little time and memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest
from bombs import BOMBS, Taken, scraps, take, written

# Two seconds, on a machine that has other things to do.
CPU_MAX_S = 3.0
MEMORY_MAX_MB = 300
# Half a second and 120 MB, from the header alone.
ESTIMATE_CPU_MAX_S, ESTIMATE_MEMORY_MAX_MB = 1.0, 120

FORMATS = (
    ("png", "apng"), ("gif",), ("tiff",), ("jpeg",), ("webp",), ("bmp", "ico", "pnm"), ("jp2",),
    ("heic", "avif"), ("svg",), ("pdf",),
)  # fmt: skip
# What is a picture after all, however odd, and within its bounds. All else is refused.
DRAWN = {
    "png_rgba_7000", "png_grey", "png_1_bit", "png_palette", "png_ztxt",
    "png_itxt", "png_many_texts", "png_more_data", "gif_hollow", "gif_flat", "gif_far_frame",
    "gif_farthest_frame", "gif_large_frames", "tiff_16_bit", "tiff_planes", "tiff_tiles",
    "tiff_strips",
    "tiff_loop", "tiff_last_directory", "jpeg_grey", "jpeg_colour", "jpeg_scans_allowed",
    "jpeg_tables", "jpeg_table_counts", "jpeg_icc_parts", "jpeg_icc_claim", "jpeg_exif_loop",
    "jpeg_line", "webp_far_frame", "webp_large_frames", "bmp_rle_pixels", "ico_entries",
    "pnm_odd_maximum", "pnm_odd_colours", "pnm_plain", "pnm_bits", "jp2_tiles_allowed", "jp2_deep",
    "heic_grid_48", "heic_lying_grid", "avif_small_size", "svg_size",
    "svg_thin", "pdf_huge_page",
}  # fmt: skip
# Cut behind the first of two frames, or behind the last pixel.
CUT_AND_WHOLE = {f"cut{at}.gif" for at in range(5, 9)} | {"cut8.png"}
# As fast as the machine is that day.
EITHER = {"pdf_image", "svg_path_allowed", "svg_text", "svg_uses_allowed"}


def named(prefixes: Sequence[str]) -> list[str]:
    return [name for name in BOMBS if name.startswith(tuple(f"{each}_" for each in prefixes))]


def taken(paths: Sequence[str], task: str = "parts") -> dict[str, Taken]:
    """Take files in two processes, each its half; give each by the name of its file."""
    halves = [half for half in (paths[::2], paths[1::2]) if half]
    with ThreadPoolExecutor(2) as pool:
        found = chain.from_iterable(pool.map(lambda half: take(half, task), halves))
        return {Path(each.name).name.partition(".")[0]: each for each in found}


def wrong(found: Iterable[Taken], is_wrong: Callable[[Taken], bool]) -> list[Taken]:
    return [each for each in found if is_wrong(each)]


def is_unclear(each: Taken) -> bool:
    """Tell whether it ended in neither a picture nor an error of ours that stops the command."""
    return not each.ending.endswith(("[2]", " images", " tokens"))


def is_hungry(each: Taken) -> bool:
    return max(each.here_mb, each.apart_mb) > MEMORY_MAX_MB or each.cpu_s > CPU_MAX_S


def is_hungry_estimate(each: Taken) -> bool:
    memory_mb = max(each.here_mb, each.apart_mb)
    return memory_mb > ESTIMATE_MEMORY_MAX_MB or each.cpu_s > ESTIMATE_CPU_MAX_S


def test_every_bomb_has_its_format() -> None:
    """None is left out below, and none is expected that is not there."""
    assert sorted(chain.from_iterable(map(named, FORMATS))) == sorted(BOMBS)
    assert set(BOMBS) >= DRAWN | EITHER


@pytest.mark.parametrize("prefixes", FORMATS, ids="-".join)
def test_a_bomb_does_no_harm(prefixes: Sequence[str], tmp_path: Path) -> None:
    """The whole way to the content parts: an error or a picture, within 2 s and 300 MB."""
    found = taken([written(tmp_path, name, BOMBS[name]) for name in named(prefixes)])
    assert not wrong(found.values(), is_unclear)
    assert not wrong(found.values(), is_hungry)
    drawn = {name for name, each in found.items() if each.ending.endswith("images")}
    assert drawn - EITHER == DRAWN.intersection(found) - EITHER


def test_an_estimate_reads_headers_alone(tmp_path: Path) -> None:
    """Of every bomb the estimate is made, or refused, within half a second and 120 MB."""
    found = taken([written(tmp_path, *item) for item in BOMBS.items()], "estimate")
    assert len(found) == len(BOMBS)
    assert not wrong(found.values(), is_unclear)
    assert not wrong(found.values(), is_hungry_estimate)


def test_scraps(tmp_path: Path) -> None:
    """Empty, one byte, garbage behind a signature, cut anywhere: never half a picture."""
    paths = []
    for name, data in scraps():
        paths.append(str(tmp_path / name))
        Path(paths[-1]).write_bytes(data)
    with ThreadPoolExecutor(2) as pool:
        found = [*chain.from_iterable(pool.map(take, (paths[::2], paths[1::2])))]
    assert len(found) == len(paths)
    assert not wrong(found, is_unclear)
    assert not wrong(found, is_hungry)
    drawn = {each.name for each in wrong(found, lambda each: each.ending.endswith("images"))}
    assert drawn <= CUT_AND_WHOLE
