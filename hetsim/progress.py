"""How long work tells how far it is, to whoever wants to show it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

Progress = Callable[[str, int, int], None]
"""Called with what is being done now, how many steps are done, and how many there are."""

EVERY_S = 0.1
"""Seconds between two pictures of a bar in a notebook: each is a message to the browser."""


@contextmanager
def told(progress: Progress | None) -> Iterator[Progress | None]:
    """Yields ``progress``; without one, a bar under the cell where a notebook is running.

    The bar goes away at the end. Anywhere else nothing is shown: a library does not print.
    """
    shell = _kernel()
    if progress is not None or shell is None:
        yield progress
        return
    from IPython.display import HTML, display

    handle = display(HTML(""), display_id=True)
    last = 0.0

    def update(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= EVERY_S:
            last = now
            bar = f"<progress max='{max(total, 1)}' value='{done}'></progress>"
            handle.update(HTML(f"{bar} {done} of {total}: {escape(what)}"))

    try:
        yield update
    finally:
        handle.update(HTML(""))


def _kernel() -> Any:
    """The shell of a notebook's kernel, if this process is one. Imports nothing."""
    python = sys.modules.get("IPython")
    shell = python.get_ipython() if python is not None else None
    return shell if hasattr(shell, "kernel") else None
