"""Draw the rendered examples again: `python examples/make_examples.py [FOLDER]`.

Needs Pillow, numpy, zxing-cpp and the DejaVu fonts (in Debian: fonts-dejavu-core). Nothing here is
left to chance: the same versions give the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).parent
PAPER, INK, SOFT, LINE = "#fbfaf6", "#1d1d1f", "#6b6b70", "#d9d8d2"

Box = tuple[float, float, float, float]


def font(size_px: int, style: str = "Sans") -> ImageFont.FreeTypeFont:
    """Give DejaVu in a style (`Sans`, `Sans-Bold`, `Serif`, `SansMono`, …), found by its name."""
    return ImageFont.truetype(f"DejaVu{style}.ttf", size_px)


def gradient(size: tuple[int, int], top: str, bottom: str) -> Image.Image:
    """Fill a picture from `top` to `bottom`."""
    ends = [np.array(Image.new("RGB", (1, 1), colour))[0, 0] for colour in (top, bottom)]
    ramp = np.linspace(ends[0], ends[1], size[1])[:, None, :]
    return Image.fromarray(np.broadcast_to(ramp, (size[1], size[0], 3)).astype(np.uint8))


def grain(image: Image.Image, strength: float, seed: int = 7) -> Image.Image:
    """Add the noise of a sensor."""
    noise = np.random.default_rng(seed).normal(0, strength, (image.height, image.width, 1))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


def clouds(size: tuple[int, int], seed: int = 3) -> Image.Image:
    """Give a mask of clouds: noise at five scales, the fine ones fainter."""
    rng = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0]))
    for octave in range(5):
        cells = (3 * 2**octave, 5 * 2**octave)
        layer = Image.fromarray(rng.random(cells).astype(np.float32))
        total += np.asarray(layer.resize(size, Image.Resampling.BICUBIC)) / 2**octave
    share = ((total - total.mean()) / total.std() * 0.5 + 0.1).clip(0, 1)
    return Image.fromarray((share * 190).astype(np.uint8))


def perspective(
    image: Image.Image, size: tuple[int, int], corners: list[tuple[float, float]]
) -> Image.Image:
    """Lay `image` on a canvas of `size`, its corners (clockwise from top left) at `corners`."""
    width, height = image.size
    source = [(0, 0), (width, 0), (width, height), (0, height)]
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    matrix = np.linalg.solve(np.array(rows, float), np.array(values, float))
    return image.transform(
        size, Image.Transform.PERSPECTIVE, tuple(matrix), Image.Resampling.BICUBIC
    )


def ridge(draw: ImageDraw.ImageDraw, base: float, height: float, colour: str, seed: int) -> None:
    """Draw a line of hills."""
    rng = np.random.default_rng(seed)
    x = np.arange(0, 1281, 8)
    waves = sum(
        np.sin(x / rng.uniform(60, 260) + rng.uniform(0, 6)) * rng.uniform(0.2, 1) for _ in range(5)
    )
    draw.polygon([(0, 960), *zip(x, base - height * waves / 3, strict=True), (1280, 960)], colour)


def sign_board() -> Image.Image:
    """Draw the sign itself, twice as large as it will stand in the scene."""
    board = Image.new("RGBA", (1240, 620), (0, 0, 0, 0))
    draw = ImageDraw.Draw(board)
    draw.rounded_rectangle((0, 0, 1239, 619), 56, "#d7dadb")
    draw.rounded_rectangle((8, 8, 1231, 611), 50, "#0b5a3c")
    draw.rounded_rectangle((24, 24, 1215, 595), 40, outline="#f4f5f2", width=10)
    draw.text((90, 215), "EXIT 24", "#f4f5f2", font(210, "Sans-Bold"), anchor="lm")
    draw.text((96, 455), "Old Harbour", "#f4f5f2", font(118), anchor="lm")
    draw.line((1010, 500, 1122, 388), "#f4f5f2", 30)
    draw.polygon([(1150, 360), (1140, 452), (1058, 370)], "#f4f5f2")
    return board


def street_sign() -> Image.Image:
    """Draw a road sign in the country, as a phone would take it."""
    size = (1280, 960)
    scene = gradient(size, "#5b92c9", "#dbe6ec")
    scene.paste("#f5f6f5", mask=clouds(size))
    draw = ImageDraw.Draw(scene)
    ridge(draw, 700, 60, "#8aa0a6", 11)
    ridge(draw, 760, 46, "#5f7a5c", 5)
    ridge(draw, 830, 26, "#47613f", 9)
    scene = scene.filter(ImageFilter.GaussianBlur(4))
    draw = ImageDraw.Draw(scene)
    draw.polygon([(0, 960), (0, 905), (560, 842), (1280, 880), (1280, 960)], "#56585a")
    draw.polygon([(0, 912), (560, 846), (566, 849), (0, 922)], "#dcdcd6")
    for left in (470, 850):
        draw.rectangle((left, 420, left + 17, 900), "#8d9294")
        draw.rectangle((left, 420, left + 5, 900), "#b4b8ba")
        draw.rectangle((left + 13, 420, left + 17, 900), "#65696b")
    board = perspective(sign_board(), size, [(352, 178), (1010, 226), (1004, 548), (346, 524)])
    shadow = Image.new("RGBA", size, (10, 20, 20, 110))
    scene.paste(shadow, (7, 9), board.getchannel("A").filter(ImageFilter.GaussianBlur(6)))
    scene.paste(board, mask=board.getchannel("A"))
    return grain(scene.filter(ImageFilter.GaussianBlur(1.1)), 3)


ITEMS = (
    ("Rye bread", "3.10"),
    ("Olive oil 0.5 l", "8.49"),
    ("Tomatoes 450 g", "2.25"),
    ("Coffee beans", "4.20"),
)


def receipt_paper() -> Image.Image:
    """Draw a till receipt, flat."""
    paper = Image.new("RGB", (560, 900), PAPER)
    draw = ImageDraw.Draw(paper)
    mono, bold = font(26, "SansMono"), font(28, "SansMono-Bold")
    draw.text((280, 64), "CORNER MARKET", INK, font(40, "Sans-Bold"), anchor="mm")
    draw.text((280, 112), "12 Mill Lane, Easthaven", SOFT, font(24), anchor="mm")
    draw.text((280, 146), "Tel. +44 1632 960018", SOFT, font(24), anchor="mm")
    draw.text((44, 212), "2026-11-21", INK, mono)
    draw.text((516, 212), "17:42", INK, mono, anchor="ra")
    y = 282
    for name, price in ITEMS:
        draw.text((44, y), name, INK, mono)
        draw.text((516, y), price, INK, mono, anchor="ra")
        y += 46
    draw.line((44, y + 12, 516, y + 12), SOFT, 2)
    for label, amount, face in (
        ("Subtotal", "18.04", mono),
        ("incl. VAT 7 %", "1.18", mono),
        ("TOTAL EUR", "18.04", bold),
    ):
        y += 50
        draw.text((44, y), label, INK, face)
        draw.text((516, y), amount, INK, face, anchor="ra")
    draw.text((44, y + 70), "Card ending 0217", INK, mono)
    draw.text((280, y + 170), "Thank you for your visit", SOFT, font(24), anchor="mm")
    draw.text((280, y + 206), "cornermarket.example", SOFT, font(24), anchor="mm")
    return paper


def receipt() -> Image.Image:
    """Lay the receipt on a wooden table, a little askew."""
    size = (960, 1200)
    rng = np.random.default_rng(21)
    rings = np.cumsum(rng.normal(0, 1, size[0]))
    drift = np.cumsum(rng.normal(0, 0.05, size[1]))
    wood = np.sin(rings[None, :] * 0.35 + drift[:, None]) * 12
    planks = np.where(np.arange(size[0]) % 320 < 4, -46, 0)[None, :]
    table = np.array([136, 96, 62])[None, None] + (wood + planks)[:, :, None]
    scene = Image.fromarray(table.clip(0, 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(1.2)
    )
    paper = perspective(
        receipt_paper().convert("RGBA"), size, [(228, 86), (772, 128), (716, 1090), (150, 1040)]
    )
    mask = paper.getchannel("A")
    scene.paste(
        Image.new("RGB", size, "#1d120a"),
        (10, 14),
        mask.filter(ImageFilter.GaussianBlur(9)).point(lambda v: v // 2),
    )
    scene.paste(paper, mask=mask)
    shade = gradient(size, "#ffffff", "#b8b8b8").convert("L").rotate(90, expand=True).resize(size)
    scene = Image.composite(scene, Image.new("RGB", size, "#2a2018"), shade)
    return grain(scene.filter(ImageFilter.GaussianBlur(0.8)), 2.5)


def screenshot() -> Image.Image:
    """Draw a window whose export failed."""
    image = gradient((1280, 740), "#31465a", "#52708a")
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((160, 90, 1120, 650), 12, "#ffffff")
    draw.rounded_rectangle((160, 90, 1120, 136), 12, "#e9eaec", corners=(True, True, False, False))
    for index, colour in enumerate(("#e2675c", "#e6b84c", "#5fae62")):
        draw.ellipse((180 + 24 * index, 106, 194 + 24 * index, 120), colour)
    draw.text((640, 113), "Ledger: export", "#4a4d52", font(17), anchor="mm")
    draw.rounded_rectangle((160, 137, 380, 650), 12, "#f4f5f6", corners=(False, False, False, True))
    for index, name in enumerate(("Overview", "Invoices", "Customers", "Export", "Settings")):
        if name == "Export":
            draw.rounded_rectangle((172, 281, 368, 317), 6, "#dfe8f3")
        draw.text((196, 168 + 40 * index), name, "#2b2d31", font(18))
    draw.text((420, 172), "Export to accounting", INK, font(28, "Sans-Bold"))
    draw.text((420, 224), "142 invoices, January to October 2026", SOFT, font(18))
    draw.rounded_rectangle((420, 276, 1080, 424), 8, "#fdeeec", outline="#d9503f", width=2)
    draw.text((448, 300), "Error 403: billing address is missing", "#a52c1d", font(22, "Sans-Bold"))
    draw.text((448, 342), "Add an address under Settings, then export again.", INK, font(18))
    draw.text((448, 376), "Reference: EXP-20261121-0093", SOFT, font(18))
    for left, label, ground, ink in (
        (420, "Cancel", "#eceef0", INK),
        (560, "Try again", "#2f6fb3", "#ffffff"),
    ):
        draw.rounded_rectangle((left, 462, left + 124, 504), 8, ground)
        draw.text((left + 62, 483), label, ink, font(18), anchor="mm")
    return image


LETTER = (
    "Dear Ms Okafor,",
    "",
    "Thank you for your order of 3 November. The instruments were sent",
    "today and should arrive at your laboratory within five working days.",
    "",
    "Invoices must be paid within 30 days of receipt. The amount due is",
    "1,284.50 EUR, to be paid by 21 December 2026.",
    "",
    "If anything is unclear, write to accounts@brightwater.example or",
    "call +49 30 5550 0142 on weekdays between 09:00 and 16:30.",
    "",
    "Yours sincerely,",
    "Ilse Brandt",
)


def document() -> Image.Image:
    """Draw a business letter."""
    page = Image.new("RGB", (1000, 1300), "#ffffff")
    draw = ImageDraw.Draw(page)
    draw.text((100, 96), "Brightwater Instruments", INK, font(38, "Serif-Bold"))
    draw.line((100, 156, 900, 156), INK, 2)
    draw.text((100, 172), "Kanalstrasse 8, 10115 Berlin", SOFT, font(19, "Serif"))
    draw.text((900, 172), "www.brightwater.example", SOFT, font(19, "Serif"), anchor="ra")
    draw.text((900, 260), "21 November 2026", INK, font(22, "Serif"), anchor="ra")
    draw.text((100, 330), "Invoice no. BW-2026-0417", INK, font(26, "Serif-Bold"))
    for index, line in enumerate(LETTER):
        draw.text((100, 400 + 37 * index), line, INK, font(22, "Serif"))
    draw.text((500, 1220), "Page 1 of 1", SOFT, font(18, "Serif"), anchor="mm")
    return page


def bar_code(kind: zxingcpp.BarcodeFormat, text: str, scale: int) -> Image.Image:
    """Encode `text`, with its quiet zone."""
    code = zxingcpp.create_barcode(text, kind)
    return Image.fromarray(np.array(zxingcpp.write_barcode_to_image(code, scale=scale)))


def code() -> Image.Image:
    """Draw a product card with a QR code and an EAN-13 code."""
    card = Image.new("RGB", (900, 560), "#ffffff")
    draw = ImageDraw.Draw(card)
    draw.rectangle((0, 0, 900, 92), "#23344a")
    draw.text((44, 46), "Field thermometer T-20", "#ffffff", font(34, "Sans-Bold"), anchor="lm")
    card.paste(
        bar_code(zxingcpp.BarcodeFormat.QRCode, "https://brightwater.example/t20?lot=7", 10),
        (30, 120),
    )
    draw.text((200, 505), "Scan for the manual", INK, font(24), anchor="mm")
    ean = bar_code(zxingcpp.BarcodeFormat.EAN13, "5901234123457", 4)
    ean = ean.resize((ean.width, 200), Image.Resampling.NEAREST)
    left = 655 - ean.width // 2
    card.paste(ean, (left, 200))
    draw.text((655, 430), "5901234123457", INK, font(28, "SansMono"), anchor="mm")
    return card


SALES = (("Q1", 42), ("Q2", 57), ("Q3", 71), ("Q4", 64))


def chart() -> Image.Image:
    """Draw a bar chart of four quarters."""
    image = Image.new("RGB", (1000, 640), "#ffffff")
    draw = ImageDraw.Draw(image)
    draw.text((70, 44), "Sales by quarter, 2025", INK, font(32, "Sans-Bold"))
    draw.text((70, 92), "thousand EUR", SOFT, font(19))
    for value in range(0, 81, 20):
        y = 560 - value * 5
        draw.line((120, y, 940, y), LINE, 2)
        draw.text((104, y), str(value), SOFT, font(19), anchor="rm")
    for index, (quarter, value) in enumerate(SALES):
        left = 170 + 195 * index
        draw.rectangle((left, 560 - value * 5, left + 110, 560), "#3b6ea5")
        draw.text((left + 55, 582 - value * 5), str(value), "#ffffff", font(22), anchor="mm")
        draw.text((left + 55, 588), quarter, INK, font(22), anchor="mm")
    return image


def main(folder: Path = HERE) -> None:
    """Write every picture to `folder`."""
    for name, draw in (("street-sign", street_sign), ("receipt", receipt)):
        draw().save(folder / f"{name}.jpg", quality=82, optimize=True)
    for name, draw in (
        ("screenshot", screenshot),
        ("document", document),
        ("code", code),
        ("chart", chart),
    ):
        draw().save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
