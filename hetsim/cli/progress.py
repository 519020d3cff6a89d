"""How far it is, on standard error: a bar for a terminal, a line now and then for a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hetsim.progress import Progress

EVERY_S = 30.0
"""Seconds between two lines in a log; what is done sooner says nothing."""


@contextmanager
def progress_bar(*, wanted: bool = True) -> Iterator[Progress | None]:
    """Yields a callback that draws the bar; ``None`` when it is not ``wanted``.

    The bar goes to standard error and disappears at the end, so standard output holds nothing
    but results.
    """
    if not wanted:
        yield None
        return
    if not sys.stderr.isatty():
        yield _lines(time.monotonic())
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}", markup=False),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, what="")

        def update(what: str, done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, what=what)

        yield update


def _lines(begun: float) -> Progress:
    import click

    last = begun

    def update(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= EVERY_S:
            last = now
            doing = f", now {what}" if what else ""
            click.echo(f"{now - begun:.0f} s: {done} of {total} done{doing}", err=True)

    return update
