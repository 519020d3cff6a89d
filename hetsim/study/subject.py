"""What the points of a study are about: one network, or all streams of a scenario together.

Either is planned by contenders and judged by a time; nobody else asks which of the two it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from hetsim.analysis.result import Run
from hetsim.analysis.serving.result import ServedRun
from hetsim.runs.case import Case
from hetsim.runs.rows import case_of
from hetsim.runs.serving import Mix
from hetsim.scenario.loader import ALL_STREAMS, Contender, Scenario
from hetsim.study.outcome import Outcome
from hetsim.workload.graph import Graph


class Subject(ABC):
    """A network or a mix of streams on one SoC."""

    @abstractmethod
    def outcome(self, contender: Contender) -> Outcome:
        """What comes of it under ``contender``; its failure is an outcome with ``error``.

        Raises:
            HetsimError: nothing of it can run on this SoC.
        """


@dataclass(frozen=True)
class NetworkSubject(Subject):
    """One network alone."""

    case: Case
    time_limit_s: float | None

    def outcome(self, contender: Contender) -> Outcome:
        self.case.check()
        made = contender.scheduler.create()
        return of_network(self.case.run(contender.label, made, self.time_limit_s))


@dataclass(frozen=True)
class MixSubject(Subject):
    """All streams of a scenario."""

    mix: Mix

    def outcome(self, contender: Contender) -> Outcome:
        self.mix.check()
        return of_streams(self.mix.run(contender), self.mix)


def subject_of(scenario: Scenario, label: str, graphs: Mapping[str, Graph]) -> Subject:
    """What ``label`` of :attr:`~hetsim.scenario.loader.Scenario.subjects` means."""
    if label == ALL_STREAMS and scenario.service is not None:
        return MixSubject(Mix.of(scenario, graphs))
    return NetworkSubject(case_of(scenario, graphs[label]), scenario.time_limit_s)


def of_network(run: Run) -> Outcome:
    """The numbers of a run of one network."""
    if run.error is not None:
        return Outcome(error=run.error)
    return Outcome(
        metrics=dict(run.metrics),
        utilization={
            **{name: pu.utilization for name, pu in run.pus.items()},
            **{name: link.utilization for name, link in run.links.items()},
        },
        contention_s={name: link.contention_s for name, link in run.links.items()},
        attribution_s=dict(run.attribution),
    )


def of_streams(run: ServedRun, mix: Mix) -> Outcome:
    """The numbers of a run of streams: of all together, and of each as ``STREAM.METRIC``."""
    if run.error is not None or run.served is None:
        return Outcome(error=run.error or "no result")
    served, soc = run.served, mix.scenario.soc
    span = served.end_s or 1.0
    each = {
        f"{found.stream.name}.{column}": value
        for found in run.streams
        for column, value in found.metrics.items()
    }
    return Outcome(
        metrics={**run.metrics, **each},
        utilization={
            **{name: busy / span for name, busy in served.unit_busy_s.items()},
            **{
                name: usage.bytes / (max(soc.links[name].bandwidth) * span)
                for name, usage in served.links.items()
            },
        },
        contention_s={name: usage.contention_s for name, usage in served.links.items()},
    )
