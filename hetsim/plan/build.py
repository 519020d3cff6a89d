"""From "which operator runs where" to partitions: the last step of every scheduler.

A scheduler decides about *units*: operators, or chains it wants kept together because some PU runs
them as one kernel. Given the units in an order that respects dependencies and a PU for each, the
functions here cut them into :class:`Block` objects, and :func:`make_plan` turns blocks into a plan.

Why the results are valid: in both ways of merging, blocks stand in the order of their first unit,
and whatever a block reads was written by a block that stands before it, so there are no cycles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hetsim.plan.model import Partition, Plan
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from hetsim.workload.rewrite import Rewrite

UnitList = Sequence[Sequence[int]]
"""Chains of operator positions; together they hold every operator once."""


@dataclass(frozen=True, slots=True)
class Block:
    """A partition in the making: operators in execution order, PU index, positions of its units."""

    operators: tuple[int, ...]
    pu: int
    units: tuple[int, ...] = ()


def single_units(graph: Graph) -> tuple[tuple[int, ...], ...]:
    """Every operator as a unit of its own, in graph order."""
    return tuple((i,) for i in range(len(graph)))


def merge_eager(graph: Graph, units: UnitList, pus: Sequence[int]) -> list[Block]:
    """Merges successive units of one PU wherever nobody has to wait longer for it.

    ``units`` in a topological order, ``pus[i]`` the PU index of ``units[i]``. A block ends after a
    unit whose result another PU reads (results become visible when a partition ends) and before
    a unit that reads another PU's result (a partition waits for all its inputs). O(V + E).
    """
    placed = {op: pu for unit, pu in zip(units, pus, strict=True) for op in unit}
    blocks: list[list[int]] = []
    open_block: dict[int, list[int]] = {}
    for position, (unit, pu) in enumerate(zip(units, pus, strict=True)):
        reads_others = any(placed[p] != pu for op in unit for p in graph.predecessors[op])
        block = open_block.get(pu)
        if block is None or reads_others:
            block = open_block[pu] = []
            blocks.append(block)
        block.append(position)
        if any(placed[s] != pu for op in unit for s in graph.successors[op]):
            del open_block[pu]
    return [_block(units, block, pus[block[0]]) for block in blocks]


def merge_runs(units: UnitList, pus: Sequence[int]) -> list[Block]:
    """Merges each maximal run of successive units on one PU, for execution one after the other.

    ``units`` in a topological order. The fewest partitions for that order, as when a single
    thread works through the list; a partition may delay readers of its early results.
    """
    blocks: list[list[int]] = []
    for position, pu in enumerate(pus):
        if blocks and pus[blocks[-1][0]] == pu:
            blocks[-1].append(position)
        else:
            blocks.append([position])
    return [_block(units, block, pus[block[0]]) for block in blocks]


def _block(units: UnitList, positions: Sequence[int], pu: int) -> Block:
    return Block(tuple(op for i in positions for op in units[i]), pu, tuple(positions))


def block_needs(graph: Graph, blocks: Sequence[Block]) -> list[tuple[int, ...]]:
    """For each block, the positions of the blocks whose results it reads, ascending."""
    home = {op: i for i, block in enumerate(blocks) for op in block.operators}
    return [
        tuple(sorted({home[p] for op in block.operators for p in graph.predecessors[op]} - {i}))
        for i, block in enumerate(blocks)
    ]


def overlapping_groups(
    graph: Graph, blocks: Sequence[Block], spans: Sequence[tuple[float, float]]
) -> list[tuple[int, ...]]:
    """Parallel groups for a schedule with times: what it overlaps may be forked and joined.

    ``spans[i]`` is when ``blocks[i]`` starts and ends in the scheduler's opinion (seconds). Returns
    runs of neighbouring blocks on different PUs, none reading from another, that all share some
    stretch of time. Without them the barrier runtime would execute the schedule serially.
    """
    needs = block_needs(graph, blocks)
    groups: list[list[int]] = []
    for i, block in enumerate(blocks):
        group = groups[-1] if groups else []
        starts, ends = zip(*(spans[g] for g in (*group, i)), strict=True)
        fits = (
            max(starts) < min(ends)
            and all(blocks[g].pu != block.pu for g in group)
            and not set(group).intersection(needs[i])
        )
        if group and fits:
            group.append(i)
        else:
            groups.append([i])
    return [tuple(group) for group in groups if len(group) > 1]


def make_plan(
    graph: Graph,
    soc: SoC,
    blocks: Sequence[Block],
    groups: Sequence[Sequence[int]] = (),
    *,
    scheduler: str,
    parameters: Mapping[str, object] | None = None,
    predicted_s: float | None = None,
    details: Mapping[str, object] | None = None,
    rewrites: Sequence[Rewrite] = (),
) -> Plan:
    """The plan that runs ``blocks`` in their order; ``groups`` hold positions of blocks.

    Partitions are called ``p0``, ``p1``, ... in that order. ``graph`` is the network after
    ``rewrites``.
    """
    partitions = tuple(
        Partition(
            f"p{i}",
            soc.pus[block.pu].name,
            tuple(graph.operators[op].name for op in block.operators),
        )
        for i, block in enumerate(blocks)
    )
    return Plan(
        model=graph.name,
        partitions=partitions,
        parallel_groups=tuple(tuple(f"p{i}" for i in group) for group in groups),
        scheduler=scheduler,
        parameters=dict(parameters or {}),
        predicted_s=predicted_s,
        details=dict(details or {}),
        rewrites=tuple(rewrites),
    )
