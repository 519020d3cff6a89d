"""Qualcomm's SoC files, fitted again: ``python benchmarks/atlas.py TABLE GRAPHS [SOC ...]``.

TABLE is the whole ``measured_networks.csv`` and GRAPHS the directory of its graphs; neither is
part of hetsim. What was fitted in a SoC file is replaced by :func:`prior`, which has seen no row of
the table but for the round guesses of :data:`GUESSES`, chosen with all of it known. From there the
file is fitted, and written over the shipped one: numbers, ``calibrated``, ``uncertainty``.
``--check`` writes nothing and exits with 1 where a shipped file is another; ``--alone`` keeps each
network aside by itself, its relatives in the fit, and writes nothing; ``--prior DIR`` writes the
priors alone, for ``hetsim calibrate``.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hetsim.calibrate.networks.assess import assess
from hetsim.calibrate.networks.cases import make_cases
from hetsim.calibrate.networks.fitted import save_fitted_soc
from hetsim.calibrate.networks.graphs import GraphLibrary
from hetsim.calibrate.networks.judge import score
from hetsim.calibrate.networks.simulated import SimulatedModel
from hetsim.calibrate.networks.table import read_networks
from hetsim.calibrate.socfile import write_calibrated_soc
from hetsim.infiles import read_text
from hetsim.library import find
from hetsim.soc.loader import load_soc, read_soc
from hetsim.validate.checks.networks import RUNTIMES
from hetsim.yamlio import Keys

DEVICES = {
    "snapdragon-8-elite": ("Samsung Galaxy S25", 24.0),
    "snapdragon-8-gen-3": ("Samsung Galaxy S24", 22.5),
    "qcs8550": ("QCS8550 (Proxy)", 16.0),
    "qcs8450": ("QCS8450 (Proxy)", 12.0),
    "snapdragon-x-elite": ("Snapdragon X Elite CRD", 22.5),
    "snapdragon-x2-elite": ("Snapdragon X2 Elite CRD", 40.0),
    "sa8775p": ("SA8775P ADP", 18.0),
    "qcs9075": ("Dragonwing IQ-9075 EVK", 25.0),
    "qcs8275": ("QCS8275 (Proxy)", 10.0),
    "snapdragon-7-gen-4": ("Snapdragon 7 Gen 4 QRD", 10.0),
    "qcm6690": ("Dragonwing Q-6690 MTP", 3.0),
}
"""The table's device of each SoC, and what its NPU is taken to make before anything is fitted, in
10^12 int8 multiply-accumulates a second: of the two X Elites half of the 45 and 80 TOPS that their
maker publishes, of the others a guess. (100 TOPS of a QCS9075 and 40 of a QCS8275 count what is
not there in sparse weights.)"""

GUESSES: Mapping[str, Any] = {
    "efficiency": {
        "default": 0.4, "Conv": 0.4, "Conv.pointwise": 0.4, "Conv.stem": 0.3,
        "Conv.depthwise": 0.015, "Conv.grouped": 0.15, "MatMul": 0.3,
    },
    "attention": 0.1,
    "volume": 0.4,
    "passes": {
        "default": 1, "Softmax": 5, "LayerNormalization": 2.5, "Gelu": 1, "MaxPool": 1,
        "AveragePool": 1, "GlobalAveragePool": 1, "Resize": 2, "Transpose": 1, "Concat": 0.5,
        "Slice": 0.5,
    },
    "tail": 0.2,
}  # fmt: skip
"""Of every data type of every chip."""

RATES = {"float16": (0.25, 100, 100, 0.8, 2.0), "int8": (1.0, 40, 20, 1.0, 0.7),
         "int16": (0.7, 30, 15, 1.0, 2.0)}  # fmt: skip
"""Of the int8 rate; elements per ns; the same where memory is slower than :data:`SLOW`; of the
bandwidth; us of a kernel."""

SLOW = 30e9
"""B/s of memory up to which a chip is taken to have half as many vector lanes."""

SHARE = 0.7
"""Of the memory's peak that the NPU is taken to reach."""


def prior(name: str) -> dict[Keys, Any]:
    """What is put in place of fitted numbers, by its place in the SoC file."""
    soc = load_soc(name)
    memory = soc.spec.memory["dram"].bandwidth
    found: dict[Keys, Any] = {("pus", "npu", "rpc"): "100 us"}
    for dtype in soc.by_name["npu"].spec.dtypes:
        rate, lanes, few, share, kernel = RATES[dtype]
        found["pus", "npu", "dtypes", dtype] = {
            "macs_per_cycle": float(round(DEVICES[name][1] * 1000 * rate, -2)),
            "elements_per_cycle": lanes if memory > SLOW else few,
            **GUESSES,
            "bandwidth": f"{round(memory / 1e9 * SHARE * share)} GB/s",
            "kernel": f"{kernel} us",
        }
    return found


def unfitted(text: str) -> str:
    """A SoC file without what was told of its fit: the header's first lines, errors, ranges."""
    lines = [line for line in text.splitlines() if not line.startswith(HEADER)]
    kept: list[str] = []
    dropped: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        inside = indent > (dropped or 0) or (dropped == 0 and line.startswith("-"))
        if dropped is not None and inside:
            continue
        dropped = indent if re.match(r"\s*(uncertainty|calibrated):", line) else None
        if dropped is None:
            kept.append(line)
    return "\n".join(kept) + "\n"


HEADER = ("# Calibrated by hetsim", "# measured_networks.csv on")
"""How the lines begin that a calibrated SoC file has in front."""


def write_prior(name: str, directory: Path) -> Path:
    """The SoC file that the fit starts from."""
    file = directory / f"{name}.yaml"
    file.write_text(unfitted(read_text(find("socs", name))), encoding="utf-8")
    write_calibrated_soc(file, file, prior(name), header="", mark="prior", force=True)
    return file


def main() -> int:
    parser = argparse.ArgumentParser(description="Fits the SoC files of Qualcomm's chips.")
    parser.add_argument("table", type=Path)
    parser.add_argument("graphs", type=Path)
    parser.add_argument("socs", nargs="*", default=list(DEVICES))
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--alone", action="store_true", help="keep networks aside one by one")
    parser.add_argument("--prior", type=Path, metavar="DIR")
    asked = parser.parse_args()
    if asked.prior:
        asked.prior.mkdir(parents=True, exist_ok=True)
        for name in asked.socs:
            print(write_prior(name, asked.prior))
        return 0
    rows = read_networks(asked.table)
    cases = make_cases(rows, GraphLibrary(str(asked.graphs))).of_runtimes(RUNTIMES)
    if asked.alone:
        cases = cases.by_network()
    other = 0
    off: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as scratch:
        for name in asked.socs:
            device, shipped = DEVICES[name][0], find("socs", name)
            model = SimulatedModel(read_soc(write_prior(name, Path(scratch))), "npu")
            found = assess(rows, cases, [model], [], device=device)
            own = [case for case in found.used if case.device == device]
            fitted = model.fit(own, [case for case in found.used if case.device != device])
            made = Path(scratch) / "made.yaml"
            save_fitted_soc(
                fitted, found.known, made, table=asked.table, device=device, force=True,
                by=f"python benchmarks/atlas.py measured_networks.csv GRAPHS {name}",
            )  # fmt: skip
            for group, part in found.known.groups(lambda case: case.precision.group).items():
                told = score(part, model.name)
                errors = f"{told.median:.1%} median, {told.p90:.0%} p90, rank {told.rank:.2f}"
                print(f"{name} {group}: {told.rows} rows, {errors}", flush=True)
                measured = np.array([case.seconds for case in part.cases])
                off[group] += (part.predicted[model.name] / measured - 1.0).tolist()
            if asked.alone:
                continue
            if made.read_text(encoding="utf-8") == shipped.read_text(encoding="utf-8"):
                continue
            other += 1
            print(f"{name}: {'the shipped file is another' if asked.check else 'written'}")
            if not asked.check:
                shipped.write_text(made.read_text(encoding="utf-8"), encoding="utf-8")
    for group, signed in off.items():
        error = np.abs(np.array(signed)[np.isfinite(signed)])
        median, p90 = np.quantile(error, (0.5, 0.9))
        print(f"all {group}: {len(error)} rows, {median:.1%} median, {p90:.0%} p90")
    return int(asked.check and other > 0)


if __name__ == "__main__":
    sys.exit(main())
