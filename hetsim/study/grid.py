"""From axes to the designs of a study: Cartesian product, zip, or Latin hypercube.

Latin hypercube: McKay, Beckman, Conover, "A comparison of three methods for selecting values of
input variables" (Technometrics 21(2), 1979): each axis is cut into as many equal parts as there
are points, and every part holds exactly one point.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Mapping, Sequence

from hetsim.errors import ConfigError, Location
from hetsim.study.axes import Axis

Design = Mapping[str, object]
"""A value for each path that a study varies."""

MODES = ("cartesian", "zip", "lhs")
MAX_DESIGNS = 1_000_000


def designs(
    axes: Sequence[Axis], mode: str = "cartesian", points: int | None = None, seed: int = 0
) -> tuple[Design, ...]:
    """All designs in order; the last axis changes fastest. ``points`` and ``seed`` are for ``lhs``.

    Raises:
        ConfigError: unknown mode, axes of different lengths to zip, no number of points for
            ``lhs``, a number of points where there is nothing to choose, more than a million.
    """
    if mode not in MODES:
        raise ConfigError(f"unknown mode {mode!r}", hint=f"one of {', '.join(MODES)}")
    if (points is not None) != (mode == "lhs"):
        says = "needs a number of points" if mode == "lhs" else "has as many points as its axes say"
        raise ConfigError(f"mode {mode!r} {says}", where=Location("--points"))
    if not axes:
        return ({},)
    if mode == "lhs":
        assert points is not None
        return _latin_hypercube(axes, points, seed)
    rows: Iterable[tuple[object, ...]]
    if mode == "zip":
        lengths = {axis.path: len(axis.values) for axis in axes}
        if len(set(lengths.values())) > 1:
            counts = ", ".join(f"{path} has {n}" for path, n in lengths.items())
            raise ConfigError(
                f"only axes of equal length can be zipped: {counts}", where=Location("--mode zip")
            )
        rows = zip(*(axis.values for axis in axes), strict=True)
    else:
        total = 1
        for axis in axes:
            total *= len(axis.values)
        if total > MAX_DESIGNS:
            raise ConfigError(
                f"{total:,} designs are too many", where=Location("--vary"),
                hint="vary less, or take a sample with --mode lhs --points 1000",
            )  # fmt: skip
        rows = itertools.product(*(axis.values for axis in axes))
    paths = [axis.path for axis in axes]
    return tuple(dict(zip(paths, row, strict=True)) for row in rows)


def _latin_hypercube(axes: Sequence[Axis], points: int, seed: int) -> tuple[Design, ...]:
    if not 1 <= points <= MAX_DESIGNS:
        raise ConfigError(f"{points} is not a number of points", where=Location("--points"))
    generator = random.Random(seed)
    columns = []
    for axis in axes:
        cells = list(range(points))
        generator.shuffle(cells)
        columns.append([axis.at((cell + generator.random()) / points) for cell in cells])
    paths = [axis.path for axis in axes]
    return tuple(dict(zip(paths, row, strict=True)) for row in zip(*columns, strict=True))
