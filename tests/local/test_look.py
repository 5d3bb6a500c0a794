# ruff: noqa: E501  # a table of questions and answers reads best with one a line

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import zxingcpp
from local_samples import EXAMPLES, png
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from eyeline.errors import NotAnImage
from eyeline.local.answers import answer
from eyeline.local.facts import Facts, Kind
from eyeline.local.look import OWN_EYES, Once, look

QUICK = replace(OWN_EYES, text=lambda _: (), labels=lambda _: ())
"""Eyes that neither read nor name: for what is measured without models."""


def printed(*texts: str, font: Any = None) -> Image.Image:
    """Print black text on white."""
    image = Image.new("RGB", (640, 240), "white")
    draw = ImageDraw.Draw(image)
    for number, text in enumerate(texts):
        draw.text((30, 30 + 60 * number), text, "black", font or ImageFont.load_default(36))
    return image


def absent(package: str) -> Any:
    """Make a part whose package is not installed."""

    def part(_: object) -> Any:
        message = f"No module named {package!r}"
        raise ImportError(message, name=package)

    return part


def broken(_: object) -> Any:
    message = "the model is damaged"
    raise RuntimeError(message)


@pytest.fixture(scope="module")
def seen() -> dict[str, Facts]:
    """Give the facts of every example picture."""
    return {path.name: look(path.read_bytes()) for path in EXAMPLES.glob("*.[jp][pn]g")}


@pytest.mark.parametrize(
    ("name", "question", "expected"),
    [
        ("street-sign.jpg", "What does the sign say?", 'The sign reads "EXIT 24" and "Old Harbour".'),
        ("street-sign.jpg", "Is there a traffic sign?", "Yes, it looks like a traffic sign"),
        ("receipt.jpg", "What is the total?", "Total: 18.04 EUR"),
        ("receipt.jpg", "How much was the olive oil?", 'reads "Olive oil 0.5 l 8.49".'),
        ("receipt.jpg", "When was it bought, and at what time?", "Time: 17:42"),
        ("receipt.jpg", 'Does it say "Rye bread"?', 'Yes: "Rye bread 3.10".'),
        ("receipt.jpg", "What's the phone number?", "Phone number: +44 1632 960018"),
        ("screenshot.png", "Is there an error?", 'Yes: "Error 403: billing address is missing".'),
        ("document.png", "When must invoices be paid?", "within 30 days of receipt"),
        ("document.png", "What is the amount due?", "Amount due: 1,284.50 EUR"),
        ("document.png", "What email address is given?", "E-mail address: accounts@brightwater.example"),
        ("document.png", "Is this a document?", "Probably. It looks like a document."),
        ("code.png", "What is in the QR code?", "QR Code: https://brightwater.example/t20?lot=7"),
        ("code.png", "Read the barcode", "EAN-13: 5901234123457"),
        ("chart.png", "Which quarter was best?", "cannot answer this question"),
        ("chart.png", "What is the title?", 'The largest text reads "Sales by quarter, 2025".'),
        ("coffee.jpg", "What is this?", "The main subject looks like espresso (95 % sure)."),
        ("coffee.jpg", "What does it say?", "No readable text was found."),
        ("cat.jpg", "Is there a cat?", "Yes, it looks like a cat (9"),
        ("cat.jpg", "How many cats?", "cannot answer this question"),
    ],
)  # fmt: skip
def test_examples_are_answered(
    seen: dict[str, Facts], name: str, question: str, expected: str
) -> None:
    """Real pictures, read by the real engines, give the right answers."""
    assert expected in answer([seen[name]], question)


def test_kinds_are_told_apart(seen: dict[str, Facts]) -> None:
    """Each example is of the kind a person would say."""
    assert {name: facts.kind for name, facts in seen.items()} == {
        "street-sign.jpg": Kind.PHOTO_WITH_TEXT,
        "receipt.jpg": Kind.DOCUMENT,
        "screenshot.png": Kind.DRAWN,
        "document.png": Kind.DOCUMENT,
        "code.png": Kind.DRAWN,
        "chart.png": Kind.DRAWN,
        "coffee.jpg": Kind.PHOTO,
        "cat.jpg": Kind.PHOTO,
    }
    assert all(facts.not_looked_at == () for facts in seen.values())


@pytest.mark.parametrize("turn", [3, 6, 8])
def test_a_turned_photo_is_read_upright(turn: int) -> None:
    """Text is read as the photographer saw it, not as the sensor lay."""
    undo = {3: 180, 6: 90, 8: 270}
    exif = Image.Exif()
    exif[0x0112] = turn
    stored = printed("Platform 9", "Departures").rotate(undo[turn], expand=True)
    eyes = replace(OWN_EYES, labels=lambda _: ())
    assert look(png(stored, "JPEG", exif=exif), eyes).text == "Platform 9\nDepartures"


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_print_that_stands_wrong_is_read_turned(angle: int) -> None:
    """Without a word in EXIF the picture is turned as its print asks for, if that reads well."""
    stored = printed("Platform 9", "Departures 17:42", "Old Harbour").rotate(angle, expand=True)
    facts = look(png(stored), replace(OWN_EYES, labels=lambda _: ()))
    assert facts.text == "Platform 9\nDepartures 17:42\nOld Harbour"
    assert not any(row.is_doubtful for row in facts.rows)


@pytest.mark.parametrize("text", ["Открыто ежедневно", "مرحبا بكم في المطعم", "Έξοδος κινδύνου"])
def test_scripts_it_does_not_read_are_no_plain_text(text: str) -> None:
    """Such print is counted as unread, or what was made of it is doubtful."""
    try:
        font = ImageFont.truetype("DejaVuSans.ttf", 36)
    except OSError:
        pytest.skip("needs a font with these scripts: DejaVu")
    facts = look(png(printed(text, font=font)), replace(OWN_EYES, labels=lambda _: ()))
    assert facts.unread or facts.rows
    assert all(row.is_doubtful for row in facts.rows)


def test_text_of_other_alphabets_is_kept() -> None:
    """Accents come through as they are printed."""
    try:
        font = ImageFont.truetype("DejaVuSans.ttf", 36)
    except OSError:
        pytest.skip("needs a font with accents: DejaVu")
    eyes = replace(OWN_EYES, labels=lambda _: ())
    text = "Crème brûlée 6,50 €"
    assert look(png(printed(text, font=font)), eyes).text == text


def test_blur_is_measured() -> None:
    """The same picture is sharp, and blurry once blurred."""
    image = printed("sharp as a knife")
    sharp = look(png(image), QUICK).measures.sharpness
    blurred = look(png(image.filter(ImageFilter.GaussianBlur(6))), QUICK).measures.sharpness
    assert blurred < 30 < 120 < sharp


def test_grey_and_light_are_measured() -> None:
    """A grey picture has no colour, and brightness is mean luma."""
    noise = np.random.default_rng(5).integers(0, 101, (60, 80), dtype=np.uint8)
    measures = look(png(Image.fromarray(noise)), QUICK).measures
    assert measures.is_grey
    assert measures.brightness == pytest.approx(50 / 255, abs=0.02)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (2, 2)])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "I;16"])
def test_the_smallest_pictures_are_looked_at(size: tuple[int, int], mode: str) -> None:
    """No size or mode makes a part fail."""
    facts = look(png(Image.new(mode, size)))
    assert (facts.header.width_px, facts.header.height_px) == size
    assert facts.not_looked_at == ()
    assert answer([facts], "Describe it.")


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        (zxingcpp.BarcodeFormat.DataMatrix, "Data Matrix", "LOT 7"),
        (zxingcpp.BarcodeFormat.Code128, "Code 128", "EYE-0042"),
        (zxingcpp.BarcodeFormat.PDF417, "PDF417", "boarding pass"),
    ],
)
def test_codes_of_many_kinds_are_read(kind: Any, name: str, text: str) -> None:
    """Matrix and bar codes are named and decoded, also when turned."""
    code = zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, kind), scale=4)
    sheet = Image.new("L", (900, 900), 255)
    sheet.paste(Image.fromarray(np.array(code)), (80, 80))
    (found,) = look(png(sheet.rotate(90)), QUICK).codes
    assert (found.kind, found.text) == (name, text)


def test_a_missing_package_leaves_the_others_to_answer() -> None:
    """Without text recognition there are still labels, colours and size, and a note."""
    data = (EXAMPLES / "cat.jpg").read_bytes()
    facts = look(data, replace(OWN_EYES, text=absent("faster_paddle")))
    assert facts.not_looked_at == (
        "text: faster_paddle is not installed; pip install 'eyeline[local]'",
    )
    assert answer([facts], "What animal is this?").startswith("The main subject looks like a cat")
    assert "Text could not be looked at" in answer([facts], "Describe it.")


def test_a_failing_part_leaves_the_others_to_answer(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a part raises is logged whole and named in the facts."""
    facts = look(png(), replace(QUICK, labels=broken, codes=absent("zxingcpp")))
    assert facts.not_looked_at == (
        "codes: zxingcpp is not installed; pip install 'eyeline[local]'",
        "labels: failed (RuntimeError)",
    )
    assert "the model is damaged" in caplog.text
    assert answer([facts], "Is there a barcode?") == (
        "Codes could not be looked at (zxingcpp is not installed; pip install 'eyeline[local]')."
    )


def test_frames_that_were_not_looked_at_are_noted() -> None:
    """Of an animation only the first frame is looked at, and the facts say so."""
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue")]
    facts = look(png(frames[0], "GIF", save_all=True, append_images=frames[1:]), QUICK)
    assert facts.not_looked_at == ("frames: only the first of 2 is looked at",)


def test_what_is_no_image_is_said() -> None:
    """Bytes that do not decode are an error, not an empty answer."""
    with pytest.raises(NotAnImage):
        look(b"hello", QUICK)


def test_a_model_is_loaded_once_by_many_threads() -> None:
    """Threads that need a model together wait for one loading; a failed one is tried again."""
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        if len(made) == 1:
            message = "first try"
            raise OSError(message)
        return made[-1]

    once = Once(make)
    with pytest.raises(OSError, match="first try"):
        once()
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(once())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, made) == ([1] * 8, [0, 1])
