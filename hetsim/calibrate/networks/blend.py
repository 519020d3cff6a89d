"""A new device as a blend of devices that were measured and of plain work.

Seconds = sum over other devices of weight * (their time of this network, times the new device's
factor) + sum over plain work (multiply-accumulates, elements, weights, activations, operators, one)
of rate * work, weights and rates not below zero. All multiply-accumulates have one rate: a class of
operators that few of the measured networks have would be told from one of them.
A device with slow memory is so far between two others, or one of them and some bytes more. The
prior is the log-additive table (equal weights, no rates); the measured networks move it as far as
they outweigh it (ridge regression of relative errors, iteratively reweighted towards absolute
ones), first all precisions together, then each that has :data:`FEWEST` rows from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hetsim.calibrate.networks.agreement import job_of
from hetsim.calibrate.networks.careless import CarelessModel
from hetsim.calibrate.networks.cases import MeasuredNetwork
from hetsim.calibrate.networks.logadditive import LogAdditiveFit, LogAdditiveModel
from hetsim.numeric import Floats

FEWEST = 8
"""Rows of a precision that gets weights of its own."""

RIDGE, RIDGE_OF_PRECISION = 1.0, 3.0
"""What the prior counts, in rows that are wholly wrong: of all precisions together, and of each."""

RIDGE_OF_WORK = 16.0
"""How much more it counts against plain work, which explains less than another device does."""

_ROUNDS = 20
_LEAST = 0.05
"""Relative errors below this weigh alike."""


class BlendModel:
    """Other devices and plain work, weighted."""

    name = "blend"

    def __init__(self, work: CarelessModel) -> None:
        """``work`` counts what a graph asks for."""
        self._work = work

    def fit(
        self, cases: Sequence[MeasuredNetwork], others: Sequence[MeasuredNetwork] = ()
    ) -> BlendFit:
        """Fits to ``cases`` whose networks are among ``others``.

        Raises:
            ConfigError: no measurement of other devices, or none of a common network.
        """
        base = LogAdditiveModel().fit(cases, others)
        columns = _Columns(base, others)
        seconds = np.array([case.seconds for case in cases])
        times, work = columns.of(cases), plain_work(self._work, cases)
        known = np.isfinite(times).all(axis=1)
        times, work, seconds = times[known], work[known], seconds[known]
        # Each kind of work is scaled to take all of a typical network's time by itself.
        share = np.where(work > 0, work / times.mean(axis=1)[:, None], np.nan)
        typical = np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else np.inf
                            for c in share.T])  # fmt: skip
        scale = 1 / typical
        asked = np.hstack([times, work * scale]) / seconds[:, None]
        here = times.shape[1]
        prior = np.concatenate([np.full(here, 1 / here), np.zeros(len(scale))])
        stiff = np.concatenate([np.ones(here), np.full(len(scale), RIDGE_OF_WORK)])
        overall = _solve(asked, prior, RIDGE * stiff)
        groups = np.array([case.precision.group for case in cases])[known]
        weights = {
            str(group): _solve(asked[groups == group], overall, RIDGE_OF_PRECISION * stiff)
            for group in np.unique(groups)
            if (groups == group).sum() >= FEWEST
        }
        return BlendFit(columns, self._work, scale, overall, weights)


class _Columns:
    """Times of networks on other devices, brought to the new device's by its factor."""

    def __init__(self, base: LogAdditiveFit, others: Sequence[MeasuredNetwork]) -> None:
        self._base = base
        self._devices = sorted({case.device for case in others})
        at = {name: i for i, name in enumerate(self._devices)}
        jobs: dict[tuple[str, ...], dict[int, list[float]]] = {}
        near: dict[tuple[str, ...], dict[int, list[float]]] = {}
        for case in others:
            column, relative = at[case.device], np.log(case.seconds) - base.devices[case.row.device]
            for known, key in ((jobs, job_of(case.row)), (near, case.job)):
                known.setdefault(key, {}).setdefault(column, []).append(float(relative))
        self._known = (near, jobs)  # the same runtime overrides another one

    def of(self, cases: Sequence[MeasuredNetwork]) -> Floats:
        """Seconds, a row per case and a column per device; NaN where nobody measured it.

        A device that did not run the network stands there with what the others did.
        """
        typical = self._base.effects_of(cases)
        found = np.repeat(typical[:, None], len(self._devices), axis=1)
        near, jobs = self._known
        for i, case in enumerate(cases):
            times = near.get(case.job, {}) | jobs.get(job_of(case.row), {})
            for column, values in times.items():
                found[i, column] = np.median(values)
        return np.asarray(np.exp(found + self._base.factors_of(cases)[:, None]))


@dataclass(frozen=True)
class BlendFit:
    """Weights of devices, then of work in units of ``1 / scale``; by precision, or overall."""

    columns: _Columns
    work: CarelessModel
    scale: Floats
    overall: Floats
    weights: dict[str, Floats]

    def predict(self, cases: Sequence[MeasuredNetwork]) -> Floats:
        """Seconds of each case; NaN where no other device ran its network."""
        asked = np.hstack([self.columns.of(cases), plain_work(self.work, cases) * self.scale])
        weights = [self.weights.get(case.precision.group, self.overall) for case in cases]
        return np.asarray((asked * np.array(weights)).sum(axis=1), dtype=np.float64)


def plain_work(work: CarelessModel, cases: Sequence[MeasuredNetwork]) -> Floats:
    """A row per case: multiply-accumulates, elements computed and moved, and so on."""
    counts = work.counts(cases)
    macs, elements = counts[:, :4].sum(axis=1), counts[:, 4:6].sum(axis=1)
    return np.column_stack([macs, elements, counts[:, 6:]])


def _solve(asked: Floats, prior: Floats, ridge: Floats) -> Floats:
    """Weights of columns of relative times, such that rows sum to about one."""
    from scipy.optimize import nnls

    found, weights = prior, np.ones(len(asked))
    pull = np.sqrt(ridge)
    for _ in range(_ROUNDS):
        rows = np.vstack([asked * weights[:, None], np.diag(pull)])
        found = nnls(rows, np.concatenate([weights, pull * prior]))[0]
        ratio = np.maximum(asked @ found, _LEAST)
        error = np.abs(ratio - 1) / np.sqrt(ratio)
        weights = 1 / np.sqrt(np.maximum(error, _LEAST) * ratio)
    return np.asarray(found, dtype=np.float64)
