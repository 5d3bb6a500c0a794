"""The cells a model cuts an image into, and what it costs, as lines and words to draw."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from eyeline.core.catalogue import Model
from eyeline.core.estimate import ImageEstimate
from eyeline.core.plan import PreparePlan
from eyeline.core.size import Size
from eyeline.core.tokens import PATCH_PX, TILE_PX, PatchRule, TileRule

Line = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Grid:
    """
    Square cells of `cell_px` over an image of `size`; those at its right and lower edge may be cut.

    `kind` is what the provider calls them.
    """

    kind: str
    cell_px: int
    size: Size

    @property
    def across(self) -> int:
        return -(-self.size.width_px // self.cell_px)

    @property
    def down(self) -> int:
        return -(-self.size.height_px // self.cell_px)

    @property
    def count(self) -> int:
        return self.across * self.down

    def lines(self, scale: int = 1) -> tuple[Line, ...]:
        """Give the lines between cells, at `scale` times the size: x0, y0, x1, y1 in pixels."""
        right, bottom = (side * scale - 1 for side in self.size)
        step = self.cell_px * scale
        upright = ((x, 0, x, bottom) for x in range(step, right + 1, step))
        level = ((0, y, right, y) for y in range(step, bottom + 1, step))
        return tuple(chain(upright, level))

    def __str__(self) -> str:
        cells = f"{self.across}×{self.down} = {self.count:,}" if self.count > 1 else "1"
        return f"{cells} {self.kind}{'' if self.count == 1 else self.plural}"

    @property
    def plural(self) -> str:
        return "es" if self.kind == "patch" else "s"


def grid(model: Model, plan: PreparePlan) -> Grid | None:
    """
    Give the cells in which `model` counts an image, None where it counts none.

    A tile model looks at `low` as a whole, and so does the reader.
    """
    match model.rule:
        case PatchRule():
            return Grid("patch", PATCH_PX, plan.size)
        case TileRule() if plan.detail != "low":
            return Grid("tile", TILE_PX, plan.size)
    return None


def caption(model: Model, plan: PreparePlan, estimate: ImageEstimate) -> tuple[str, ...]:
    """Say in short lines what the model sees and what it bills: the strip below a picture."""
    stored = Size(estimate.width_px, estimate.height_px)
    cells = grid(model, plan)
    cost, name = estimate.cost_usd, estimate.source.rpartition("/")[2]
    return (
        model.name,
        f"{name}  {stored} → {plan.size} px" if stored != plan.size else f"{name}  {stored} px",
        " · ".join([f"detail {plan.detail}", *([str(cells)] if cells else [])]),
        " · ".join(
            [
                f"{plan.tokens:,} tokens",
                "price unknown" if cost is None else f"${cost.normalize():f}",
            ]
        ),
    )
