"""
Hostile files, by format, each made by a named function; `python -m bombs`, in tests/, shows what
they take.

Each is run in a process of its own, the whole way from the path to the content parts. Names on the
command line choose among them: `python -m bombs png large`.
"""

from bombs import bmp_ico_pnm, gif, heif, jpeg, jpeg2000, pdf, png, svg, tiff, webp
from bombs.register import BOMBS
from bombs.scraps import scraps
from bombs.taking import Taken, take, written

# Each names its bombs when it is imported.
FORMATS = (png, gif, tiff, jpeg, webp, bmp_ico_pnm, jpeg2000, heif, svg, pdf)

__all__ = ["BOMBS", "FORMATS", "Taken", "scraps", "take", "written"]
