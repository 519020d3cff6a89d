"""How fast hetsim is, on this machine, now: ``python benchmarks/run.py``.

Each figure is the median of several repetitions in one process on one core. Where a peer exists it
is timed in the same run, in turn, and the ratio is the figure to trust: absolute rates belong to
the machine. ``--json FILE`` writes the same figures as data; ``--quick`` repeats less and uses
smaller inputs, for a first impression.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import bench_sweep
import bench_tune
import engine
import planning
import served
import startup
from harness import Measurement

import scenarios

SUITES: dict[str, Callable[[int], list[Measurement]]] = {
    "engine": engine.measure,
    "planning": planning.measure,
    "scenarios": scenarios.measure,
    "served": served.measure,
    "startup": startup.measure,
    "sweep": bench_sweep.measure,
    "tune": bench_tune.measure,
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suites", nargs="*", help=f"which of {', '.join(SUITES)} (default: all)")
    parser.add_argument("--repetitions", type=int, default=5, metavar="N")
    parser.add_argument("--quick", action="store_true", help="one repetition of each")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")
    options = parser.parse_args(arguments)
    unknown = set(options.suites) - set(SUITES)
    if unknown or options.repetitions < 1:
        parser.error(f"unknown suite {sorted(unknown)[0]!r}" if unknown else "N must be positive")
    repetitions = 1 if options.quick else options.repetitions
    measurements: list[Measurement] = []
    for name in options.suites or SUITES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        measurements += SUITES[name](repetitions)
    show(measurements)
    if options.json:
        options.json.write_text(json.dumps(as_data(measurements, repetitions), indent=1) + "\n")
    return 0


def as_data(measurements: list[Measurement], repetitions: int) -> dict[str, object]:
    import hetsim

    return {
        "hetsim": hetsim.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "repetitions": repetitions,
        "measurements": [m.as_dict() for m in measurements],
    }


def show(measurements: list[Measurement]) -> None:
    """Prints the table, and below it how each figure was made."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("what", no_wrap=True)
    table.add_column("median", justify="right", no_wrap=True)
    table.add_column("±", justify="right")
    table.add_column("goal", justify="right", no_wrap=True)
    table.add_column("")
    for m in measurements:
        table.add_row(*cells(m))
    console = Console()
    console.print(table)
    console.print()
    for m in measurements:
        if m.note:
            console.print(f"{m.name}: {m.note}", style="dim", highlight=False)


def cells(m: Measurement) -> Iterator[str]:
    yield m.name
    yield f"{number(m.value)} {m.unit}"
    yield "" if m.spread is None else f"{m.spread:.0%}"
    yield "" if m.goal is None else f"{'≥' if m.better == 'more' else '≤'} {number(m.goal)}"
    yield {None: "", True: "[green]reached[/]", False: "[red]missed[/]"}[m.reached]


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
