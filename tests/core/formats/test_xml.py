"""XML, read within bounds."""

from __future__ import annotations

import pytest

from eyeline.core.formats.header import Unsafe
from eyeline.core.formats.xml import BYTES_MAX, ELEMENTS_MAX, NESTING_MAX, Watcher, local, parse


class Names(Watcher):
    def __init__(self) -> None:
        self.names: list[str] = []

    def start(self, name: str, values: list[str]) -> None:
        self.names.append(name)


def names(data: bytes) -> list[str]:
    seen = Names()
    parse(data, seen)
    return seen.names


def test_what_is_told() -> None:
    """Elements are told in their order; what nobody listens to is passed over."""
    assert names(b"<?xml version='1.0'?><a><?p q?>text<b/></a>") == ["a", "b"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings(encoding: str) -> None:
    """Marks and declarations of encodings are followed."""
    text = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?><ä/>"
    assert names(text.encode(encoding)) == ["ä"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<a>", "no element found"),
        (b"", "no element found"),
        (b"<a/><b/>", "junk after document element"),
        (b"<?xml version='1.0' encoding='klingon'?><a/>", "unknown encoding"),
        (b"<?xml version='1.0' encoding='shift_jis'?><a/>", "multi-byte"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "declarations of its own"),
        (b"<a>" * (NESTING_MAX + 1), "nested deeper than 100"),
        (b" " * (BYTES_MAX + 1), "10,000,001 bytes"),
    ],
)
def test_what_is_refused(data: bytes, said: str) -> None:
    """What is damaged, dangerous or without bounds raises ValueError, and says which."""
    with pytest.raises(ValueError, match=said):
        names(data)


def test_too_many_elements() -> None:
    """A quarter of a million elements are the end."""
    with pytest.raises(ValueError, match="more than 250,000 elements"):
        parse(b"<a>" + b"<b/>" * ELEMENTS_MAX + b"</a>", Watcher())


def test_too_many_attributes() -> None:
    """Three attributes an element, on the whole, are the end."""
    element = b"<a " + b" ".join(b"b%d=''" % number for number in range(9_000)) + b"/>"
    with pytest.raises(Unsafe, match="more than 750,000 attributes"):
        parse(b"<a>" + element * 84 + b"</a>", Watcher())


def test_too_many_attributes_of_one_element() -> None:
    """Ten thousand on one element are the end too, and that is told before they are read."""
    data = b"<a " + b" ".join(b"b%d = ''" % number for number in range(10_001)) + b"/>"
    with pytest.raises(Unsafe, match="an element with more than 10,000 attributes"):
        parse(data, Watcher())


def test_a_reference_to_a_dtd_is_not_followed() -> None:
    """The usual DOCTYPE of SVG 1.1 is passed over."""
    assert names(
        b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://x/svg11.dtd"><a>&b;</a>'
    ) == ["a"]


def test_names_without_their_prefix() -> None:
    """What stands before the last colon is the prefix."""
    assert [local(name) for name in ("svg", "svg:svg", "a:b:c")] == ["svg", "svg", "c"]
