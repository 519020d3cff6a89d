"""How long work tells how far it is, to whoever wants to show it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with what is being done now, how many steps are done, and how many there are."""
