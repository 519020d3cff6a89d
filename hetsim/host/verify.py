"""Closing the loop: plans simulated, and run for real on this machine.

For every network: the plans of the scenario's schedulers, and three simple ones that every machine
can run (the whole network as one partition, cut into pieces on one worker, and pieces that change
the worker each time). All plans of a network run in turns, so that whatever disturbs the
machine disturbs all of them; the median of undisturbed rounds counts.

A shared machine is not the same for long: the clock and the neighbours change between the profile
and the plans. So the kernels are measured again in the same turns, and the plans are simulated with
those times (plans are still made with the times that the SoC's file has). A reference kernel on
every worker in every turn tells the pace of its cores, by which the times of that turn are divided;
where the pace changes too much, nothing is concluded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from hetsim.cost.chain import CostChain
from hetsim.cost.measured.source import measured_model
from hetsim.cost.measured.table import ProfileTable
from hetsim.errors import ConfigError, HetsimError, Location
from hetsim.host.clock import FEWEST, Sample, undisturbed
from hetsim.host.cut import Cutter
from hetsim.host.deviation import deviation
from hetsim.host.engines.base import Engine, How, is_quantised
from hetsim.host.execute import BoundPlan, cores_of
from hetsim.host.machine import Machine
from hetsim.host.measure import Meter, NetworkTimes, Timing, entries_of
from hetsim.host.network import Network
from hetsim.host.pace import Pacer
from hetsim.host.verdict import Outcome, Verdict
from hetsim.plan.build import Block, make_plan
from hetsim.plan.model import Plan
from hetsim.progress import Progress
from hetsim.runs.case import Case
from hetsim.schedulers.base import Scheduler
from hetsim.sim.runtimes.registry import DEFAULT
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph

PIECES = 8
"""Partitions of the simple plans that are cut."""

MOST_DRIFT = 2.5
"""Where the machine was this many times slower at one turn than at another, nothing is told."""

Schedulers = Sequence[tuple[str, Callable[[], Scheduler]]]


def verify(
    soc: SoC,
    networks: Sequence[Network],
    schedulers: Schedulers,
    machine: Machine,
    engine: Engine,
    *,
    rounds: int = 30,
    patience_s: float = 60.0,
    warmup: int = 3,
    execution: str = DEFAULT,
    stored: bool = False,
    progress: Progress | None = None,
) -> Verdict:
    """Simulates and runs every plan, ``rounds`` times at least.

    ``stored``: simulate with the times that the SoC's files have, instead of measuring kernels
    again between the plans.

    On a busy machine it goes on until every plan had a few undisturbed rounds, at most
    ``patience_s`` seconds for each network.

    Raises:
        ConfigError: the SoC is not one of CPU workers that this machine has cores for, or the
            execution is one that is not run here.
        MissingExtraError: the engine is not installed.
        WorkloadError: it cannot run a network.
    """
    if execution != "dataflow":
        raise ConfigError(
            f"plans run here as 'dataflow', not as {execution!r}",
            where=Location("execution"),
            hint="write execution: dataflow in the scenario",
        )
    cores = cores_of(soc, machine)
    outcomes: list[Outcome] = []
    failures: list[tuple[str, str, str]] = []
    drift: dict[str, float] = {}
    held = True
    for i, network in enumerate(networks):
        if progress is not None:
            progress(network.graph.name, i, len(networks))
        case = Case(network.graph, soc)
        plans, refused = _plans(case, schedulers)
        failures += refused
        seen = _run(case, network, plans, cores, engine, rounds, warmup, patience_s, stored=stored)
        drift[network.graph.name] = seen.drift
        held = held and seen.pinned
        if seen.drift > MOST_DRIFT:
            reason = (
                f"the machine's pace changed by a factor of {seen.drift:.2f} meanwhile, so that"
                " nothing can be told; repeat when it is quieter"
            )
            failures.append((network.graph.name, "all plans", reason))
        else:
            outcomes += seen.outcomes
    return Verdict(tuple(outcomes), tuple(failures), held, drift)


def _plans(
    case: Case, schedulers: Schedulers
) -> tuple[list[tuple[str, Plan]], list[tuple[str, str, str]]]:
    """Distinct plans by label, and the schedulers that failed."""
    plans = simple_plans(case.graph, case.soc)
    failures = []
    for label, make in schedulers:
        try:
            plans.append((label, case.plan(make())))
        except HetsimError as error:
            failures.append((case.graph.name, label, str(error)))
    distinct: dict[object, tuple[str, Plan]] = {}
    for label, plan in plans:
        same = (plan.partitions, plan.parallel_groups)
        if same in distinct:
            distinct[same] = (f"{distinct[same][0]} = {label}", plan)
        else:
            distinct[same] = (label, plan)
    return list(distinct.values()), failures


def simple_plans(graph: Graph, soc: SoC) -> list[tuple[str, Plan]]:
    """The network whole, cut into pieces, and cut with changing workers.

    The first two never run two partitions at once; the third only pieces that are independent.
    """
    everything = tuple(range(len(graph)))
    cut = [everything[len(graph) * i // PIECES : len(graph) * (i + 1) // PIECES]
           for i in range(PIECES)]  # fmt: skip
    pieces = [part for part in cut if part]
    made = {
        "whole": [Block(everything, 0)],
        "cut": [Block(part, 0) for part in pieces],
        "cut, changing workers": [Block(part, i % len(soc.pus)) for i, part in enumerate(pieces)],
    }
    return [
        (label, make_plan(graph, soc, blocks, scheduler=label)) for label, blocks in made.items()
    ]


@dataclass(frozen=True)
class _Seen:
    """What running the plans of one network showed."""

    outcomes: list[Outcome]
    pinned: bool
    drift: float


def _run(
    case: Case,
    network: Network,
    plans: Sequence[tuple[str, Plan]],
    cores: dict[str, tuple[int, ...]],
    engine: Engine,
    rounds: int,
    warmup: int,
    patience_s: float,
    *,
    stored: bool,
) -> _Seen:
    cutter = Cutter(network)
    graph = network.graph
    quantised = is_quantised(network)
    feeds = {name: network.feeds[name] for name in graph.inputs}
    whole = engine.runner(cutter.whole(), How(graph.name, quantised=quantised))
    made = whole(feeds)
    wanted = {name: np.array(made[name]) for name in graph.outputs}
    samples: list[list[Sample]] = [[] for _ in plans]
    own: list[list[tuple[float, ...]]] = [[] for _ in plans]
    deviations = [0.0] * len(plans)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="hetsim-")))
        pacers = {name: Pacer(cpus, engine) for name, cpus in cores.items()}
        meters = {} if stored else _meters(case.soc, network, cores, folder, engine)
        bound = [
            BoundPlan(plan, cutter, cores, feeds, engine, quantised=quantised) for _, plan in plans
        ]
        teams = [stack.enter_context(each.team()) for each in bound]
        end = time.monotonic() + patience_s
        turn = 0
        while turn < warmup + rounds or (_restless(samples) and time.monotonic() < end):
            counts = turn >= warmup
            for pacer in pacers.values():
                pacer.turn(keep=counts)
            for meter in meters.values():
                meter.turn(keep=counts)
            for i, team in enumerate(teams):
                run = team.run()
                if counts:
                    samples[i].append(run.sample)
                    own[i].append(run.own_s)
                if turn in (0, warmup + rounds - 1):
                    made = {name: bound[i].values[name] for name in wanted}
                    deviations[i] = max(deviations[i], deviation(made, wanted))
            turn += 1
        pinned = all(team.pinned for team in teams)
        first = pacers[case.soc.pus[0].name]
        paces = {name: pacer.pace(first) for name, pacer in pacers.items()}
        if meters:
            case = _measured_now(
                case,
                {c: meter.finish(paces[_first_of(case.soc, c)]) for c, meter in meters.items()},
            )
    outcomes = []
    for i, (label, plan) in enumerate(plans):
        slow = _plan_pace(plan, own[i], paces)
        taken = [sample.at(pace) for sample, pace in zip(samples[i], slow, strict=True)]
        pieces = [
            [s / paces[p.pu][turn] for s, p in zip(each, plan.partitions, strict=True)]
            for turn, each in enumerate(own[i])
        ]
        trace = case.simulate(plan)
        kernels = [s for s in trace.spans if s.kind in ("compute", "stream")]
        outcomes.append(
            Outcome(
                graph.name,
                label,
                plan,
                trace.makespan_s,
                Timing.of([sample.wall_s for sample in undisturbed(taken)]),
                median(sample.wall_s for sample in taken),
                len(taken),
                sum(not sample.disturbed for sample in taken),
                bound[i].composed([median(times) for times in zip(*pieces, strict=True)]),
                deviations[i],
                _overlap(kernels),
                case.range(plan, trace).ends(trace.makespan_s),
            )
        )
    return _Seen(outcomes, pinned, max(max(p) / min(p) for p in paces.values()))


def _first_of(soc: SoC, cluster: str) -> str:
    return next(pu.name for pu in soc.pus if pu.cluster == cluster)


def _plan_pace(
    plan: Plan, own: Sequence[Sequence[float]], paces: Mapping[str, Sequence[float]]
) -> list[float]:
    """Each turn's pace for a plan: that of its workers, by the time that they compute."""
    shares = dict.fromkeys(paces, 0.0)
    for partition, *times in zip(plan.partitions, *own, strict=True):
        shares[partition.pu] += median(times)
    total = sum(shares.values())
    if not total:  # a clock too coarse for it
        return [1.0] * len(own)
    return [
        sum(share * paces[pu][turn] for pu, share in shares.items()) / total
        for turn in range(len(own))
    ]


def _meters(
    soc: SoC, network: Network, cores: dict[str, tuple[int, ...]], folder: Path, engine: Engine
) -> dict[str, Meter]:
    """For each cluster, what measures its kernels on the cores of its first worker."""
    meters: dict[str, Meter] = {}
    for pu in soc.pus:
        if pu.cluster not in meters:
            place = folder / str(len(meters))
            place.mkdir()
            meters[pu.cluster] = Meter(network, cores[pu.name], place, engine)
    return meters


def _measured_now(case: Case, times: Mapping[str, NetworkTimes]) -> Case:
    """The case with what was measured between the plans, the SoC's files behind it."""
    call = case.soc.runtime.partition_call
    tables = {
        cluster: ProfileTable.of(
            entries_of([found], call), name="measured now", device=cluster,
            source="between the plans", scope="kernel",
        )
        for cluster, found in times.items()
    }  # fmt: skip
    behind = case.cost_model
    return replace(case, costs=CostChain([measured_model(case.soc, tables, behind), behind]))


def _restless(samples: Sequence[Sequence[Sample]]) -> bool:
    """Whether some plan has had too few undisturbed rounds."""
    return any(sum(not s.disturbed for s in taken) < FEWEST for taken in samples)


def _overlap(spans: Sequence[Any]) -> bool:
    """Whether two lanes are ever busy at once."""
    busy = sorted((span.start, span.end, span.lane) for span in spans)
    return any(b[0] < a[1] and a[2] != b[2] for a, b in pairwise(busy))
