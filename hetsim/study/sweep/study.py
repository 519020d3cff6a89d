"""Sweeps: every network under every scheduler on every design of a grid, resumable."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hetsim.errors import ConfigError, HetsimError, Location
from hetsim.scenario.loader import Scenario
from hetsim.scenario.variants import check_schedulers, scheduler_refs
from hetsim.study.axes import Axis, distinct
from hetsim.study.executors.base import Executor
from hetsim.study.executors.serial import SerialExecutor
from hetsim.study.grid import designs
from hetsim.study.point import Bench, Outcome, Point, points_of
from hetsim.study.store import Store
from hetsim.study.table import StudyTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Sweep:
    """A finished sweep: one row per network, scheduler and design, in the order of the grid.

    ``reused`` rows were in the store already. ``wall_s`` is the wall-clock time this took.
    """

    scenario: str
    soc: str
    axes: tuple[Axis, ...]
    mode: str
    rows: tuple[tuple[Point, Outcome], ...] = field(repr=False)
    reused: int = 0
    wall_s: float = 0.0

    @property
    def failed(self) -> tuple[tuple[Point, Outcome], ...]:
        """The rows that ended in an error."""
        return tuple(row for row in self.rows if row[1].error is not None)

    @property
    def table(self) -> StudyTable:
        """The rows as a table, for export and plots."""
        return StudyTable.of([axis.path for axis in self.axes], self.rows)

    def figures(self) -> dict[str, Figure]:
        """The pictures that fit the sweep's shape, by name."""
        from hetsim.study.sweep.pictures import sweep_figures

        return sweep_figures(self)

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


def sweep(
    scenario: Scenario,
    axes: Sequence[Axis],
    *,
    mode: str = "cartesian",
    points: int | None = None,
    store: Store | Path | None = None,
    executor: Executor[int] | None = None,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    """Runs every point that ``store`` does not hold yet; outcomes go there as they arrive.

    Without a store nothing is kept; without an executor everything runs in this process.
    A design or a scheduler that fails is a row with ``error``.

    Raises:
        ConfigError: axes that make no grid, a path that leads nowhere on any design.
        ResultsError: the store cannot be used or written; what it held is intact.
        HetsimError: networks or schedulers that cannot be loaded.
    """
    begun = time.perf_counter()
    grid = designs(distinct(axes), mode, points, scenario.seed)
    check_schedulers(scheduler_refs(scenario))
    check_axes(scenario, axes)
    bench = Bench.of(scenario)
    wanted = points_of(scenario, grid)
    with contextlib.ExitStack() as stack:
        if isinstance(store, Path):
            store = stack.enter_context(Store(store, scenario.name))
        if executor is not None:
            stack.enter_context(executor)
        outcomes, reused = run_points(
            bench, wanted, store, executor, retry_failed=retry_failed, progress=progress
        )
    rows = tuple(zip(wanted, outcomes, strict=True))
    return Sweep(
        scenario.name, scenario.soc.name, tuple(axes), mode, rows, reused,
        time.perf_counter() - begun,
    )  # fmt: skip


def run_points(
    bench: Bench,
    points: Sequence[Point],
    store: Store | None = None,
    executor: Executor[int] | None = None,
    *,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> tuple[list[Outcome], int]:
    """Outcomes of ``points`` in order, and how many of them the store knew.

    Points that mean the same run once. The executor is started when something must run; stopping
    it is the caller's.

    Raises:
        HetsimError: the store cannot be written, the workers are gone.
    """
    keys = [bench.key(point) for point in points]
    first = {key: i for i, key in reversed(list(enumerate(keys)))}
    known: dict[str, Outcome] = {}
    if store is not None:
        if retry_failed:
            store.forget_failed()
        known = {key: found for key in first if (found := store.get(key)) is not None}
    reused = len(known)
    todo = [i for i in sorted(first.values()) if keys[i] not in known]
    total = len(first)

    def tell(what: str) -> None:
        if progress is not None:
            progress(what, len(known), total)

    tell(f"{reused} known already" if reused else "")
    if todo:
        chosen = executor if executor is not None else SerialExecutor[int]()
        chosen.ensure(bench)
        for i, outcome in chosen.perform((i, points[i]) for i in todo):
            if store is not None:
                store.put(keys[i], points[i], outcome)
            known[keys[i]] = outcome
            tell(describe(points[i]))
    return [known[key] for key in keys], reused


def describe(point: Point) -> str:
    """A point in a few words."""
    values = ", ".join(f"{path}={value}" for path, value in point.design.items())
    return f"{point.model} · {point.scheduler} · {values}" if values else point.model


def check_axes(scenario: Scenario, axes: Sequence[Axis]) -> None:
    """Finds out before a study whether its axes lead anywhere.

    Raises:
        ConfigError: a path that exists on no value of its axis; the first value's reason.
    """
    from hetsim.scenario.variants import varied

    for axis in axes:
        faults: list[HetsimError] = []
        for value in axis.values:
            try:
                varied(scenario, {axis.path: value}, "--vary")
                break
            except ConfigError as error:
                faults.append(error)
        else:
            fault = faults[0]
            more = f" (and so for all {len(faults)} values)" if len(faults) > 1 else ""
            raise ConfigError(
                fault.message + more, where=fault.where or Location("--vary"), hint=fault.hint
            )
