"""How long a partition takes, piece by piece, alone or in the worst company.

The simulator is asked: it plays the partition while every other unit streams without end over each
link that it can reach, and keeps its threads on each cluster of cores. Under max-min fair and under
weighted sharing nobody gets less than its share among all who can be there, and under processor
sharing no thread gets less than its part of the cores; so no transfer and no step of what a unit
does one after the other takes longer than here, whatever the others do. A *piece* is what passes
between two moments at which the unit can be given up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from hetsim.bounds.response.curves import down, up
from hetsim.lower.program import Job, Program
from hetsim.sim.dispatchers.planned import Planned
from hetsim.sim.machine import Machine
from hetsim.sim.network.links import Claim
from hetsim.sim.runtimes.dataflow import Dataflow
from hetsim.sim.source import Completion, Inference, Listed
from hetsim.sim.task import Task
from hetsim.soc.model import SoC

_ENDLESS_BYTES = 1e30
_BEGIN_S = 1.0
"""When all others are under way for certain."""


@dataclass(frozen=True)
class Pieces:
    """A partition on ``unit`` in ticks; whoever takes the unit away may make it do more.

    ``restore[i]`` are the ticks of fetching again, before piece i, what had to make room on chip,
    and ``save`` the most that putting it away takes.
    """

    unit: int
    ticks: tuple[int, ...]
    restore: tuple[int, ...]
    save: int

    @property
    def total(self) -> int:
        """Ticks of all pieces."""
        return sum(self.ticks)


class _Listening(Planned):
    """Runs what there is, and hears when a unit could be given up."""

    def __init__(self) -> None:
        super().__init__(preemptive=True)
        self.heard: list[list[float]] = []

    def rank(self, task: Task, inference: Inference) -> float:
        return 0.0

    def next(self, unit: int) -> Task | None:
        task = super().next(unit)
        if task is not None:
            self.heard.append([self.view.now])
        return task

    def urgent(self, task: Task) -> Task | None:
        self.heard[-1].append(self.view.now)
        return None

    def finished(self, task: Task) -> Iterable[int]:
        self.heard[-1].append(self.view.now)
        return super().finished(task)


@dataclass(frozen=True)
class Company:
    """Who is at work: ``units`` (PU indices), and for which of them the host does something."""

    units: frozenset[int]
    hosted: frozenset[int]

    @classmethod
    def of(cls, programs: Iterable[Program]) -> Company:
        """All that these programs ask for."""
        jobs = [job for program in programs for job in program.jobs]
        return cls(
            frozenset(job.pu for job in jobs), frozenset(job.pu for job in jobs if _asks(job))
        )

    def without(self, unit: int) -> Company:
        """All others."""
        return Company(self.units - {unit}, self.hosted - {unit})


NOBODY = Company(frozenset(), frozenset())


def _asks(job: Job) -> bool:
    """Whether a host thread does anything for a partition that takes time."""
    inside = (step for launch in job.launches for step in (*launch.before, *launch.after))
    return any(step.seconds or step.bytes for step in (*job.entry, *inside, *job.exit))


def pieces(soc: SoC, program: Program, company: Company, *, tiles: bool = False) -> list[Pieces]:
    """The partitions of ``program`` in plan order, where ``company`` is at work.

    On a single unit they run one after the other as they are, with the state that they keep, and
    with ``tiles`` NPU kernels tile by tile. With several, each is beside the others at their worst.
    """
    if len(company.units) == 1:
        return [_of(soc, job, heard, NOBODY) for job, heard in
                zip(program.jobs, _heard(soc, program, NOBODY, tiles), strict=True)]  # fmt: skip
    found = []
    for part in apart(program):
        (job,) = part.jobs
        others = company.without(job.pu)
        found.append(_of(soc, job, _heard(soc, part, others, tiles)[0], others))
    return found


def least(soc: SoC, program: Program, *, tiles: bool = False) -> list[int]:
    """Ticks that each partition takes at least: those of an idle SoC."""
    times = (_heard(soc, part, NOBODY, tiles)[0] for part in apart(program))
    return [down(heard[-1] - heard[0]) for heard in times]


def apart(program: Program) -> list[Program]:
    """Each partition as a program of its own."""
    jobs = [replace(job, needs=(), states=()) for job in program.jobs]
    return [replace(program, jobs=(job,), groups=((0,),), states=()) for job in jobs]


def _of(soc: SoC, job: Job, heard: Sequence[float], others: Company) -> Pieces:
    if not soc.pus[job.pu].spec.preemptible:
        return Pieces(job.pu, (up(heard[-1] - heard[0]),), (0,), 0)
    kept = [launch.kept for launch in job.launches]
    loads, stores = _carried(
        soc, job.pu, others, [k.held_bytes for k in kept], [k.unsaved_bytes for k in kept]
    )
    ticks = tuple(up(b - a) for a, b in pairwise(heard))
    return Pieces(job.pu, ticks, (0, *loads), max(stores, default=0))


def _heard(soc: SoC, program: Program, others: Company, tiles: bool) -> list[list[float]]:
    """When each partition began, could have been interrupted, and ended, seconds."""
    machine = _machine(soc, others, tiles)
    done = machine.env.event()

    def end(completion: Completion) -> None:
        done.succeed()

    listening = _Listening()
    begin = _BEGIN_S if others.units else 0.0
    Dataflow(machine, Listed([Inference(program, begin)]), end, listening).start()
    machine.env.run(until=done)
    return listening.heard


def _carried(
    soc: SoC, pu: int, others: Company, loads: Sequence[int], stores: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Ticks in which so many bytes each are fetched to the chip, and put away from it."""
    if not any(loads):
        return [0] * len(loads), [0] * len(stores)
    machine = _machine(soc, others, tiles=False)
    unit = machine.units[pu]
    machine.env.run(until=_BEGIN_S)

    def ticks(load: int, store: int) -> int:
        begun = machine.env.now
        flow = machine.network.transfer(
            load + store, unit.route("", load, store), delay=unit.setup_s
        )
        machine.env.run(until=flow)
        return up(machine.env.now - begun)

    return [ticks(x, 0) if x else 0 for x in loads], [ticks(0, x) if x else 0 for x in stores]


def _machine(soc: SoC, others: Company, tiles: bool) -> Machine:
    """A machine on which ``others`` do all that they can at once, without end."""
    machine = Machine(soc, tiles=tiles)
    host = machine.host_unit
    for index in sorted(others.units):
        other, hosted = machine.units[index], index in others.hosted
        movers = (other, host) if hosted else (other,)
        ways = [way for unit in movers for pair in unit.ways.values() for way in pair]
        claim = Claim(max(way.claim.weight for way in ways))
        for link in dict.fromkeys(link for way in ways for link in way.links):
            machine.network.transfer(_ENDLESS_BYTES, machine.network.route((link.name,), claim))
        for cores in machine.clusters.values():
            threads = other.threads if other.cores is cores else 0
            if cores is machine.host:
                threads = max(threads, int(hosted or other.polls))
            cores.enter(threads)
    return machine
