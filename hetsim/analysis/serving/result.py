"""What a scenario with streams produced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hetsim.analysis.metrics.base import Measured, Metrics
from hetsim.bounds.response.streams import UNPROVEN, Worst
from hetsim.plan.model import Plan
from hetsim.sim.serving.served import Served
from hetsim.soc.model import SoC
from hetsim.streams.service import Service, Stream


@dataclass(frozen=True)
class StreamRun:
    """One stream of a run: who planned it, and its metrics by column, SI units.

    ``worst`` is what no response exceeds, as far as that is proven.
    """

    stream: Stream
    scheduler: str
    plan: Plan = field(repr=False)
    metrics: Metrics = field(default_factory=dict)
    worst: Worst = UNPROVEN


@dataclass(frozen=True)
class ServedRun(Measured):
    """All streams under one scheduler and one dispatcher; ``label`` is what reports call it.

    ``metrics`` are those of all streams together, by column, SI units. The inferences that arrived
    before ``warm_up_s`` are in none of them; ``settled`` is false where the rule that was to find
    that moment did not, and the run is too short. ``error`` is set, and nothing is measured, when a
    plan failed.
    """

    scheduler: str
    dispatcher: str
    label: str
    streams: tuple[StreamRun, ...] = ()
    metrics: Metrics = field(default_factory=dict)
    served: Served | None = field(default=None, repr=False)
    warm_up_s: float = 0.0
    settled: bool = True
    planning_s: float = 0.0
    error: str | None = None

    def stream(self, name: str) -> StreamRun:
        """The stream called ``name``; ``StopIteration`` when there is none."""
        return next(found for found in self.streams if found.stream.name == name)


@dataclass(frozen=True)
class ServedResult:
    """Every scheduler under every dispatcher."""

    scenario: str
    soc: SoC = field(repr=False)
    seed: int
    service: Service
    runs: tuple[ServedRun, ...]
    notes: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[ServedRun, ...]:
        """The runs that ended in an error."""
        return tuple(run for run in self.runs if run.error is not None)
