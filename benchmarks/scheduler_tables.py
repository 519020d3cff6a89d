"""The tables of docs/background/schedulers.md and, called ``path``, of physics.md beside it.

    python benchmarks/scheduler_tables.py                        all of them
    python benchmarks/scheduler_tables.py paper --exact-seconds 20
    python benchmarks/scheduler_tables.py planning multi branchy summary

Makespans in milliseconds; the best are bold (within 0.1 %). *gap* is how far the best of a row is
above the best lower bound proven for it, that of ``exact`` among them. Everything is deterministic
but for what ``exact`` reaches in its time.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterable, Sequence

import hetsim
from hetsim.analysis.attribution import PARTS
from hetsim.analysis.result import Result, Run
from hetsim.runs.case import Case
from hetsim.scenario.choices import choose
from hetsim.scenario.variants import varied
from hetsim.schedulers.registry import create, scheduler_names

SHOWN = (
    "type_based", "profile_greedy", "mosaic", "heft", "peft", "duet", "ios", "iops",
    "partition_tuner", "partition_tuner_tuned", "exact",
)  # fmt: skip
"""Columns; the summary has all schedulers."""

PAPER = ("zfnet512", "alexnet", "googlenet", "resnet18", "resnet50", "resnext50_32x4d",
         "squeezenet")  # fmt: skip
MULTI = ("googlenet", "resnet50", "resnext50_32x4d", "squeezenet")
BRANCHY = ("googlenet", "inception_v3", "randwire", "densenet121", "squeezenet")
CLASSES = ("edge-mcu", "mobile-flagship", "zcu102-vta", "zcu102-4vta")
TABLES = ("planning", "paper", "path", "multi", "branchy", "summary")
SAME = 1.001
"""Times within a thousandth of the best are called best."""


def run(scenario: str, soc: str, models: Sequence[str], exact_s: float) -> Result:
    """The scenario on ``soc`` under every scheduler, ``exact`` with its time limit."""
    chosen = choose(
        hetsim.load_scenario(scenario, {"soc": soc}),
        models=models,
        schedulers=[name for name in scheduler_names() if name != "exact" or exact_s],
    )
    if exact_s:
        chosen = varied(chosen, {"schedulers.exact.time_limit": exact_s})
    return hetsim.run(chosen)


def head(*first: str, last: Sequence[str] = ("gap",)) -> None:
    """The head of a table with the schedulers as columns."""
    columns = [*first, *(f"`{name}`" for name in SHOWN), *last]
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(first) + "---:|" * (len(SHOWN) + len(last)))


def rows(result: Result, models: Sequence[str]) -> None:
    """A row for each network."""
    for model in models:
        mine = {r.scheduler: r for r in result.runs if r.model == model}
        times = {n: r.makespan_s for n, r in mine.items() if r.makespan_s is not None}
        if not times:
            print(f"| {result.soc.name} | {model} |" + " – |" * (len(SHOWN) + 1))
            continue
        best = min(times.values())
        cells = [_cell(times.get(name), best) for name in SHOWN]
        # Of a plan that rewrites the network: what is proven of both networks.
        first = mine[min(times, key=lambda name: times[name])]
        bound = max(bound.seconds for bound in first.bounds)
        print(f"| {result.soc.name} | {model} | {' | '.join(cells)} | {best / bound - 1:.1%} |")


def _cell(seconds: float | None, best: float) -> str:
    if seconds is None:
        return "–"
    text = f"{seconds * 1e3:.1f}" if seconds >= 0.1 else f"{seconds * 1e3:.2f}"
    return f"**{text}**" if seconds <= SAME * best else text


def summary(results: Iterable[Result]) -> None:
    """How every scheduler did over all rows that ran."""
    against: dict[str, list[float]] = {}
    predicted: dict[str, list[float]] = {}
    lost: dict[str, list[float]] = {}
    for result in results:
        for model in dict.fromkeys(r.model for r in result.runs):
            mine = [r for r in result.runs if r.model == model and r.makespan_s is not None]
            best = min((_seconds(r) for r in mine), default=0.0)
            for r in mine:
                seconds = _seconds(r)
                against.setdefault(r.scheduler, []).append(seconds / best)
                if r.plan is not None and r.plan.predicted_s is not None:
                    predicted.setdefault(r.scheduler, []).append(r.plan.predicted_s / seconds)
                share = r.attribution.get("bus_contention", 0.0) / seconds
                lost.setdefault(r.scheduler, []).append(share)
    print("| scheduler | time against the best, mean | worst | predicted / simulated: least |"
          " median | most | bus contention, most |")  # fmt: skip
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in sorted(against, key=lambda n: statistics.geometric_mean(against[n])):
        told = predicted.get(name) or [float("nan")]
        print(
            f"| `{name}` | {statistics.geometric_mean(against[name]):.3f} |"
            f" {max(against[name]):.2f} | {min(told):.2f} | {statistics.median(told):.2f} |"
            f" {max(told):.2f} | {max(lost[name]):.1%} |"
        )


def path(result: Result, schedulers: Sequence[str]) -> None:
    """Where the time goes along the critical path, per cent of the makespan."""
    print(f"| network | scheduler | ms | {' | '.join(p.replace('_', ' ') for p in PARTS)} |")
    print("|---|---|" + "---:|" * (1 + len(PARTS)))
    for r in result.runs:
        if r.scheduler in schedulers and r.makespan_s is not None:
            shares = (f"{100 * r.attribution[part] / r.makespan_s:.1f}" for part in PARTS)
            print(
                f"| {r.model} | {r.scheduler} | {r.makespan_s * 1e3:.1f} | {' | '.join(shares)} |"
            )


def _seconds(run: Run) -> float:
    assert run.makespan_s is not None
    return run.makespan_s


def planning(repetitions: int = 5) -> None:
    """Processor time to profile and plan GoogLeNet, milliseconds, the median of some."""
    graph, soc = hetsim.load_model("googlenet"), hetsim.load_soc("zcu102-vta")
    print("| scheduler | planning |\n|---|---:|")
    for name in scheduler_names():
        if name in ("exact", "partition_tuner_tuned"):
            continue
        spent = []
        for _ in range(repetitions):
            case = Case(graph, soc)
            begun = time.process_time()
            case.plan(create(name, {}))
            spent.append(time.process_time() - begun)
        print(f"| `{name}` | {statistics.median(spent) * 1e3:.0f} ms |")


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the tables asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(TABLES))
    parser.add_argument("--exact-seconds", type=float, default=20.0, metavar="S",
                        help="time limit of exact for a network; 0 leaves it out")  # fmt: skip
    options = parser.parse_args(arguments)
    unknown = [name for name in options.tables if name not in TABLES]
    if unknown:
        parser.error(f"no table is called {unknown[0]!r}; there are {', '.join(TABLES)}")
    chosen = options.tables or TABLES
    branchy: list[Result] = []
    if "planning" in chosen:
        print("\n## planning\n")
        planning()
    if {"paper", "path"} & set(chosen):
        seven = run("paper_seven", "zcu102-vta", PAPER, options.exact_seconds)
    if "paper" in chosen:
        print("\n## paper: one VTA, barrier\n")
        head("SoC", "network")
        rows(seven, PAPER)
    if "path" in chosen:
        print("\n## path: where the time goes\n")
        path(seven, ("type_based", "profile_greedy", "ios", "partition_tuner"))
    if "multi" in chosen:
        print("\n## multi: two to four VTAs, barrier\n")
        head("SoC", "network")
        for soc in ("zcu102-2vta", "zcu102-3vta", "zcu102-4vta"):
            rows(run("paper_multi_npu", soc, MULTI, options.exact_seconds), MULTI)
    if {"branchy", "summary"} & set(chosen):
        branchy = [run("branchy", soc, BRANCHY, options.exact_seconds) for soc in CLASSES]
    if "branchy" in chosen:
        print("\n## branchy: every class of SoC, dataflow\n")
        head("SoC", "network")
        for result in branchy:
            rows(result, BRANCHY)
    if "summary" in chosen:
        print("\n## summary: all rows of branchy\n")
        summary(branchy)


if __name__ == "__main__":
    main()
