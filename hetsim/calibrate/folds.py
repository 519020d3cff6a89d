"""Splitting rows into folds, by row or by family: a family is never on both sides of a split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from hetsim.errors import ConfigError
from hetsim.learn.tables.table import Measurements
from hetsim.numeric import Ints

Split = Literal["family", "shape", "row"]
"""By the file's families, by input resolution and kernel, or row by row."""


def assign_folds(table: Measurements, split: Split, folds: int, seed: int) -> Ints:
    """The fold of each row, 0 to ``folds`` - 1, near equal in rows.

    Families go, largest first, to the fold with the fewest rows so far; ``seed`` orders equals.
    Fewer families (or rows) than ``folds`` make as many folds as there are.

    Raises:
        ConfigError: fewer than two families or rows, or fewer than two folds asked for.
    """
    if folds < 2:
        raise ConfigError(f"{folds} folds leave nothing to train on", hint="use at least 2")
    rng = np.random.default_rng(seed)
    if split == "row":
        if len(table) < 2:
            raise ConfigError(f"{len(table)} row cannot be split into folds")
        positions = np.arange(len(table)) % min(folds, len(table))
        rng.shuffle(positions)
        return positions.astype(np.int64)
    groups = table.families if split == "family" else table.shapes
    if len(set(groups)) < 2:
        raise ConfigError(
            f"all {len(table)} rows are of one family ({groups[0]}), so none can be kept aside",
            hint="split by row",
        )
    return deal(groups.tolist(), folds, seed)


def deal(groups: Sequence[str], folds: int, seed: int) -> Ints:
    """The fold of each row; rows of equal ``groups`` share theirs, as :func:`assign_folds` says.

    Raises:
        ConfigError: all rows are of one group.
    """
    names, member, sizes = np.unique(np.array(groups), return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise ConfigError(
            f"all {len(groups)} rows are of one family ({names[0]}), so none can be kept aside"
        )
    rng = np.random.default_rng(seed)
    count = min(folds, len(names))
    shuffled = rng.permutation(len(names))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    load = np.zeros(count, dtype=np.int64)
    fold_of = np.zeros(len(names), dtype=np.int64)
    for family in order:
        emptiest = int(rng.choice(np.flatnonzero(load == load.min())))
        fold_of[family] = emptiest
        load[emptiest] += sizes[family]
    return np.asarray(fold_of[member], dtype=np.int64)
