"""
What arrives of a sideways photo and of a transparent drawing, as tools send them.

    python -m benchmarks.correctness.pixels

Each tool makes of a file the image it would send to OpenAI, and that is decoded as it is stored:
not turned, and where transparency is gone, on what it left. What goes byte for byte is told as
that: its turn and its ground are left to the other side. No network is used. llm, pic-prompt and
aicapture take part where they are installed.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw

ORIENTATION, QUARTER_TURN = 0x0112, 6
DATA_URL = re.compile(r"data:image/[a-z]+;base64,([A-Za-z0-9+/=]+)")
Send = Callable[[Path], bytes]


def sideways(path: Path) -> None:
    """A photo 3000×4000 upright, red above blue, stored lying on its side as phones do."""
    upright = Image.new("RGB", (3000, 4000), "blue")
    upright.paste("red", (0, 0, 3000, 2000))
    exif = Image.Exif()
    exif[ORIENTATION] = QUARTER_TURN
    upright.transpose(Image.Transpose.ROTATE_90).save(path, "JPEG", exif=exif)


def transparent(path: Path) -> None:
    """A dark text on nothing, as exported from a drawing program: the nothing is clear black."""
    drawing = Image.new("RGBA", (3000, 2000), (0, 0, 0, 0))
    ImageDraw.Draw(drawing).text((500, 800), "TOTAL 24", (20, 20, 20, 255), font_size=400)
    drawing.save(path, "PNG")


def is_upright(image: Image.Image) -> bool:
    width, height = image.size
    red, _, blue = image.convert("RGB").getpixel((width // 2, height // 4))  # type: ignore[misc]
    return height > width and red > blue


def is_readable(image: Image.Image) -> bool:
    """Say whether the ground is light, so that dark text can be seen on it."""
    return image.convert("RGB").convert("L").getpixel((5, 5)) > 200  # type: ignore[operator]


CASES = {
    "sideways photo": ("photo.jpg", sideways, is_upright),
    "transparent drawing": ("drawing.png", transparent, is_readable),
}


# --- tools --------------------------------------------------------------------------------------


def script(path: Path) -> bytes:
    return path.read_bytes()


def eyeline(path: Path) -> bytes:
    from eyeline import content_parts

    return sent(json.dumps(content_parts("?", path, model="gpt-6-luna")))


def llm(path: Path) -> bytes:
    from llm import Attachment

    return base64.b64decode(Attachment(path=str(path)).base64_content())


def pic_prompt(path: Path) -> bytes:
    from pic_prompt import PicPrompt

    prompt = PicPrompt()
    prompt.add_user_message("?")
    prompt.add_image_message(str(path))
    return sent(json.dumps(prompt.get_prompt()))


def aicapture(path: Path) -> bytes:
    from aicapture.vision_models import VisionModel

    encoded, _ = VisionModel.convert_image_to_base64(Image.open(path))
    return base64.b64decode(encoded)


def sent(body: str) -> bytes:
    found = DATA_URL.search(body)
    assert found, "no image in the request"
    return base64.b64decode(found[1])


class Tool(NamedTuple):
    """Who sends, and the module it is known by."""

    module: str
    send: Send


TOOLS = {
    "eyeline": Tool("eyeline", eyeline),
    "the script of the API's own guide (base64 of the file)": Tool("", script),
    "llm": Tool("llm", llm),
    "pic-prompt": Tool("pic_prompt", pic_prompt),
    "aicapture": Tool("aicapture", aicapture),
}


def outcome(tool: Tool, path: Path, is_right: Callable[[Image.Image], bool]) -> str:
    try:
        made = tool.send(path)
        if made == path.read_bytes():
            return "as it is"
        return "right" if is_right(Image.open(BytesIO(made))) else "wrong"
    except Exception as error:  # told as the outcome: what a tool raises is its own affair
        return f"{type(error).__name__}: {str(error)[:60]}"


def main() -> None:
    print(f"| | version | {' | '.join(CASES)} |\n|---|---|{'---|' * len(CASES)}")
    with tempfile.TemporaryDirectory() as folder:
        for name, tool in TOOLS.items():
            if tool.module and importlib.util.find_spec(tool.module) is None:
                continue
            found = []
            for file, make, is_right in CASES.values():
                path = Path(folder) / file
                make(path)
                found.append(outcome(tool, path, is_right))
            said = version(tool.module.replace("_", "-")) if tool.module else ""
            print(f"| {name} | {said} | {' | '.join(found)} |")


if __name__ == "__main__":
    main()
