"""Cut units, and the blocks between them: by hand, and against the definition."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from hetsim.schedulers.cuts import blocks_between_cuts, cut_units


class Dag(SimpleNamespace):
    """Units, as far as their dependencies go: ``preds`` and ``succs`` by position."""

    def __len__(self) -> int:
        return len(self.preds)


def dag(preds: list[list[int]]) -> Any:
    succs: list[list[int]] = [[] for _ in preds]
    for u, before in enumerate(preds):
        for p in before:
            succs[p].append(u)
    return Dag(preds=preds, succs=succs)


def test_each_block_ends_with_its_cut_and_none_is_empty() -> None:
    #   0 - (1 | 2) - 3 - 4 - (5 | 6)
    units = dag([[], [0], [0], [1, 2], [3], [4], [4]])
    assert cut_units(units) == [0, 3, 4]
    assert blocks_between_cuts(units) == [[0], [1, 2, 3], [4], [5, 6]]
    assert blocks_between_cuts(dag([[], [0]])) == [[0], [1]]


@pytest.mark.parametrize("seed", range(8))
def test_a_cut_is_ordered_with_every_other_unit(seed: int) -> None:
    draw = random.Random(seed)
    size = 7
    units = dag([[p for p in range(u) if draw.random() < 0.45] for u in range(size)])
    after: list[set[int]] = [set() for _ in range(size)]
    for u in reversed(range(size)):
        after[u] = set(units.succs[u]).union(*(after[s] for s in units.succs[u]))
    cuts = [
        u for u in range(size)
        if all(v == u or v in after[u] or u in after[v] for v in range(size))
    ]  # fmt: skip
    assert cut_units(units) == cuts
    blocks = blocks_between_cuts(units)
    assert [u for block in blocks for u in block] == list(range(size))
    assert {block[-1] for block in blocks} == {*cuts, size - 1}
    assert all(u not in cuts for block in blocks for u in block[:-1])
