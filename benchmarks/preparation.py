"""
CPU, quality and memory of preparing a 12-megapixel JPEG: eyeline beside Pillow and faster decoders.

    python -m benchmarks.preparation [--rounds 7] [--photos FOLDER]

The runs are paired: each round runs every contestant once on every picture, in turn. What counts is
the CPU time of the whole process, all threads, from the file's bytes to base64; medians are over
all pairs. PSNR and SSIM stand against an uncompressed LANCZOS resize of the full decode, in sRGB;
told is by how much the worst picture lies above JPEG q85 of the same, which is naive Pillow. Peak
memory is that of a process of its own, with the file, above what it had before. simplejpeg, pyvips
and eyeline with its extra `fast` take part where they are installed. Without --photos the pictures
are made, see photos.py.
"""

from __future__ import annotations

import argparse
import base64
import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from PIL import Image, features
from pybase64 import b64encode_as_string

from benchmarks.likeness import Likeness, likeness
from benchmarks.photos import photos, saved
from eyeline.adapters.colours import to_srgb
from eyeline.adapters.pixels import prepare
from eyeline.adapters.resize import simd
from eyeline.core.catalogue import find
from eyeline.core.media import JPEG, PNG, read_info
from eyeline.core.parts import data_url
from eyeline.core.plan import Look, PreparePlan, plan
from eyeline.core.size import Size

# libvips reads this once, at import; its own threads would only add to the CPU time.
os.environ.setdefault("VIPS_CONCURRENCY", "1")

MODELS = ("gpt-4o", "gpt-6-luna")
LANCZOS = Image.Resampling.LANCZOS
IMAGES_IN_FLIGHT = 8
Photos = dict[str, bytes]
Prepare = Callable[[bytes, str], bytes]


def planned(data: bytes, model: str) -> PreparePlan:
    return plan(read_info(data, "photo"), find(model), Look("high"), (JPEG, PNG), "photo")


def target(data: bytes, model: str) -> Size:
    """Give the size at which `model` looks at the picture at `high`."""
    return planned(data, model).size


# --- contestants: from JPEG bytes to the JPEG sent, with base64 made and dropped ------------------


def naive(data: bytes, model: str) -> bytes:
    image = Image.open(BytesIO(data)).convert("RGB").resize(target(data, model), LANCZOS)
    encoded = saved(image, 85)
    base64.b64encode(encoded).decode()
    return encoded


def pillow_draft(data: bytes, model: str) -> bytes:
    size = target(data, model)
    image = Image.open(BytesIO(data))
    image.draft("RGB", size)
    encoded = saved(image.convert("RGB").resize(size, LANCZOS), 85)
    b64encode_as_string(encoded)
    return encoded


def eyeline(data: bytes, model: str) -> bytes:
    prepared = prepare(data, planned(data, model), "photo")
    data_url(prepared)
    return prepared.data


def with_simplejpeg(data: bytes, model: str) -> bytes:
    import simplejpeg

    size = target(data, model)
    pixels = simplejpeg.decode_jpeg(
        data, "RGB", min_width=size.width_px, min_height=size.height_px, min_factor=1
    )
    encoded = saved(Image.fromarray(pixels).resize(size, LANCZOS), 85)
    b64encode_as_string(encoded)
    return encoded


def with_pyvips(data: bytes, model: str) -> bytes:
    import pyvips

    size = target(data, model)
    image = pyvips.Image.thumbnail_buffer(
        data, size.width_px, height=size.height_px, size="force", no_rotate=True
    )
    encoded: bytes = image.jpegsave_buffer(Q=85, keep=0, subsample_mode="on")
    b64encode_as_string(encoded)
    return encoded


CONTESTANTS: dict[str, Prepare] = {
    "naive": naive,
    "Pillow draft": pillow_draft,
    "simplejpeg": with_simplejpeg,
    "pyvips": with_pyvips,
    "eyeline": eyeline,
    "eyeline, fast": eyeline,
}
NEEDED = {"simplejpeg": "simplejpeg", "pyvips": "pyvips", "eyeline, fast": "cykooz_resizer"}


@contextmanager
def installed_for(name: str) -> Iterator[None]:
    """Hide what the extra `fast` installs from who is to run without it."""
    simd.cache_clear()
    simd()
    found = sys.modules.get("cykooz_resizer")
    if name != "eyeline, fast":
        simd.cache_clear()
        sys.modules["cykooz_resizer"] = None  # type: ignore[assignment]  # as if not installed
        simd()
    yield
    if found is None:
        sys.modules.pop("cykooz_resizer", None)
    else:
        sys.modules["cykooz_resizer"] = found


def installed() -> dict[str, Prepare]:
    def is_there(name: str) -> bool:
        return name not in NEEDED or importlib.util.find_spec(NEEDED[name]) is not None

    return {name: made for name, made in CONTESTANTS.items() if is_there(name)}


# --- measuring ------------------------------------------------------------------------------------


class Measured:
    """CPU by contestant, picture and round; likeness above naive's and bytes by both."""

    def __init__(self, pictures: Photos, model: str, rounds: int) -> None:
        self.pictures, self.model = pictures, model
        self.rivals = installed()
        self.cpu_ms: dict[str, dict[str, list[float]]] = {
            name: {picture: [] for picture in pictures} for name in self.rivals
        }
        self.above: dict[str, list[Likeness]] = {name: [] for name in self.rivals}
        self.size_bytes: dict[str, list[int]] = {name: [] for name in self.rivals}
        for _ in range(rounds):
            self.run_round()

    def run_round(self) -> None:
        for picture, data in self.pictures.items():
            for name, made in self.rivals.items():
                with installed_for(name):
                    start_s = time.process_time()
                    made(data, self.model)
                    self.cpu_ms[name][picture].append((time.process_time() - start_s) * 1000)

    def judge(self, data: bytes) -> None:
        opened = Image.open(BytesIO(data))
        full = opened.convert("RGB").resize(target(data, self.model), LANCZOS)
        reference, _ = to_srgb(full, opened.info.get("icc_profile"))
        base = likeness(reference, saved(reference, 85))
        for name, made in self.rivals.items():
            with installed_for(name):
                encoded = made(data, self.model)
            self.above[name].append(likeness(reference, encoded).above(base))
            self.size_bytes[name].append(len(encoded))

    def ratios(self, name: str, picture: str, base: str = "naive") -> list[float]:
        pairs = zip(self.cpu_ms[base][picture], self.cpu_ms[name][picture], strict=True)
        return [its / own for its, own in pairs]


def threads_factor(made: Prepare, data: bytes, model: str) -> float:
    """
    Say how much faster two threads are than one, in wall time.

    The best of five each: other work on the machine only ever makes a run slower.
    """
    best_s = {1: float("inf"), 2: float("inf")}
    for _ in range(5):
        for threads in best_s:
            with ThreadPoolExecutor(threads) as pool:
                start_s = time.perf_counter()
                for done in [pool.submit(made, data, model) for _ in range(IMAGES_IN_FLIGHT)]:
                    done.result()
                best_s[threads] = min(best_s[threads], time.perf_counter() - start_s)
    return best_s[1] / best_s[2]


def peak_mb(name: str, model: str, data: bytes) -> float:
    """Prepare in a new process; give its peak above what it held before it read the file, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        path.write_bytes(data)
        command = [sys.executable, "-m", "benchmarks.preparation", "--peak", name, model, str(path)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def print_peak(name: str, model: str, path: str) -> None:
    """Linux only. A small picture first, so that libraries and tables are there already."""
    with installed_for(name):
        CONTESTANTS[name](saved(Image.new("RGB", (3000, 16), "green"), 90), model)
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far; see proc(5)
        idle_kb = status_kb("VmRSS")
        CONTESTANTS[name](Path(path).read_bytes(), model)
    print((status_kb("VmHWM") - idle_kb) * 1024 / 1e6)


def status_kb(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))


# --- telling --------------------------------------------------------------------------------------


def report(found: Measured) -> None:
    print(
        f"{'':14}{'CPU ms':>8}{'× naive':>9}{'by picture':>13}{'worst dB':>10}{'luma':>7}"
        f"{'worst SSIM':>12}{'luma':>9}{'bytes':>7}{'2 threads':>11}{'peak MB':>9}"
    )
    base_bytes = sum(found.size_bytes["naive"])
    for name, made in found.rivals.items():
        by_picture = [statistics.median(found.ratios(name, each)) for each in found.pictures]
        ratio = statistics.median(r for each in found.pictures for r in found.ratios(name, each))
        cpu_ms = statistics.median(t for times in found.cpu_ms[name].values() for t in times)
        worst = Likeness(*map(min, zip(*found.above[name], strict=True)))
        with installed_for(name):
            threads = threads_factor(made, next(iter(found.pictures.values())), found.model)
        peak = max(peak_mb(name, found.model, data) for data in found.pictures.values())
        print(
            f"{name:14}{cpu_ms:8.0f}{ratio:9.2f}"
            f"{f'{min(by_picture):.2f}–{max(by_picture):.2f}':>13}"
            f"{worst.psnr_rgb_db:+10.2f}{worst.psnr_luma_db:+7.2f}"
            f"{worst.ssim_rgb:+12.4f}{worst.ssim_luma:+9.4f}"
            f"{sum(found.size_bytes[name]) / base_bytes:7.2f}{threads:11.2f}{peak:9.1f}"
        )


def report_pictures(found: Measured) -> None:
    """Tell each picture's medians: CPU of naive in ms, and how many times faster the others are."""
    names = list(found.rivals)[1:]
    print(f"{'':28}{'MB':>5}{'naive ms':>10}" + "".join(f"{name:>15}" for name in names))
    for picture, data in found.pictures.items():
        ratios = [statistics.median(found.ratios(name, picture)) for name in names]
        naive_ms = statistics.median(found.cpu_ms["naive"][picture])
        print(f"{picture:28}{len(data) / 1e6:5.1f}{naive_ms:10.0f}", end="")
        print("".join(f"{ratio:15.2f}" for ratio in ratios))


def report_likeness(found: Measured) -> None:
    for at, picture in enumerate(found.pictures):
        for name in found.rivals:
            if name.startswith("eyeline"):
                psnr_db, luma_db, ssim, ssim_luma = found.above[name][at]
                print(f"{picture}: {name} {psnr_db:+.2f} dB, luma {luma_db:+.2f}, ", end="")
                print(f"SSIM {ssim:+.4f}, luma {ssim_luma:+.4f}")


def report_base64(size_bytes: int) -> None:
    data = os.urandom(size_bytes)
    found_ms = []
    for encode_base64 in (
        lambda: base64.b64encode(data).decode(),
        lambda: b64encode_as_string(data),
    ):
        times_ms = []
        for _ in range(50):
            start_s = time.process_time()
            encode_base64()
            times_ms.append((time.process_time() - start_s) * 1000)
        found_ms.append(statistics.median(times_ms))
    stdlib_ms, simd_ms = found_ms
    print(f"base64 of {size_bytes / 1e6:g} MB: {stdlib_ms:.2f} ms, pybase64 {simd_ms:.2f} ms")


def versions() -> str:
    names = ["eyeline", "pillow", "pybase64", "numpy"]
    names += [name for name in ("simplejpeg", "pyvips") if importlib.util.find_spec(name)]
    names += ["pyvips-binary"] if importlib.util.find_spec("_libvips") else []
    names += ["cykooz-resizer"] if importlib.util.find_spec("cykooz_resizer") else []
    turbo = features.version("libjpeg_turbo")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    return f"Python {platform.python_version()}, libjpeg-turbo {turbo} in Pillow, {packages}"


def make(folder: Path) -> None:
    for part, pictures in zip(("common", "apart"), photos(), strict=True):
        for at, (name, data) in enumerate(pictures.items()):
            path = folder / part / f"{at} {name}.jpg"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)


def found_photos(folder: Path | None) -> tuple[Photos, Photos]:
    """Read the pictures that count and those that are told apart; made in a process that ends."""
    if folder:
        return read_photos(folder), {}
    with tempfile.TemporaryDirectory() as made:
        command = [sys.executable, "-m", "benchmarks.preparation", "--make", made]
        subprocess.run(command, check=True)
        return read_photos(Path(made) / "common"), read_photos(Path(made) / "apart")


def read_photos(folder: Path) -> Photos:
    return {path.stem: path.read_bytes() for path in sorted(folder.glob("*.jpg"))}


def tell(found: Measured, *, is_whole: bool) -> None:
    print(f"\n{found.model} high, {target(next(iter(found.pictures.values())), found.model)}")
    report_pictures(found)
    for data in found.pictures.values():
        found.judge(data)
    report_likeness(found)
    if is_whole:
        report(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--photos", type=Path, help="take the *.jpg of this folder instead")
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print_peak(*options.peak)
        return
    if options.make:
        make(options.make)
        return
    common, apart = found_photos(options.photos)
    print(f"{versions()}; {os.cpu_count()} cores, {options.rounds} rounds, CPU of all threads")
    print(f"load at the start: {os.getloadavg()[0]:.1f}")
    # All is timed before the first comparison: its arrays leave memory with the allocator, which
    # naive Pillow then need not ask the system for, page by page.
    runs = [Measured(each, model, options.rounds) for model in MODELS for each in (common, apart)]
    report_base64(2_000_000)
    for found in runs:
        if found.pictures:
            tell(found, is_whole=found.pictures is common)
    print(f"\nload at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
