from __future__ import annotations

from collections.abc import Iterable

import pytest
from local_samples import EXAMPLES
from PIL import Image

from eyeline.local.facts import Line
from eyeline.local.ocr import RapidOcr, TextReader, load_reader, read_lines


class Fixed:
    """A reader that always finds the same."""

    def __init__(self, *lines: Line) -> None:
        self.lines = lines

    def read(self, image: Image.Image) -> Iterable[Line]:
        return self.lines


def missing() -> TextReader:
    message = "No module named 'some_ocr'"
    raise ImportError(message, name="some_ocr")


PICTURE = Image.new("RGB", (200, 100))


@pytest.mark.parametrize(
    ("text", "confidence", "box", "is_kept"),
    [
        ("EXIT 24", 0.99, (10, 10, 90, 30), True),
        ("EXIT 24", 0.60, (10, 10, 90, 30), False),
        ("", 0.99, (10, 10, 90, 30), False),
        ("8", 0.99, (0, 0, 200, 100), False),
        ("8", 0.99, (10, 10, 20, 20), False),
        ("0000", 0.90, (10, 10, 90, 30), False),
        ("80", 0.90, (10, 10, 40, 40), True),
        ("7", 0.99, (10, 10, 20, 30), True),
        ("駅", 0.95, (10, 10, 30, 30), True),
        ("«", 0.95, (10, 10, 30, 30), False),
    ],
)
def test_noise_is_left_out(
    text: str, confidence: float, box: tuple[int, int, int, int], is_kept: bool
) -> None:
    """Unsure text, and cups or eyes read as a round letter, are no text."""
    lines = read_lines(Fixed(Line(text, confidence, box)), PICTURE)
    assert any(line.text for line in lines) is is_kept


@pytest.mark.parametrize(
    ("text", "confidence", "box", "is_print"),
    [
        ("", 0.0, (10, 10, 90, 30), True),
        ("DIN7n", 0.5, (10, 10, 90, 30), True),
        ("", 0.0, (10, 10, 40, 30), False),
        ("8", 0.5, (10, 10, 90, 30), False),
    ],
)
def test_print_that_cannot_be_read_is_a_line_without_text(
    text: str, confidence: float, box: tuple[int, int, int, int], is_print: bool
) -> None:
    """A long box holds print even where the recogniser made nothing of it; a blob does not."""
    expected = (Line("", confidence, box),) if is_print else ()
    assert read_lines(Fixed(Line(text, confidence, box)), PICTURE) == expected


def test_round_figures_stay_beside_other_print() -> None:
    """A zero on a chart is a zero."""
    lines = (Line("0", 0.99, (0, 0, 9, 9)), Line("20", 0.99, (0, 30, 15, 39)))
    assert read_lines(Fixed(*lines), PICTURE) == lines


def test_pictures_of_a_few_pixels_are_not_read() -> None:
    """Nothing is legible there, and the reader is not asked."""
    assert read_lines(Fixed(Line("EXIT", 0.99, (0, 0, 5, 5))), Image.new("RGB", (7, 300))) == ()


def test_the_next_reader_is_taken_if_one_is_missing() -> None:
    """Whichever package is installed reads."""
    reader = Fixed()
    assert load_reader([missing, lambda: reader]) is reader


def test_without_any_reader_the_missing_package_is_named() -> None:
    """What to install stands in the error."""
    with pytest.raises(ImportError) as caught:
        load_reader([missing])
    assert caught.value.name == "some_ocr"


def test_rapidocr_reads_as_well() -> None:
    """The second adapter gives the same text in the same coordinates."""
    pytest.importorskip("rapidocr")
    with Image.open(EXAMPLES / "street-sign.jpg") as image:
        exit_line, harbour = read_lines(RapidOcr(), image.convert("RGB"))
    assert (exit_line.text, harbour.text) == ("EXIT 24", "Old Harbour")
    assert exit_line.box[3] < harbour.box[3] < image.height
