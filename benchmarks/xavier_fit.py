"""Where the fitted numbers of socs/jetson-xavier.yaml come from.

    python benchmarks/xavier_fit.py --data DIR --solver HaX-CoNN/src/z3_solver_multi_dnn.py

DIR holds measured_contention.json, the solver is a file of github.com/ismetdagli/HaX-CoNN; neither
has a licence to ship. The former has GoogLeNet in ten groups on the GPU and as a whole on both
units, the latter groups of GoogLeNet on a DLA and of AlexNet on both units. None of it is of two
networks at once. A group's time is the sum of its kernels, each alone; GoogLeNet's groups are made
to add up to the measured whole, because a profiler reads its clock between them. The logarithms of
simulated over measured are fitted by least squares under a robust loss.

AlexNet's eight groups are not named. Read as a convolution, then its normalisation and pooling,
both twice, then three convolutions, then a layer each, they are nearer to the model on a DLA than
read as one for each layer with weights (--alexnet layers); it can be left out (--alexnet none).
What each reading makes of the pairs is printed, too, and decides nothing.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from hetsim.cost.measured.fit import alone_s
from hetsim.lower.lowering import Lowering
from hetsim.overrides import apply_overrides
from hetsim.soc.loader import build_soc, read_soc
from hetsim.validate.checks.haxconn.corun import SOC, Xavier, plan_of
from hetsim.validate.checks.haxconn.networks import network
from hetsim.validate.checks.haxconn.pairs import DLA, GPU, PAIRS, POLICIES, Engine
from hetsim.validate.checks.haxconn.profiles import profiles
from hetsim.validate.checks.haxconn.table import Measured, read_measured
from hetsim.validate.tables import Tables

SCALE = 0.15
"""ln errors beyond this count linearly, as in 'hetsim calibrate --networks'."""

FULL = ((15, 16), (17, 18), (19, 20))
ALEXNET = {
    "parts": ((0, 1), (2, 3), (4, 5), (6, 7), (8, 14), *FULL),
    "layers": ((0, 3), (4, 7), (8, 9), (10, 11), (12, 14), *FULL),
    "none": (),
}
"""Its groups, first and last operator, in two readings, or left out."""

HALF = f"pus.{DLA}.dtypes.float16"
NUMBERS: dict[str, dict[str, tuple[float, str]]] = {
    GPU: {
        f"pus.{GPU}.efficiency.Conv": (0.6, ""),
        f"pus.{GPU}.efficiency.default": (0.3, ""),
        f"pus.{GPU}.dispatch": (15.0, " us"),
    },
    DLA: {
        f"{HALF}.efficiency.Conv": (0.7, ""),
        f"{HALF}.passes.LRN": (8.0, ""),
        f"{HALF}.bandwidth": (42.0, " GB/s"),
        f"pus.{DLA}.dispatch": (10.0, " us"),
    },
}
"""What is fitted of a unit: where it begins, and its unit."""

Groups = Sequence[tuple[int, int]]


def group_times(xavier: Xavier, unit: str, name: str, groups: Groups) -> np.ndarray:
    """Milliseconds of each group's kernels on ``unit``, each alone."""
    graph = network(name)
    place = {op.name: i for i, op in enumerate(graph.operators)}
    lowering = Lowering(graph, xavier.soc, xavier.analytical)
    found = np.zeros(len(groups))
    for job in lowering.program(plan_of(Engine(name, unit), graph)).jobs:
        for launch in job.launches:
            at = place[launch.operators[0]]
            which = next(i for i, (first, last) in enumerate(groups) if first <= at <= last)
            found[which] += alone_s(launch.work, xavier.soc.pus[job.pu].home) * 1e3
    return found


def numbers_of(solver: str, name: str) -> np.ndarray:
    """A list of numbers in the solver's text."""
    found = re.search(rf"^{name} = \[(.*)\]", solver, re.M)
    if found is None:
        raise SystemExit(f"xavier_fit.py: the solver has no list {name}")
    return np.array([float(part) for part in found[1].split(",")])


def fit(unit: str, errors: Callable[[Xavier], np.ndarray]) -> tuple[dict[str, str], np.ndarray]:
    """The numbers of ``unit`` that make ``errors`` small, and what is left of them."""
    document, fields = read_soc(SOC), NUMBERS[unit]

    def told(logs: Sequence[float]) -> dict[str, str]:
        words = (unit for _, unit in fields.values())
        pairs = zip(fields, np.exp(logs), words, strict=True)
        return {field: f"{value:.4g}{word}" for field, value, word in pairs}

    def residuals(logs: Sequence[float]) -> np.ndarray:
        return errors(Xavier(soc=build_soc(apply_overrides(document, told(logs)))))

    begin = [np.log(value) for value, _ in fields.values()]
    top = [0.0 if "efficiency" in field else np.inf for field in fields]
    found = least_squares(
        residuals, begin, loss="soft_l1", f_scale=SCALE, diff_step=1e-2, bounds=(-np.inf, top)
    )
    return told(found.x), residuals(found.x)


def main() -> None:
    """Prints the numbers, and how far the fit is from what it was fitted to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="directory of the measured table")
    parser.add_argument("--solver", type=Path, required=True, help="z3_solver_multi_dnn.py")
    parser.add_argument(
        "--alexnet", choices=[*ALEXNET], default="parts", help="what its groups are"
    )
    options = parser.parse_args()
    table = read_measured(Tables(options.data))
    solver = options.solver.read_text(encoding="utf-8")
    alexnet = ALEXNET[options.alexnet]
    measured = {
        GPU: (np.array(table.gpu_ms), numbers_of(solver, "nn2_times_acc1")),
        DLA: (numbers_of(solver, "nn1_times_acc2"), numbers_of(solver, "nn2_times_acc2")),
    }
    whole = {GPU: table.whole_ms.googlenet_gpu, DLA: table.whole_ms.googlenet_dla}
    told: dict[str, str] = {}
    for unit, (groups, layers) in measured.items():
        scaled = groups * whole[unit] / groups.sum()

        def errors(
            xavier: Xavier,
            unit: str = unit,
            scaled: np.ndarray = scaled,
            layers: np.ndarray = layers,
        ) -> np.ndarray:
            first = group_times(xavier, unit, "googlenet", table.groups)
            found = [*np.log(first / scaled)]
            if alexnet:
                found += [*np.log(group_times(xavier, unit, "alexnet", alexnet) / layers)]
            return np.array([*found, 2.0 * np.log(first.sum() / scaled.sum())])

        numbers, left = fit(unit, errors)
        print(f"{unit}: " + ", ".join(f"{field} {value}" for field, value in numbers.items()))
        print(f"  GoogLeNet's groups {np.round(np.exp(left[: len(scaled)]), 2)}")
        if alexnet:
            print(f"  AlexNet's groups   {np.round(np.exp(left[len(scaled) : -1]), 2)}")
        print(f"  median error {np.median(np.abs(np.expm1(left[:-1]))):.1%} of {len(left) - 1}")
        told |= numbers
    print(on_pairs(told, table))


def on_pairs(numbers: Mapping[str, str], table: Measured) -> str:
    """What these numbers make of the pairs, which no fit sees, in a line."""
    soc = build_soc(apply_overrides(read_soc(SOC), numbers))
    xavier, errors, right = Xavier(profiles(table), soc=soc), [], 0
    for pair, policies in PAIRS.items():
        measured = table.two_dnn_ms[pair]
        found = {policy: xavier.told(told) * 1e3 for policy, told in policies.items()}
        errors += [abs(found[policy] / measured[policy] - 1.0) for policy in POLICIES]
        right += min(found, key=found.__getitem__) == min(POLICIES, key=measured.__getitem__)
    near = sum(error <= 0.15 for error in errors)
    return (
        f"pairs: best policy right in {right} of {len(PAIRS)}, {near} of {len(errors)} times"
        f" within 15 %, median error {np.median(errors):.1%}"
    )


if __name__ == "__main__":
    main()
