"""The watch that conftest.py keeps over every test: no key in any log or file."""

from __future__ import annotations

import os

import pytest
from conftest import files_with_keys


def test_a_key_in_a_file_is_found(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A key is seen wherever it lies, in text or between bytes; a pipe is not waited for."""
    top = tmp_path_factory.mktemp("keys")
    (top / "run").mkdir()
    (top / "run" / "plan.json").write_text('{"key": "sk-theirs"}')
    (top / "answers.sqlite3").write_bytes(b"\x00\xffsk-proj-0123\x00")
    (top / "report.html").write_text("a task-list of risk-free desk-work")
    os.mkfifo(top / "pipe")
    found = {file.name for file in files_with_keys(top)}
    assert found == {"plan.json", "answers.sqlite3"}
