"""How well the learned model stands in for simulated tiles, network by network.

    OPENBLAS_NUM_THREADS=1 python benchmarks/tile_standin.py [--socs edge-mcu] [--models a,b,c]

Every operator of the networks is simulated alone on the SoC's first NPU at tile fidelity. Whole
networks are kept aside in turn and predicted from the others: by the rooflines and by the learned
model on top of each, and by the fluid simulation as it is. ``new`` counts the kernels that no
training network has; figures are the MAPE over those of a network (all of its kernels with
``--all``), in percent. The goal of the learned model is 5 % and 100,000 predictions a second.
A SoC with all networks takes some minutes: three learned models are trained per fold.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from hetsim.calibrate.evaluate import DeviceReport
from hetsim.calibrate.standin import (
    BASES,
    base_model,
    evaluate_standin,
    measure_speed,
    new_workloads,
)
from hetsim.learn.mlp import TrainingOptions
from hetsim.learn.regressor import LearnedModel
from hetsim.library import shipped
from hetsim.runs.profile.kernels import simulate_kernels
from hetsim.soc.loader import load_soc
from hetsim.soc.npu import NPUSpec
from hetsim.workload.zoo import load_model, model_names

GOAL_MAPE, GOAL_SPEED = 0.05, 100_000
COLUMNS = (
    "fluid", "roofline", "learned on roofline", "array", "learned on array", "learned on fluid",
)  # fmt: skip


def errors(report: DeviceReport, rows: np.ndarray) -> dict[str, float]:
    """MAPE of every model over ``rows``."""
    target = report.table.target
    return {
        name: float(np.mean(np.abs(report.scores[name].predicted[rows] / target[rows] - 1)))
        for name in COLUMNS
    }


def judge(
    soc_name: str, models: list[str], folds: int, every: bool, options: TrainingOptions
) -> dict[str, object]:
    """Trains and judges on one SoC; everything that is printed, as data."""
    soc = load_soc(soc_name)
    pu = next(unit for unit in soc.pus if isinstance(unit.spec, NPUSpec))
    kernels = simulate_kernels([load_model(name) for name in models], soc, pu)
    table = kernels.table
    report = evaluate_standin(table, pu.spec.array, learned=BASES, folds=folds, options=options)
    new = new_workloads(table, report.fold_of)
    counted = np.ones(len(table), dtype=bool) if every else new
    networks = {}
    for name in models:
        own = table.families == name
        rows = own & counted
        networks[name] = {"kernels": int(own.sum()), "new": int((own & new).sum())}
        networks[name] |= errors(report, rows) if rows.any() else {}
    speeds = {}
    for base in BASES:
        model = LearnedModel.fit(table, baseline=base_model(base, pu.spec.array), options=options)
        speeds[base] = measure_speed(model, table, kernels.tile_s, kernels.fluid_s).as_dict()
    return {
        "soc": soc.name, "pu": pu.name, "kernels": len(table), "new": int(new.sum()),
        "networks": networks, "all": errors(report, np.ones(len(table), dtype=bool)),
        "all new": errors(report, new), "speed": speeds,
    }  # fmt: skip


def show(found: dict, console: Console) -> None:
    """One SoC's table and speeds."""
    table = Table(title=f"{found['pu']} of {found['soc']}: MAPE on networks kept aside, %")
    table.add_column("network")
    for heading in ("kernels", "new", *COLUMNS):
        table.add_column(heading, justify="right")
    for name, row in found["networks"].items():
        cells = [f"{100 * row[c]:.2f}" if c in row else "" for c in COLUMNS]
        table.add_row(name, str(row["kernels"]), str(row["new"]), *cells)
    table.add_section()
    for name in ("all", "all new"):
        count = found["kernels"] if name == "all" else found["new"]
        cells = [f"{100 * found[name][c]:.2f}" for c in COLUMNS]
        table.add_row(f"{name} kernels", str(count), "", *cells)
    console.print(table)
    for base, speed in found["speed"].items():
        console.print(
            f"learned on {base}: {speed['learned_per_s']:,.0f} predictions/s in batches,"
            f" {speed['ratio']:,.0f} × tile simulation ({speed['tile_per_s']:,.0f} kernels/s)",
            highlight=False,
        )


def main(arguments: list[str] | None = None) -> int:
    """Prints the tables; exit code 1 when the self-contained stand-in misses a goal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", default=",".join(model_names()))
    parser.add_argument("--socs", default=",".join(shipped("socs")))
    parser.add_argument("--folds", type=int, default=6)
    parser.add_argument("--all", action="store_true", help="rows count known kernels, too")
    parser.add_argument("--steps", type=int, default=TrainingOptions().steps, help="of training")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    console = Console(width=120)
    results, reached = [], True
    for soc in options.socs.split(","):
        training = TrainingOptions(steps=options.steps)
        found = judge(soc, options.models.split(","), options.folds, options.all, training)
        results.append(found)
        show(found, console)
        reached &= found["all new"]["learned on array"] <= GOAL_MAPE
        reached &= found["speed"]["array"]["learned_per_s"] >= GOAL_SPEED
    said = "reached" if reached else "missed"
    console.print(f"goals of the learned model on array (5 % on new kernels, 100,000/s): {said}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
