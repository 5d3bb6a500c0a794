"""
Whole-process CPU of one question about one 200 KB JPEG: eyeline, the official SDK, and llm.

    python -m benchmarks.cold_start [--runs 11] [--llm PATH]

All ask the same server on loopback, in another process. The runs are paired: each round runs every
contestant once, in turn. What counts is user plus system CPU of the child, from wait4(2).
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from PIL import Image

from benchmarks.local_server import serve

SDK_SCRIPT = """
import base64, sys
from openai import OpenAI

client = OpenAI(base_url=sys.argv[1], api_key="unused")
data = base64.b64encode(open(sys.argv[2], "rb").read()).decode()
answer = client.chat.completions.create(
    model="gpt-6-luna",
    messages=[
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What does the sign say?"},
                {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64," + data}},
            ],
        }
    ],
)
print(answer.choices[0].message.content)
"""
LLM_MODEL = """
- model_id: local-vision
  model_name: gpt-6-luna
  api_base: {url}
  vision: true
"""


@dataclass
class Contestant:
    name: str
    command: list[str]
    cpu_ms: list[float] = field(default_factory=list)


def photo(path: Path, size_bytes: int = 200_000, size_px: tuple[int, int] = (1024, 768)) -> None:
    """Write a noisy JPEG of at most `size_bytes`, which every contestant sends as it is."""
    image = Image.effect_noise(size_px, 40).convert("RGB")
    for quality in range(99, 10, -1):
        image.save(path, quality=quality)
        if path.stat().st_size <= size_bytes:
            return


def cpu_ms(command: list[str], environment: dict[str, str]) -> float:
    """Run a command and give its own CPU time; it must succeed and answer."""
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        out, err = process.stdout.read(), process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or b"A sign." not in out:
        sys.exit(f"{command[:3]} failed:\n{err.decode()}")
    return (used.ru_utime + used.ru_stime) * 1000


def contestants(url: str, folder: Path, llm: str | None) -> list[Contestant]:
    jpeg, script = folder / "photo.jpg", folder / "sdk.py"
    photo(jpeg)
    script.write_text(SDK_SCRIPT)
    prompt = "What does the sign say?"
    eyeline = [sys.executable, "-m", "eyeline", "ask", prompt, str(jpeg), "--engine", url]
    made = [
        Contestant("eyeline ask", eyeline),
        Contestant("eyeline ask --no-cache", [*eyeline, "--no-cache"]),
        Contestant("openai script", [sys.executable, str(script), url, str(jpeg)]),
    ]
    if llm:
        (folder / "extra-openai-models.yaml").write_text(LLM_MODEL.format(url=url))
        made.append(
            Contestant(
                "llm -a",
                [llm, "-m", "local-vision", "--key", "x", "--no-stream", prompt, "-a", str(jpeg)],
            )
        )
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--llm", default=shutil.which("llm"), help="the llm command to compare")
    options = parser.parse_args()
    with serve() as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rivals = contestants(url, folder, options.llm)
        for run in range(-1, options.runs):  # the first round warms the disk cache and is not kept
            for rival in rivals:
                # A cache of its own each round: with a shared one eyeline would not even ask.
                environment = os.environ | {
                    "PYTHONDONTWRITEBYTECODE": "",  # installed packages are compiled; so is ours
                    "EYELINE_CACHE_DIR": str(folder / f"cache{run}"),
                    "LLM_USER_PATH": str(folder),
                    "OPENAI_API_KEY": "",
                }
                taken = cpu_ms(rival.command, environment)
                if run >= 0:
                    rival.cpu_ms.append(taken)
    report(rivals, options.llm)


def report(rivals: list[Contestant], llm: str | None) -> None:
    versions = [f"{name} {version(name)}" for name in ("eyeline", "openai", "pillow", "urllib3")]
    if llm:
        shown = subprocess.run([llm, "--version"], capture_output=True, text=True, check=True)
        versions.append(shown.stdout.strip().replace(", version", ""))
    print(
        f"Python {platform.python_version()}, {', '.join(versions)}; {len(rivals[0].cpu_ms)} rounds"
    )
    print(f"{'':24}{'CPU ms':>8}{'min':>8}{'max':>8}   eyeline / it, median of the pairs")
    for rival in rivals:
        pairs = [own / its for own, its in zip(rivals[0].cpu_ms, rival.cpu_ms, strict=True)]
        print(
            f"{rival.name:24}{statistics.median(rival.cpu_ms):8.0f}{min(rival.cpu_ms):8.0f}"
            f"{max(rival.cpu_ms):8.0f}   {statistics.median(pairs):.3f}"
        )


if __name__ == "__main__":
    main()
