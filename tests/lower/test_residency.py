"""What stays on chip between kernels: by hand, and as the same rule in other words says."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from hetsim.cost.work import NOWHERE, Kernel, Residency
from hetsim.lower.residency import residencies
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph
from tests.sim.samples import NPU, make_graph, make_soc

MB = 1_000_000


def unit(sram: str = "16 MB", **cpu: Any) -> PU:
    soc = make_soc({"cpu": cpu, "npu": NPU | {"sram": sram}})
    return soc.by_name["cpu" if cpu else "npu"]


def kept(graph: Graph, names: str, pu: PU) -> list[Residency]:
    """Of one kernel for each operator."""
    kernels = [Kernel.of(graph, (graph.operators[graph.index[name]],)) for name in names]
    return residencies(graph, kernels, pu)


def stays(
    reads: str = "", writes: str = "", reserved: int = 0, held: int = 0, unsaved: int = 0
) -> Residency:
    """In megabytes."""
    return Residency(frozenset(reads), frozenset(writes), reserved * MB, held * MB, unsaved * MB)


CHAIN = make_graph(("a", ["x"], 1), ("b", ["a"], 1), ("c", ["b"], 1))


def test_a_result_stays_from_the_kernel_that_makes_it_to_the_one_that_reads_it() -> None:
    assert kept(CHAIN, "abc", unit()) == [
        stays("", "a", 1), stays("a", "b", 2, 1, 1), stays("b", "", 1, 1, 1)
    ]  # fmt: skip


def test_one_kernel_alone_keeps_nothing() -> None:
    assert kept(CHAIN, "b", unit()) == [NOWHERE]
    assert kept(CHAIN, "ab", unit(cores=4)) == [NOWHERE] * 2  # a CPU of which no cache is known
    assert kept(CHAIN, "b", unit(l2="8 MB")) == [NOWHERE]


def test_it_stays_until_its_last_reader_and_not_longer() -> None:
    graph = make_graph(("a", ["x"], 1), ("b", ["a"], 1), ("c", ["a", "b"], 1), ("d", ["c"], 1))
    assert kept(graph, "abcd", unit()) == [
        stays("", "a", 1), stays("a", "b", 2, 1, 1), stays("ab", "c", 3, 2, 2),
        stays("c", "", 1, 1, 1),
    ]  # fmt: skip


def test_what_others_read_too_goes_to_memory_as_well() -> None:
    fork = make_graph(("a", ["x"], 1), ("b", ["a"], 1), ("c", ["a"], 1))
    # c is in another partition: b finds a on chip, and memory has it.
    assert kept(fork, "ab", unit()) == [stays("", "", 1), stays("a", "", 1, 1)]
    assert kept(fork, "abc", unit()) == [
        stays("", "a", 1), stays("a", "", 1, 1, 1), stays("a", "", 1, 1, 1)
    ]  # fmt: skip
    both = Graph.create("both", CHAIN.operators, CHAIN.tensors.values(), ["x"], ["b", "c"])
    assert kept(both, "abc", unit())[1:] == [stays("a", "", 2, 1, 1), stays("b", "", 1, 1)]


@pytest.mark.parametrize(("sram", "fits"), [("4 MB", True), ("3.999998 MB", False)])
def test_the_second_stays_only_if_both_fit_half_the_memory(sram: str, fits: bool) -> None:
    graph = make_graph(("a", ["x"], 1), ("b", ["x"], 1), ("c", ["a", "b"], 1))
    found = kept(graph, "abc", unit(sram))
    assert found[0] == stays("", "a", 1)
    if fits:
        assert found[1:] == [stays("", "b", 2, 1, 1), stays("ab", "", 2, 2, 2)]
    else:  # the first has taken the room
        assert found[1:] == [stays("", "", 1, 1, 1), stays("a", "", 1, 1, 1)]


def test_a_cache_serves_what_the_kernel_just_before_wrote_if_it_fits() -> None:
    graph = make_graph(("a", ["x"], 1), ("b", ["a"], 1), ("c", ["a", "b"], 1))
    # Everything is written to memory all the same.
    assert kept(graph, "abc", unit(l2="1 MB")) == [
        NOWHERE, stays("a", "", 0, 1), stays("b", "", 0, 1)
    ]  # fmt: skip
    assert kept(graph, "abc", unit(l2="999999 B")) == [NOWHERE] * 3
    assert kept(graph, "ac", unit(l2="1 MB")) == [NOWHERE, stays("a", "", 0, 1)]
    assert kept(graph, "bc", unit(l2="1 MB")) == [NOWHERE, stays("b", "", 0, 1)]


def slow(graph: Graph, names: Sequence[str], room: int) -> list[Residency]:
    """The same in words: for each tensor whether it stays, decided in order; then the sums."""
    ops = [graph.operators[graph.index[name]] for name in names]
    chosen: dict[str, tuple[int, int]] = {}
    found = []
    for i, op in enumerate(ops):
        readers = [k for k, other in enumerate(ops) if op.name in other.inputs]
        present = {t for t, (begin, end) in chosen.items() if begin < i <= end}
        there = len(present)
        if readers and (there + 1) * MB <= room:
            chosen[op.name] = i, readers[-1]
        outside = [r for r in graph.consumers[op.name] if graph.operators[r].name not in names]
        inner = op.name in chosen and not outside and op.name not in graph.output_set
        unsaved = [t for t in present if all(graph.operators[r].name in names
                                             for r in graph.consumers[t])]  # fmt: skip
        reads, writes = "".join(present & set(op.inputs)), op.name if inner else ""
        taken = there + (op.name in chosen)
        found.append(stays(reads, writes, taken, there, len(unsaved)))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_the_same_says_in_words(seed: int) -> None:
    draw = random.Random(seed)
    names = "abcdefgh"
    rows = [(n, draw.sample(["x", *names[:i]], draw.randint(1, min(i + 1, 3))), 1.0)
            for i, n in enumerate(names)]  # fmt: skip
    graph = make_graph(*rows)
    part = [n for n in names if draw.random() < 0.8]
    for room in (1, 2, 4):
        assert kept(graph, "".join(part), unit(f"{2 * room} MB")) == slow(graph, part, room * MB)
