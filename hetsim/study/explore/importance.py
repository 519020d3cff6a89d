"""What decides a measure over the range that was explored: each parameter's share, and its effect.

A complete grid is divided exactly. Otherwise a surrogate stands in for the designs that nobody
tried; its R2 on designs held out says how well, and below :data:`LEAST_R2` nothing is told.
All values of a parameter count alike, so the shares are those of the range and not of where the
search has been. Times, energies and other physical quantities are divided as logarithms: what
doubles a time counts the same wherever it does so, and the few slowest designs do not own the
variance. Sums (area, cost) and counts are divided as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hetsim.learn.anova import ProductSum
from hetsim.learn.surrogate import FEWEST_ROWS, Input, Surrogate, held_out
from hetsim.numeric import Floats
from hetsim.study.axes import Axis
from hetsim.study.explore.space import Scale, scale_of

LEAST_R2 = 0.8
"""Below this a surrogate is not believed: a fifth of the variance would be of its own making."""

MOST_ROWS = 400
"""Designs that a surrogate learns from at most; the work grows with their cube."""

MOST_CELLS = 4096
"""A larger grid is not divided exactly; the work grows with the square of its cells."""

_DIGITS = 6
"""Linear algebra rounds as its threads divide the work; nobody needs what lies beyond."""

NOTICED = 0.05
"""Two parameters that explain less than this share of the variance together are not named."""


@dataclass(frozen=True)
class Pair:
    """What two parameters decide together only; ``means`` are [value of first][value of second]."""

    paths: tuple[str, str]
    share: float
    means: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Importance:
    """What decides one measure.

    Shares of the variance by path, ``effect`` the largest first: it sums to one, ``alone`` leaves
    out interactions, ``total`` counts each in full (:class:`hetsim.learn.anova.Shares`). ``values``
    are the values of each parameter and ``means`` the measure there, averaged over all others
    (geometric means where ``log``); values that no design which ran is near to are left out.
    ``r2`` is ``None`` when every design is known. When nothing can be told, ``reason`` says why;
    ``missing`` designs more may be enough, ``None`` if unknown.
    """

    designs: int
    log: bool = False
    r2: float | None = None
    effect: Mapping[str, float] = field(default_factory=dict)
    alone: Mapping[str, float] = field(default_factory=dict)
    total: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    means: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    reason: str = ""
    missing: int | None = None


def importance(
    axes: Sequence[Axis], rows: Iterable[tuple[Mapping[str, object], float]], *, physical: bool
) -> Importance:
    """What decides a measure over the values of ``axes``; the order of ``rows`` is nothing.

    ``rows`` are designs that ran and the measure of each. ``physical`` quantities are divided as
    logarithms, if all are above zero.
    """
    scales = [scale_of(axis) for axis in axes]
    known = {tuple(s.position(values[s.path]) for s in scales): found for values, found in rows}
    at = np.array(sorted(known))
    target = np.array([known[tuple(row)] for row in at])
    log = physical and bool((target > 0.0).all())
    if len(target) == 0 or np.ptp(target) <= 1e-9 * np.abs(target).max():
        same = "every design has the same" if len(target) else "no design ran"
        return Importance(len(target), log, reason=same)
    target = np.log(target) if log else target
    designs = math.prod(len(s.nodes) for s in scales) if all(s.finite for s in scales) else math.inf
    scales = [scale.among(at[:, i]) for i, scale in enumerate(scales)]
    sizes = [len(scale.nodes) for scale in scales]
    grid = all(scale.finite for scale in scales) and len(target) == math.prod(sizes)
    if grid and len(target) <= MOST_CELLS:
        cells = np.stack([np.searchsorted(s.nodes, at[:, i]) for i, s in enumerate(scales)], axis=1)
        return _told(ProductSum.of_grid(cells, sizes, target), scales, len(target), log, None)
    if len(target) < FEWEST_ROWS:
        return Importance(
            len(target), log, reason=f"{len(target)} designs are too few to tell",
            missing=int(min(FEWEST_ROWS, designs)) - len(target) or None,
        )  # fmt: skip
    if len(target) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(0).permutation(len(target))[:MOST_ROWS])
        at, target = at[rows], target[rows]
    inputs = [Input(at[:, i], scale.nodes, scale.ordered) for i, scale in enumerate(scales)]
    whole = Surrogate.fit(inputs, target)
    r2 = round(held_out(whole, target), _DIGITS)
    if r2 < LEAST_R2:
        reason = f"a surrogate of {len(target)} designs explains {max(0.0, r2):.0%} of the variance"
        reason += f" of designs held out, and {LEAST_R2:.0%} are needed to believe it"
        missing = _missing(whole, target, r2)
        return Importance(len(target), log, r2, reason=reason, missing=missing)
    found = _told(whole.product_sum(), scales, len(target), log, r2)
    span = np.ptp(target)
    low, high = (np.exp(end) if log else end for end in (min(target) - span, max(target) + span))
    if all(low <= mean <= high for means in found.means.values() for mean in means):
        return found
    reason = f"a surrogate of {len(target)} designs leaves the range of what was measured"
    return Importance(len(target), log, r2, reason=reason)


def _told(
    found: ProductSum, scales: Sequence[Scale], designs: int, log: bool, r2: float | None
) -> Importance:
    shares = found.shares()
    order = np.argsort(-shares.effect, kind="stable")
    paths = [scale.path for scale in scales]

    def by_path(column: Floats) -> dict[str, float]:
        return {paths[i]: max(0.0, round(float(column[i]), _DIGITS)) for i in order}

    def means(*kept: int) -> Floats:
        mean = found.mean_over(kept)
        return _rounded(np.exp(mean) if log else mean)

    pairs = [
        Pair(
            (paths[i], paths[j]), round(float(shares.pairs[i, j]), _DIGITS),
            tuple(map(tuple, means(i, j).tolist())),
        )
        for i in range(len(paths)) for j in range(i)
        if shares.pairs[i, j] >= NOTICED
    ]  # fmt: skip
    return Importance(
        designs, log, r2, by_path(shares.effect), by_path(shares.alone), by_path(shares.total),
        {scale.path: scale.texts for scale in scales},
        {paths[i]: tuple(means(i).tolist()) for i in order},
        tuple(sorted(pairs, key=lambda pair: -pair.share)),
    )  # fmt: skip


def _rounded(values: Floats) -> Floats:
    """To :data:`_DIGITS` digits of the largest."""
    largest = float(np.abs(values).max())
    return np.round(values, _DIGITS - math.ceil(math.log10(largest))) if largest else values


def _missing(whole: Surrogate, target: Floats, r2: float) -> int | None:
    """Designs beyond these until the surrogate is believed, if it goes on learning as it did.

    What is not explained falls as a power of the number of designs; two points of that curve are
    known, learning from half of them and from four in five. ``None`` when it hardly falls.
    """
    half = 1.0 - held_out(whole, target, folds=2)
    rest = 1.0 - r2
    power = math.log(half / rest) / math.log(0.8 / 0.5) if half > rest > 0.0 else 0.0
    if power < 0.25:
        return None
    more = len(target) * ((rest / (1.0 - LEAST_R2)) ** (1.0 / power) - 1.0)
    return math.ceil(more / 10) * 10 if more <= 10 * len(target) else None
