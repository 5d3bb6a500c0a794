"""XML, read without what makes it dangerous: no entities, bounded in size and depth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

from eyeline.core.formats.header import Unsafe

# So that reading and cleaning take a second at most.
BYTES_MAX, ELEMENTS_MAX, ATTRIBUTES_MAX = 10_000_000, 250_000, 750_000
# The parser tells of an element when it has all its attributes: a million take a second and 300 MB.
# A script may hold some hundreds of equals signs between one tag and the next.
ATTRIBUTES_OF_ONE_MAX = 10_000
CROWDED = re.compile(rb"<(?>[^<=]*+=){%d}" % (ATTRIBUTES_OF_ONE_MAX + 1))
# The renderer, resvg, calls itself for each level, and overflows the stack at about 250.
NESTING_MAX = 100


class Watcher:
    """What is told of a document while it is read; names are as written, with their prefix."""

    def start(self, name: str, values: list[str]) -> None:
        """An element begins; `values` are its attributes' names and values in turn."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Text stands in an element."""

    def instruction(self, target: str, text: str) -> None:
        """A processing instruction stands somewhere."""


def parse(data: bytes, watcher: Watcher) -> None:
    """
    Read `data`, in any encoding it declares, and tell `watcher` what it holds.

    Raises ValueError where it is not well-formed, and as such Unsafe where it declares entities, or
    is too large or deep.
    """
    if len(data) > BYTES_MAX:
        raise Unsafe(f"XML of {len(data):,} bytes, the limit is {BYTES_MAX:,}")
    if CROWDED.search(data):
        raise Unsafe(f"XML of an element with more than {ATTRIBUTES_OF_ONE_MAX:,} attributes")
    parser = expat.ParserCreate()
    parser.buffer_text = parser.ordered_attributes = True
    bounds = Bounds(watcher)
    parser.StartDoctypeDeclHandler = refuse_declarations
    parser.StartElementHandler, parser.EndElementHandler = bounds.start, bounds.end
    parser.CharacterDataHandler = watcher.text
    parser.ProcessingInstructionHandler = watcher.instruction
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(f"XML: {error}") from None
    except LookupError:
        raise ValueError("XML: in an unknown encoding") from None


class Bounds:
    """Counts elements on their way to the watcher."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher, self.elements, self.attributes, self.depth = watcher, 0, 0, 0

    def start(self, name: str, values: list[str]) -> None:
        self.elements += 1
        self.attributes += len(values) // 2
        self.depth += 1
        if self.elements > ELEMENTS_MAX:
            raise Unsafe(f"XML of more than {ELEMENTS_MAX:,} elements")
        if self.attributes > ATTRIBUTES_MAX:
            raise Unsafe(f"XML of more than {ATTRIBUTES_MAX:,} attributes")
        if self.depth > NESTING_MAX:
            raise Unsafe(f"XML nested deeper than {NESTING_MAX}")
        self.watcher.start(name, values)

    def end(self, name: str) -> None:
        self.depth -= 1
        self.watcher.end(name)


def refuse_declarations(
    name: str, system: str | None, public: str | None, has_subset: bool
) -> None:
    """Refuse what can make a few bytes a billion; a mere reference to a DTD is never followed."""
    if has_subset:
        raise Unsafe("XML with declarations of its own, as entities, which are not read")


def attributes(values: list[str]) -> Iterator[tuple[str, str]]:
    return zip(values[::2], values[1::2], strict=True)


def local(name: str) -> str:
    """Give a name without its prefix."""
    return name.rpartition(":")[2]
