"""PartitionTuner's parameters, tuned by trying.

Coordinate descent: one parameter after the other, all its values, keep the best, until a whole
round brings nothing; with ``pairs`` then all values of two parameters at once, and again from
there. It starts from the published parameters and from all mended choices, and the better end
wins. There are about ten thousand combinations; the descent tries some fifty, with pairs some three
hundred.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations, product

from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner

Parameters = dict[str, object]

CHOICES: Mapping[str, tuple[object, ...]] = {
    "joint": (False, True),
    "pack": (False, True),
    "boundary_cost": (False, True),
    "profit_test": (False, True),
    "switch_penalty_us": (0.0, 20.0, 100.0, 500.0, 1000.0, 2000.0, 5000.0),
    "longest_group": (1, 2, 3, 4),
    "lpt_by": ("bytes", "time"),
    "merge_levels": ("none", "single", "all"),
    "transfer": ("memcpy", "crossing"),
    "parallel_sets": ("strict", "free"),
}
"""What is tried for each parameter, those that matter most first."""

MENDED: Mapping[str, object] = {
    "switch_penalty_us": 20.0, "longest_group": 3, "boundary_cost": True, "profit_test": True,
    "joint": True, "lpt_by": "time", "pack": True, "merge_levels": "all",
    "transfer": "crossing", "parallel_sets": "free",
}  # fmt: skip
"""Every choice that the published algorithm leaves out, taken."""

Score = Callable[[Sequence[Parameters]], Sequence[float]]
"""What each of several sets of parameters is worth; less is better, infinite is no plan."""


def published() -> Parameters:
    """The published parameters."""
    return asdict(PartitionTuner())


def descend(
    score: Score, evaluations: int = 1000, *, pairs: bool = False
) -> tuple[Parameters, float]:
    """The best parameters found and their score, after at most ``evaluations`` different sets.

    Deterministic. The published set is always tried, so the result is never worse than that.
    """
    known: dict[tuple[object, ...], float] = {}

    def values(several: Sequence[Parameters]) -> list[float]:
        fresh = list({_key(p): p for p in several if _key(p) not in known}.values())
        fresh = fresh[: max(evaluations - len(known), 0)]
        known.update(zip(map(_key, fresh), score(fresh) if fresh else (), strict=True))
        return [known.get(_key(p), math.inf) for p in several]

    def better(here: Parameters, value: float, together: int) -> tuple[Parameters, float]:
        """The best change of each ``together`` parameters in turn."""
        for names in combinations(CHOICES, together):
            others = [
                {**here, **dict(zip(names, chosen, strict=True))}
                for chosen in product(*(CHOICES[name] for name in names))
            ]
            tried = values(others)
            low = min(tried)
            if low < value:
                here, value = others[tried.index(low)], low
        return here, value

    best, least = published(), values([published()])[0]
    for begin in (published(), {**published(), **MENDED}):
        here, value = begin, values([begin])[0]
        for together in (1, 2) if pairs else (1,):
            changed, gained = better(here, value, together)
            while gained < value:
                here, value = changed, gained
                changed, gained = better(here, value, together)
        if value < least:
            best, least = here, value
    return best, least


def _key(parameters: Parameters) -> tuple[object, ...]:
    return tuple(parameters[name] for name in CHOICES)
