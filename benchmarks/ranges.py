"""Ranges of simulated times against the engine run again with other times of the kernels.

    python benchmarks/ranges.py [--samples 64]

Every unit of a shipped SoC is given the same uncertainty (10 % common, 5 to 20 % by class, 15 % of
a kernel), and plans of several kinds are replayed (:mod:`hetsim.analysis.ranges.replay`) and
simulated again. ``off`` is the root mean square of the logarithm of their quotient, ``inside`` the
share of simulated samples inside the range, which should be 90 %, ``costs`` the time of a range
over that of one simulation with its trace.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from hetsim.analysis.launches import operator_rows
from hetsim.analysis.ran import Ran
from hetsim.analysis.ranges.draws import SAMPLES, deviates
from hetsim.analysis.ranges.range import range_of
from hetsim.analysis.ranges.resimulated import resimulate
from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.sim.runtimes.registry import find_runtime
from hetsim.soc.loader import load_soc
from hetsim.soc.model import SoC
from hetsim.soc.uncertainty import Spread
from hetsim.workload.networks import load_network

SPREAD = Spread(unit=0.1, classes={"default": 0.05, "Conv": 0.08, "Conv.depthwise": 0.2},
                kernel=0.15)  # fmt: skip

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


def unsure(soc: SoC, spread: Spread = SPREAD) -> SoC:
    """``soc`` with the same uncertainty on all units."""
    pus = {
        name: spec.model_copy(update={"uncertainty": {"default": spread}})
        for name, spec in soc.spec.pus.items()
    }
    return SoC.from_spec(soc.spec.model_copy(update={"pus": pus}), source=soc.source)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=64)
    samples = range(0, SAMPLES, SAMPLES // parser.parse_args().samples)
    socs = Path(__file__).parents[1] / "socs"
    print(f"{'SoC':16}{'network':14}{'scheduler':17}{'runtime':10}{'parts':>6}{'lost':>6}"
          f"{'replayed':>14}{'simulated':>14}{'off':>7}{'inside':>8}{'costs':>7}")  # fmt: skip
    deviates("imports what it needs")
    for name, network, scheduler in CASES:
        soc = unsure(load_soc(socs / f"{name}.yaml"))
        for execution in ("dataflow", "barrier"):
            case = Case(load_network(network), soc, execution=execution)
            plan = case.plan(create(scheduler))
            program = case.rewritten(plan.rewrites).lowering.program(plan)
            begun = time.process_time()
            trace = case.simulate(plan)
            simulated = time.process_time()
            ran = Ran(case.graph, soc, plan, program, trace, find_runtime(execution))
            rows = operator_rows(scheduler, ran)
            begun_range = time.process_time()
            ratios = np.array(range_of(ran, rows).ratios)
            spent = (time.process_time() - begun_range) / (simulated - begun)
            again = resimulate(ran, execution, samples)
            low, high = np.quantile(ratios, [0.05, 0.95])
            inside = np.mean((again >= low) & (again <= high))
            off = np.sqrt(np.mean(np.log(ratios[list(samples)] / again) ** 2))
            lost = sum(row.contention_s for row in rows) / trace.makespan_s
            told = [
                f"{np.quantile(x, 0.05):.3f}–{np.quantile(x, 0.95):.3f}"
                for x in (ratios[list(samples)], again)
            ]
            plan_text = f"{name:16}{network:14}{scheduler:17}{execution:10}{len(plan.partitions):6}"
            print(f"{plan_text}{lost:6.0%}{told[0]:>14}{told[1]:>14}{off:7.1%}{inside:8.0%}"
                  f"{spent:6.1f}x")  # fmt: skip


if __name__ == "__main__":
    main()
