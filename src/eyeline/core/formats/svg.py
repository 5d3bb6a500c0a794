"""
SVG: the size it is drawn at, and a copy without scripts and without references outside.

Sources: SVG 2, 5.1 and 7; CSS Images 3, 5.3 (sizes of what has none); XML 1.0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from eyeline.core.formats.header import Header
from eyeline.core.formats.svg_outline import Outline
from eyeline.core.formats.xml import Watcher, attributes, local, parse
from eyeline.core.size import Size

# What may stand before the root element. Each part once found is kept: going back into a comment
# to try another end would take time exponential in their number.
PROLOG = re.compile(
    r"(?>\s+|<\?.*?\?>|<!--.*?-->|<!doctype\s+svg\b[^>\[]*(?:\[.*?\]\s*)?>)*+<(?:[\w.-]+:)?svg[\s/>]",
    re.DOTALL | re.IGNORECASE,
)
PROLOG_BYTES = 64 * 1024

# Pixels a unit, CSS Values 4, 6.1 and 6.2, at the default font size of 16 px.
UNITS = {
    "": 1.0, "px": 1.0, "pt": 96 / 72, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4,
    "q": 96 / 101.6, "em": 16.0, "rem": 16.0, "ex": 8.0,
}  # fmt: skip
LENGTH = re.compile(
    r"\s*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)\s*([a-z]*)\s*$", re.IGNORECASE
)
LENGTH_CHARS_MAX = 64
# CSS Images 3, 5.3: what has neither size nor shape.
DEFAULT_WIDTH_PX, DEFAULT_HEIGHT_PX = 300.0, 150.0
# Chosen: an icon is drawn large enough to be seen, a drawing without size as a usual picture.
ICON_BELOW_PX, ICON_PX, UNSIZED_PX, SIDE_MAX_PX = 128, 512, 1024, 8192

SCRIPTS, EXTERNAL = "scripts left out", "external references left out"
FOREIGN, ANIMATION = "foreign content left out", "animation left out"
LEFT_OUT = {
    "script": SCRIPTS, "handler": SCRIPTS, "listener": SCRIPTS, "foreignobject": FOREIGN,
    "iframe": FOREIGN, "object": FOREIGN, "embed": FOREIGN, "audio": FOREIGN, "video": FOREIGN,
    "canvas": FOREIGN, "img": FOREIGN, "animate": ANIMATION, "set": ANIMATION,
    "animatemotion": ANIMATION, "animatetransform": ANIMATION, "animatecolor": ANIMATION,
}  # fmt: skip
REFERENCES = {"href", "src", "base"}
INSIDE = re.compile(r"\s*(#|data:image/(png|jpe?g|gif|webp)[;,])", re.IGNORECASE)
CSS_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.IGNORECASE | re.DOTALL)
ESCAPES_MAX = 100_000
CSS_EXTERNAL = re.compile(
    r"@import\b[^;]*;?|(?:url|src|image|image-set)\(\s*+(?!['\"]?\s*#)[^)]*\)?", re.IGNORECASE
)
NAMESPACES = {
    "xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink",
}  # fmt: skip


ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
ATTRIBUTE_ENTITIES = ENTITIES | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def is_svg(data: bytes) -> bool:
    """Tell whether the first element is an svg, behind any comments and declarations."""
    head = data[:PROLOG_BYTES]
    return PROLOG.match(head.decode(encoding(head), "ignore").removeprefix("\ufeff")) is not None


def encoding(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"<\0")):
        return "utf-16-le"
    return "utf-16-be" if head.startswith((b"\xfe\xff", b"\0<")) else "utf-8"


def header(data: bytes) -> Header:
    """
    Read the size at which it is drawn, and that it is safe to draw.

    Raises ValueError where it is not well-formed, declares entities, or is too large or deep.
    """
    outline = Outline()
    parse(data, outline)
    outline.check()
    size, _ = drawn(outline.root)
    return Header(size, has_alpha=True)


def drawn(root: Mapping[str, str]) -> tuple[Size, str]:
    """Give the size in pixels to draw at, and the part of the plane that it shows."""
    view = view_box(root.get("viewBox", ""))
    width, height = length_px(root.get("width", "")), length_px(root.get("height", ""))
    across, down = view[2:] if view else (DEFAULT_WIDTH_PX, DEFAULT_HEIGHT_PX)
    is_sized = width is not None or height is not None
    if width is None:
        width = across if height is None or not view else height * across / down
        height = down if height is None else height
    elif height is None:
        height = width * down / across if view else down
    x, y, across, down = view or (0.0, 0.0, width, height)
    shown = " ".join(f"{number:.10g}" for number in (x, y, across, down))
    return scaled(width, height, is_sized=is_sized), shown


def scaled(width: float, height: float, *, is_sized: bool) -> Size:
    if not (width > 0 and height > 0 and math.isfinite(width + height)):
        return Size(0, 0)
    longest = max(width, height)
    side = min(longest, SIDE_MAX_PX) if longest >= ICON_BELOW_PX else ICON_PX
    scale = (side if is_sized else UNSIZED_PX) / longest
    return Size(max(1, round(width * scale)), max(1, round(height * scale)))


def length_px(text: str) -> float | None:
    """Give a length in pixels; None for none, for a share of the unknown (%) and for no sense."""
    found = LENGTH.match(text) if len(text) <= LENGTH_CHARS_MAX else None
    if found is None or found[2].lower() not in UNITS:
        return None
    length = float(found[1]) * UNITS[found[2].lower()]
    return length if length >= 0 and math.isfinite(length) else None


def view_box(text: str) -> tuple[float, float, float, float] | None:
    """Give x, y, width and height of a view box; None where it shows nothing."""
    try:
        x, y, width, height = map(float, text.replace(",", " ").split())
    except ValueError:
        return None
    is_box = width > 0 and height > 0 and math.isfinite(x + y + width + height)
    return (x, y, width, height) if is_box else None


def clean(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """
    Give the SVG as UTF-8, without what could run or fetch, and notes of what was left out.

    The root has the size of its header, and shows what it showed. Links lose their addresses
    without a note: they are no part of the picture. Raises ValueError as `header` does.
    """
    cleaner = Cleaner()
    parse(data, cleaner)
    notes = (SCRIPTS, EXTERNAL, FOREIGN, ANIMATION)
    return "".join(cleaner.written).encode(), tuple(note for note in notes if note in cleaner.notes)


class Cleaner(Watcher):
    """Writes down again what it is told of a document, but for what could run or fetch."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.notes: set[str] = set()
        self.leaving_out = 0  # elements open, from the one that is left out inwards
        self.style: list[str] | None = None

    def start(self, name: str, values: list[str]) -> None:
        note = LEFT_OUT.get(local(name).lower())
        if note or self.leaving_out:
            self.leaving_out += 1
            self.notes.update([note] if note else [])
            return
        kept = dict(self.kept(name, values))
        if not self.written:
            kept = rooted(kept, name)
        self.style = [] if local(name).lower() == "style" else None
        pairs = "".join(
            f' {key}="{value.translate(ATTRIBUTE_ENTITIES)}"' for key, value in kept.items()
        )
        self.written.append(f"<{name}{pairs}>")

    def kept(self, name: str, values: list[str]) -> Iterator[tuple[str, str]]:
        for key, value in attributes(values):
            if local(key).lower().startswith("on"):
                self.notes.add(SCRIPTS)
            elif local(key).lower() in REFERENCES and not INSIDE.match(value):
                self.notes.update([EXTERNAL] if local(name) != "a" else [])
            elif local(key).lower() in REFERENCES:
                yield key, value
            else:
                yield key, self.styled(value)

    def styled(self, css: str) -> str:
        """Give CSS with `none` for what it would fetch; escapes are undone to look at it."""
        if css.count("\\") > ESCAPES_MAX:
            self.notes.add(EXTERNAL)
            return ""
        plain = CSS_ESCAPE.sub(unescaped, css) if "\\" in css else css
        if not CSS_EXTERNAL.search(plain):
            return css
        self.notes.add(EXTERNAL)
        return CSS_EXTERNAL.sub(lambda found: "" if found[0][0] == "@" else "none", plain)

    def end(self, name: str) -> None:
        if self.leaving_out:
            self.leaving_out -= 1
            return
        if self.style is not None:
            self.written.append(self.styled("".join(self.style)).translate(ENTITIES))
            self.style = None
        self.written.append(f"</{name}>")

    def text(self, text: str) -> None:
        if self.leaving_out:
            return
        if self.style is not None:
            self.style.append(text)
        else:
            self.written.append(text.translate(ENTITIES))

    def instruction(self, target: str, text: str) -> None:
        if target == "xml-stylesheet":
            self.notes.add(EXTERNAL)


def rooted(kept: Mapping[str, str], name: str) -> dict[str, str]:
    """Give the root's attributes with the size it is drawn at, and the namespaces it forgot."""
    size, shown = drawn(kept)
    width, height = map(str, size)
    forgotten = {
        key: value for key, value in NAMESPACES.items() if key != "xmlns" or ":" not in name
    }
    return {**forgotten, **kept, "width": width, "height": height, "viewBox": shown}


def unescaped(found: re.Match[str]) -> str:
    if found[2]:
        return found[2]
    code = int(found[1], 16)
    return chr(code) if 0 < code < 0xD800 else "\ufffd"
