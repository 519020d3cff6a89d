"""One run of a study: what it is told, what it reports, and the bench that performs it.

A :class:`Point` is one network under one scheduler with some values changed. A :class:`PointBench`
holds what all points of a study share (the scenario and its loaded networks) and turns a point
into an :class:`Outcome`, plain numbers that fit a row of a table. Benches and points cross process
boundaries; the same point gives the same outcome in every process.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from hetsim.analysis.metrics.base import Measured, Metrics
from hetsim.analysis.metrics.registry import metrics
from hetsim.analysis.result import Run
from hetsim.errors import HetsimError
from hetsim.executors.base import Bench
from hetsim.records import Record, checked, damaged, parse_json, seal, unsealed
from hetsim.runs.case import Case
from hetsim.runs.rows import case_of
from hetsim.runs.scenario import load_graph
from hetsim.scenario.loader import Scenario, SchedulerRef
from hetsim.scenario.variants import varied
from hetsim.version import version
from hetsim.workload.graph import Graph

SCHEMA = 3
"""Number of the meaning of keys and outcomes; stores of another are refused."""


@dataclass(frozen=True)
class Point:
    """One network under one scheduler, with ``design`` changed; ``plan`` is kept when given.

    ``model`` and ``scheduler`` are labels of the scenario.
    """

    model: str
    scheduler: str
    design: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """The point in a few words."""
        values = ", ".join(f"{path}={value}" for path, value in self.design.items())
        return f"{self.model} · {self.scheduler} · {values}" if values else self.model


@dataclass(frozen=True)
class Outcome(Measured):
    """What one run gave, in SI units; nothing but ``error`` when it failed.

    ``metrics`` are by column (:mod:`hetsim.analysis.metrics`), ``utilization`` is by PU and link,
    ``contention_s`` by link; ``attribution_s`` splits the makespan along the critical path
    (:mod:`hetsim.analysis.attribution`). ``seconds`` is the wall-clock time it took; it is no part
    of the result.
    """

    metrics: Metrics = field(default_factory=dict)
    utilization: Mapping[str, float] = field(default_factory=dict)
    contention_s: Mapping[str, float] = field(default_factory=dict)
    attribution_s: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None
    seconds: float = field(default=0.0, compare=False)

    def to_json(self) -> str:
        """The outcome as JSON text, sealed; floats keep every bit."""
        return json.dumps(seal(asdict(self)), allow_nan=False)

    @classmethod
    def from_json(cls, text: object, place: str = "outcome") -> Outcome:
        """The inverse of :meth:`to_json`; ``place`` is what errors call where the text stands.

        Raises:
            ResultsError: the text is something else, or was changed.
        """
        if not isinstance(text, str):
            raise damaged(place, "an outcome is not text")
        entry = checked(unsealed(parse_json(text, place), place), _OutcomeEntry, place)
        return cls(**dict(entry))


Numbers = dict[str, int | float]  # whole ones stay whole


class _OutcomeEntry(Record):
    metrics: dict[str, int | float | None]
    utilization: Numbers
    contention_s: Numbers
    attribution_s: Numbers
    error: str | None
    seconds: float


@dataclass(frozen=True)
class PointBench(Bench[Point, Outcome]):
    """The scenario and networks that the points of a study share."""

    scenario: Scenario
    graphs: Mapping[str, Graph]

    @classmethod
    def of(cls, scenario: Scenario, first: Mapping[str, object] | None = None) -> PointBench:
        """Loads the scenario's networks, in the dimensions of the ``first`` design if it has any.

        Raises:
            WorkloadError: a network that cannot be loaded.
        """
        sizes = {path: v for path, v in (first or {}).items() if path.startswith("dims.")}
        scenario = varied(scenario, sizes, "design")
        return cls(scenario, {ref.label: load_graph(scenario, ref) for ref in scenario.models})

    def scenario_of(self, point: Point) -> Scenario:
        """The scenario with the point's changes.

        Raises:
            ConfigError: a change that leads nowhere or is not allowed.
        """
        return varied(self.scenario, point.design, "design")

    def graph_of(self, scenario: Scenario, label: str) -> Graph:
        """Network ``label`` as ``scenario``, a variant of this one's, reads it.

        Raises:
            WorkloadError: the network does not take its dimensions.
        """
        ref, own = scenario.model(label), self.scenario.model(label)
        if (ref.sizes, scenario.reading) == (own.sizes, self.scenario.reading):
            return self.graphs[label]
        key = (label, repr((ref.sizes, scenario.reading)))
        if key not in self._variants:
            self._variants[key] = load_graph(scenario, ref)
        return self._variants[key]

    @cached_property
    def _variants(self) -> dict[tuple[str, str], Graph]:
        return {}

    def evaluate(self, point: Point) -> Outcome:
        """Performs one run. A design or scheduler that fails is an outcome with ``error``."""
        begun = time.perf_counter()
        try:
            scenario = self.scenario_of(point)
            case = case_of(scenario, self.graph_of(scenario, point.model))
            case.check()
            run = plan_anew(case, scenario, point.scheduler)
        except HetsimError as error:
            return Outcome(error=str(error), seconds=time.perf_counter() - begun)
        return outcome_of(run, time.perf_counter() - begun)

    def lost(self, job: Point, reason: str) -> Outcome:
        """A point whose worker died is a row that says so."""
        return Outcome(error=reason)

    def key(self, point: Point) -> str:
        """SHA-256 of everything that can change the point's outcome, and of what is measured.

        Two designs that mean the same SoC share a key. A design that cannot be understood has
        the key of its text.
        """
        common: dict[str, object] = {
            "hetsim": version(),
            "schema": SCHEMA,
            "metrics": [metric.column for metric in metrics()],
        }
        try:
            scenario = self.scenario_of(point)
            graph = self.graph_of(scenario, point.model)
        except HetsimError:
            base: dict[str, object] = {
                "design": repr(sorted(point.design.items())),
                "scheduler": point.scheduler,
            }
            scenario, graph = self.scenario, self.graphs[point.model]
        else:
            base = {"scheduler": _scheduler_identity(scenario.scheduler(point.scheduler))}
        base |= {"cost_files": cost_hashes(scenario), **setting(scenario)}
        return digest({**common, "model": self._hash_of(graph), **base})

    def _hash_of(self, graph: Graph) -> str:
        if id(graph) not in self._hashes:  # which the bench keeps as long as itself
            self._hashes[id(graph)] = graph_hash(graph)
        return self._hashes[id(graph)]

    @cached_property
    def _hashes(self) -> dict[int, str]:
        return {}


def points_of(scenario: Scenario, designs: Iterable[Mapping[str, object]]) -> tuple[Point, ...]:
    """Every network under every scheduler for each design, designs outermost."""
    return tuple(
        Point(model.label, ref.label, design)
        for design in designs
        for model in scenario.models
        for ref in scenario.schedulers
    )


def plan_anew(case: Case, scenario: Scenario, label: str) -> Run:
    """The run of the scenario's scheduler ``label``; its failure is a run with ``error``."""
    return case.run(label, scenario.scheduler(label).create(), scenario.time_limit_s)


def outcome_of(run: Run, seconds: float = 0.0) -> Outcome:
    """The numbers of a run."""
    if run.error is not None:
        return Outcome(error=run.error, seconds=seconds)
    return Outcome(
        metrics=dict(run.metrics),
        utilization={
            **{name: pu.utilization for name, pu in run.pus.items()},
            **{name: link.utilization for name, link in run.links.items()},
        },
        contention_s={name: link.contention_s for name, link in run.links.items()},
        attribution_s=dict(run.attribution),
        seconds=seconds,
    )


def graph_hash(graph: Graph) -> str:
    """SHA-256 of a network's content, whatever it is called and wherever it came from."""
    content = (graph.operators, sorted(graph.tensors.items()), graph.inputs, graph.outputs)
    return hashlib.sha256(repr(content).encode()).hexdigest()


def digest(value: object) -> str:
    """SHA-256 of plain data, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def setting(scenario: Scenario) -> dict[str, object]:
    """What every run depends on beside networks, schedulers and costs; SoCs by what they are."""
    return {
        "soc": scenario.soc.spec.model_dump(mode="json", exclude={"name", "description"}),
        "execution": scenario.execution,
        "fidelity": scenario.fidelity,
        "seed": scenario.seed,
        "time_limit": scenario.time_limit_s,
    }


def cost_hashes(scenario: Scenario) -> list[str]:
    """Hashes of the profiles and learned models that the SoC names; a missing one is named."""
    from hetsim.cost.sources import cost_files

    try:
        files = cost_files(scenario.soc)
    except HetsimError as error:
        return [str(error)]
    return [_file_hash(path, path.stat().st_mtime_ns, path.stat().st_size) for path in files]


@lru_cache(maxsize=256)
def _file_hash(path: Path, _changed: int, _size: int) -> str:
    """Read once as long as the file stays as it is."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _scheduler_identity(ref: SchedulerRef) -> list[object]:
    """Name and parameters; for a scheduler of the user's own also its code."""
    return [ref.name, dict(ref.parameters), ref.code]
