"""An image on its way from one process to another: a line of JSON, its colour profile, its rows."""

from __future__ import annotations

import json
from collections.abc import Iterable

from PIL import Image

from eyeline.adapters.apart import Parts

# Colours in short, as pillow-heif gives them.
SHORT_PROFILE = "nclx_profile"


def packed(image: Image.Image, notes: Iterable[str] = ()) -> Parts:
    profile = image.info.get("icc_profile") or b""
    said = {
        "mode": image.mode,
        "size": image.size,
        "profile_bytes": len(profile),
        "notes": [*notes],
        SHORT_PROFILE: image.info.get(SHORT_PROFILE),
    }
    return json.dumps(said).encode(), b"\n", profile, image.tobytes()


def unpacked(answer: bytes) -> tuple[Image.Image, tuple[str, ...]]:
    """Give the image again, with its profile, and the notes."""
    line_end = answer.index(b"\n")
    said = json.loads(answer[:line_end])
    pixels_at = line_end + 1 + said["profile_bytes"]
    profile, pixels = answer[line_end + 1 : pixels_at], memoryview(answer)[pixels_at:]
    image = Image.frombytes(said["mode"], said["size"], pixels)
    if profile:
        image.info["icc_profile"] = profile
    elif said[SHORT_PROFILE]:
        image.info[SHORT_PROFILE] = said[SHORT_PROFILE]
    return image, tuple(said["notes"])
