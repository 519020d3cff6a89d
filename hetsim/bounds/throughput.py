"""How many inferences per second get through at most.

*For given plans*: whatever else happens, an inference holds each unit for at least the time that
its partitions there take on an idle SoC, moves its bytes over each link, and has its threads' work
done on each cluster of cores. So in a second units are held for no more than a second, links carry
no more than they are wide, and cores work for no more than all of them: linear in the rates. An
inference that needs what the one before it has written waits for that, which limits a single
stream however many units there are (its *critical cycle*, Reiter, "Scheduling parallel
computations", J. ACM 15, 1968), and so does a limit to how many are in flight.

*For any plan*, even one that changes with each inference: the floors of operators, divided freely
over the units, and the bytes that must cross memories (:mod:`hetsim.bounds.makespan`).

A system cache, or a memory for weights, may carry over from one inference to the next what these
count; then nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from hetsim.bounds.makespan import Table, area_bound, bytes_bound
from hetsim.bounds.response.curves import TICKS
from hetsim.bounds.response.pieces import least
from hetsim.bounds.rows import Rows
from hetsim.lower.program import Job, Program
from hetsim.sim.simulate import execute
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph


@dataclass(frozen=True)
class Demands:
    """What one inference asks for at least: seconds of each resource, by what it is.

    ``latency_s`` passes from its first partition to its last, and ``cycle_s`` from an inference's
    to the next one's, on the path that the state between them closes (zero without state).
    """

    seconds: Mapping[str, float]
    latency_s: float
    cycle_s: float

    def most(self, in_flight: int | None = None) -> Limit:
        """Inferences per second of a stream that has the SoC to itself."""
        what, busiest = max(self.seconds.items(), key=lambda item: item[1])
        if self.cycle_s > busiest:
            what, busiest = "the state between inferences", self.cycle_s
        if in_flight is not None and self.latency_s / in_flight > busiest:
            what, busiest = f"{in_flight} in flight", self.latency_s / in_flight
        return Limit(1.0 / busiest if busiest > 0.0 else inf, what)


@dataclass(frozen=True)
class Limit:
    """So many inferences per second at most, and what does not give more."""

    per_second: float
    argument: str

    def plus(self, more: float) -> Limit:
        """With ``more`` per second that need nothing."""
        return Limit(self.per_second + more, self.argument)


def demands(soc: SoC, program: Program, *, tiles: bool = False) -> Demands | None:
    """What ``program`` asks of ``soc``; ``None`` where a cache may spare it some."""
    if any(launch.touched for job in program.jobs for launch in job.launches):
        return None
    took = [ticks / TICKS for ticks in least(soc, program, tiles=tiles)]
    seconds: dict[str, float] = {}
    for job, held in zip(program.jobs, took, strict=True):
        name = soc.pus[job.pu].name
        seconds[name] = seconds.get(name, 0.0) + held
    alone = execute(soc, program, fidelity="tile" if tiles else "fluid", trace=False)
    for name, usage in alone.links.items():
        if usage.bytes:
            seconds[name] = usage.bytes / max(soc.links[name].bandwidth)
    for name, spec in soc.spec.pus.items():
        if spec.thread_cores:
            work = sum(_core_seconds(soc, job, name) for job in program.jobs)
            seconds[f"cores of {name}"] = work / spec.thread_cores
    ends = _paths(program, took)
    latency = max(max(row) for row in ends)
    cycle = max((ends[after][before] for before, after in _carried(program)), default=0.0)
    return Demands(seconds, latency, cycle)


def most_together(streams: Mapping[str, Demands], offered: Mapping[str, float]) -> Limit:
    """Inferences per second of all streams, of each no more than are ``offered`` per second."""
    resources = list(dict.fromkeys(what for d in streams.values() for what in d.seconds))
    rows = Rows()
    shares = {
        name: rows.variable(high=min(offered[name], _own(d)), goal=-1.0)
        for name, d in streams.items()
    }
    for what in resources:
        rows.at_most({shares[n]: d.seconds.get(what, 0.0) for n, d in streams.items()}, 1.0)
    found = rows.solve({})
    total = sum(rows.high)
    if found.prices is not None and -found.bound < total * (1.0 - 1e-9):
        return Limit(-found.bound, resources[int(found.prices.argmax())])
    return Limit(total, "no more is offered")


def _own(demand: Demands) -> float:
    return demand.most().per_second


def most_of_any_plan(
    soc: SoC, networks: Mapping[str, tuple[Graph, Table]], rates: Mapping[str, float]
) -> Limit | None:
    """Inferences per second of all networks in proportion to ``rates``, however they are planned.

    Each comes with the least seconds of its operators on each PU
    (:func:`hetsim.bounds.simulated.least_seconds`). ``None`` where the SoC has a system cache
    or a unit keeps weights.
    """
    caches = (link.cache for link in soc.spec.links.values())
    if any(caches) or any(pu.spec.weight_memory for pu in soc.pus):
        return None
    rows: list[Sequence[float]] = []
    crossing = 0.0
    for name, (graph, table) in networks.items():
        rows += [[seconds * rates[name] for seconds in row] for row in table]
        crossing += rates[name] * bytes_bound(graph, soc, table)
    busiest = area_bound(rows)
    what = "operators divided over all PUs"
    if crossing > busiest:
        busiest, what = crossing, "weights and network tensors through memory"
    total = sum(rates.values())
    return Limit(total / busiest if busiest > 0.0 else inf, what)


def _core_seconds(soc: SoC, job: Job, cluster: str) -> float:
    """Seconds of cores of ``cluster`` at full speed; threads that only wait are not counted."""
    found = 0.0
    if cluster == soc.runtime.host:
        inside = (step for launch in job.launches for step in (*launch.before, *launch.after))
        found += sum(step.seconds for step in (*job.entry, *inside, *job.exit))
    pu = soc.pus[job.pu]
    if pu.cluster == cluster:
        phases = (phase for launch in job.launches for phase in launch.work.phases)
        found += pu.cores * sum(phase.seconds for phase in phases)
    return found


def _paths(program: Program, took: Sequence[float]) -> list[list[float]]:
    """Least seconds from the beginning of each job to the end of each; minus infinity: no path."""
    rows = []
    for first in range(len(took)):
        ends = [-inf] * len(took)
        ends[first] = took[first]
        for position in range(first + 1, len(took)):
            ready = max((ends[i] for i in program.jobs[position].needs), default=-inf)
            ends[position] = ready + took[position]
        rows.append(ends)
    return rows


def _carried(program: Program) -> set[tuple[int, int]]:
    """(before, after): the second of an inference waits for the first of the one before it."""
    found = set()
    for state in program.states:
        uses = [
            (position, access)
            for position, job in enumerate(program.jobs)
            for access in job.states
            if access.state == state.name
        ]
        for position, _ in uses:
            for writer, access in uses:
                if access.writes:
                    found |= {(writer, position), (position, writer)}
    return found
