"""The tables of docs/howto/chips-questions.md: phones simulated, and measurements beside them.

    python benchmarks/phones.py units       which unit of a phone runs which network best
    python benchmarks/phones.py estimates   CPUs and GPUs, which nothing was fitted to, as measured
    python benchmarks/phones.py memory      what twice the on-chip memory saves, by class of network
    python benchmarks/phones.py precision   fewer bits against float16, by class of network

``--soc`` names other chips of ``hetsim validate networks``; ``--data DIR`` takes a table
``measured_networks.csv`` and its ``networks`` from there rather than what ships. Measured times are
medians over runtimes of rows that no doubt excludes; of CPUs and GPUs only such as name that unit.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import geometric_mean, median

import numpy as np

from hetsim.calibrate.networks.cases import EXCLUDING, MeasuredNetwork, make_cases
from hetsim.calibrate.networks.doubts import UNITS
from hetsim.calibrate.networks.graphs import GraphLibrary
from hetsim.calibrate.networks.simulated import SimulatedModel
from hetsim.calibrate.networks.table import read_networks
from hetsim.overrides import apply_overrides
from hetsim.runs.case import Case
from hetsim.scenario.loader import load_scenario
from hetsim.schedulers.registry import create
from hetsim.soc.loader import build_soc, load_soc, read_soc
from hetsim.validate.checks.networks import DEVICES, TABLE
from hetsim.validate.tables import Tables
from hetsim.workload.graph import Graph
from hetsim.workload.networks import load_network
from hetsim.workload.weights import StoredWeights, with_weights

PHONES = ("snapdragon-8-elite", "snapdragon-8-gen-3", "qcs8550")
STORED = {"float": "float16", "w8a8": "int8", "w8a16": "int16"}
"""What the NPU keeps tensors in, by precision of the table."""


@dataclass(frozen=True)
class Measured:
    """One network on one unit in one precision: seconds by runtime."""

    kind: str
    graph: Graph
    runtimes: Mapping[str, float]

    @property
    def seconds(self) -> float:
        return median(self.runtimes.values())


@dataclass(frozen=True)
class Simulated:
    """Seconds, and the ends of the range; NaN where nothing was calibrated."""

    seconds: float
    low: float
    high: float

    @property
    def reach(self) -> float:
        """Half the width of the range, as a logarithm."""
        return math.log(self.high / self.low) / 2.0


@cache
def cases(data: Path | None) -> Sequence[MeasuredNetwork]:
    """All that is measured and has a graph."""
    graphs = None if data is None else data / "networks"
    return make_cases(read_networks(Tables(data).path(TABLE)), GraphLibrary(graphs)).cases


def measured(soc: str, unit: str, data: Path | None) -> dict[tuple[str, str], Measured]:
    """By network and precision."""
    found: dict[tuple[str, str], list[MeasuredNetwork]] = defaultdict(list)
    for case in cases(data):
        kinds = {doubt.kind for doubt in case.doubts} & EXCLUDING
        if (case.row.device, case.row.unit) == (DEVICES[soc], unit) and not (
            kinds if unit == "npu" else kinds - {UNITS}
        ):
            found[case.name, case.precision.group].append(case)
    return {
        key: Measured(of[0].kind, of[0].graph, {c.row.runtime: c.seconds for c in of})
        for key, of in sorted(found.items())
    }


def simulated(soc: str, graph: Graph, unit: str, group: str) -> Simulated:
    """A network on the NPU, the GPU or the fastest CPU cluster in a precision of the table."""
    described = load_soc(soc)
    kept: dict[str, object] = {}
    if unit == "npu":
        kept = {"npu.precision": {"float32": STORED[group]}}
    elif unit == "cpu" and group == "w8a8":
        clusters = [pu.name for pu in described.pus if pu.spec.role == "cpu"]
        kept = {f"{name}.precision": {"float32": "int8"} for name in clusters}
    if group == "w8a16":
        graph = with_weights(graph, StoredWeights(dtype="int8"))
    case = Case(graph, build_soc(apply_overrides(read_soc(soc), kept)))
    alone = create("best_single_pu", {"among": [unit]}) if unit != "cpu" else create("cpu_only")
    plan = case.plan(alone)
    trace = case.simulate(plan)
    ends = case.range(plan, trace).ends(trace.makespan_s)
    return Simulated(trace.makespan_s, *(ends or (math.nan, math.nan)))


def units(socs: Sequence[str], data: Path | None) -> None:
    """Each network of the scenario on CPU, GPU and NPU; the NPU's measured time beside it."""
    row("SoC", "network", "CPU ms", "GPU ms", "NPU ms", "90 %", "measured")
    for soc in socs:
        known = {m.graph.name: m.seconds for (_, p), m in measured(soc, "npu", data).items()
                 if p == "float"}  # fmt: skip
        for model in load_scenario("phones").models:
            graph = load_network(model.network)
            at = {unit: simulated(soc, graph, unit, "float") for unit in ("cpu", "gpu", "npu")}
            row(soc, model.label, *(ms(time.seconds) for time in at.values()),
                f"{ms(at['npu'].low)}–{ms(at['npu'].high)}", ms(known.get(graph.name)))  # fmt: skip


def estimates(socs: Sequence[str], data: Path | None) -> None:
    """CPUs and GPUs, as estimated and as measured; the measured NPU beside them."""
    row("SoC", "unit", "network", "precision", "measured ms", "simulated ms", "ratio", "NPU ms")
    for soc in socs:
        npu = measured(soc, "npu", data)
        for unit in ("cpu", "gpu"):
            off, lead = [], []
            for (network, group), one in measured(soc, unit, data).items():
                if group not in ("float", "w8a8"):
                    continue
                time = simulated(soc, one.graph, unit, group).seconds
                off.append(time / one.seconds)
                beside = npu[network, group].seconds if (network, group) in npu else None
                lead += [one.seconds / beside] if beside else []
                row(soc, unit, network, group, ms(one.seconds), ms(time), f"{off[-1]:.2f}",
                    ms(beside))  # fmt: skip
            for what, ratios in (("simulated over measured", off), (f"{unit} over NPU", lead)):
                if ratios:
                    row(soc, unit, f"{what}: {len(ratios)} networks, median {median(ratios):.2f},"
                        f" {min(ratios):.2f} to {max(ratios):.2f}", *[""] * 5)  # fmt: skip


def memory(socs: Sequence[str], data: Path | None) -> None:
    """What more or less on-chip memory changes, by class."""
    row("SoC", "precision", "class", "networks", "half", "twice", "all fits", "most with twice")
    for soc in socs:
        for group in ("float", "w8a8"):
            classes: dict[str, list[MeasuredNetwork]] = defaultdict(list)
            jobs = set()
            for case in cases(data):
                if (case.row.device, case.precision.group) == (DEVICES[soc], group) and not (
                    case.excluded or case.job in jobs
                ):
                    jobs.add(case.job)
                    classes[case.kind].append(case)
            for kind, of_kind in sorted(classes.items()):
                less, now, more, full = (
                    SimulatedModel(apply_overrides(read_soc(soc), {"npu.sram": size}), "npu")
                    .stated().predict(of_kind) for size in ("0.5x", "1x", "2x", "999x")
                )  # fmt: skip
                most = int(np.argmin(more / now))
                row(soc, group, kind, len(of_kind), percent(geometric_mean(less / now)),
                    percent(geometric_mean(more / now)), percent(geometric_mean(full / now)),
                    f"{of_kind[most].graph.name} {percent(more[most] / now[most])}")  # fmt: skip


def precision(socs: Sequence[str], data: Path | None) -> None:
    """How many times as fast fewer bits are, by class; networks measured in both precisions.

    Measured under one runtime, then the median of runtimes: they differ by more than precisions.
    A network's range is that of two times that err apart, which is the widest it can be.
    """
    row("SoC", "precision", "class", "networks", "measured", "simulated", "90 % of one", "within",
        "median error")  # fmt: skip
    for soc in socs:
        found = measured(soc, "npu", data)
        for group in ("w8a8", "w8a16"):
            classes: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
            for (network, name), few in found.items():
                if name != group or (network, "float") not in found:
                    continue
                wide = found[network, "float"]
                true = [wide.runtimes[r] / few.runtimes[r]
                        for r in few.runtimes if r in wide.runtimes]  # fmt: skip
                if true:
                    a = simulated(soc, few.graph, "npu", "float")
                    b = simulated(soc, few.graph, "npu", group)
                    times = median(true), a.seconds / b.seconds, math.hypot(a.reach, b.reach)
                    classes[few.kind].append(times)
            for kind, of in sorted(classes.items()):
                true, gain, reach = zip(*of, strict=True)
                held = sum(abs(math.log(g / t)) <= r for t, g, r in of)
                middle, factor = geometric_mean(gain), math.exp(median(reach))
                row(soc, group, kind, len(of), f"{geometric_mean(true):.2f}", f"{middle:.2f}",
                    f"{middle / factor:.2f}–{middle * factor:.2f}", f"{held} of {len(of)}",
                    f"{median(abs(g / t - 1) for t, g, _ in of):.0%}")  # fmt: skip


def ms(time_s: float | None) -> str:
    return "–" if time_s is None else f"{time_s * 1e3:.3g}" if time_s < 1 else f"{time_s * 1e3:.0f}"


def percent(ratio: float) -> str:
    return f"{ratio - 1:+.1%}"


def row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


TABLES = {"units": units, "estimates": estimates, "memory": memory, "precision": precision}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--soc", action="append", choices=DEVICES, help="a chip; may be repeated")
    parser.add_argument("--data", type=Path, help="directory of the table and its networks")
    given = parser.parse_args()
    TABLES[given.table](given.soc or PHONES, given.data)


if __name__ == "__main__":
    main()
