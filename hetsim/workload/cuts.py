"""Cuts of a graph: nodes that are an ancestor or a descendant of every other."""

from __future__ import annotations

from collections.abc import Sequence


def cut_positions(preds: Sequence[Sequence[int]], succs: Sequence[Sequence[int]]) -> list[int]:
    """Nodes that everything else comes before or after, ascending. O(V + E).

    Nodes stand in a topological order. Everything before ``u`` leads to ``u`` iff each such node
    has a reader no later than ``u``: one can then always walk on without passing ``u``. Likewise
    for everything after and producers.
    """
    count = len(preds)
    first_reader = [min(readers, default=count) for readers in succs]
    last_producer = [max(producers, default=-1) for producers in preds]
    after = [count] * (count + 1)
    for u in reversed(range(count)):
        after[u] = min(after[u + 1], last_producer[u])
    cuts = []
    before = -1
    for u in range(count):
        if before <= u <= after[u + 1]:
            cuts.append(u)
        before = max(before, first_reader[u])
    return cuts
