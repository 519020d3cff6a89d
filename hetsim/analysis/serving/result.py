"""What a scenario with streams produced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hetsim.analysis.metrics.base import Measured, Metrics
from hetsim.analysis.metrics.registry import told
from hetsim.analysis.notebook import frame, html
from hetsim.bounds.response.streams import UNPROVEN, Worst
from hetsim.plan.model import Plan
from hetsim.sim.serving.served import Served
from hetsim.soc.model import SoC
from hetsim.streams.service import Service, Stream

if TYPE_CHECKING:
    import pandas

STATUSES = ("done", "dropped", "open")
"""What :data:`~hetsim.sim.serving.served.DONE` and the others are called in data frames."""


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

    def inferences(self) -> pandas.DataFrame:
        """One row per inference, stream by stream in order of their ends.

        Columns: ``stream``, ``number`` (as in traces), ``arrival_s``, ``start_s``, ``finish_s``,
        ``deadline_s`` (a moment, like those before it), ``latency_s``, ``status`` (``done``,
        ``dropped`` or ``open``), and ``counted``: whether it arrived after the warm-up.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        parts = [] if self.served is None else [*self.served.ledgers.items()]
        names = np.repeat([name for name, _ in parts], [len(ledger) for _, ledger in parts])
        columns: dict[str, Any] = {"stream": names}
        for name in ("number", "arrival", "start", "finish", "deadline", "status"):
            own = [getattr(ledger, name) for _, ledger in parts]
            columns[name if name in ("number", "status") else f"{name}_s"] = (
                np.concatenate(own) if own else np.zeros(0)
            )
        columns["latency_s"] = columns["finish_s"] - columns["arrival_s"]
        columns["counted"] = columns["arrival_s"] >= self.warm_up_s
        columns["status"] = np.array(STATUSES)[columns["status"].astype(int)]
        order = ["stream", "number", "arrival_s", "start_s", "finish_s", "deadline_s",
                 "latency_s", "status", "counted"]  # fmt: skip
        return frame(columns, order)

    def _repr_html_(self) -> str | None:
        """What notebooks show."""
        return html(self)

    def _rows(self) -> Iterator[dict[str, object]]:
        """A row for each stream, and one for all together, of :meth:`ServedResult.to_dataframe`."""
        own = {"run": self.label, "scheduler": self.scheduler, "dispatcher": self.dispatcher}
        if self.error is not None:
            yield {**own, "error": self.error}
            return
        for found in self.streams:
            yield {**own, "stream": found.stream.name, "model": found.stream.model,
                   **_told(found.metrics)}  # fmt: skip
        yield {**own, "stream": "all", "model": None, **_told(self.metrics)}


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

    def to_dataframe(self) -> pandas.DataFrame:
        """One row per run and stream, and one per run for all streams; SI units; ``error`` last.

        :meth:`ServedRun.inferences` has one run's inferences.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        rows = [row for run in self.runs for row in run._rows()]
        names = dict.fromkeys(["run", "scheduler", "dispatcher", "stream", "model"])
        names |= dict.fromkeys(name for row in rows for name in row if name != "error")
        return frame(rows, [*names, "error"])

    def _repr_html_(self) -> str | None:
        """What notebooks show."""
        return html(self)


def _told(metrics: Metrics) -> dict[str, float | None]:
    chosen = told("programs", metrics, served=True)
    return {m.column: metrics.get(m.column) for m in chosen if not m.of_the_soc}
