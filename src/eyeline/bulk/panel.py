"""rich: a run on a terminal, three lines that stay where they are."""

from __future__ import annotations

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from eyeline.bulk.watch import Snapshot
from eyeline.bulk.watches import counts, doing, money, pace, rows

BAR_COLUMNS = 32


class Panel:
    """Draws on stderr, from the first snapshot to the last."""

    every_s = 0.25

    def __init__(self, out: str, console: Console | None = None) -> None:
        self.out = out
        self.console = console or Console(stderr=True)
        self.live = Live(console=self.console, auto_refresh=False, transient=True)
        self.is_open = False

    def show(self, snapshot: Snapshot) -> None:
        if not self.is_open:
            self.live.start()
            self.is_open = True
        self.live.update(drawn(self.out, snapshot), refresh=True)

    def end(self) -> None:
        """Take the panel away; what became of the run is said by others."""
        if self.is_open:
            self.live.stop()
            self.is_open = False


def drawn(out: str, snapshot: Snapshot) -> Group:
    """Give the output with a bar; rows and their pace; dollars, and what holds it up."""
    ended = snapshot.done + snapshot.failed
    total = snapshot.rows_total
    bar = ProgressBar(
        total, ended, BAR_COLUMNS, pulse=not total, style="dim", complete_style="green",
        finished_style="green",
    )  # fmt: skip
    share = "" if not total else f"{ended / total:.0%}"
    name = Text(out, style="bold", overflow="ellipsis", no_wrap=True)
    first = Table.grid(padding=(0, 2))
    first.add_row(name, bar, rows(snapshot), share)
    failed = "yellow" if snapshot.failed else ""
    second = Text(" · ".join([*pace(snapshot), *counts(snapshot)]), style=failed)
    third = Text(" · ".join([*money(snapshot), doing(snapshot)]))
    third.stylize("yellow" if snapshot.trouble or snapshot.is_stopping else "dim")
    return Group(first, second, third)
