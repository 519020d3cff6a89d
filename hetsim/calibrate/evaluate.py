"""Errors on rows kept aside: out-of-fold predictions of every model, fold by fold.

Each fold is predicted by models that saw only the other folds; the physical parameters under
a learned correction are fitted there too. Nothing is chosen by looking at a fold's own rows:
tile sizes are chosen by the training loss, early stopping by families of the training rows, and
all else is fixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hetsim.calibrate.errors import ErrorMetrics, top1_regret
from hetsim.calibrate.folds import Split, assign_folds
from hetsim.calibrate.residuals import coverage_note, spread_of_rows
from hetsim.calibrate.spread import EstimatedSpread
from hetsim.learn.mlp import TrainingOptions
from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.physical.choose import RooflineBaseline, baseline_for
from hetsim.learn.regressor import LearnedModel
from hetsim.learn.tables.forms import NPU, SCHEDULE_COLUMNS, TRANSFER
from hetsim.learn.tables.table import Column, Measurements
from hetsim.numeric import Floats, Ints
from hetsim.progress import Progress

LARGE_TRANSFER = 4096
"""Bytes from which transfers are also reported by themselves."""

UNCALIBRATED, ROOFLINE, CALIBRATED, LEARNED = "uncalibrated", "roofline", "calibrated", "learned"


@dataclass(frozen=True)
class ModelScore:
    """How one model did on the rows kept aside.

    ``folds`` are the metrics of each fold, ``overall`` those of all rows together. ``predicted``
    holds the out-of-fold predictions in the table's order; ``fallback`` counts rows that were
    out of the learned model's range and got the physical prediction; ``regret`` is
    :func:`top1_regret` where the table has alternatives.
    """

    model: str
    overall: ErrorMetrics
    folds: tuple[ErrorMetrics, ...]
    predicted: Floats
    fallback: int = 0
    regret: float | None = None


@dataclass(frozen=True)
class DeviceReport:
    """All models on one device's rows, split one way; ``spreads`` are their uncertainties."""

    device: str
    form: str
    unit: str
    split: Split
    seed: int
    table: Measurements
    fold_of: Ints
    scores: Mapping[str, ModelScore]
    notes: tuple[str, ...] = field(default=())
    spreads: Mapping[str, EstimatedSpread] = field(default_factory=dict)

    def worst(self, model: str, count: int = 10) -> list[tuple[int, float]]:
        """The rows with the largest absolute error of ``model``: position and signed error."""
        signed = self.scores[model].predicted / self.table.target - 1.0
        order = np.argsort(-np.abs(signed), kind="stable")[:count]
        return [(int(row), float(signed[row])) for row in order]


def evaluate(
    table: Measurements,
    *,
    split: Split = "family",
    folds: int = 5,
    seed: int = 0,
    learned: bool = True,
    baseline: Baseline | None = None,
    uncalibrated: Fitted | None = None,
    options: TrainingOptions | None = None,
    progress: Progress | None = None,
) -> DeviceReport:
    """Cross-validates every model on ``table`` (the rows of one device).

    ``uncalibrated`` (a SoC's stated parameters) is scored as it is. ``baseline`` defaults to the
    physical model of the table's form; ``options`` train the networks.

    Raises:
        ConfigError: the rows cannot be split that way.
    """
    fold_of = assign_folds(table, split, folds, seed)
    count = int(fold_of.max()) + 1
    physical = baseline or baseline_for(table)
    names = [ROOFLINE, CALIBRATED, *([LEARNED] if learned else [])]
    predicted = {name: np.zeros(len(table)) for name in names}
    fallback = 0
    for fold in range(count):
        if progress:
            progress(f"{table.devices[0]}: fold {fold + 1} of {count}", fold, count)
        test = fold_of == fold
        train, aside = table.select(~test), table.select(test)
        predicted[ROOFLINE][test] = RooflineBaseline().fit(train).predict(aside)
        if learned:
            model = LearnedModel.fit(train, seed=seed, baseline=physical, options=options)
            answer = model.predict(aside)
            predicted[LEARNED][test] = answer.value
            predicted[CALIBRATED][test] = answer.physical
            fallback += int((~answer.valid).sum())
        else:
            predicted[CALIBRATED][test] = physical.fit(train).predict(aside)
    if uncalibrated is not None:
        predicted = {UNCALIBRATED: uncalibrated.predict(table), **predicted}
    scores = {
        name: score_model(name, values, table, fold_of, fallback if name == LEARNED else 0)
        for name, values in predicted.items()
    }
    spreads = {
        name: spread_of_rows(table, predicted[name], split) for name in names if name != ROOFLINE
    }
    notes = [coverage_note(name, found) for name, found in spreads.items() if found]
    if fallback:
        notes.append(
            f"{fallback} of {len(table)} rows kept aside were outside the learned model's range"
            " and were predicted by the calibrated one"
        )
    if table.form == TRANSFER.name:
        notes += _large_transfers(table, scores)
    return DeviceReport(
        table.devices[0], table.form, table.unit, split, seed, table, fold_of, scores,
        tuple(notes), {name: found for name, found in spreads.items() if found},
    )  # fmt: skip


def _large_transfers(table: Measurements, scores: Mapping[str, ModelScore]) -> list[str]:
    """The errors where bandwidth matters: start-up noise dominates short transfers."""
    large = table.number("bytes") >= LARGE_TRANSFER
    if not large.any():
        return []
    said = ", ".join(
        f"{name} {ErrorMetrics.of(score.predicted[large], table.target[large]).mape:.1%}"
        for name, score in scores.items()
    )
    return [f"MAPE of the {int(large.sum())} transfers of 4 KiB and more: {said}"]


def score_model(
    name: str, predicted: Floats, table: Measurements, fold_of: Ints, fallback: int
) -> ModelScore:
    """The score of one model's out-of-fold predictions."""
    by_fold = tuple(
        ErrorMetrics.of(predicted[fold_of == fold], table.target[fold_of == fold])
        for fold in range(int(fold_of.max()) + 1)
    )
    regret = top1_regret(predicted, table.target, job_names(table))
    overall = ErrorMetrics.of(predicted, table.target)
    return ModelScore(name, overall, by_fold, predicted, fallback, regret)


def job_names(table: Measurements) -> Column:
    """What each row computes, whichever way it is scheduled; equal names are alternatives."""
    if table.form != NPU.name:
        return np.array([str(line) for line in table.lines])
    same = [
        name
        for name in table.columns
        if name not in SCHEDULE_COLUMNS and name not in NPU.ignored_in_key
    ]
    columns: Sequence[Column] = [table[name] for name in same]
    return np.array(["|".join(str(v) for v in row) for row in zip(*columns, strict=True)])
