"""One target under atheris: `python -m fuzz.one TARGET [libFuzzer options]`."""

from __future__ import annotations

import sys

import atheris

READ = ["core", "mend", "mend_image", "gateway", "relay", "relay_body", "bulk", "local"]

with atheris.instrument_imports(include=[f"eyeline.{name}" for name in READ]):
    from fuzz.targets import TARGETS

if __name__ == "__main__":
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, lambda data: target(bytes(data)))
    atheris.Fuzz()
