"""Pictures that are large and right."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from bombs.register import Bomb, saved


def grain(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Give a picture as a camera gives it: soft shapes under the noise of a sensor."""
    square = Image.effect_noise((1_000, 1_000), 12)
    noise = Image.new("L", (width, height))
    for left in range(0, width, 1_000):
        for top in range(0, height, 1_000):
            noise.paste(square.rotate((left * 7 + top * 3) // 1_000 * 90), (left, top))
    image = Image.blend(Image.radial_gradient("L").resize((width, height)), noise, 0.3)
    return image if mode == "L" else Image.merge(mode, [image] * len(mode))


def heic_photo() -> bytes:
    """48 megapixels, as a phone's largest."""
    import pillow_heif

    buffer = BytesIO()
    pillow_heif.from_pillow(grain(8_064, 6_048)).save(buffer, quality=50)
    return buffer.getvalue()


def large_pdf() -> bytes:
    """Twelve pages of A4, each a scan at 200 dpi."""
    images = [grain(1_654, 2_339) for _ in range(12)]
    return saved(images[0], "PDF", save_all=True, append_images=images[1:], resolution=200)


LARGE: dict[str, Bomb] = {
    "large_jpeg_100": Bomb(lambda: saved(grain(12_000, 8_400), "JPEG"), ".jpg"),
    "large_progressive_50": Bomb(
        lambda: saved(grain(8_660, 5_774), "JPEG", progressive=True), ".jpg"
    ),
    "large_png_60": Bomb(lambda: saved(grain(9_500, 6_320), "PNG", compress_level=1), ".png"),
    "large_png_alpha_60": Bomb(
        lambda: saved(grain(9_500, 6_320, "RGBA"), "PNG", compress_level=1), ".png"
    ),
    "large_png_100": Bomb(lambda: saved(grain(11_500, 8_690), "PNG", compress_level=1), ".png"),
    "large_heic_48": Bomb(heic_photo, ".heic"),
    "large_avif_24": Bomb(lambda: saved(grain(6_000, 4_000), "AVIF", speed=10), ".avif"),
    "large_webp_24": Bomb(lambda: saved(grain(6_000, 4_000), "WEBP", method=0), ".webp"),
    "large_jp2_12": Bomb(
        lambda: saved(grain(4_000, 3_000), "JPEG2000", quality_mode="rates", quality_layers=[10]),
        ".jp2",
    ),
    "large_tiff_lzw_20": Bomb(
        lambda: saved(grain(5_500, 3_640), "TIFF", compression="tiff_lzw"), ".tif"
    ),
    "large_pdf_12_pages": Bomb(large_pdf, ".pdf"),
}
