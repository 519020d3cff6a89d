"""What a solver may spend on one window, what it proved, and in which steps it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Strategy = Literal["plain", "vary", "raise"]
"""The solver's default search; many strategies in turn; only the one that raises the bound."""


@dataclass(frozen=True)
class WindowProof:
    """What the solver found: a bound (seconds), and its best solution's PUs and start order.

    ``effort`` is what it took, in the solver's deterministic seconds.
    """

    bound_s: float
    closed: bool
    effort: float
    value_s: float | None = None
    places: Mapping[int, int] | None = None
    order: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to try: the solver's own deterministic measure of work, and wall-clock seconds."""

    effort: float
    seconds: float

    def share(self, part: float) -> Budget:
        """``part`` of both."""
        return Budget(self.effort * part, self.seconds * part)
