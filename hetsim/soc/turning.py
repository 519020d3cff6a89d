"""How ``hetsim whatif`` turns what is more than one number: fields that change together.

Single numbers, choices and tables it turns by their types alone; a description speaks up only
where that would make nonsense.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any


@dataclass(frozen=True)
class Turned:
    """New values by field, in a few words; ``ratio`` is new size over old."""

    label: str
    values: Mapping[str, object]
    ratio: float


@dataclass(frozen=True)
class Joint:
    """Fields of one description that are halved and doubled as one.

    ``name`` is the field that gives its name, or nothing when the description as a whole is what
    grows (a matrix array). ``turned`` answers for a factor; ``None`` when nothing would change.
    """

    name: str
    fields: tuple[str, ...]
    now: str
    turned: Callable[[float], Turned | None]


def sides(owner: Any, *names: str) -> Joint:
    """A rectangle or block: every side is multiplied, and at least 1."""
    now = [int(getattr(owner, name)) for name in names]

    def turned(factor: float) -> Turned | None:
        new = [max(1, int(side * factor)) for side in now]
        if new == now:
            return None
        label = "×".join(map(str, new))
        return Turned(label, dict(zip(names, new, strict=True)), prod(new) / prod(now))

    return Joint("", names, "×".join(map(str, now)), turned)
