"""How much of the beginning of a run is left out of its statistics.

MSER-5 (White, "An effective truncation heuristic for bias reduction in simulation output",
Simulation 69, 1997; White, Cobb & Spratt, WSC 2000): means of five values each; as many of the
first are left out as make the standard error of the mean of the rest least. Where that is half of
them or more the rule has not found an end of the beginning, and one must run longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hetsim.numeric import Floats
from hetsim.sim.serving.served import DONE, Ledger

SIZE = 5
"""Of the batches: it evens out what single values do."""

LEAST = 10 * SIZE
"""Shorter series are kept whole: they tell nothing of a beginning."""


@dataclass(frozen=True)
class WarmUp:
    """What arrives before ``seconds`` is left out.

    ``settled`` is false where a stream has not forgotten how it began after half of its values.
    """

    seconds: float = 0.0
    settled: bool = True


def warm_up(rule: float | Literal["mser"], ledgers: Iterable[Ledger]) -> WarmUp:
    """The time by ``rule``: as stated, or the latest that MSER-5 finds in a stream's latencies."""
    if not isinstance(rule, str):
        return WarmUp(rule)
    latest, settled = 0.0, True
    for ledger in ledgers:
        done = ledger.status == DONE
        arrival = ledger.arrival[done]
        order = np.argsort(arrival, kind="stable")
        arrival = arrival[order]
        first, sure = mser(ledger.finish[done][order] - arrival)
        settled = settled and sure
        if first:
            latest = max(latest, float(arrival[first]))
    return WarmUp(latest, settled)


def mser(values: Floats) -> tuple[int, bool]:
    """How many of the first ``values`` (n,) to leave out, and whether that has an end."""
    count = len(values) // SIZE
    if len(values) < LEAST:
        return 0, True
    batches = values[: count * SIZE].reshape(count, SIZE).mean(axis=1)
    batches = batches - batches.mean()  # so that squares of what they have in common do not drown
    left = np.arange(count, 0, -1)
    sums, squares = (np.cumsum(x[::-1])[::-1] for x in (batches, batches**2))
    spread = np.maximum(squares - sums**2 / left, 0.0)
    half = count // 2
    errors = (spread / left.astype(float) ** 2)[: half + 1]
    # What rounding leaves of a spread of nothing decides nothing: of equal ones the first.
    close = errors <= errors.min() + 1e-12 * float((batches**2).mean() / count)
    first = int(np.argmax(close))
    return first * SIZE, first < half
