"""Tuning: plans judged a second, and how near the bound a minute's worth of them ends.

The search runs in this process, on one core, from the plans of list schedulers. Judging includes
proposing and decoding; ``simulated`` in the note is the share that neither a bound nor the cache
answered. The gap is to the proven bound after a fixed number of plans, so it does not depend on
the machine.
"""

from __future__ import annotations

import time

from harness import Measurement

import hetsim
from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.schedulers.search.campaign import Ground, begin, run
from hetsim.schedulers.search.space import Space

STARTS = ("type_based", "mosaic", "heft", "partition_tuner")
EVALUATIONS = 4000
GOALS = {"googlenet": 300.0, "resnet18": None}
"""Networks, and the plans a second that judging each should reach."""


def measure(repetitions: int) -> list[Measurement]:
    """Rate and end of a short search on each network."""
    soc = hetsim.load_soc("zcu102-vta")
    measurements = []
    for name, goal in GOALS.items():
        seconds = []
        for _ in range(repetitions):
            case = Case(hetsim.load_model(name), soc)
            ground = Ground(Space(case.graph, soc), case.judge)
            plans = [case.plan(create(scheduler)) for scheduler in STARTS]
            begun = time.perf_counter()
            campaign = begin(lambda _, ground=ground: ground, plans, EVALUATIONS)
            campaign = run(lambda _, ground=ground: ground, campaign, 0, EVALUATIONS)
            seconds.append(time.perf_counter() - begun)
        judge = case.judge
        simulated = 1.0 - (judge.pruned + judge.known) / judge.judged
        middle = sorted(seconds)[len(seconds) // 2]
        bound = max(b.seconds for b in case.bounds)
        measurements += [
            Measurement(
                f"plans judged per second, {name}",
                campaign.evaluations / middle,
                "plans/s",
                goal=goal,
                note=f"{simulated:.0%} simulated, {judge.segments} segments",
            ),
            Measurement(
                f"gap after {EVALUATIONS} plans, {name}",
                100.0 * (campaign.seconds / bound - 1.0),
                "%",
                better="less",
                note=f"{campaign.seconds * 1e3:.2f} ms over a bound of {bound * 1e3:.2f} ms",
            ),
        ]
    return measurements
