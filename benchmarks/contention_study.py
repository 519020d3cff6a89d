"""What tuning is worth, and when PartitionTuner's plans suffer from the bus.

    python benchmarks/contention_study.py [--picture docs/pictures/contention-study.png]

The networks and schedulers of the scenario ``contention_study`` on a microcontroller and a phone,
from ample bandwidth to starved, and the paper's seven networks on its board. For each: how much of
the bus the published plan uses, what contention costs it, and how far published, mended and tuned
plans end above the proven bound. Then parameters tuned on some networks and SoCs, reported on
others. All figures but the times at the end depend on the seed alone.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from contention_picture import load_figure
from contention_rows import EVALUATIONS, SOCS, Chain, study
from contention_tables import print_carried, print_summary, print_tables
from heldout import carried, cases_of
from rich.console import Console

from hetsim.executors.registry import executor
from hetsim.report.figures.plotting import figure_images
from hetsim.scenario.loader import load_scenario

SCENARIO = "contention_study"
HELD_OUT = ("googlenet", "inception_v3", "resnet50", "squeezenet")
"""Networks whose parameters are tuned together, on each SoC as described: all cheap to plan."""


def jobs_of(networks: Sequence[str], board: Sequence[str]) -> list[Chain]:
    """The scenario's networks on its two SoCs and the paper's on its board; long ones first."""
    chains = [Chain(soc, name) for name in networks for soc in ("edge-mcu", "mobile-flagship")]
    return chains + [Chain("zcu102-vta", name) for name in board]


def main(arguments: list[str] | None = None) -> int:
    """Prints the tables and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--evaluations", type=int, default=EVALUATIONS, metavar="N")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument("--picture", type=Path, metavar="FILE.png")
    options = parser.parse_args(arguments)
    begun = time.perf_counter()
    scenario = load_scenario(SCENARIO)
    board = [ref.label for ref in load_scenario("paper_seven").models]
    jobs = jobs_of([ref.label for ref in scenario.models], board)
    console = Console(width=170)
    with executor(options.workers) as team:
        rows = study(scenario, jobs, options.evaluations, team)
        print_tables(console, scenario, sorted(rows, key=lambda row: list(SOCS).index(row.soc)))
        print_summary(console, scenario, rows)
    print(f"rows: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    with executor(options.workers) as team:
        print_carried(console, carried(cases_of(scenario, SOCS, HELD_OUT), team))
    if options.picture:
        options.picture.write_bytes(figure_images(load_figure(rows))[1])
    judged = sum(row.judged for row in rows)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(
        f"\n{judged:,} plans judged in {len(rows)} rows, at most {options.evaluations:,} in the"
        f" search of each; seed {scenario.seed}; {time.perf_counter() - begun:.0f} s,"
        f" {sum(u.ru_utime + u.ru_stime for u in used):.0f} s of processor time"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
