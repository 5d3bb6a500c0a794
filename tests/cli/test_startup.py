"""What a command imports, and how the whole program starts and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from api_server import ApiServer, Reply
from PIL import Image

from eyeline.testing import tiny_png

HEAVY = {
    "PIL", "urllib3", "aiohttp", "http", "httpx", "httpx2", "requests", "sqlite3", "numpy",
    "onnxruntime", "openai", "pydantic", "asyncio", "ssl",
}  # fmt: skip
ASK_WITHOUT = {"openai", "pydantic", "numpy", "aiohttp", "asyncio", "PIL", "jsonschema", "httpx2"}

LOADED = """
import sys
from eyeline.cli import dispatch
sys.argv[0] = "eyeline"
dispatch(sys.argv[1:])
print("MODULES", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def modules_of(*arguments: object) -> set[str]:
    """Give the top-level modules loaded when a command is done."""
    command = [sys.executable, "-c", LOADED, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    line = next(line for line in done.stderr.splitlines() if line.startswith("MODULES"))
    return set(line.split()[1:])


@pytest.mark.parametrize("command", ["--help", "models", "--version"])
def test_light_commands(command: str) -> None:
    """`--help` and `models` load no image, HTTP, database, array or model library."""
    assert not modules_of(command) & HEAVY


def test_the_check_sees_heavy_modules() -> None:
    """The check above can fail: `doctor` does load an HTTP library."""
    assert "urllib3" in modules_of("doctor")


def test_ask_is_light(api: ApiServer, tmp_path: Path) -> None:
    """Asking about a photo that is right as it is loads neither Pillow nor the official SDK."""
    photo = tmp_path / "a.jpg"
    Image.new("RGB", (64, 48)).save(photo)
    assert not modules_of("ask", "What?", photo, "--engine", api.url) & ASK_WITHOUT


def test_completion() -> None:
    """The shell completion that the docs name gives a script and completes commands."""
    environment = os.environ | {"_EYELINE_COMPLETE": "bash_source"}
    command = [
        sys.executable,
        "-c",
        "import sys; sys.argv = ['eyeline']; from eyeline.cli import main; main()",
    ]
    script = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert "_eyeline_completion" in script.stdout
    asked = {"_EYELINE_COMPLETE": "bash_complete", "COMP_WORDS": "eyeline est", "COMP_CWORD": "1"}
    words = subprocess.run(
        command, env=os.environ | asked, capture_output=True, text=True, timeout=30
    )
    assert "estimate" in words.stdout


def test_interrupt(api: ApiServer, tmp_path: Path) -> None:
    """Ctrl-C ends with status 130 and no traceback."""
    png = tmp_path / "a.png"
    png.write_bytes(tiny_png())
    api.script.append(Reply(200, [b" "], stall=True))
    command = [sys.executable, "-m", "eyeline", "ask", "What?", str(png), "--engine", api.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not api.requests and process.poll() is None:
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.strip()) == (130, b"", b"")


FAULTY = """
import sys
sys.argv = ["eyeline", "models"]
sys.modules["eyeline.cli.models"] = None  # as if the installation were damaged
from eyeline.cli import main
main()
"""


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_fault_of_our_own(debug: str) -> None:
    """A fault in eyeline itself is two lines, and a stack trace only for who asks for one."""
    environment = os.environ | {"EYELINE_DEBUG": debug}
    command = [sys.executable, "-c", FAULTY]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: ModuleNotFoundError: import of eyeline.cli.models halted" in done.stderr
    assert ("Traceback" in done.stderr) == bool(debug)
