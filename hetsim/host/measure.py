"""Measuring networks on this machine: every operator through the profiler, and the whole run.

The same network runs twice in turns, once under the engine's profiler and once without, so that
whatever else the machine does disturbs both alike. The profiler tells the kernels' times, and the
graph that ran which operators each stands for (:mod:`hetsim.host.ran`); the other run tells what
it takes without it. A kernel counts with the lower quartile of its times, since nothing tells which
of them other programs disturbed. What lies between the sum of the kernels and the whole run is
shared out evenly over the kernels (or, when profiling itself slowed them, taken off in proportion),
so that the kernels of a network add up to its latency.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from hetsim.cost.fusion import is_fusable
from hetsim.cost.measured.keys import group_key, operator_key
from hetsim.cost.measured.readers.ort import half_quartiles
from hetsim.cost.measured.table import Entry
from hetsim.errors import WorkloadError
from hetsim.host.clock import Sample, Stopwatch, undisturbed
from hetsim.host.engines.base import Engine, How, is_quantised
from hetsim.host.machine import pinned
from hetsim.host.network import Network
from hetsim.host.ran import Match

LEAST_S = 1e-9
"""What a kernel takes at least, seconds."""

Group = tuple[str, ...]
"""Names of operators that ran as one."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Repeated times of one thing, seconds: median, lower quartile, half the quartile distance."""

    median_s: float
    low_s: float
    spread_s: float | None
    samples: int

    @classmethod
    def of(cls, times: Sequence[float]) -> Timing:
        """Summarises at least one time."""
        low = sorted(times)[len(times) // 4]
        return cls(median(times), low, half_quartiles(times), len(times))


@dataclass(frozen=True)
class NetworkTimes:
    """One network measured on ``threads`` threads.

    ``kernels`` holds the times of what ran as one: of single operators as a rule, of several where
    the runtime fused them. ``latency`` is the whole run without the profiler; on one thread without
    the time the system gave to other programs, on several of undisturbed runs; ``wall_s`` is the
    median on the wall. ``missing`` operators left no trace in what ran. ``level`` is the graph
    optimisation used, ``other_s`` the time of nodes that belong to no operator.
    """

    network: Network
    threads: int
    level: str
    kernels: dict[Group, Timing]
    latency: Timing
    wall_s: float
    missing: tuple[str, ...]
    other_s: float
    pinned: bool

    @property
    def kernel_sum_s(self) -> float:
        """The kernels' lower quartiles together."""
        return sum(timing.low_s for timing in self.kernels.values())

    @property
    def input_bytes(self) -> int:
        """What the application hands in."""
        graph = self.network.graph
        return sum(graph.tensors[name].nbytes for name in graph.inputs)

    def costs(self, call_s: float) -> dict[Group, float]:
        """Seconds of each kernel such that they and one call make up the latency.

        Of a network that is shorter than the call of a partition, half are its kernels; no kernel
        takes less than :data:`LEAST_S`, because the profilers' clocks do.
        """
        latency = self.latency.median_s
        total, whole = self.kernel_sum_s, max(latency - call_s, latency / 2)
        if whole >= total:
            share = (whole - total) / len(self.kernels)
            found = {name: timing.low_s + share for name, timing in self.kernels.items()}
        else:
            found = {name: t.low_s * whole / total for name, t in self.kernels.items()}
        return {name: max(LEAST_S, seconds) for name, seconds in found.items()}


class Meter:
    """Measures a network turn by turn, so that other things can be run in between."""

    def __init__(self, network: Network, cpus: Sequence[int], folder: Path, engine: Engine) -> None:
        """Opens the network on ``cpus``, a thread on each; files go to ``folder``.

        Raises:
            MissingExtraError: the engine is not installed.
            WorkloadError: it cannot run the network.
        """
        self._network, self._cpus = network, tuple(cpus)
        how = How(network.graph.name, len(cpus), is_quantised(network))
        with pinned(self._cpus) as self._held:
            self._probe = engine.probe(network, how, folder)
        self._kept: list[bool] = []
        self._samples: list[Sample] = []
        self.turn(keep=False)

    def turn(self, *, keep: bool = True) -> Sample:
        """Runs the network twice, once watched; ``keep=False`` to warm up."""
        with pinned(self._cpus):
            sample = timed(self._probe.plain, len(self._cpus))
            self._probe.watched()
        self._samples.append(sample)
        self._kept.append(keep)
        return sample

    def finish(self, pace: Sequence[float] | None = None) -> NetworkTimes:
        """What was measured. ``pace``: how slow the machine was at each turn that was kept; times
        are divided by it.

        Raises:
            WorkloadError: none of the network's operators was seen.
        """
        # Without those of the first turn, which only warms up.
        nodes = self._probe.finish()
        matches = self._probe.matches
        kept = [i for i, keep in enumerate(self._kept) if keep]
        slow = dict(zip(kept, pace or [1.0] * len(kept), strict=True))
        times = {
            node: [runs[i - 1] / slow[i] for i in kept]
            for node, runs in nodes.items()
            if len(runs) == len(self._kept) - 1  # what runs in loops has no one time a turn
        }
        kernels = {
            match.operators: Timing.of(_together([times[n] for n in match.nodes if n in times]))
            for match in matches
            if any(node in times for node in match.nodes)
        }
        if not kernels:
            name = self._network.graph.name
            raise WorkloadError(f"the engine's profile shows no operator of {name}")
        seen = {name for group in kernels for name in group}
        samples = [self._samples[i].at(slow[i]) for i in kept]
        quiet = (
            [sample.own_s for sample in samples]
            if len(self._cpus) == 1
            else [sample.wall_s for sample in undisturbed(samples)]
        )
        return NetworkTimes(
            self._network, len(self._cpus), self._probe.level, kernels, Timing.of(quiet),
            median(sample.wall_s for sample in samples),
            tuple(op.name for op in self._network.graph.operators if op.name not in seen),
            _others(times, matches), self._held,
        )  # fmt: skip


def _together(runs: Sequence[Sequence[float]]) -> list[float]:
    """The times of nodes of one group, added up run by run."""
    return [sum(each) for each in zip(*runs, strict=True)]


def _others(times: Mapping[str, Sequence[float]], matches: Sequence[Match]) -> float:
    known = {node for match in matches for node in match.nodes}
    return sum(median(runs) for node, runs in times.items() if node not in known)


def measure_network(
    network: Network,
    engine: Engine,
    *,
    cpus: Sequence[int],
    warmup: int = 3,
    repeats: int = 30,
) -> NetworkTimes:
    """Measures on ``cpus``, a thread on each, pinned where the system allows.

    Raises:
        MissingExtraError: the engine is not installed.
        WorkloadError: it cannot run the network, or shows none of its operators.
    """
    with tempfile.TemporaryDirectory(prefix="hetsim-") as folder:
        meter = Meter(network, cpus, Path(folder), engine)
        for turn in range(warmup + repeats):
            meter.turn(keep=turn >= warmup)
        return meter.finish()


def timed(run: Callable[[], object], threads: int = 1) -> Sample:
    """One run of something that works on ``threads`` threads."""
    watch = Stopwatch()
    run()
    return watch.stop(alone=threads == 1)


def chains_of(measured: Sequence[NetworkTimes]) -> list[str]:
    """The chains of operator kinds that ran as one kernel, for a unit's ``fuse``."""
    chains: dict[str, None] = {}
    for times in measured:
        graph = times.network.graph
        for group in times.kernels:
            kinds = tuple(graph.operator(name).kind for name in group)
            if len(group) > 1 and is_fusable(graph, [graph.index[n] for n in group], [kinds]):
                chains["-".join(kinds)] = None
    return sorted(chains)


def entries_of(measured: Sequence[NetworkTimes], call_s: float) -> list[Entry]:
    """One entry per kernel's key; equal kernels get their mean, which keeps sums right.

    Operators that ran together without being a chain share the time by their operations.
    """
    seconds: dict[str, list[float]] = {}
    spread: dict[str, list[float]] = {}
    samples: dict[str, int] = {}
    seen: dict[str, list[str]] = {}
    for times in measured:
        graph = times.network.graph
        for group, cost in times.costs(call_s).items():
            timing = times.kernels[group]
            operators = [graph.operator(name) for name in group]
            kinds = tuple(op.kind for op in operators)
            if is_fusable(graph, [graph.index[n] for n in group], [kinds]):
                parts = {group_key(graph, operators): (1.0, "+".join(group))}
            else:
                weights = [op.macs + op.element_ops + 1 for op in operators]
                parts = {}
                for op, weight in zip(operators, weights, strict=True):
                    key, share = operator_key(graph, op), weight / sum(weights)
                    parts[key] = (share + parts.get(key, (0.0, ""))[0], op.name)
            for key, (share, name) in parts.items():
                seconds.setdefault(key, []).append(cost * share)
                spread.setdefault(key, []).append((timing.spread_s or 0.0) * share)
                samples[key] = samples.get(key, 0) + timing.samples
                seen.setdefault(key, []).append(f"{graph.name}:{name}")
    return [
        Entry(
            key, sum(costs) / len(costs), sum(spread[key]) / len(costs), samples[key],
            tuple(seen[key]),
        )
        for key, costs in seconds.items()
    ]  # fmt: skip
