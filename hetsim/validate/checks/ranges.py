"""Ranges of simulated times against the engine, run again with other times of the kernels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hetsim.analysis.launches import operator_rows
from hetsim.analysis.ran import Ran
from hetsim.analysis.ranges.draws import SAMPLES
from hetsim.analysis.ranges.range import range_of
from hetsim.analysis.ranges.resimulated import resimulate
from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.sim.runtimes.registry import find_runtime
from hetsim.soc.loader import load_soc
from hetsim.soc.model import SoC
from hetsim.soc.uncertainty import Spread
from hetsim.validate.base import Check, Row, Setting
from hetsim.workload.networks import load_network

CLASSES = {"default": 0.05, "Conv": 0.08, "Conv.depthwise": 0.2}

SPREAD = Spread(unit=0.1, classes=CLASSES, kernel=0.15)
"""What every unit is taken to be off by: about what calibrations leave."""

CASES = (
    ("edge-dual", "mobilenet_v2", "partition_tuner"),
    ("edge-dual", "inception_v3", "heft"),
    ("chiplet-edge", "googlenet", "heft"),
    ("mobile-flagship", "squeezenet", "partition_tuner"),
    ("phone-gpu-dsp", "googlenet", "heft"),
    ("phone-gpu-dsp", "resnet50", "heft"),
    ("zcu102-3vta", "googlenet", "partition_tuner"),
    ("edge-mcu", "mobilenet_v2", "profile_greedy"),
)
"""SoC, network, scheduler: serial plans, parallel branches, and a bus that decides."""

EVERY = 8
"""One sample in so many is simulated."""


class RangesAgain(Check):
    """Makespans of plans whose kernels take other times: replayed, and simulated."""

    title = "ranges of makespans"
    compared = (
        "the makespan of a plan whose kernels take other times, replayed by max and plus, beside"
        " the engine's; the range is that of the replayed makespans, so 90 % should lie in it"
    )
    kind = "simulated"
    unit = "of the makespan"
    source = "hetsim's own engine, run again for each sample; Apache-2.0 (hetsim's own)"
    slow = True
    grouped = "plan"

    def parts(self, setting: Setting) -> Sequence[str]:
        """A plan each."""
        return [f"{i} {execution}" for i in range(len(CASES)) for execution in RUNTIMES]

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """A row for each sample that is simulated."""
        number, execution = part.split()
        name, network, scheduler = CASES[int(number)]
        case = Case(load_network(network), unsure(load_soc(name)), execution=execution)
        plan = case.plan(create(scheduler))
        program = case.rewritten(plan.rewrites).lowering.program(plan)
        trace = case.simulate(plan)
        ran = Ran(case.graph, case.soc, plan, program, trace, find_runtime(execution))
        ratios = np.array(range_of(ran, operator_rows(scheduler, ran)).ratios)
        low, high = np.quantile(ratios, [0.05, 0.95])
        samples = range(0, SAMPLES, EVERY)
        group = f"{network} by {scheduler} on {name}, {execution}"
        for sample, again in zip(samples, resimulate(ran, execution, samples), strict=True):
            yield Row(
                f"sample {sample}", group, float(again), float(ratios[sample]), float(low),
                float(high),
            )  # fmt: skip


RUNTIMES = ("dataflow", "barrier")


def unsure(soc: SoC, spread: Spread = SPREAD) -> SoC:
    """``soc`` with the same uncertainty on all units."""
    pus = {
        name: spec.model_copy(update={"uncertainty": {"default": spread}})
        for name, spec in soc.spec.pus.items()
    }
    return SoC.from_spec(soc.spec.model_copy(update={"pus": pus}), source=soc.source)
