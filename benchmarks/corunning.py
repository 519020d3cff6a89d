"""Pairs of networks on a Jetson AGX Xavier: measured, simulated, and found by search.

    python benchmarks/corunning.py --data DIR

DIR holds measured_contention.json. Prints the tables of docs/background/corunning.md: pairs under
three policies, with and without contention for the memory; schedules found by search in simulation
(HaX-CoNN's decision: where each network changes its unit, once at most); what convolutions ask of
the memory; and five configurations of a pair that were measured on an Orin, a faster sister.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from hetsim.cost.measured.table import ProfileTable
from hetsim.overrides import apply_overrides
from hetsim.plan.model import Plan
from hetsim.schedulers.joint.base import with_units
from hetsim.schedulers.joint.cuts import best_cuts
from hetsim.soc.loader import build_soc, read_soc
from hetsim.validate.base import Setting
from hetsim.validate.checks.haxconn.check import MemoryDemand
from hetsim.validate.checks.haxconn.corun import SOC, Xavier, plain
from hetsim.validate.checks.haxconn.networks import network
from hetsim.validate.checks.haxconn.pairs import DLA, GPU, PAIRS, POLICIES, Engine
from hetsim.validate.checks.haxconn.profiles import profiles
from hetsim.validate.checks.haxconn.table import Measured, read_measured
from hetsim.validate.tables import Tables

TWICE = {GPU: 3.30, DLA: 4.68}
"""Milliseconds of GoogLeNet on each unit at once: the authors' README, step 6."""

BESIDE_ITSELF = (Engine("googlenet", GPU), Engine("googlenet", DLA))

ITERATIONS = 25

ORIN = {
    "googlenet@gpu|resnet101@gpu": (Engine("googlenet", GPU), Engine("resnet101", GPU)),
    "googlenet@gpu|resnet101@dla": (Engine("googlenet", GPU), Engine("resnet101", DLA)),
    "googlenet dla->gpu@10|resnet101 gpu->dla@101": (
        Engine("googlenet", DLA, "3a.1"), Engine("resnet101", GPU, "layer2.3.relu"),
    ),
    "googlenet dla->gpu@38|resnet101 gpu->dla@312": (
        Engine("googlenet", DLA, "pool3"), Engine("resnet101", GPU, "layer3.15.relu"),
    ),
    "googlenet dla->gpu@81|resnet101 gpu->dla@415": (
        Engine("googlenet", DLA, "4d.1"),
        Engine("resnet101", GPU, "layer4.0.3.conv", ("layer4.0.shortcut.conv",)),
    ),
}  # fmt: skip


def ms(seconds: float) -> str:
    """A time for a table."""
    return f"{seconds * 1e3:.2f}"


def searched(xavier: Xavier, first: str, second: str) -> tuple[float, list[str], int]:
    """What ``plans: [cuts]`` decides for a GPU and a DLA: seconds, plans, how many simulations."""
    counted = 0

    def ends(plans: Mapping[str, Plan]) -> Mapping[str, float]:
        nonlocal counted
        counted += 1
        programs = [xavier.lowering(name).program(plan) for name, plan in plans.items()]
        return dict(zip(plans, xavier.run(*programs), strict=True))

    graphs = {name: network(name) for name in (first, second)}
    two_units = with_units(xavier.soc, {xavier.soc.host.name, GPU, DLA})
    plans = best_cuts(graphs, two_units, ends)
    judged = counted
    return max(ends(plans).values()), [said(name, plan) for name, plan in plans.items()], judged


def said(name: str, plan: Plan) -> str:
    """Where a network runs, in a few words; a partition of one operator is a fallback."""
    parts = [part for part in plan.partitions if len(part.operators) > 1]
    later = (f"{part.pu} from {part.operators[0]}" for part in parts[1:])
    return f"{name} " + ", ".join((parts[0].pu, *later))


def pair_rows(xavier: Xavier, free: Xavier, measured: Measured) -> Iterator[str]:
    """The pairs: a line for each policy, the best policy of each."""
    for pair, policies in PAIRS.items():
        found = {policy: xavier.told(told) for policy, told in policies.items()}
        for policy in POLICIES:
            reference = measured.pair_s(pair, policy)
            yield (
                f"{pair} | {policy} | {ms(reference)} | {ms(found[policy])} |"
                f" {found[policy] / reference - 1:+.0%} | {ms(free.told(policies[policy]))}"
            )
        best = min(found, key=found.__getitem__)
        truly = min(POLICIES, key=measured.two_dnn_ms[pair].__getitem__)
        yield f"{pair} | best: {best}, measured best: {truly}"


def unseen(xavier: Xavier, measured: Measured) -> Iterator[str]:
    """Errors of rows that are networks on one unit which no fit has seen, by unit.

    On the GPU both networks of a pair, one after the other; on a DLA the network that is there
    alone and ends last. GoogLeNet and AlexNet, which were seen, are not among them.
    """
    told = measured.two_dnn_ms
    rows = {
        GPU: [("inception+resnet152", "only_gpu"), ("vgg19+resnet152", "only_gpu")],
        DLA: [(pair, "gpu&dla") for pair in PAIRS],
    }
    for unit, names in rows.items():
        errors = [
            abs(xavier.told(PAIRS[pair][policy]) * 1e3 / told[pair][policy] - 1.0)
            for pair, policy in names
        ]
        median, p90 = np.quantile(errors, [0.5, 0.9])
        yield f"{unit} | {len(errors)} | {median:.4f} | {p90:.4f}"


def slowed(known: Mapping[str, ProfileTable]) -> tuple[Xavier, dict[str, float]]:
    """A Xavier whose units lose speed beside each other as GoogLeNet does beside itself.

    One number for each unit, the share of its speed that it keeps while the other one reads or
    writes at all; more than one co-run cannot tell. Found by fixed-point iteration.
    """
    kept = dict.fromkeys(TWICE, 1.0)
    document = read_soc(SOC)
    for _ in range(ITERATIONS):
        tables = {
            f"pus.{unit}.slowdown": {"own": ["1 GB/s"], "external": ["1 MB/s"], "kept": [[share]]}
            for unit, share in kept.items()
        }
        xavier = Xavier(known, soc=build_soc(apply_overrides(document, tables)))
        for unit, seconds in zip(kept, xavier.together(*BESIDE_ITSELF), strict=True):
            kept[unit] = min(1.0, kept[unit] * seconds * 1e3 / TWICE[unit])
    return xavier, kept


def main() -> None:
    """Prints all of it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="directory of the measured table")
    tables = Tables(parser.parse_args().data)
    measured = read_measured(tables)
    known = profiles(measured)
    xavier, free = Xavier(known), Xavier(known, contention=False)
    print("alone (ms): network | GPU | DLA")
    for name in dict.fromkeys(n for pair in PAIRS for n in pair.split("+")):
        engine = Engine(name, GPU)
        times = (xavier.alone(plain(engine, unit)) for unit in (GPU, DLA))
        print(f"{name} | " + " | ".join(map(ms, times)))
    print("\npair | policy | measured | simulated | error | without contention (ms)")
    print("\n".join(pair_rows(xavier, free, measured)))
    print("\nunit | rows of unseen networks | median error | p90")
    print("\n".join(unseen(xavier, measured)))
    both = [ms(seconds) for seconds in xavier.together(*BESIDE_ITSELF)]
    print(f"googlenet beside itself: GPU {both[0]}, DLA {both[1]}; measured {TWICE}")
    slow, kept = slowed(known)
    print("\nthe same with a loss of speed that was fitted to that: " + str(kept))
    print("\n".join(pair_rows(slow, free, measured)))
    print("\npair | searched (ms) | the authors' cuts, simulated | schedule | simulations")
    for pair, policies in PAIRS.items():
        seconds, words, count = searched(xavier, *pair.split("+"))
        hax = ms(xavier.told(policies["hax"]))
        print(f"{pair} | {ms(seconds)} | {hax} | {'; '.join(words)} | {count}")
    print("\nconvolution | measured | simulated")
    rows = list(MemoryDemand().rows(Setting(tables), ""))
    for row in rows:
        print(f"{row.group} {row.name} | {row.reference:.2f} | {row.simulated:.2f}")
    rank = spearmanr([row.reference for row in rows], [row.simulated for row in rows])[0]
    print(f"rank correlation of all {len(rows)}: {rank:.2f}")
    print("\nOrin's configuration | measured there (larger) | Xavier, simulated (ms)")
    told = measured.orin_two_dnn_contended_mean_ms
    here = {name: max(xavier.together(*pair)) for name, pair in ORIN.items()}
    for name, seconds in here.items():
        print(f"{name} | {max(told[name]):.2f} | {ms(seconds)}")
    rank = spearmanr([max(told[name]) for name in here], list(here.values()))[0]
    print(f"rank correlation: {rank:.2f}")


if __name__ == "__main__":
    main()
