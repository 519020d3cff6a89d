"""What each unit's time goes into, and how much could be gained at most by mending it.

The limit is Amdahl's, along every path instead of one: the same partitions in the same order, each
kernel and host step no shorter than what the remedy leaves of it, transfers as if alone and cores
as if idle. The longest chain of them is a time that the remedy cannot go below, so the gain is at
most the makespan less that. It is a limit, not a forecast; the *what-if* study simulates.

What a remedy leaves of a kernel holds whatever tiles are then chosen: faster arithmetic leaves the
time that its tensors take when each crosses its way once; better transfers leave its launch and its
arithmetic, of tiled kernels the floor that no tiling avoids; cheaper launches leave the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hetsim.analysis.launches import OperatorRow
from hetsim.analysis.moments import JobMoments
from hetsim.analysis.ran import Ran
from hetsim.analysis.traffic import Moved, on_links
from hetsim.cost.pu import model_of
from hetsim.cost.work import Step
from hetsim.lower.program import Launch
from hetsim.soc.model import PU

CAUSES = ("compute", "memory", "contention", "dma", "dma_setup", "dispatch", "crossing", "sharing")
"""What a unit's time goes into: that of its kernels (:data:`hetsim.analysis.launches.TIMES`), and
what the host does around its partitions."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What most of a unit's time goes into, and what is gained at most where nothing of it is left.

    ``busy_s`` is the unit's time with its partitions, the host's steps for them included;
    ``share`` is that of ``cause`` in it, one of :data:`CAUSES`. ``gain_s``: no less of it leaves
    more of the makespan than that.
    """

    pu: str
    cause: str
    busy_s: float
    share: float
    gain_s: float


def limits(ran: Ran, rows: Sequence[OperatorRow]) -> tuple[Limit, ...]:
    """One for each unit that ran something, in the order of the SoC. Linear in the program.

    ``rows`` are the run's kernels.
    """
    spent: dict[str, dict[str, float]] = {}
    for row in rows:
        mine = spent.setdefault(row.pu, dict.fromkeys(CAUSES, 0.0))
        for name, seconds in row.times.items():
            mine[name] += seconds
    busy: dict[str, float] = dict.fromkeys(spent, 0.0)
    for job in ran.jobs:
        name = ran.soc.pus[job.job.pu].name
        if name in spent:
            took = job.at[1] - job.at[0]
            busy[name] += took
            spent[name]["crossing"] += took - sum(p.at[1] - p.at[0] for p in job.launches)
    least = _Least(ran)
    found = []
    for pu in ran.soc.pus:
        if not busy.get(pu.name):
            continue
        parts = spent[pu.name]
        cause = max(CAUSES, key=lambda name: parts[name])
        chain = _longest(ran, least.under(cause, pu))
        gain = max(ran.trace.makespan_s - chain, 0.0)
        share = parts[cause] / busy[pu.name]
        found.append(Limit(pu.name, cause, busy[pu.name], share, gain))
    return tuple(found)


def _longest(ran: Ran, least: Callable[[int, JobMoments], float]) -> float:
    """Seconds of the longest chain of partitions, none shorter than ``least`` of it."""
    program, jobs, runtime = ran.program, ran.jobs, ran.runtime
    ends = [0.0] * len(jobs)
    free: dict[int, float] = {}
    group = {place: n for n, places in enumerate(program.groups) for place in places}
    before: dict[int, float] = {}  # by group: when the groups before it have ended
    reached, turn = 0.0, -1
    for place in sorted(range(len(jobs)), key=lambda place: (*jobs[place].at, place)):
        job = program.jobs[place]
        start = max((ends[need] for need in job.needs), default=0.0)
        if runtime.in_order:
            start = max(start, free.get(job.pu, 0.0))
        if runtime.forks:
            if group[place] != turn:
                turn = group[place]
                before[turn] = reached
            start = max(start, before[turn])
        ends[place] = free[job.pu] = start + least(place, jobs[place])
        reached = max(reached, ends[place])
    return reached


class _Least:
    """What a remedy leaves of partitions."""

    def __init__(self, ran: Ran) -> None:
        self._graph, self._soc, self._moved, self._tiled = ran.graph, ran.soc, ran.moved, ran.tiled

    def under(self, cause: str, remedied: PU) -> Callable[[int, JobMoments], float]:
        """Seconds of a partition, by its position, when ``remedied`` loses no time to ``cause``.

        Nor do other workers of its cluster: a description speaks of all of them. Host steps shrink
        around everybody's partitions: those around a reader convert what the maker left.
        """

        def least(place: int, part: JobMoments) -> float:
            pu = self._soc.pus[part.job.pu]
            mine = cause if pu.cluster == remedied.cluster or cause == "memory" else ""
            total = sum(self._step(step, cause) for step, _ in part.steps)
            if part.job.launches and mine != "crossing":
                total += pu.spec.completion_latency
            for launch, ways in zip(part.job.launches, self._moved[place], strict=True):
                total += self._launch(launch, ways, pu, mine)
            return total

        return least

    def _step(self, step: Step, cause: str) -> float:
        """A host step; whose format makes it necessary is not asked, nor whose bandwidth."""
        if cause == "crossing":
            return 0.0
        if cause == "memory" or not step.bytes:
            return step.seconds
        host = self._soc.host
        memory = step.memory or host.memory
        moving = self._over(host, [(memory, step.read, step.written)])
        return self._latency(host, memory) + max(step.seconds, moving)

    def _launch(self, launch: Launch, ways: Sequence[Moved], pu: PU, cause: str) -> float:
        work = launch.work
        if cause == "compute":
            once = [(way.memory, way.once[0] - self._early(way, pu), way.once[1]) for way in ways]
            return work.dispatch_s + self._over(pu, once)
        if cause in ("dma", "dma_setup"):
            return work.dispatch_s + self._arithmetic(launch, pu)
        if cause == "memory":
            moved = [(w.memory, w.bytes[0] - self._early(w, pu), w.bytes[1]) for w in ways]
            engines = self._over(pu, moved, private=True)
            return work.dispatch_s + max(self._arithmetic(launch, pu), engines)
        alone = self._alone(launch, ways, pu)
        return alone if cause == "dispatch" else work.dispatch_s + alone

    def _alone(self, launch: Launch, ways: Sequence[Moved], pu: PU) -> float:
        """All but its dispatch, with every link to itself."""
        work = launch.work
        # What a cache has is not said beforehand, and hurries the engines of what works in tiles.
        if work.tiles and (self._tiled or pu.cached is not None):
            return max(work.compute_s, self._over(pu, [(w.memory, *w.bytes) for w in ways]))
        total = 0.0
        for phase in work.phases:
            moves = [(t.memory or pu.memory, t.load_bytes, t.store_bytes) for t in phase.moves]
            latencies = [self._latency(pu, m) for m, *amounts in moves if any(amounts)]
            total += max(latencies, default=0.0) + max(phase.seconds, self._over(pu, moves))
        return total

    def _early(self, way: Moved, pu: PU) -> int:
        """Bytes of weights that may come while the kernel before runs."""
        return min(way.loads.get("weights", 0), way.once[0]) if pu.spec.prefetches else 0

    def _over(
        self, pu: PU, moves: Sequence[tuple[str, int, int]], *, private: bool = False
    ) -> float:
        """Seconds on the link that takes longest; ``private``: of those that are the unit's own.

        A system cache may have all that is read.
        """
        links = self._soc.links
        best = pu.memory if pu.cached is not None else None
        amounts = ((m, load, store, load if m == best else 0) for m, load, store in moves)
        return max(
            (
                amount / max(links[name].bandwidth)
                for name, amount in on_links(self._soc, pu, amounts).items()
                if links[name].private or not private
            ),
            default=0.0,
        )

    def _latency(self, pu: PU, memory: str) -> float:
        """Of a way, or of its beginning up to a cache that may have what is read."""
        if pu.cached is not None and memory == pu.memory:
            return min(pu.cached.latency, pu.latency)
        return self._soc.route(pu, memory).latency

    def _arithmetic(self, launch: Launch, pu: PU) -> float:
        """Of a kernel in tiles, what no tiling avoids."""
        work = launch.work
        if not work.tiles:
            return work.compute_s
        model = model_of(pu)
        operators = (self._graph.operator(name) for name in launch.operators)
        return min(work.compute_s, max(model.floor(op) for op in operators))
