"""Measuring networks on this machine: every operator through the profiler, and the whole run.

Two sessions of the same network run in turns, one under ONNX Runtime's profiler and one without,
so that whatever else the machine does disturbs both alike. The profiler tells the kernels' times;
the other session tells what the run takes without it. A kernel counts with the lower quartile of
its times, since nothing tells which of them other programs disturbed. What lies between the sum of
the kernels and the whole run is shared out evenly over the kernels (or, when profiling itself
slowed them, taken off in proportion), so that the kernels of a network add up to its latency.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.readers.ort import half_quartiles, kernel_events, times_by_node
from hetsim.cost.measured.table import Entry
from hetsim.errors import Location, WorkloadError
from hetsim.host.clock import Sample, Stopwatch, undisturbed
from hetsim.host.machine import pinned
from hetsim.host.network import Network
from hetsim.host.session import LEVELS, cannot_run, open_session


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

    ``kernels`` holds operators by name as the profiler saw them. ``latency`` is the whole run
    without the profiler; on one thread without the time the system gave to other programs, on
    several of undisturbed runs; ``wall_s`` is the median on the wall. ``missing`` operators were
    not seen: fused away, or renamed. ``level`` is the graph optimisation used, ``other_s`` the time
    of nodes that are no operators to hetsim (views).
    """

    network: Network
    threads: int
    level: str
    kernels: dict[str, Timing]
    latency: Timing
    wall_s: float
    missing: tuple[str, ...]
    other_s: float
    pinned: bool

    @property
    def kernel_sum_s(self) -> float:
        """The kernels' lower quartiles together."""
        return sum(timing.low_s for timing in self.kernels.values())

    def costs(self, call_s: float) -> dict[str, float]:
        """Seconds of each operator such that they and one call make up the latency."""
        total, whole = self.kernel_sum_s, self.latency.median_s - call_s
        if whole >= total:
            share = (whole - total) / len(self.kernels)
            return {name: timing.low_s + share for name, timing in self.kernels.items()}
        return {name: t.low_s * whole / total for name, t in self.kernels.items()}


def measure_network(
    network: Network, *, threads: int, cpus: Sequence[int], warmup: int = 3, repeats: int = 30
) -> NetworkTimes:
    """Measures on the first ``threads`` of ``cpus``, pinned where the system allows.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        WorkloadError: it cannot run the network, or shows none of its operators.
    """
    best: NetworkTimes | None = None
    for level in LEVELS:
        found = _measure(network, threads, cpus[:threads], warmup, repeats, level)
        if best is None or len(found.missing) < len(best.missing):
            best = found
        if not best.missing:
            break
    assert best is not None
    if not best.kernels:
        raise WorkloadError(f"ONNX Runtime's profile shows no operator of {network.graph.name}")
    return best


def _measure(
    network: Network, threads: int, cpus: Sequence[int], warmup: int, repeats: int, level: str
) -> NetworkTimes:
    name = network.graph.name
    with pinned(cpus) as held, tempfile.TemporaryDirectory(prefix="hetsim-") as folder:
        prefix = Path(folder, "profile")
        plain = open_session(network.model, name, threads=threads, level=level)
        watched = open_session(network.model, name, threads=threads, level=level, profile=prefix)
        samples: list[Sample] = []
        try:
            for turn in range(warmup + repeats):
                sample = timed(plain, network.feeds, threads)
                watched.run(None, network.feeds)
                if turn >= warmup:
                    samples.append(sample)
        except Exception as error:
            raise cannot_run(name, error) from error
        finally:
            file = Path(watched.end_profiling())
        events = kernel_events(file.read_text(encoding="utf-8"), Location(str(file)))
    times = times_by_node(events)
    # The reader drops the first run already, and the rest of the warm-up goes here.
    times = {node: runs[max(warmup - 1, 0) :] or runs for node, runs in times.items()}
    operators = network.graph.index
    kernels = {node: Timing.of(runs) for node, runs in times.items() if node in operators}
    return NetworkTimes(
        network,
        threads,
        level,
        kernels,
        Timing.of(
            [sample.own_s for sample in samples]
            if threads == 1
            else [sample.wall_s for sample in undisturbed(samples)]
        ),
        median(sample.wall_s for sample in samples),
        tuple(op.name for op in network.graph.operators if op.name not in kernels),
        sum(median(runs) for node, runs in times.items() if node not in operators),
        held,
    )


def timed(session: Any, feeds: Any, threads: int = 1) -> Sample:
    """One run of a session that works on ``threads`` threads."""
    watch = Stopwatch()
    session.run(None, feeds)
    return watch.stop(alone=threads == 1)


def entries_of(measured: Sequence[NetworkTimes], call_s: float) -> list[Entry]:
    """One entry per operator key; equal operators get their mean, which keeps sums right."""
    seconds: dict[str, list[float]] = {}
    spread: dict[str, list[float]] = {}
    samples: dict[str, int] = {}
    seen: dict[str, list[str]] = {}
    for times in measured:
        graph = times.network.graph
        for name, cost in times.costs(call_s).items():
            timing = times.kernels[name]
            key = operator_key(graph, graph.operator(name))
            seconds.setdefault(key, []).append(cost)
            spread.setdefault(key, []).append(timing.spread_s or 0.0)
            samples[key] = samples.get(key, 0) + timing.samples
            seen.setdefault(key, []).append(f"{graph.name}:{name}")
    return [
        Entry(
            key, sum(costs) / len(costs), sum(spread[key]) / len(costs), samples[key],
            tuple(seen[key]),
        )
        for key, costs in seconds.items()
    ]  # fmt: skip
