"""What every benchmark shares: a measurement, and the median of repeated timings."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Measurement:
    """One line of the benchmark table.

    ``goal`` is compared with ``value`` in the direction of ``better`` (``"more"`` or ``"less"``);
    ``None`` where there is nothing to reach. ``spread`` is the interquartile range of the
    repetitions as a share of their median. ``note`` says what was done, and beside which peer.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    better: str = "more"
    spread: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the goal is met; ``None`` without a goal."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.better == "more" else self.value <= self.goal

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "reached": self.reached}


@dataclass(frozen=True)
class Timing:
    """Seconds of repeated runs of one action."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float | None:
        """Interquartile range as a share of the median; ``None`` for too few repetitions."""
        if len(self.seconds) < 3:
            return None
        low, _, high = statistics.quantiles(self.seconds, n=4)
        return (high - low) / self.median


def timed(action: Callable[[], object], repetitions: int, *, warm_up: int = 1) -> Timing:
    """Times ``action`` with the collector off, so that its pauses hit nobody by chance."""
    for _ in range(warm_up):
        action()
    seconds = []
    for _ in range(repetitions):
        gc.collect()
        gc.disable()
        try:
            start = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - start)
        finally:
            gc.enable()
    return Timing(tuple(seconds))


def interleaved(actions: dict[str, Callable[[], object]], repetitions: int) -> dict[str, Timing]:
    """Times several actions in turn, so that a busy moment of the machine hits all alike."""
    collected: dict[str, list[float]] = {name: [] for name in actions}
    for action in actions.values():
        action()
    for _ in range(repetitions):
        for name, action in actions.items():
            collected[name] += timed(action, 1, warm_up=0).seconds
    return {name: Timing(tuple(seconds)) for name, seconds in collected.items()}
