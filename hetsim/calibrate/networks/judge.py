"""How wrong a model of whole networks is, on what its fit has not seen.

Two questions, each on rows that were kept aside:

* *known device, unseen network*: families of networks are dealt into folds; each fold is
  predicted by a fit to the others. A family is kept aside on all devices at once.
* *new device*: :data:`ANCHORS` networks are measured there, all others are predicted; measurements
  of every network on other devices may be used. Anchors are chosen before anything is measured:
  networks by multiply-accumulates, cut into as many equal stretches, one drawn from each; several
  draws.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hetsim.calibrate.folds import deal
from hetsim.calibrate.networks.cases import MeasuredNetwork
from hetsim.calibrate.networks.protocol import NetworkModel
from hetsim.errors import ConfigError
from hetsim.numeric import Bools, Floats, Ints
from hetsim.progress import Progress

ANCHORS = 10
KNOWN, NEW = "known device, unseen network", "new device, ten networks measured"


@dataclass(frozen=True)
class Judged:
    """Predictions of rows kept aside.

    ``cases`` (with repetitions where there are draws), the ``fold`` or draw of each, and the
    seconds that each model says; NaN where it cannot. ``notes``: which fits were not possible.
    """

    task: str
    cases: tuple[MeasuredNetwork, ...]
    fold: Ints
    predicted: Mapping[str, Floats]
    notes: tuple[str, ...] = ()

    @property
    def judged(self) -> Bools:
        """Where every model says something that says anything here: those rows compare models."""
        every = np.isfinite(np.array(list(self.predicted.values())))
        return np.asarray(every[every.any(axis=1)].all(axis=0) & every.any())

    def part(self, of: Callable[[MeasuredNetwork], bool]) -> Judged:
        """The cases that ``of`` accepts."""
        return self._rows([i for i, case in enumerate(self.cases) if of(case)])

    def _rows(self, keep: Sequence[int]) -> Judged:
        return Judged(
            self.task,
            tuple(self.cases[i] for i in keep),
            self.fold[list(keep)],
            {name: values[list(keep)] for name, values in self.predicted.items()},
            self.notes,
        )

    def groups(self, of: Callable[[MeasuredNetwork], str]) -> dict[str, Judged]:
        """By what ``of`` says, in its order of names."""
        said = [of(case) for case in self.cases]
        return {
            name: self._rows([i for i, other in enumerate(said) if other == name])
            for name in sorted(set(said))
        }


@dataclass(frozen=True)
class Score:
    """Relative errors (simulated / measured - 1) of ``rows`` rows, as shares of one.

    ``rank`` is Spearman's correlation over the rows of one device in one precision, the mean of all
    that have at least three. ``spread`` is the smallest and largest median error of any fold or
    draw.
    """

    rows: int
    median: float
    p90: float
    within_20: float
    bias: float
    rank: float
    spread: tuple[float, float]

    def as_dict(self) -> dict[str, object]:
        """Plain data; what is no number is ``None``."""
        return {
            "rows": self.rows, "median": plain_number(self.median), "p90": plain_number(self.p90),
            "within_20": plain_number(self.within_20), "bias": plain_number(self.bias),
            "rank": plain_number(self.rank), "spread": [plain_number(end) for end in self.spread],
        }  # fmt: skip


def plain_number(value: float) -> float | None:
    """``value``, or nothing where it is no number."""
    return value if np.isfinite(value) else None


def score(judged: Judged, model: str) -> Score:
    """The errors of ``model`` on the rows that all models judge."""
    known = judged.judged
    cases = [case for case, keep in zip(judged.cases, known, strict=True) if keep]
    if not cases or not np.isfinite(judged.predicted[model]).any():
        nothing = float("nan")
        return Score(0, nothing, nothing, nothing, nothing, nothing, (nothing, nothing))
    measured = np.array([case.seconds for case in cases])
    predicted, fold = judged.predicted[model][known], judged.fold[known]
    signed = predicted / measured - 1
    error = np.abs(signed)
    medians = [float(np.median(error[fold == one])) for one in np.unique(fold)]
    return Score(
        len(cases), float(np.median(error)), float(np.quantile(error, 0.9)),
        float((error <= 0.2).mean()), float(np.median(signed)),
        _rank(cases, measured, predicted, fold, drawn=judged.task == NEW),
        (min(medians), max(medians)),
    )  # fmt: skip


def _rank(
    cases: Sequence[MeasuredNetwork],
    measured: Floats,
    predicted: Floats,
    fold: Ints,
    *,
    drawn: bool,
) -> float:
    from scipy.stats import rankdata

    keys = [
        (case.device, case.precision.group, int(one) if drawn else 0)
        for case, one in zip(cases, fold, strict=True)
    ]
    found = []
    for key in sorted(set(keys)):
        of = np.array([other == key for other in keys])
        if of.sum() >= 3:
            ranks = rankdata(measured[of]), rankdata(predicted[of])
            if all(np.ptp(rank) > 0 for rank in ranks):
                found.append(float(np.corrcoef(*ranks)[0, 1]))
    return float(np.mean(found)) if found else float("nan")


def judge_known(
    cases: Sequence[MeasuredNetwork],
    models: Sequence[NetworkModel],
    *,
    devices: Sequence[str] | None = None,
    folds: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
) -> Judged:
    """Known device, unseen network: of ``devices`` (default: all of ``cases``).

    Raises:
        ConfigError: fewer than two families.
    """
    try:
        fold = deal([case.family for case in cases], folds, seed)
    except ConfigError as error:
        told = "a column family in the table says which networks are no near copies"
        raise ConfigError(error.message, hint=told) from None
    splits = []
    for device in devices or sorted({case.device for case in cases}):
        here = np.array([case.device == device for case in cases])
        for one in range(int(fold.max()) + 1):
            splits.append(
                _Split(
                    device, one, here & (fold != one), ~here & (fold != one), here & (fold == one)
                )
            )
    return _judge(KNOWN, cases, models, splits, progress)


def judge_new(
    cases: Sequence[MeasuredNetwork],
    models: Sequence[NetworkModel],
    *,
    devices: Sequence[str] | None = None,
    draws: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
) -> Judged:
    """New device with :data:`ANCHORS` networks; devices with no more than twice as many are left
    out, as are those of tables with one device."""
    splits = []
    for device in devices or sorted({case.device for case in cases}):
        here = np.array([case.device == device for case in cases])
        if len({c.row.network for c in cases if c.device == device}) < 2 * ANCHORS or here.all():
            continue
        for draw in range(draws):
            chosen = anchors([c for c in cases if c.device == device], seed, draw)
            given = np.array([case.row.network in chosen for case in cases])
            splits.append(_Split(device, draw, here & given, ~here, here & ~given))
    return _judge(NEW, cases, models, splits, progress)


def anchors(cases: Sequence[MeasuredNetwork], seed: int, draw: int) -> frozenset[str]:
    """The networks that are measured on a new device; see the top of this module."""
    work: dict[str, int] = {}
    for case in cases:
        total = sum(op.macs for op in case.graph.operators)
        work[case.row.network] = max(work.get(case.row.network, 0), total)
    names = sorted(work, key=lambda name: (work[name], name))
    # A name's own number, not Python's hash, which differs from process to process.
    rng = np.random.default_rng((seed, draw, zlib.crc32(cases[0].device.encode())))
    stretches = np.array_split(np.arange(len(names)), min(ANCHORS, len(names)))
    return frozenset(names[int(rng.choice(stretch))] for stretch in stretches)


@dataclass(frozen=True)
class _Split:
    """One fit: the device, its fold or draw; which cases it is given, may use, and is asked."""

    device: str
    fold: int
    given: Bools
    others: Bools
    asked: Bools


def _judge(
    task: str,
    cases: Sequence[MeasuredNetwork],
    models: Sequence[NetworkModel],
    splits: Sequence[_Split],
    progress: Progress | None,
) -> Judged:
    def of(mask: Bools) -> Iterator[MeasuredNetwork]:
        return (cases[i] for i in np.flatnonzero(mask).tolist())

    asked: list[MeasuredNetwork] = []
    fold: list[int] = []
    predicted: dict[str, list[Floats]] = {model.name: [] for model in models}
    notes: list[str] = []
    for done, split in enumerate(splits):
        test = list(of(split.asked))
        if not test:
            continue
        asked += test
        fold += [split.fold] * len(test)
        given, others = list(of(split.given)), list(of(split.others))
        for model in models:
            if progress is not None:
                progress(f"{model.name}, {split.device}", done, len(splits))
            try:
                values = model.fit(given, others).predict(test)
            except ConfigError as error:
                notes.append(f"{model.name} on {split.device}, {split.fold}: {error.message}")
                values = np.full(len(test), np.nan)
            predicted[model.name].append(np.asarray(values, dtype=np.float64))
    return Judged(
        task,
        tuple(asked),
        np.array(fold, dtype=np.int64),
        {name: np.concatenate([*parts, np.empty(0)]) for name, parts in predicted.items()},
        tuple(notes),
    )
