"""Fluid beside tile fidelity: every shipped network on every shipped SoC.

    python benchmarks/fidelity.py [--models squeezenet,googlenet] [--socs edge-mcu] [--json FILE]

Prints the makespan of the ``npu_only`` plan at both fidelities and by how much they differ. All
networks on all SoCs take some minutes: a tile is an event or three, and there are millions.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hetsim.errors import HetsimError
from hetsim.library import shipped
from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.soc.loader import load_soc
from hetsim.workload.zoo import load_model, model_names

TOLERANCE = 0.02
"""The stated tolerance between the two, as a share of the makespan."""


def compare(model: str, soc: str) -> dict[str, float | str]:
    """Both makespans in seconds, their relative difference, and how long each simulation took."""
    graph, machine = load_model(model), load_soc(soc)
    fluid = Case(graph, machine)
    try:
        fluid.check()
    except HetsimError as error:
        return {"skipped": error.message}
    plan = fluid.plan(create("npu_only", {}))
    seconds: dict[str, float] = {}
    found: dict[str, float] = {}
    for case in (fluid, Case(graph, machine, fidelity="tile")):
        begun = time.process_time()
        found[case.fidelity] = case.simulate(plan, trace=False).makespan_s
        seconds[case.fidelity] = time.process_time() - begun
    return {
        "fluid_s": found["fluid"],
        "tile_s": found["tile"],
        "difference": found["tile"] / found["fluid"] - 1.0,
        "speed_up": seconds["tile"] / max(seconds["fluid"], 1e-9),
    }


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; exit code 1 when a pair differs by more than the tolerance."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", default=",".join(model_names()))
    able = [n for n in shipped("socs") if any(pu.spec.matrix_array for pu in load_soc(n).pus)]
    parser.add_argument("--socs", default=",".join(able), help="by default all with an NPU")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    table = Table(title="fluid beside tile fidelity, npu_only plans")
    for column in ("network", "SoC", "fluid ms", "tile ms", "difference", "tile / fluid cost"):
        table.add_column(column, justify="left" if column in ("network", "SoC") else "right")
    rows, worst = [], 0.0
    for model in options.models.split(","):
        for soc in options.socs.split(","):
            row = compare(model, soc)
            rows.append({"model": model, "soc": soc, **row})
            if "skipped" in row:
                table.add_row(model, soc, "does not fit", "", "", "")
                continue
            difference = float(row["difference"])
            worst = max(worst, abs(difference))
            table.add_row(
                model,
                soc,
                f"{float(row['fluid_s']) * 1e3:.3f}",
                f"{float(row['tile_s']) * 1e3:.3f}",
                f"{difference:+.2%}",
                f"{float(row['speed_up']):.0f}×",
            )
    console = Console(width=100)
    console.print(table)
    console.print(f"largest difference {worst:.2%}, tolerance {TOLERANCE:.0%}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
