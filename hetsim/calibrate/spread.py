"""From residuals to the ``uncertainty`` of a unit, and how often its ranges hold.

A residual is ln(measured / predicted) of a kernel or of a whole network that the fit has not seen;
those of rows the fit has seen make ranges too narrow. Residuals of one *group* (a network, a family
of layers: what a user brings at once) share errors that do not average out over its kernels, so the
model is one of variance components (Searle, Casella & McCulloch, "Variance Components", 1992)::

    residual = unit[group] + sum over classes of share * class[group] + sqrt(concentration) * kernel

with independent normal terms. Their deviations maximise the likelihood of the residuals, beyond
:data:`OUTLIER` robust deviations clipped, times a wide log-normal prior around equal parts, which
decides where the rows cannot. Residuals have heavier tails than normal ones, so all deviations are
then multiplied by one number, such that :data:`LEVEL` of the residuals lie within their range, and
by what Student's t adds where few groups tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hetsim.errors import ConfigError
from hetsim.numeric import Bools, Floats, Ints
from hetsim.soc.uncertainty import DEFAULT, LEVEL, MOST, Spread

FEWEST_GROUPS = 5
"""A class that stands in fewer groups than this is told as ``default``."""

FEWEST_ROWS = 5
"""Fewer residuals than this tell nothing."""

OUTLIER = 3.0

_PRIOR = 1.0
"""Deviation of the logarithm of each component before anything is known."""

_LEAST = 0.005
"""What a common part below this is told as nothing at all."""


@dataclass(frozen=True)
class Residual:
    """ln(measured / predicted) of a row kept aside.

    ``group`` names what it shares its errors with: layers of one network or family. A whole network
    shares them with nothing; ``aside`` is what is kept aside with it when ranges are judged, as its
    family (default: the group).
    ``shares`` are those of the predicted time by class, by names that ``uncertainty`` may use for
    it; of a single kernel ``{"Conv.depthwise": 1.0}``. What is missing to 1 is the unit's alone.
    ``concentration`` is the sum of the squares of the kernels' shares: 1 for a single kernel,
    1/n for n equal ones.
    """

    log_ratio: float
    group: str
    shares: Mapping[str, float] = field(default_factory=dict)
    concentration: float = 1.0
    aside: str = ""

    @property
    def fold(self) -> str:
        """What is kept aside together."""
        return self.aside or self.group


@dataclass(frozen=True)
class EstimatedSpread:
    """What was estimated from ``rows`` residuals of ``groups`` groups.

    ``covered`` is the share of the residuals within the range at :data:`LEVEL` that rows with which
    they are not kept aside give.
    """

    spread: Spread
    rows: int
    groups: int
    covered: float

    def as_dict(self) -> dict[str, object]:
        """What stands under ``uncertainty: {default: ...}`` of a SoC file."""
        return self.spread.model_dump(exclude_defaults=True)


def estimate_spread(residuals: Sequence[Residual], folds: int = 5) -> EstimatedSpread:
    """The three parts of a unit's uncertainty; rows are kept aside ``folds`` ways.

    Raises:
        ConfigError: fewer than :data:`FEWEST_ROWS` residuals, or some that are no numbers.
    """
    if len(residuals) < FEWEST_ROWS:
        message = f"{len(residuals)} residuals tell nothing about how sure a model is"
        raise ConfigError(message, hint=f"use at least {FEWEST_ROWS} rows kept aside")
    if not np.isfinite([r.log_ratio for r in residuals]).all():
        raise ConfigError("a residual is no finite number: measured and predicted are positive")
    reach = reaches(residuals, folds)
    known = np.isfinite(reach)
    inside = np.abs([r.log_ratio for r in residuals]) <= reach
    covered = float(np.mean(inside[known])) if known.any() else float("nan")
    names = {r.group for r in residuals}
    return EstimatedSpread(_fit(residuals), len(residuals), len(names), covered)


def reaches(residuals: Sequence[Residual], folds: int = 5) -> Floats:
    """Of each row half its range at :data:`LEVEL`, from rows that it is not kept aside with.

    As a logarithm: a prediction of p seconds ranges from ``p / exp(reach)`` to ``p * exp(reach)``.
    NaN where too few other rows are left.
    """
    names = sorted({r.fold for r in residuals})
    reach = np.full(len(residuals), np.nan)
    for fold in range(min(folds, len(names))):
        aside = set(names[fold::folds])
        test = [i for i, r in enumerate(residuals) if r.fold in aside]
        train = [r for r in residuals if r.fold not in aside]
        if len(train) >= FEWEST_ROWS:
            reach[test] = reach_of([residuals[i] for i in test], _fit(train))
    return reach


def reach_of(residuals: Sequence[Residual], spread: Spread) -> Floats:
    """The same of an uncertainty that is known; the residuals themselves are not looked at."""
    rows = _Rows.of(residuals, tuple(name for name in spread.classes if name != DEFAULT))
    deviations = [spread.unit, spread.kernel, *(spread.classes.get(n, 0.0) for n in rows.classes)]
    return np.asarray(_normal_reach() * np.sqrt(rows.variances(np.array(deviations) ** 2)))


@dataclass(frozen=True)
class _Rows:
    """Residuals as arrays: ``shares`` has a column per class."""

    target: Floats
    group: Ints
    shares: Floats
    concentration: Floats
    classes: tuple[str, ...]

    @classmethod
    def of(cls, residuals: Sequence[Residual], told: Sequence[str]) -> _Rows:
        """``told`` classes have a column of their own, all others that of ``default``."""
        classes = (*told, DEFAULT)
        column = {name: i for i, name in enumerate(classes)}
        shares = np.zeros((len(residuals), len(classes)))
        for i, residual in enumerate(residuals):
            for name, share in residual.shares.items():
                shares[i, _column(name, column)] += share
        _, group = np.unique([r.group for r in residuals], return_inverse=True)
        return cls(
            np.array([r.log_ratio for r in residuals]),
            np.asarray(group, dtype=np.int64),
            shares,
            np.array([r.concentration for r in residuals]),
            classes,
        )

    def variances(self, components: Floats) -> Floats:
        """Of each residual, from those of unit, kernel and classes."""
        own = components[0] + components[1] * self.concentration
        return np.asarray(own + self.shares**2 @ components[2:])


def _column(name: str, column: Mapping[str, int]) -> int:
    """Of a class, else of its kind (``Conv`` of ``Conv.depthwise``), else of all others."""
    for key in (name, name.partition(".")[0]):
        if key in column:
            return column[key]
    return column[DEFAULT]


def _told(residuals: Sequence[Residual]) -> list[str]:
    """Classes that stand in enough groups, with enough of their time, to be told apart."""
    groups: dict[str, set[str]] = {}
    for residual in residuals:
        for name, share in residual.shares.items():
            if share >= 0.1:
                groups.setdefault(name, set()).add(residual.group)
    able = sorted(name for name, found in groups.items() if len(found) >= FEWEST_GROUPS)
    return able if len(able) > 1 else []


def _fit(residuals: Sequence[Residual]) -> Spread:
    from scipy.optimize import minimize

    rows = _Rows.of(residuals, _told(residuals))
    scale = max(float(np.median(np.abs(rows.target))) / 0.6745, 1e-3)
    clipped = np.clip(rows.target, -OUTLIER * scale, OUTLIER * scale)
    # Of one class alone nobody can tell its part from the unit's.
    used: Bools = np.asarray(rows.shares.any(axis=0)) & (len(rows.classes) > 1)
    centre = np.full(2 + len(rows.classes), np.log(scale / np.sqrt(3.0)))
    rows.shares[:, ~used] = 0.0
    blocks = _blocks(rows.group)

    def loss(logs: Floats) -> float:
        total = 0.5 * float((((logs - centre) / _PRIOR) ** 2).sum())
        components = np.exp(2.0 * logs)
        for block in blocks:  # of groups of equal size, all at once
            shares = rows.shares[block]
            own = components[1] * rows.concentration[block] + 1e-10
            covariance = components[0] + (shares * components[2:]) @ shares.swapaxes(1, 2)
            covariance = covariance + own[:, :, None] * np.eye(block.shape[1])
            factor = np.linalg.cholesky(covariance)
            scaled = np.linalg.solve(factor, clipped[block][:, :, None])
            diagonal = np.diagonal(factor, axis1=1, axis2=2)
            total += 0.5 * float((scaled**2).sum()) + float(np.log(diagonal).sum())
        return total

    bounds = [(value - 4.0, value + 3.0) for value in centre]
    found = minimize(loss, centre, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60})
    deviations = np.exp(found.x)
    reach = np.abs(rows.target) / np.sqrt(rows.variances(deviations**2))
    # As many of n residuals as a new one of the same kind needs (Vovk's conformal prediction).
    place = min(1.0, LEVEL * (len(reach) + 1) / len(reach))
    kept = len({r.fold for r in residuals})
    deviations *= float(np.quantile(reach, place)) / _normal_reach() * _few(kept)
    deviations[2:][~used] = 0.0
    rounded = (round(min(float(d), MOST), 4) if d > _LEAST else 0.0 for d in deviations)
    unit, kernel, *classes = rounded
    told = {n: d for n, d in zip(rows.classes, classes, strict=True) if d}
    if told and not used[-1]:
        told[DEFAULT] = max(told.values())  # kinds that nobody measured are no better known
    return Spread(unit=unit, classes=told, kernel=kernel or _LEAST)


def _blocks(group: Ints) -> list[Ints]:
    """Positions of the rows of each group, as arrays of groups of equal size."""
    of_size: dict[int, list[Ints]] = {}
    for number in range(int(group.max()) + 1):
        rows = np.flatnonzero(group == number)
        of_size.setdefault(len(rows), []).append(rows)
    return [np.array(listed) for listed in of_size.values()]


def _few(groups: int) -> float:
    """How much wider a range is for being estimated from few groups: Student's t over the normal.

    Rows of a group are near copies, so that groups count, and not rows.
    """
    from scipy.special import stdtrit

    return float(stdtrit(max(groups - 1, 1), 0.5 + LEVEL / 2.0)) / _normal_reach()


def _normal_reach() -> float:
    """Deviations to either side within which :data:`LEVEL` of normal values lie."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + LEVEL / 2.0))
