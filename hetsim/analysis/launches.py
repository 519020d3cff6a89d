"""What every kernel launch did: where its time went, what bound it, its roofline, its energy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hetsim.analysis.attribution import activities_by_task
from hetsim.analysis.energy import bytes_energy, unit_power
from hetsim.analysis.moments import JobMoments, LaunchMoments
from hetsim.analysis.ran import Ran
from hetsim.analysis.traffic import Moved, on_links
from hetsim.cost.pu import model_of
from hetsim.cost.work import Kernel, Work
from hetsim.lower.program import Job
from hetsim.sim.trace import Activity
from hetsim.soc.model import PU, SoC
from hetsim.workload.graph import Graph

TIMES = (
    "compute", "memory", "contention", "dma", "dma_setup", "dispatch", "sharing",
)  # fmt: skip
"""What the time of a kernel goes into, and what may be its bound:

arithmetic, transfers that hide behind it included; beyond it what an idle bus and memory take;
waiting for others' transfers; DMA engines slower than the bus; programming them; the launch;
waiting for a core.
"""


@dataclass(frozen=True)
class OperatorRow:
    """One kernel launch as it ran: a line of ``operators.csv``.

    The parts of :data:`TIMES` (``compute_s`` to ``sharing_s``) add up to its time. ``operations``,
    ``roof`` and ``roof_per_s`` are those of :class:`hetsim.cost.pu.Roof`; the rate is zero where
    nothing is known. ``link`` is the one that its bytes take longest to cross, ``link_bytes`` of
    them at ``link_bytes_per_s`` at the most. ``energy_j`` is what the unit drew while it ran, and
    what moving its bytes took.
    """

    model: str
    scheduler: str
    partition: str
    pu: str
    operators: str
    kinds: str
    macs: int
    load_bytes: int
    store_bytes: int
    start_s: float
    end_s: float
    alone_s: float
    cost_source: str
    compute_s: float = 0.0
    memory_s: float = 0.0
    contention_s: float = 0.0
    dma_s: float = 0.0
    dma_setup_s: float = 0.0
    dispatch_s: float = 0.0
    sharing_s: float = 0.0
    operations: int = 0
    roof: str = ""
    roof_per_s: float = 0.0
    link: str = ""
    link_bytes: int = 0
    link_bytes_per_s: float = 0.0
    energy_j: float = 0.0

    @property
    def seconds(self) -> float:
        """From its launch to its end."""
        return self.end_s - self.start_s

    @property
    def times(self) -> Mapping[str, float]:
        """Seconds by the names of :data:`TIMES`."""
        return {name: getattr(self, f"{name}_s") for name in TIMES}

    @property
    def bound(self) -> str:
        """What most of its time went into; nothing for a kernel of no time."""
        times = self.times
        longest = max(TIMES, key=lambda name: times[name])
        return longest if times[longest] > 0.0 else ""

    @property
    def rate(self) -> float:
        """Operations per second that it reached."""
        return self.operations / self.seconds if self.seconds > 0.0 else 0.0

    @property
    def intensity(self) -> float | None:
        """Operations per byte that crosses its slowest link; ``None`` if none does."""
        return self.operations / self.link_bytes if self.link_bytes else None

    @property
    def ceiling(self) -> float | None:
        """Operations per second that its unit's peak and links allow; ``None`` if not known."""
        limits = [self.roof_per_s] if self.roof_per_s else []
        if self.intensity is not None:
            limits.append(self.intensity * self.link_bytes_per_s)
        return min(limits) if limits else None


def operator_rows(scheduler: str, ran: Ran) -> tuple[OperatorRow, ...]:
    """One row per kernel launch of the first inference, in order of start. Linear in the trace."""
    activities = activities_by_task(ran.trace.activities)
    rows = []
    for position, (job, moved) in enumerate(zip(ran.jobs, ran.moved, strict=True)):
        spent = _activities(job, activities[0, position])
        for part, done, ways in zip(job.launches, spent, moved, strict=True):
            rows.append(_row(scheduler, ran.graph, ran.soc, job.job, part, done, ways))
    return tuple(sorted(rows, key=lambda row: (row.start_s, row.end_s)))


def _row(
    scheduler: str, graph: Graph, soc: SoC, job: Job, part: LaunchMoments,
    activities: Sequence[Activity], ways: Sequence[Moved],
) -> OperatorRow:  # fmt: skip
    pu, launch, (start, end) = soc.pus[job.pu], part.launch, part.at
    operators = tuple(graph.operator(name) for name in launch.operators)
    roof = model_of(pu).roof(Kernel.of(graph, operators))
    times = _times(activities, launch.work, pu, soc)
    carried = on_links(soc, pu, ((way.memory, *way.bytes, way.cached) for way in ways))
    rates = {link: max(soc.links[link].bandwidth) for link in carried}
    slowest = max(carried, key=lambda link: carried[link] / rates[link], default="")
    energy = unit_power(pu)[0] * (end - start) + bytes_energy(soc, carried)
    known = roof.per_second < float("inf")
    return OperatorRow(
        model=graph.name,
        scheduler=scheduler,
        partition=job.name,
        pu=pu.name,
        operators=launch.name,
        kinds="+".join(op.kind for op in operators),
        macs=sum(op.macs for op in operators),
        load_bytes=launch.work.load_bytes,
        store_bytes=launch.work.store_bytes,
        start_s=start,
        end_s=end,
        alone_s=max(end - start - times["contention"], 0.0),
        cost_source=launch.work.source,
        **{f"{name}_s": seconds for name, seconds in times.items()},
        operations=roof.operations,
        roof=roof.name,
        roof_per_s=roof.per_second if known else 0.0,
        link=slowest,
        link_bytes=carried.get(slowest, 0),
        link_bytes_per_s=rates.get(slowest, 0.0),
        energy_j=energy,
    )


def _activities(job: JobMoments, listed: Sequence[Activity]) -> Iterator[list[Activity]]:
    """Those of each launch: they follow one another as launches do, with host steps between."""
    place = 0
    for part in job.launches:
        start, end = part.at
        mine = []
        while place < len(listed) and listed[place].start < end:
            if listed[place].start >= start:
                mine.append(listed[place])
            place += 1
        yield mine


def _times(activities: Sequence[Activity], work: Work, pu: PU, soc: SoC) -> dict[str, float]:
    """Seconds by the names of :data:`TIMES`."""
    found = {
        "compute": sum(a.compute for a in activities),
        "memory": sum(a.transfer for a in activities),
        "contention": sum(a.contention for a in activities),
        "dma": sum(a.dma for a in activities),
        "dma_setup": 0.0,
        "dispatch": sum(a.crossing for a in activities),
        "sharing": sum(a.sharing for a in activities),
    }
    if found["dma"] and pu.spec.transfer_setup:
        # What the engines' own rate explains is theirs; of the rest what set-up can have taken.
        beyond = max(found["dma"] - _engines(work, pu, soc), 0.0)
        tiles = sum(run.count for run in work.tiles)
        transfers = tiles + 2 if work.overlapped else 2 * tiles
        setup = min(beyond, transfers * pu.spec.transfer_setup)
        found["dma_setup"], found["dma"] = setup, found["dma"] - setup
    return found


def _engines(work: Work, pu: PU, soc: SoC) -> float:
    """Seconds by which a unit's own links lengthen the transfers of an idle bus."""
    beyond = 0.0
    for phase in work.phases:
        moves = ((t.memory or pu.memory, t.load_bytes, t.store_bytes, 0) for t in phase.moves)
        alone = {
            link: amount / soc.links[link].bandwidth[0]
            for link, amount in on_links(soc, pu, moves).items()
        }
        bus = max(
            (time for link, time in alone.items() if not soc.links[link].private), default=0.0
        )
        beyond += max(max(alone.values(), default=0.0) - max(phase.compute_s, bus), 0.0)
    return beyond
