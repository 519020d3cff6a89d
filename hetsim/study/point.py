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
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

from hetsim.analysis.metrics.registry import metrics
from hetsim.catalogue import file_hash
from hetsim.errors import HetsimError
from hetsim.executors.base import Bench
from hetsim.runs.scenario import load_graph
from hetsim.scenario.loader import Scenario
from hetsim.scenario.refs import SchedulerRef
from hetsim.scenario.variants import varied
from hetsim.streams.service import Service
from hetsim.study.outcome import Outcome
from hetsim.study.subject import Subject, subject_of
from hetsim.version import version
from hetsim.workload.graph import Graph

SCHEMA = 3
"""Number of the meaning of keys and outcomes; stores of another are refused."""


@dataclass(frozen=True)
class Point:
    """One network, or all streams, under one contender, with ``design`` changed.

    ``model`` is one of :attr:`~hetsim.scenario.loader.Scenario.subjects`, ``scheduler`` the label
    of one of its contenders.
    """

    model: str
    scheduler: str
    design: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """The point in a few words."""
        values = ", ".join(f"{path}={value}" for path, value in self.design.items())
        return f"{self.model} · {self.scheduler} · {values}" if values else self.model


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
            scenario, subject = self._asked(point)
            outcome = subject.outcome(scenario.contender(point.scheduler))
        except HetsimError as error:
            outcome = Outcome(error=str(error))
        return replace(outcome, seconds=time.perf_counter() - begun)

    def _asked(self, point: Point) -> tuple[Scenario, Subject]:
        """The point's scenario and subject.

        The contenders of a design come one after the other, and what no plan goes below is the
        same for all of them; what one makes the simulator remember is kept from the others, so
        that none plans faster for another's work and an outcome depends on its point alone.
        """
        key = (point.model, repr(sorted(point.design.items())))
        last = self._last.get(key)
        if last is None:
            scenario = self.scenario_of(point)
            last = scenario, self.subject(scenario, point.model)
            self._last.clear()
        scenario, subject = last
        fresh = subject.afresh()
        self._last[key] = scenario, fresh  # what is proven with it is known to the next
        return scenario, fresh

    @cached_property
    def _last(self) -> dict[tuple[str, str], tuple[Scenario, Subject]]:
        return {}

    def subject(self, scenario: Scenario, label: str) -> Subject:
        """What ``label`` of the subjects of ``scenario``, a variant of this one's, means.

        Raises:
            WorkloadError: a network does not take its dimensions.
        """
        labels = self._networks(scenario, label)
        return subject_of(scenario, label, {name: self.graph_of(scenario, name) for name in labels})

    @staticmethod
    def _networks(scenario: Scenario, label: str) -> tuple[str, ...]:
        """The networks that a subject runs."""
        if scenario.service is None:
            return (label,)
        return tuple(dict.fromkeys(stream.model for stream in scenario.service.streams))

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
            labels = self._networks(scenario, point.model)
            graphs = [self.graph_of(scenario, label) for label in labels]
        except HetsimError:
            base: dict[str, object] = {
                "design": repr(sorted(point.design.items())),
                "scheduler": point.scheduler,
            }
            scenario = self.scenario
            graphs = [self.graphs[name] for name in self._networks(scenario, point.model)]
        else:
            base = {"scheduler": _contender_identity(scenario, point.scheduler)}
        base |= {"cost_files": cost_hashes(scenario), **setting(scenario)}
        hashes = [self._hash_of(graph) for graph in graphs]
        return digest({**common, "model": hashes[0] if len(hashes) == 1 else hashes, **base})

    def _hash_of(self, graph: Graph) -> str:
        if id(graph) not in self._hashes:  # which the bench keeps as long as itself
            self._hashes[id(graph)] = graph_hash(graph)
        return self._hashes[id(graph)]

    @cached_property
    def _hashes(self) -> dict[int, str]:
        return {}


def points_of(scenario: Scenario, designs: Iterable[Mapping[str, object]]) -> tuple[Point, ...]:
    """Every subject under every contender for each design, designs outermost."""
    return tuple(
        Point(subject, contender.label, design)
        for design in designs
        for subject in scenario.subjects
        for contender in scenario.contenders
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
        **_served(scenario.service),
    }


def _served(service: Service | None) -> dict[str, object]:
    """What streams depend on, the contents of their files included."""
    if service is None:
        return {}
    named = [
        path
        for stream in service.streams
        for path in (*stream.arrivals.files, *([stream.plan] if stream.plan else []))
    ]
    return {"service": service.plain(), "stream_files": [_hash_now(path) for path in named]}


def _hash_now(path: Path) -> str:
    return _file_hash(path, path.stat().st_mtime_ns, path.stat().st_size)


def cost_hashes(scenario: Scenario) -> list[str]:
    """Hashes of the profiles and learned models that the SoC names; a missing one is named."""
    from hetsim.cost.sources import cost_files

    try:
        files = cost_files(scenario.soc)
    except HetsimError as error:
        return [str(error)]
    return [_hash_now(path) for path in files]


@lru_cache(maxsize=256)
def _file_hash(path: Path, _changed: int, _size: int) -> str:
    """Read once as long as the file stays as it is."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _contender_identity(scenario: Scenario, label: str) -> list[object]:
    """Who decides, by names and parameters; of a scheduler of the user's own also its code."""
    found = scenario.contender(label)
    who: list[object] = [*_scheduler_identity(found.scheduler)]
    if found.dispatcher is not None:
        made = found.dispatcher
        who.append([made.name, file_hash(made.name), dict(made.parameters), made.overhead_s])
    if scenario.service is not None:
        named = {s.scheduler for s in scenario.service.streams if s.scheduler is not None}
        who += [_scheduler_identity(scenario.scheduler(name)) for name in sorted(named)]
    return who


def _scheduler_identity(ref: SchedulerRef) -> list[object]:
    """Name and parameters; for a scheduler of the user's own also its code."""
    return [ref.name, dict(ref.parameters), ref.code]
