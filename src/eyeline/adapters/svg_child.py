"""resvg in a child process; see `apart`. Nothing else may import this."""

from __future__ import annotations

import json
import sys

import resvg_py

from eyeline.adapters.apart import DAMAGED, Parts, Refused, serve


def main() -> None:
    serve(answer)


def answer(data: bytes, arguments: list[str]) -> Parts:
    """Give the drawing as PNG."""
    width_px, height_px, fonts = int(arguments[0]), int(arguments[1]), json.loads(arguments[2])
    if fonts is None and sys.platform != "win32":
        forbid_files()
    try:
        return (
            resvg_py.svg_to_bytes(
                svg_string=data.decode(),
                width=width_px,
                height=height_px,
                skip_system_fonts=fonts is None,
                **(fonts or {}),
            ),
        )
    except (ValueError, OSError) as error:
        raise Refused(DAMAGED, str(error)) from None


def forbid_files() -> None:
    """Let this process open no more files: without text there is none that a drawing needs."""
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
