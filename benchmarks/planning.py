"""What a search does over and over: lower and simulate one more plan of GoogLeNet.

Evaluations differ from one another by a few operators, as a tuner's moves do; each starts from a
plan that was never seen, so what is cached between them is what a search may cache too.
"""

from __future__ import annotations

from harness import Measurement, interleaved, timed

import hetsim
from hetsim.plan.build import make_plan, merge_eager
from hetsim.plan.model import Plan
from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.schedulers.units import Units

NETWORK, PLANS = "googlenet", 100
SCHEDULERS = ("type_based", "heft", "partition_tuner")
LIMITS_S = {"type_based": None, "heft": 0.05, "partition_tuner": 0.3}


def variants(case: Case, count: int) -> list[Plan]:
    """Plans that each differ from the fastest-PU one in the PU of one or two units."""
    units = Units(case.problem())
    chosen = [times.index(min(times)) for times in units.time]
    free = [u for u in range(len(units)) if len(units.feasible(u)) > 1]
    plans = []
    for k in range(count):
        pus = list(chosen)
        for u in {free[k % len(free)], free[(k * 7 + k // len(free)) % len(free)]}:
            pus[u] = next(p for p in units.feasible(u) if p != chosen[u])
        blocks = merge_eager(case.graph, units.ops, pus)
        plans.append(make_plan(case.graph, case.soc, blocks, scheduler="benchmark"))
    return plans


def measure(repetitions: int) -> list[Measurement]:
    """Plan evaluations per second, and how long schedulers take, profiling included."""
    graph = hetsim.load_model(NETWORK)
    soc = hetsim.load_soc("zcu102-vta")
    base = Case(graph, soc)
    candidates = variants(base, PLANS)
    partitions = sum(len(plan.partitions) for plan in candidates) / len(candidates)

    def evaluate() -> None:
        case = Case(graph, soc)
        for candidate in candidates:
            case.simulate(candidate, trace=False)

    evaluations = timed(evaluate, repetitions)
    planning = interleaved(
        {name: lambda name=name: Case(graph, soc).plan(create(name)) for name in SCHEDULERS},
        repetitions,
    )
    return [
        Measurement(
            "plan evaluations per second",
            len(candidates) / evaluations.median,
            "plans/s",
            goal=200,
            spread=evaluations.spread,
            note=f"{NETWORK}, {len(graph)} operators, {partitions:.0f} partitions,"
            f" {len(candidates)} new plans, each lowered and simulated untraced",
        ),
        *(
            Measurement(
                f"planning with {name}",
                planning[name].median,
                "s",
                goal=LIMITS_S[name],
                better="less",
                spread=planning[name].spread,
                note=f"{NETWORK}, profiling included",
            )
            for name in SCHEDULERS
        ),
    ]
