"""How well a learned model stands in for simulated tiles, on networks it has not seen.

The table is one of :mod:`hetsim.runs.profile.kernels`; its families are networks, and whole
networks are kept aside. The learned model is judged on top of a physical one, its *base*:

* ``array``: the roofline of the described array (:mod:`hetsim.learn.physical.arrays`);
* ``roofline``: one rate, one bandwidth, one overhead, nothing known of the NPU;
* ``fluid``: hetsim's own fluid simulation of the same kernel, which has to be run first.

Beside it stand the bases by themselves, so that what was learned can be told from what was known.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from hetsim.calibrate.errors import ErrorMetrics
from hetsim.calibrate.evaluate import DeviceReport, score_model
from hetsim.calibrate.folds import assign_folds
from hetsim.learn.mlp import TrainingOptions
from hetsim.learn.physical.arrays import ArrayBaseline
from hetsim.learn.physical.base import Baseline
from hetsim.learn.physical.choose import RooflineBaseline
from hetsim.learn.physical.given import FLOOR, PHYSICAL, GivenBaseline
from hetsim.learn.regressor import LearnedModel
from hetsim.learn.tables.table import Measurements
from hetsim.numeric import Bools, Floats, Ints
from hetsim.progress import Progress
from hetsim.soc.arrays import MatrixArray

BASES = ("array", "roofline", "fluid")
BATCH = 50_000
"""Rows predicted at once when speed is measured."""


def base_model(name: str, array: MatrixArray) -> Baseline:
    """The physical model called ``name``, one of :data:`BASES`."""
    return {
        "array": ArrayBaseline(array),
        "roofline": RooflineBaseline(),
        "fluid": GivenBaseline(),
    }[name]


@dataclass(frozen=True)
class Speed:
    """How fast the stand-in is here and now, on one core; not part of any comparison of results.

    ``tile_per_s`` and ``fluid_per_s`` are kernels simulated per processor second, lowering not
    included; ``learned_per_s`` predictions per processor second in batches of :data:`BATCH`,
    descriptors and physical model included (with the base ``fluid`` also its simulation).
    """

    tile_per_s: float
    fluid_per_s: float
    learned_per_s: float

    @property
    def ratio(self) -> float:
        """How many times faster than simulating tiles."""
        return self.learned_per_s / self.tile_per_s

    def as_dict(self) -> dict[str, float]:
        """Plain data."""
        return {**asdict(self), "ratio": self.ratio}


def evaluate_standin(
    table: Measurements,
    array: MatrixArray,
    *,
    learned: Sequence[str] = (),
    folds: int = 5,
    seed: int = 0,
    options: TrainingOptions | None = None,
    progress: Progress | None = None,
) -> DeviceReport:
    """Cross-validates the bases, and a learned model on top of each in ``learned``, by network.

    Networks share layers, so the notes tell the errors on layers that no training network has.

    Raises:
        ConfigError: fewer than two networks.
    """
    fold_of = assign_folds(table, "family", folds, seed)
    count = int(fold_of.max()) + 1
    names = ["roofline", "array", *(_label(base) for base in learned)]
    predicted = {name: np.zeros(len(table)) for name in names}
    fallback = dict.fromkeys(names, 0)
    for fold in range(count):
        if progress:
            progress(f"{table.devices[0]}: fold {fold + 1} of {count}", fold, count)
        test = fold_of == fold
        train, aside = table.select(~test), table.select(test)
        for base in ("roofline", "array"):
            predicted[base][test] = base_model(base, array).fit(train).predict(aside)
        for base in learned:
            model = LearnedModel.fit(
                train, seed=seed, baseline=base_model(base, array), options=options
            )
            answer = model.predict(aside)
            predicted[_label(base)][test] = answer.value
            fallback[_label(base)] += int((~answer.valid).sum())
    predicted = {"fluid": GivenBaseline().fit(table).predict(table), **predicted}
    scores = {
        name: score_model(name, values, table, fold_of, fallback.get(name, 0))
        for name, values in predicted.items()
    }
    return DeviceReport(
        table.devices[0], table.form, table.unit, "family", seed, table, fold_of, scores,
        tuple(_notes(table, predicted, new_workloads(table, fold_of), fallback)),
    )  # fmt: skip


def measure_speed(model: LearnedModel, table: Measurements, tile_s: float, fluid_s: float) -> Speed:
    """Times ``model`` on rows of ``table``; the others are seconds spent simulating all its rows.

    A model on top of given predictions is charged for making them.
    """
    batch = table.select(np.arange(BATCH) % len(table))
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        model.predict(batch)
        best = min(best, time.process_time() - begun)
    each = max(best, 1e-9) / BATCH
    fluid_each = max(fluid_s, 1e-9) / len(table)
    if not model.physical.parameters():
        each += fluid_each
    return Speed(len(table) / max(tile_s, 1e-9), 1.0 / fluid_each, 1.0 / each)


def _label(base: str) -> str:
    return f"learned on {base}"


def new_workloads(table: Measurements, fold_of: Ints) -> Bools:
    """Which rows compute what no row of another fold computes."""
    names = sorted(set(table.columns) - {PHYSICAL, FLOOR, "device"})
    columns = [table[name].tolist() for name in names]
    folds: dict[tuple[object, ...], set[int]] = {}
    rows = list(zip(*columns, strict=True))
    for row, fold in zip(rows, fold_of.tolist(), strict=True):
        folds.setdefault(row, set()).add(fold)
    return np.array([len(folds[row]) == 1 for row in rows])


def _notes(
    table: Measurements,
    predicted: dict[str, Floats],
    new: Bools,
    fallback: dict[str, int],
) -> list[str]:
    notes = []
    if new.any():
        said = ", ".join(
            f"{name} {ErrorMetrics.of(values[new], table.target[new]).mape:.2%}"
            for name, values in predicted.items()
        )
        notes.append(
            f"{int(new.sum())} of {len(table)} rows kept aside are layers that no network they"
            f" were predicted from has; MAPE on these: {said}"
        )
    notes += [
        f"{rows} of {len(table)} rows kept aside were outside the range of {name} and were"
        " predicted by its base"
        for name, rows in fallback.items()
        if rows
    ]
    return notes
