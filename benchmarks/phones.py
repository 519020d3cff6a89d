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
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import geometric_mean, median

import numpy as np

import hetsim
from hetsim.analysis.result import Run
from hetsim.calibrate.networks.cases import EXCLUDING, MeasuredNetwork, make_cases
from hetsim.calibrate.networks.doubts import UNITS
from hetsim.calibrate.networks.graphs import GraphLibrary
from hetsim.calibrate.networks.simulated import SimulatedModel
from hetsim.calibrate.networks.table import read_networks
from hetsim.overrides import apply_overrides
from hetsim.soc.loader import load_soc, read_soc
from hetsim.validate.checks.networks import DEVICES, TABLE
from hetsim.validate.tables import Tables
from hetsim.workload.graph import Graph

PHONES = ("snapdragon-8-elite", "snapdragon-8-gen-3", "qcs8550")
STORED = {"float": "float16", "w8a8": "int8", "w8a16": "int16"}
"""What the NPU keeps tensors in, by precision of the table."""


@dataclass(frozen=True)
class Measured:
    """One network on one unit in one precision: seconds, the median over runtimes."""

    case: MeasuredNetwork
    seconds: float

    @property
    def graph(self) -> Graph:
        return self.case.graph


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
    return {k: Measured(v[0], median(c.seconds for c in v)) for k, v in sorted(found.items())}


def simulated(
    soc: str, graphs: Sequence[Graph], unit: str, changes: dict[str, object] | None = None
) -> list[Run]:
    """Each network on one unit, after ``changes`` of the chip."""
    runs = hetsim.run(
        "phones", {"soc": soc, **(changes or {})}, models=graphs, schedulers=[unit]
    ).runs
    for run in runs:
        if run.error:
            sys.exit(f"{run.model} on {unit} of {soc}: {run.error}")
    return list(runs)


def stored(group: str) -> dict[str, object]:
    """Changes that have the NPU run a network in a precision of the table."""
    weights = {"weights": {"dtype": "int8"}} if group == "w8a16" else {}
    return {"npu.precision": {"float32": STORED[group]}, **weights}


def units(socs: Sequence[str], data: Path | None) -> None:
    """Each network of the scenario on CPU, GPU and NPU; the NPU's measured time beside it."""
    row("SoC", "network", "CPU ms", "GPU ms", "NPU ms", "90 %", "measured")
    for soc in socs:
        known = {m.graph.name: m.seconds for (_, p), m in measured(soc, "npu", data).items()
                 if p == "float"}  # fmt: skip
        runs = hetsim.run("phones", {"soc": soc, **stored("float")}).runs
        for model in dict.fromkeys(run.model for run in runs):
            at = {run.scheduler: run for run in runs if run.model == model}
            low, high = at["npu"].range.ends(seconds(at["npu"])) or (math.nan, math.nan)
            times = [ms(seconds(at[unit])) for unit in ("cpu", "gpu", "npu")]
            row(soc, model, *times, f"{ms(low)}–{ms(high)}", ms(known.get(model)))


def estimates(socs: Sequence[str], data: Path | None) -> None:
    """CPUs and GPUs, as estimated and as measured."""
    row("SoC", "unit", "network", "precision", "measured ms", "simulated ms", "ratio")
    for soc in socs:
        clusters = [pu.name for pu in load_soc(soc).pus if pu.spec.role == "cpu"]
        for unit in ("cpu", "gpu"):
            off = []
            for (network, group), one in measured(soc, unit, data).items():
                if group not in ("float", "w8a8"):
                    continue
                kept = {f"{name}.precision": {"float32": "int8"} for name in clusters}
                kept = kept if unit == "cpu" and group == "w8a8" else {}
                (run,) = simulated(soc, [one.graph], unit, kept)
                off.append(seconds(run) / one.seconds)
                row(soc, unit, network, group, ms(one.seconds), ms(seconds(run)), f"{off[-1]:.2f}")
            if len(off) > 1:
                row(soc, unit, f"{len(off)} networks", "", "", "median", f"{median(off):.2f}")


def memory(socs: Sequence[str], data: Path | None) -> None:
    """What more or less on-chip memory changes, by class; the fits' own quick simulation."""
    row("SoC", "precision", "class", "networks", "half", "twice", "all fits", "most with twice")
    for soc in socs:
        for group in ("float", "w8a8"):
            classes: dict[str, list[MeasuredNetwork]] = defaultdict(list)
            for (_, name), one in measured(soc, "npu", data).items():
                if name == group:
                    classes[one.case.kind].append(one.case)
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

    A network's range is that of two times that err apart: they do so by less, as both share the
    graph.
    """
    row("SoC", "precision", "class", "networks", "measured", "simulated", "90 % of one", "within",
        "median error")  # fmt: skip
    for soc in socs:
        found = measured(soc, "npu", data)
        for group in ("w8a8", "w8a16"):
            pairs: dict[str, list[tuple[Measured, Measured]]] = defaultdict(list)
            for (network, name), one in found.items():
                if name == group and (network, "float") in found:
                    pairs[one.case.kind].append((found[network, "float"], one))
            for kind, both in sorted(pairs.items()):
                graphs = [one.graph for _, one in both]
                wide = simulated(soc, graphs, "npu", stored("float"))
                narrow = simulated(soc, graphs, "npu", stored(group))
                true = [a.seconds / b.seconds for a, b in both]
                gain = [seconds(a) / seconds(b) for a, b in zip(wide, narrow, strict=True)]
                reach = [math.hypot(half(a), half(b)) for a, b in zip(wide, narrow, strict=True)]
                ratio = [g / t for g, t in zip(gain, true, strict=True)]
                held = sum(abs(math.log(o)) <= r for o, r in zip(ratio, reach, strict=True))
                middle, factor = geometric_mean(gain), math.exp(median(reach))
                row(soc, group, kind, len(both), f"{geometric_mean(true):.2f}", f"{middle:.2f}",
                    f"{middle / factor:.2f}–{middle * factor:.2f}", f"{held} of {len(both)}",
                    f"{median(abs(r - 1) for r in ratio):.0%}")  # fmt: skip


def half(run: Run) -> float:
    """Half the width of a run's range, as a logarithm."""
    low, high = run.range.ends(1.0) or (math.nan, math.nan)
    return math.log(high / low) / 2.0


def seconds(run: Run) -> float:
    assert run.makespan_s is not None
    return run.makespan_s


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
