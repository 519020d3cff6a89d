"""Sweeps: every network under every scheduler on every design of a grid, resumable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from hetsim.errors import ConfigError, Location
from hetsim.executors.base import Executor
from hetsim.executors.serial import SerialExecutor
from hetsim.library import called
from hetsim.progress import Progress
from hetsim.report.page.study import Page
from hetsim.report.summary import ranged_time
from hetsim.scenario.loader import Scenario
from hetsim.study.axes import Axis, asked_axes, check_axes, distinct
from hetsim.study.base import Files, PointStudy
from hetsim.study.grid import MODES, designs
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point, points_of
from hetsim.study.result import Rows, Shown, Words
from hetsim.study.sweep.report import failure_lines, headline, sweep_files
from hetsim.study.sweep.result import Sweep
from hetsim.study.table import check_parquet


class SweepStudy(PointStudy[Sweep]):
    """Simulate a grid of variants; resumable.

    Every outcome goes to the store as it arrives. However the study ends, the same command goes
    on where it was, and nothing runs twice. A list's last unit holds for all of it; a range is
    LOW..HIGH with an optional scale (log2, log10, linear) and number of values: 1us..1ms:log10:7.
    """

    kind = "sweep"
    failures_with_json = False
    options = (
        click.Option(
            ["--vary"], multiple=True, metavar="PATH=VALUES",
            help="What to vary: npu.sram=128KiB..4MiB:log2, bus.bandwidth=3.2,6.4GB/s;"
            " may be repeated.",
        ),
        click.Option(
            ["--mode"], type=click.Choice(MODES),
            help="How the axes make a grid: all combinations, in step, or a Latin hypercube"
            " sample.",
        ),
        click.Option(
            ["--points"], type=click.IntRange(min=1), metavar="N", help="Sample size; lhs only."
        ),
    )  # fmt: skip
    keeping = (
        click.Option(
            ["--store"], type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
            help="Where outcomes are kept.  [default: results/SCENARIO-sweep.sqlite]",
        ),
        click.Option(
            ["--retry-failed"], is_flag=True, help="Run points again that failed before."
        ),
        click.Option(
            ["--parquet"], is_flag=True, help="Write sweep.parquet, too (extra hetsim[data])."
        ),
    )  # fmt: skip

    def __init__(
        self,
        scenario: Scenario,
        axes: Sequence[Axis],
        *,
        mode: str = "cartesian",
        points: int | None = None,
        store: Path | None = None,
        retry_failed: bool = False,
        parquet: bool = False,
    ) -> None:
        """``points`` is the size of a sample, for mode ``lhs`` only.

        Raises:
            MissingExtraError: ``parquet`` is wanted and pandas or pyarrow is not installed.
        """
        super().__init__(scenario)
        self.axes = tuple(axes)
        self.mode = mode
        self.sample = points
        self.store = store
        self.retry_failed = retry_failed
        self.parquet = parquet
        if parquet:
            check_parquet()

    @classmethod
    def asked(cls, scenario: Scenario, options: Mapping[str, Any]) -> SweepStudy:
        """The grid of the options, or else of the scenario's own section."""
        given = cls.own(options)
        vary = given.pop("vary")
        axes = asked_axes(scenario, vary, cls.kind)
        if options["changes"] and any(axis.path == "soc" for axis in axes):
            raise ConfigError(
                "--set changes the scenario's SoC, and --vary soc replaces it",
                where=Location("--set"),
                hint="write the change as an axis of one value: --vary npu.sram=1MiB",
            )
        if not vary:
            for name in ("mode", "points"):
                given[name] = given[name] or scenario.document.get((cls.kind, name))
        given["mode"] = given["mode"] or ("lhs" if given["points"] else "cartesian")
        study = cls(scenario, axes, **given)
        study.store = study.store or study.place(".sqlite")
        return study

    def question(self) -> object:
        """The grid."""
        return {
            "axes": [[axis.path, list(axis.values)] for axis in self.axes],
            "mode": self.mode,
            "points": self.sample,
        }

    def points(self) -> tuple[Point, ...]:
        """Every network under every scheduler on every design, designs outermost."""
        grid = designs(distinct(self.axes), self.mode, self.sample, self.scenario.seed)
        check_axes(self.scenario, self.axes)
        return points_of(self.scenario, grid)

    def conclude(self, rows: Sequence[tuple[Point, Outcome]], reused: int, wall_s: float) -> Sweep:
        """The rows as they are."""
        scenario = self.scenario
        return Sweep(
            scenario.name, scenario.soc.name, self.axes, self.mode, tuple(rows), reused, wall_s,
            called("scenarios", scenario.source),
        )  # fmt: skip

    def report(self, result: Sweep) -> tuple[Page, Files]:
        """Table as CSV and JSON (Parquet on demand), pictures."""
        return sweep_files(result, parquet=self.parquet)

    def headline(self, result: Sweep) -> str:
        """The fastest design of each network."""
        return headline(result)

    def shown(self, result: Sweep) -> Iterator[Shown]:
        """The fastest rows."""
        paths = [axis.path for axis in result.axes]
        good = sorted(
            (row for row in result.rows if row[1].merit is not None),
            key=lambda row: row[1].merit or (),
        )
        columns = ("network", "scheduler", *paths, "time", "gap")
        count = len(columns)
        rows = [
            (
                point.model,
                point.scheduler,
                *(str(point.design[path]) for path in paths),
                ranged_time(outcome.metrics),
                "–" if outcome.gap is None else f"{outcome.gap:.0%}",
            )
            for point, outcome in good[:15]
        ]
        yield Rows(columns, rows, left=count - 2, unbroken=(count - 2, count - 1))
        if len(good) > 15:
            yield Words(f"the 15 fastest of {len(good)}", "dim")
        yield Words()
        yield from super().shown(result)

    def effort(self, result: Sweep) -> str:
        """What ran, and what was known."""
        fresh = len(result.rows) - result.reused
        known = f"{result.reused} known already: {self.store}"
        return f"{fresh} run now in {result.wall_s:.1f} s, {known}"

    def failures(self, result: Sweep) -> list[str]:
        """Each reason with an example."""
        if not result.failed:
            return []
        count = f"error: {len(result.failed)} of {len(result.rows)} runs failed:"
        return [count, *(f"  {line}" for line in failure_lines(result))]


def sweep(
    scenario: Scenario,
    axes: Sequence[Axis],
    *,
    executor: Executor[Point, Outcome] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Sweep:
    """Runs every point that ``store`` does not hold yet; outcomes go there as they arrive.

    Without a store nothing is kept; without an executor everything runs in this process.
    A design or a scheduler that fails is a row with ``error``. ``options`` are those of
    :class:`SweepStudy`: ``mode``, ``points``, ``store``, ``retry_failed``.

    Raises:
        ConfigError: axes that make no grid, a path that leads nowhere on any design.
        ResultsError: the store cannot be used or written; what it held is intact.
        HetsimError: networks or schedulers that cannot be loaded.
    """
    with executor or SerialExecutor[Point, Outcome]() as team:
        return SweepStudy(scenario, axes, **options).run(team, progress)
