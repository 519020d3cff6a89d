"""What `hetsim delegate` advises, network by network, and whether it keeps its promises.

    python benchmarks/delegates.py                          all networks on all SoCs that ship
    python benchmarks/delegates.py --soc zcu102-vta --model googlenet --tuning 2000

A row is a line of a Markdown table: nothing delegated, the default rule of LiteRT's GPU delegate
(the largest part), everything, the best of all default rules, the advice, the best plan known, the
bound (ms), and the parts that the advice delegates. It fails where the advice is slower than a
default rule or than the advice for one accelerator, or where anything is below the bound.
"""

from __future__ import annotations

import argparse
import sys

import hetsim
from hetsim.errors import HetsimError
from hetsim.library import shipped
from hetsim.runs.case import Case
from hetsim.runs.delegation.answer import Delegation
from hetsim.runs.delegation.work import delegation
from hetsim.workload.zoo import MODELS

COLUMNS = (
    "SoC", "network", "nothing", "largest", "all", "best rule", "advice", "best plan", "bound",
    "parts",
)  # fmt: skip
ROUNDING = 1.0 + 1e-9
"""The judge adds up what simulation plays in one go."""


def broken(found: Delegation) -> list[str]:
    """Promises that are not kept."""
    faults = [
        f"the advice is slower than {option.label!r}"
        for option in (*found.rules, *found.single)
        if found.advice.makespan_s > option.makespan_s * ROUNDING
    ]
    faults += [
        f"{option.label!r} is below the bound"
        for option in found.options
        if option.makespan_s * ROUNDING < found.bound.seconds
    ]
    if found.best.makespan_s > found.advice.makespan_s * ROUNDING:
        faults.append("the best plan is slower than the advice")
    return faults


def row(found: Delegation) -> list[str]:
    """The cells of one network on one SoC."""

    def least(*words: str) -> str:
        times = [o.makespan_s for o in found.rules if o.label.startswith(words)]
        return f"{min(times) * 1e3:.3f}" if times else "–"

    everything = least("all on")
    return [
        found.case.soc.name,
        found.case.graph.name,
        least("nothing"),
        least("largest") if least("largest") != "–" else everything,
        everything,
        least(""),
        *(f"{s * 1e3:.3f}" for s in (found.advice.makespan_s, found.best.makespan_s)),
        f"{found.bound.seconds * 1e3:.3f}",
        str(found.advice.delegated),
    ]


def main() -> int:
    """Prints a row for each case as it is done; the exit code tells whether any promise broke."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--soc", choices=shipped("socs"), action="append")
    parser.add_argument("--model", choices=list(MODELS), action="append")
    parser.add_argument("--evaluations", type=int, default=4000)
    parser.add_argument("--tuning", type=int, default=300, help="plans simulated for the best one")
    options = parser.parse_args()
    print("| " + " | ".join(COLUMNS) + " |")
    print("|---|---|" + "---:|" * (len(COLUMNS) - 2))
    failed = done = 0
    for name in options.soc or shipped("socs"):
        for model in options.model or MODELS:
            case = Case(hetsim.load_model(model), hetsim.load_soc(name), execution="barrier")
            if case.misfit:
                print(f"| {name} | {model} | does not fit | " + "| " * (len(COLUMNS) - 3) + "|")
                continue
            try:
                found = delegation(case, evaluations=options.evaluations, tuning=options.tuning)
            except HetsimError as error:
                print(f"{name} {model}: {error}", file=sys.stderr)
                failed += 1
                continue
            print("| " + " | ".join(row(found)) + " |", flush=True)
            done += 1
            for fault in broken(found):
                print(f"{name} {model}: {fault}", file=sys.stderr)
                failed += 1
    print(f"{done} pairs, {failed} promises broken", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
