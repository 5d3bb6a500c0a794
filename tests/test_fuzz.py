"""Every kept input of the fuzzer, without the fuzzer."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz.targets import TARGETS

CORPUS = Path(__file__).parent.parent / "fuzz" / "corpus"
INPUTS = {name: sorted((CORPUS / name).iterdir()) for name in TARGETS}


@pytest.mark.parametrize("name", TARGETS)
def test_kept_inputs_hold(name: str) -> None:
    """What crashed a target once, and what led it far, is no trouble today."""
    assert INPUTS[name]
    for file in INPUTS[name]:
        TARGETS[name](file.read_bytes())
