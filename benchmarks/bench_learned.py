"""How many predictions a second the learned cost model makes, batched, on one core.

Run with: OPENBLAS_NUM_THREADS=1 python benchmarks/bench_learned.py [MEASUREMENTS.csv]. Without
a file a synthetic device of 200 convolutions is learned. The goal is 100,000 a second.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from hetsim.learn.mlp import TrainingOptions
from hetsim.learn.regressor import LearnedModel
from hetsim.learn.tables.forms import CONVOLUTION
from hetsim.learn.tables.reader import read_measurements
from hetsim.learn.tables.table import Measurements

BATCH = 100_000
ROUNDS = 5
GOAL = 100_000


def synthetic(rows: int = 200) -> Measurements:
    """A made-up device: a rate, a bandwidth and a quirk of channel counts."""
    rng = np.random.default_rng(0)
    extent = rng.choice([7, 14, 28, 56], rows)
    c_in, c_out = rng.choice([16, 64, 128, 256], (2, rows))
    kernel = rng.choice([1, 3], rows)
    one = np.ones(rows, dtype=np.int64)
    macs = c_in * c_out * kernel**2 * extent**2
    columns = {
        "device": np.array(["synthetic"] * rows), "op": np.array(["Conv"] * rows),
        "dtype": np.array(["float32"] * rows), "n": one, "c_in": c_in, "h_in": extent,
        "w_in": extent, "c_out": c_out, "k_h": kernel, "k_w": kernel, "stride_h": one,
        "stride_w": one, "pad_top": kernel // 2, "dilation_h": one, "dilation_w": one,
        "groups": one, "macs": macs, "out_h": extent, "out_w": extent,
    }  # fmt: skip
    seconds = macs / 8e9 * (1 + 20 / c_out) * np.exp(0.03 * rng.normal(size=rows)) + 5e-6
    names = np.array([f"{h} k{k}" for h, k in zip(extent, kernel, strict=True)])
    lines = np.arange(rows)
    return Measurements(
        CONVOLUTION.name, "synthetic", "seconds", columns, seconds, names, names, lines
    )


def main() -> None:
    if len(sys.argv) > 1:
        table = read_measurements(Path(sys.argv[1]))
        table = table.of_device(table.devices[0])
    else:
        table = synthetic()
    model = LearnedModel.fit(table, options=TrainingOptions(epochs=50))
    batch = table.select(np.random.default_rng(1).integers(0, len(table), BATCH))
    model.predict(batch)
    wall, cpu = [], []
    for _ in range(ROUNDS):
        started, used = time.perf_counter(), time.process_time()
        model.predict(batch)
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
    one = table.select(np.array([0]))
    started = time.perf_counter()
    for _ in range(50):
        model.predict(one)
    single = (time.perf_counter() - started) / 50
    shown = Table(title="Learned cost model")
    for heading in ("what", "value", "goal"):
        shown.add_column(heading, justify="left" if heading == "what" else "right")
    shown.add_row("rows learned from", str(len(table)), "")
    shown.add_row("predictions/s, best of 5", f"{BATCH / min(wall):,.0f}", f"{GOAL:,}")
    shown.add_row("predictions per CPU second", f"{BATCH / min(cpu):,.0f}", "")
    shown.add_row("one prediction, not cached", f"{1e3 * single:.2f} ms", "")
    Console().print(shown)


if __name__ == "__main__":
    main()
