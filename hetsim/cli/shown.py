"""Lines and tables in the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hetsim.study.result import Rows, Shown


def print_shown(blocks: Iterable[Shown]) -> None:
    """Prints ``blocks`` one below the other."""
    console = Console()
    for block in blocks:
        if isinstance(block, Rows):
            console.print(_table(block))
        else:
            console.print(Text(block.text, style=block.style))


def _table(block: Rows) -> Table:
    table = Table(
        title=Text(block.title, style="bold") if block.title else None, title_justify="left",
        box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0),
    )  # fmt: skip
    for i, name in enumerate(block.columns):
        justify: Any = "left" if i < block.left else "right"
        # A path may be far longer than what stands below it, so it breaks after its dots.
        name = name if " " in name else name.replace(".", ".\n")
        table.add_column(name, justify=justify, overflow="fold", no_wrap=i in block.unbroken)
    for row in block.rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    return table
