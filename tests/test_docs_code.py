"""Every Python block of the documents runs as it stands, against a server on loopback."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pillow_heif
import pytest
from api_server import ApiServer, Recorded, Reply
from PIL import Image

from eyeline.core.wire import Request
from eyeline.testing import streamed, whole

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
REQUESTS_MAX = 100
# One process for all pages, since most of the time goes into loading what they use.
RUN = """
import pathlib, sys
for page in sys.argv[1:]:
    exec(compile(pathlib.Path(page).read_text("utf-8"), page, "exec"), {"__name__": page})
"""


def answer_as_billed(asked: Recorded) -> Reply:
    """Answer with the tokens that the pictures of a request cost, since they are checked."""
    text = '{"shop": "Harbour Stores", "total": 18.04}' if b"schema" in asked.body else "A sign."
    path = asked.path.removeprefix("/v1")
    request = Request(path, asked.body, asked.json.get("stream", False), timeout_s=60)
    made = streamed(request, text) if request.stream else whole(request, text)
    return Reply(200, made.body, dict(made.headers))


def test_code_runs(tmp_path: Path, api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of each page, one after the other, end without an error or a warning."""
    api.script.extend([answer_as_billed] * REQUESTS_MAX)
    monkeypatch.setenv("OPENAI_BASE_URL", api.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-documents")
    folder = tmp_path / "pages"
    shutil.copytree(ROOT / "examples", folder, ignore=shutil.ignore_patterns("*.py"))
    with Image.open(ROOT / "examples/street-sign.jpg") as picture:
        pillow_heif.from_pillow(picture).save(folder / "street.heic")
    pages = [
        code_of(page, folder)
        for page in sorted((ROOT / "docs").glob("*.md"))
        if BLOCK.search(page.read_text("utf-8"))
    ]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN, *pages],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert api.requests


def code_of(page: Path, folder: Path) -> str:
    """Write the Python blocks of a page to a file that a traceback can show, and name it."""
    code = folder / f"{page.stem}.py"
    code.write_text("\n".join(BLOCK.findall(page.read_text("utf-8"))), "utf-8")
    return code.name
