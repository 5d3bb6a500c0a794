"""
CPU, quality and memory of preparing a 12-megapixel JPEG: eyeline beside Pillow and faster decoders.

    python -m benchmarks.preparation [--rounds 7] [--photos FOLDER]

The runs are paired: each round runs every contestant once on every picture, in turn. What counts is
the CPU time of the whole process, all threads, from the file's bytes to base64. PSNR (over RGB) and
SSIM (over luma, 11×11 Gaussian window, σ 1.5) stand against an uncompressed LANCZOS resize of the
full decode; their differences are from naive Pillow. Peak memory is that of a process of its own,
with the file, above what it had before. simplejpeg and pyvips take part where they are installed.

Without --photos the pictures are made: leaves of all sizes in front of each other (as in nature,
with edges at every scale) or a lit surface, 1/f texture, a lens that blurs by 0.7 pixels, and noise
that grows with the light, at 4032×3024.
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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, features
from pybase64 import b64encode_as_string

from eyeline.adapters.pixels import prepare
from eyeline.core.catalogue import find
from eyeline.core.media import JPEG, PNG, read_info
from eyeline.core.parts import data_url
from eyeline.core.plan import Look, plan
from eyeline.core.size import Size

# libvips reads this once, at import; its own threads would only add to the CPU time.
os.environ.setdefault("VIPS_CONCURRENCY", "1")

WIDTH_PX, HEIGHT_PX = 4032, 3024
MODELS = ("gpt-4o", "gpt-6-luna")
LANCZOS = Image.Resampling.LANCZOS
IMAGES_IN_FLIGHT = 8
Prepare = Callable[[bytes, str], bytes]


def target(data: bytes, model: str) -> Size:
    """Give the size at which `model` looks at the picture at `high`."""
    return plan(read_info(data, "photo"), find(model), Look("high"), (JPEG, PNG), "photo").size


# --- contestants: from JPEG bytes to the JPEG sent, with base64 made and dropped ------------------


def naive(data: bytes, model: str) -> bytes:
    image = Image.open(BytesIO(data)).convert("RGB").resize(target(data, model), LANCZOS)
    encoded = saved(image, quality=85)
    base64.b64encode(encoded).decode()
    return encoded


def pillow_draft(data: bytes, model: str) -> bytes:
    size = target(data, model)
    image = Image.open(BytesIO(data))
    image.draft("RGB", size)
    encoded = saved(image.convert("RGB").resize(size, LANCZOS), quality=85)
    b64encode_as_string(encoded)
    return encoded


def eyeline(data: bytes, model: str) -> bytes:
    info = read_info(data, "photo")
    made = plan(info, find(model), Look("high"), (JPEG, PNG), "photo")
    prepared = prepare(data, made, "photo")
    data_url(prepared)
    return prepared.data


def with_simplejpeg(data: bytes, model: str) -> bytes:
    import simplejpeg

    size = target(data, model)
    pixels = simplejpeg.decode_jpeg(
        data, "RGB", min_width=size.width_px, min_height=size.height_px, min_factor=1
    )
    encoded = saved(Image.fromarray(pixels).resize(size, LANCZOS), quality=85)
    b64encode_as_string(encoded)
    return encoded


def with_pyvips(data: bytes, model: str) -> bytes:
    import pyvips

    size = target(data, model)
    info = read_info(data, "photo")
    shrink = max(n for n in (1, 2, 4, 8) if n * size.width_px <= info.size.width_px)
    image = pyvips.Image.jpegload_buffer(
        data, shrink=shrink, access="sequential", fail_on="truncated"
    )
    # The decoder rounds sides up; the scale is that of the picture, not of the rounded sides.
    across, down = (shrink * its / full for its, full in zip(size, info.size, strict=True))
    image = image.resize(across, vscale=down).crop(0, 0, *size)
    encoded: bytes = image.jpegsave_buffer(Q=85, keep=0, subsample_mode="on")
    b64encode_as_string(encoded)
    return encoded


CONTESTANTS: dict[str, Prepare] = {
    "naive": naive,
    "Pillow draft": pillow_draft,
    "eyeline": eyeline,
    "simplejpeg": with_simplejpeg,
    "pyvips": with_pyvips,
}


def installed() -> dict[str, Prepare]:
    missing = {name for name in ("simplejpeg", "pyvips") if not importlib.util.find_spec(name)}
    return {name: made for name, made in CONTESTANTS.items() if name not in missing}


def saved(image: Image.Image, quality: int, subsampling: str = "4:2:0") -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return buffer.getvalue()


# --- pictures -------------------------------------------------------------------------------------


def pictures() -> dict[str, bytes]:
    """Make what a camera would: two scenes, both subsamplings, three qualities."""
    leafy, lit = photographed(leaves(1), 3, seed=1), photographed(surface(2), 3, seed=2)
    quiet = photographed(leaves(3), 1, seed=3)
    return {
        "leaves 4:2:0 q90": saved(leafy, 90),
        "leaves 4:4:4 q90": saved(leafy, 90, "4:4:4"),
        "surface 4:2:0 q93": saved(lit, 93),
        "surface 4:4:4 q90": saved(lit, 90, "4:4:4"),
        "little noise 4:2:0 q92": saved(quiet, 92),
    }


def texture(seed: int, slope: float) -> np.ndarray:
    """Give a field of mean 0 and deviation 1 whose amplitude falls as frequency**-slope."""
    rows = np.fft.fftfreq(HEIGHT_PX)[:, None]
    frequency = np.hypot(np.fft.rfftfreq(WIDTH_PX)[None], rows)
    frequency[0, 0] = 1
    noise = np.random.default_rng(seed).standard_normal((HEIGHT_PX, WIDTH_PX))
    made = np.fft.irfft2(np.fft.rfft2(noise) / frequency**slope, s=noise.shape)
    return ((made - made.mean()) / made.std()).astype(np.float32)


def leaves(seed: int) -> np.ndarray:
    """Paint discs and squares over each other, small ones far more often than large ones."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX))
    draw = ImageDraw.Draw(image)
    for number in range(9000):
        radius_px = min(700.0, 12 * (random.random() + 1e-6) ** -0.6)
        x, y = random.random() * WIDTH_PX, random.random() * HEIGHT_PX
        shade = random.integers(30, 220) + random.normal(0, 22, 3)
        colour = tuple(int(value) for value in np.clip(shade, 0, 255))
        if number % 2:
            draw.circle((x, y), radius_px, fill=colour)
        else:
            turn = random.random() * 90
            draw.regular_polygon((x, y, radius_px), 4, rotation=turn, fill=colour)
    light, red, blue = texture(seed, 1.0), texture(seed + 100, 1.2), texture(seed + 200, 1.2)
    return np.asarray(image) + np.stack(
        (14 * light + 9 * red, 14 * light, 14 * light + 9 * blue), 2
    )


def surface(seed: int) -> np.ndarray:
    """Give a rough wall in soft light."""
    light = np.linspace(70, 200, WIDTH_PX, dtype=np.float32)[None, :, None]
    rough = 18 * texture(seed, 0.9)[..., None]
    tint = 10 * texture(seed + 100, 1.3)[..., None] * np.array([1, 0.2, -1], np.float32)
    return light + rough + tint


def photographed(light: np.ndarray, noise: float, seed: int) -> Image.Image:
    """Blur by the lens and add noise; `noise` is its deviation at middle grey, in levels."""
    sharp = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
    seen = np.asarray(sharp.filter(ImageFilter.GaussianBlur(0.7)), dtype=np.float32)
    grain = np.random.default_rng(seed).standard_normal(seen.shape).astype(np.float32)
    seen = seen + grain * noise * np.sqrt(np.maximum(seen, 8) / 128)
    return Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8))


# --- quality --------------------------------------------------------------------------------------


def quality(reference: np.ndarray, encoded: bytes) -> tuple[float, float]:
    """Give PSNR in dB and SSIM of a JPEG against RGB pixels of the same size."""
    found = np.asarray(Image.open(BytesIO(encoded)).convert("RGB"), dtype=np.float32)
    psnr_db = 10 * np.log10(255**2 / np.mean((reference - found) ** 2))
    return float(psnr_db), ssim(luma(reference), luma(found))


def luma(pixels: np.ndarray) -> np.ndarray:
    return pixels @ np.array([0.299, 0.587, 0.114], np.float32)


def ssim(first: np.ndarray, second: np.ndarray) -> float:
    """Source: Wang, Bovik, Sheikh, Simoncelli 2004, equation 13, K1 = 0.01 and K2 = 0.03."""
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean1, mean2 = windowed(first), windowed(second)
    variance1 = windowed(first * first) - mean1 * mean1
    variance2 = windowed(second * second) - mean2 * mean2
    covariance = windowed(first * second) - mean1 * mean2
    like = (2 * mean1 * mean2 + c1) * (2 * covariance + c2)
    return float(np.mean(like / ((mean1**2 + mean2**2 + c1) * (variance1 + variance2 + c2))))


def windowed(values: np.ndarray) -> np.ndarray:
    """Average under an 11×11 Gaussian window, where it fits whole."""
    weights = np.exp(-np.square(np.arange(-5, 6)) / (2 * 1.5**2))
    weights = (weights / weights.sum()).astype(np.float32)
    height, width = values.shape[0] - 10, values.shape[1] - 10
    across = sum(w * values[:, i : i + width] for i, w in enumerate(weights))
    return np.asarray(sum(w * across[i : i + height] for i, w in enumerate(weights)))


# --- measuring ------------------------------------------------------------------------------------


@dataclass
class Result:
    """CPU by round and picture; quality less naive's, by picture."""

    cpu_ms: list[float] = field(default_factory=list)
    psnr_db: list[float] = field(default_factory=list)
    ssim: list[float] = field(default_factory=list)
    size_bytes: list[int] = field(default_factory=list)
    threads: float = 0
    peak_mb: list[float] = field(default_factory=list)


def measure(photos: dict[str, bytes], model: str, rounds: int) -> dict[str, Result]:
    rivals = installed()
    results = {name: Result() for name in rivals}
    judge(photos, model, results)
    for _ in range(rounds):
        for data in photos.values():
            for name, made in rivals.items():
                start_s = time.process_time()
                made(data, model)
                results[name].cpu_ms.append((time.process_time() - start_s) * 1000)
    for name, made in rivals.items():
        results[name].threads = threads_factor(made, next(iter(photos.values())), model)
        results[name].peak_mb = [peak_mb(name, model, data) for data in photos.values()]
    return results


def judge(photos: dict[str, bytes], model: str, results: dict[str, Result]) -> None:
    for picture, data in photos.items():
        full = Image.open(BytesIO(data)).convert("RGB").resize(target(data, model), LANCZOS)
        reference = np.asarray(full, dtype=np.float32)
        base_db, base_ssim = quality(reference, naive(data, model))
        print(f"  {picture}: {len(data) / 1e6:.1f} MB, naive {base_db:.2f} dB {base_ssim:.4f}")
        for name, result in results.items():
            encoded = CONTESTANTS[name](data, model)
            found_db, found_ssim = quality(reference, encoded)
            result.psnr_db.append(found_db - base_db)
            result.ssim.append(found_ssim - base_ssim)
            result.size_bytes.append(len(encoded))


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
    small = Image.new("RGB", (3000, 16), "green")
    CONTESTANTS[name](saved(small, 90), model)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far; see proc(5)
    idle_kb = status_kb("VmRSS")
    CONTESTANTS[name](Path(path).read_bytes(), model)
    print((status_kb("VmHWM") - idle_kb) * 1024 / 1e6)


def status_kb(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))


# --- telling --------------------------------------------------------------------------------------


def report(results: dict[str, Result], pictures_count: int) -> None:
    print(
        f"{'':14}{'CPU ms':>8}{'× naive':>9}{'by picture':>13}{'worst dB':>10}{'worst SSIM':>12}"
        f"{'bytes':>7}{'2 threads':>11}{'peak MB':>9}"
    )
    base = results["naive"]
    for name, result in results.items():
        ratios = [its / own for its, own in zip(base.cpu_ms, result.cpu_ms, strict=True)]
        by_picture = [statistics.median(ratios[n::pictures_count]) for n in range(pictures_count)]
        spread = f"{min(by_picture):.2f}–{max(by_picture):.2f}"
        size = sum(result.size_bytes) / sum(base.size_bytes)
        print(
            f"{name:14}{statistics.median(result.cpu_ms):8.0f}{statistics.median(ratios):9.2f}"
            f"{spread:>13}{min(result.psnr_db):+10.2f}{min(result.ssim):+12.4f}"
            f"{size:7.2f}{result.threads:11.2f}{max(result.peak_mb):9.1f}"
        )


def versions() -> str:
    names = ["eyeline", "pillow", "pybase64", "numpy"]
    names += [name for name in ("simplejpeg", "pyvips", "pyvips-binary") if name_installed(name)]
    turbo = features.version("libjpeg_turbo")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    return f"Python {platform.python_version()}, libjpeg-turbo {turbo} in Pillow, {packages}"


def name_installed(name: str) -> bool:
    return importlib.util.find_spec(name.replace("-", "_")) is not None or (
        name == "pyvips-binary" and importlib.util.find_spec("_libvips") is not None
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--photos", type=Path, help="take the *.jpg of this folder instead")
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print_peak(*options.peak)
        return
    if options.photos:
        photos = {path.name: path.read_bytes() for path in sorted(options.photos.glob("*.jpg"))}
    else:
        photos = pictures()
    print(f"{versions()}; {os.cpu_count()} cores, {options.rounds} rounds, CPU of all threads")
    for model in MODELS:
        first = next(iter(photos.values()))
        print(f"\n{model} high, {target(first, model)}")
        report(measure(photos, model, options.rounds), len(photos))


if __name__ == "__main__":
    main()
