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
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from hetsim.overrides import apply_overrides
from hetsim.soc.loader import build_soc, read_soc
from hetsim.validate.base import Setting
from hetsim.validate.checks.haxconn.check import TABLE, MemoryDemand
from hetsim.validate.checks.haxconn.corun import SOC, Xavier, plain
from hetsim.validate.checks.haxconn.networks import network
from hetsim.validate.checks.haxconn.pairs import DLA, GPU, PAIRS, POLICIES, Engine
from hetsim.validate.checks.haxconn.profiles import profiles
from hetsim.validate.tables import Tables
from hetsim.workload.cuts import cut_positions

PLACES = 12
"""Where a network may change its unit, at most; HaX-CoNN has ten groups of layers."""

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


def engines(name: str) -> list[Engine]:
    """Both units alone, and every change between them at some places that cut the network."""
    graph = network(name)
    producers = [
        [graph.producer[t] for t in op.inputs if t in graph.producer] for op in graph.operators
    ]
    readers: list[list[int]] = [[] for _ in producers]
    for i, before in enumerate(producers):
        for j in before:
            readers[j].append(i)
    cuts = [i + 1 for i in cut_positions(producers, readers) if i + 1 < len(producers)]
    step = max(1, len(cuts) // PLACES)
    places = [graph.operators[i].name for i in cuts[step - 1 :: step]]
    return [Engine(name, unit, cut) for unit in (GPU, DLA) for cut in ("", *places)]


def searched(xavier: Xavier, first: str, second: str) -> tuple[Engine, Engine, float, int]:
    """The best pair of engines found by changing one after the other; simulations made."""
    choices = {name: engines(name) for name in (first, second)}
    tried: dict[tuple[Engine, Engine], float] = {}

    def seconds(one: Engine, other: Engine) -> float:
        if (one, other) not in tried:
            tried[one, other] = max(xavier.together(one, other))
        return tried[one, other]

    units = [(Engine(first, a), Engine(second, b)) for a in (GPU, DLA) for b in (GPU, DLA)]
    best = min(units, key=lambda pair: seconds(*pair))
    while True:
        one = min(choices[first], key=lambda engine: seconds(engine, best[1]))
        other = min(choices[second], key=lambda engine: seconds(one, engine))
        if seconds(one, other) >= seconds(*best):
            return *best, seconds(*best), len(tried)
        best = (one, other)


def said(engine: Engine) -> str:
    """An engine in a few words."""
    unit, other = ("GPU", "DLA") if engine.first == GPU else ("DLA", "GPU")
    return f"{engine.network} {unit}" + (f", {other} from {engine.cut}" if engine.cut else "")


def pair_rows(xavier: Xavier, free: Xavier, measured: Mapping[str, Any]) -> Iterator[str]:
    """The pairs: a line for each policy, the best policy of each."""
    for pair, policies in PAIRS.items():
        found = {policy: xavier.told(told) for policy, told in policies.items()}
        for policy in POLICIES:
            reference = measured["two_dnn_ms"][pair][policy] * 1e-3
            yield (
                f"{pair} | {policy} | {ms(reference)} | {ms(found[policy])} |"
                f" {found[policy] / reference - 1:+.0%} | {ms(free.told(policies[policy]))}"
            )
        best = min(found, key=found.__getitem__)
        truly = min(POLICIES, key=measured["two_dnn_ms"][pair].__getitem__)
        yield f"{pair} | best: {best}, measured best: {truly}"


def unseen(xavier: Xavier, measured: Mapping[str, Any]) -> Iterator[str]:
    """Errors of rows that are networks on one unit which no fit has seen, by unit.

    On the GPU both networks of a pair, one after the other; on a DLA the network that is there
    alone and ends last. GoogLeNet and AlexNet, which were seen, are not among them.
    """
    told = measured["two_dnn_ms"]
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


def slowed(known: Mapping[str, Any]) -> tuple[Xavier, dict[str, float]]:
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
    measured = tables.document(TABLE)
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
        one, other, seconds, count = searched(xavier, *pair.split("+"))
        hax = ms(xavier.told(policies["hax"]))
        print(f"{pair} | {ms(seconds)} | {hax} | {said(one)}; {said(other)} | {count}")
    print("\nconvolution | measured | simulated")
    rows = list(MemoryDemand().rows(Setting(tables), ""))
    for row in rows:
        print(f"{row.group} {row.name} | {row.reference:.2f} | {row.simulated:.2f}")
    rank = spearmanr([row.reference for row in rows], [row.simulated for row in rows])[0]
    print(f"rank correlation of all {len(rows)}: {rank:.2f}")
    print("\nOrin's configuration | measured there (larger) | Xavier, simulated (ms)")
    told = measured["orin_two_dnn_contended_mean_ms"]
    here = {name: max(xavier.together(*pair)) for name, pair in ORIN.items()}
    for name, seconds in here.items():
        print(f"{name} | {max(told[name]):.2f} | {ms(seconds)}")
    rank = spearmanr([max(told[name]) for name in here], list(here.values()))[0]
    print(f"rank correlation: {rank:.2f}")


if __name__ == "__main__":
    main()
