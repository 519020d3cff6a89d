"""The tables of ``contention_study.py``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from contention_rows import Row
from heldout import Carried
from rich.console import Console
from rich.table import Table

from hetsim.scenario.loader import Scenario
from hetsim.schedulers.search.parameters import Parameters, published
from hetsim.study.tune.parameters import Fold
from hetsim.study.tune.search import TUNED

LOADS = ((0.0, 0.5), (0.5, 0.85), (0.85, 1.01))
"""Classes of bus load in the summary."""


def gap(row: Row, seconds: float | None) -> str:
    """How far above the bound, in percent."""
    return "–" if seconds is None else f"{100 * (seconds / row.bound_s - 1):.0f}"


def variants(scenario: Scenario) -> list[str]:
    """Labels of PartitionTuner with other parameters than the published."""
    return [r.label for r in scenario.schedulers if r.name == "partition_tuner" and r.parameters]


def best_other(row: Row, own: Sequence[str]) -> tuple[str, float]:
    """The best of the built-in schedulers that are not PartitionTuner, and its makespan."""
    left_out = {"partition_tuner", TUNED, *own}
    others = {k: s for k, s in row.starts.items() if s is not None and k not in left_out}
    name = min(others, key=lambda key: others[key])
    return name, others[name]


def print_tables(console: Console, scenario: Scenario, rows: Sequence[Row]) -> None:
    """Two tables for each SoC: load and gaps, and each mended choice alone."""
    own = variants(scenario)
    for soc in dict.fromkeys(row.soc for row in rows):
        here = [row for row in rows if row.soc == soc]
        ran = [row for row in here if not row.error]
        print_table(
            console,
            f"{soc}: the bus, and gaps to the bound (%)",
            ("network", "width", "load", "sets", "cont.", "tuned", "MB", "tuned", "bound ms",
             "published", "mended", "", "all", "tuned par.", "other", "", "tuned plan", "kept"),
            (cells(row, own) for row in ran),
            left=(0, 11, 15),
        )  # fmt: skip
        for model, error in dict.fromkeys((r.model, r.error) for r in here if r.error):
            console.print(f"{model}: {error}", style="dim", highlight=False)
        print_table(
            console,
            f"{soc}: each choice alone, gaps to the bound (%)",
            ("network", "width", "published", *own),
            (
                (row.model, row.bandwidth,
                 *(gap(row, row.starts[label]) for label in ("partition_tuner", *own)))
                for row in ran
            ),
        )  # fmt: skip


def cells(row: Row, own: Sequence[str]) -> Iterable[str]:
    """A line of the first table."""
    alone = {label: row.starts[label] or math.inf for label in own[:-1]}
    mended = min(alone, key=lambda label: alone[label])
    other, other_s = best_other(row, own)
    return (
        row.model, row.bandwidth,
        f"{row.load:.0%}", str(row.rounds),
        *(f"{share:.1%}" for share in (row.contention, row.tuned_contention)),
        *(f"{count / 1e6:.1f}" for count in (row.bytes, row.tuned_bytes)),
        f"{row.bound_s * 1e3:.2f}",
        gap(row, row.starts["partition_tuner"]), gap(row, alone[mended]), mended,
        gap(row, row.starts[own[-1]]), gap(row, row.parameters_s), gap(row, other_s), other,
        gap(row, row.plan_s), gap(row, row.kept_s),
    )  # fmt: skip


def print_summary(console: Console, scenario: Scenario, rows: Sequence[Row]) -> None:
    """By load: what contention costs, and geometric means of makespans over the published."""
    own = variants(scenario)
    lines = []
    for low, high in LOADS:
        some = [row for row in rows if not row.error and low <= row.load < high]
        if not some:
            continue
        base = [row.starts["partition_tuner"] or math.inf for row in some]
        lines.append(
            (
                f"{low:.0%} to {min(high, 1):.0%}", str(len(some)),
                f"{max(row.contention for row in some):.1%}",
                *(
                    f"{mean(s / b for s, b in zip(several, base, strict=True)) - 1:+.1%}"
                    for several in (
                        [row.parameters_s for row in some],
                        [best_other(row, own)[1] for row in some],
                        [row.plan_s for row in some],
                        [row.kept_s for row in some],
                    )
                ),
                f"{mean(row.plan_s / row.kept_s for row in some) - 1:+.1%}",
            )
        )  # fmt: skip
    print_table(
        console,
        "by load of the bus: makespan beside the published plan's, geometric means",
        ("load", "rows", "contention, most", "tuned par.", "best other", "tuned plan", "kept",
         "tuned / kept"),
        lines,
    )  # fmt: skip


def print_carried(console: Console, found: Carried) -> None:
    """What parameters are worth where they were not tuned."""

    def percent(change: float | None) -> str:
        return "–" if change is None else f"{change:+.1%}"

    def worst(fold: Fold) -> str:
        changes = [(g.change or 0.0, i) for i, g in enumerate(fold.gains) if g.held_out]
        change, i = max(changes)
        return f"{change:+.1%} ({' '.join(found.places[i])})"

    print_table(
        console,
        "tuned parameters where they had no part: change over the published, geometric means",
        ("held out", "cases", "on the rest", "held out", "its worst", "tuned on it alone"),
        (
            (held.name, str(sum(g.held_out for g in held.others.gains)),
             percent(held.others.mean_change(False)), percent(held.others.mean_change(True)),
             worst(held.others), percent(held.alone.mean_change(False)))
            for held in found.held
        ),
        left=(0, 4),
    )  # fmt: skip
    lines = [("everything", found.everything)]
    lines += [(f"all but {held.name}", held.others) for held in found.held]
    for name, fold in lines:
        said = f"tuned on {name}: {changed(fold.parameters)}"
        console.print(said, style="dim", highlight=False, soft_wrap=True)
    console.print(
        f"on all {len(found.places)} cases {percent(found.everything.mean_change(False))};"
        f" {found.tried:,} plans simulated",
        highlight=False,
    )


def changed(parameters: Parameters) -> str:
    """The parameters that are not as published."""
    base = published()
    words = [f"{name} {value}" for name, value in parameters.items() if value != base[name]]
    return ", ".join(words) or "as published"


def mean(ratios: Iterable[float]) -> float:
    """The geometric mean."""
    logs = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logs) / len(logs))


def print_table(
    console: Console,
    title: str,
    columns: Sequence[str],
    lines: Iterable[Iterable[str]],
    left: Sequence[int] = (0,),
) -> None:
    """One table under its title; columns in ``left`` are words."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i in left else "right", no_wrap=True)
    for line in lines:
        table.add_row(*line)
    console.print(f"\n{title}", style="bold", highlight=False)
    console.print(table)
