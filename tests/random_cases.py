"""Random networks, valid plans and measured costs, each from a seed."""

from __future__ import annotations

import random
from dataclasses import replace

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.chain import CostChain, CostModel
from hetsim.cost.fusion import fuse
from hetsim.cost.measured.keys import group_key
from hetsim.cost.measured.model import MeasuredModel
from hetsim.cost.measured.table import CANNOT_RUN, Entry, ProfileTable
from hetsim.cost.support import why_not
from hetsim.cost.work import Kernel
from hetsim.plan.build import Block, block_needs, make_plan
from hetsim.plan.model import Partition, Plan
from hetsim.plan.validate import plan_problems
from hetsim.soc.model import PU, SoC
from hetsim.workload.graph import Graph
from hetsim.workload.synthetic import random_graph
from hetsim.workload.weights import StoredWeights, with_weights


def random_network(seed: int, size: int) -> Graph:
    """A random graph, some of them with narrow and sparse weights."""
    graph = random_graph(seed, size, spatial=(1, 5, 14)[seed % 3])
    dtype, sparsity = ("int4" if seed % 4 == 1 else None), ("2:4" if seed % 5 < 2 else None)
    return with_weights(graph, StoredWeights(dtype, None, sparsity))


def random_plan(graph: Graph, soc: SoC, seed: int) -> Plan:
    """A valid plan that nobody sensible would make: any PU, any cut, some parallel groups."""
    draw = random.Random(seed)
    units, pus = _units(graph, soc, draw)
    stick = draw.random()
    blocks: list[Block] = []
    for i, (unit, pu) in enumerate(zip(units, pus, strict=True)):
        if blocks and blocks[-1].pu == pu and draw.random() < stick:
            last = blocks.pop()
            blocks.append(Block(last.operators + unit, pu, (*last.units, i)))
        else:
            blocks.append(Block(unit, pu, (i,)))
    plan = make_plan(graph, soc, blocks, _groups(graph, blocks, draw), scheduler="random")
    if draw.random() < 0.2:
        plain = tuple(Partition(p.name, p.pu, p.operators, fuse=False) for p in plan.partitions)
        unfused = Plan(plan.model, plain, plan.parallel_groups, "random")
        if not plan_problems(unfused, graph, soc):
            return unfused
    return plan


def _units(graph: Graph, soc: SoC, draw: random.Random) -> tuple[list[tuple[int, ...]], list[int]]:
    """A random topological order of operators and chains, and where each runs."""
    homes = list(soc.pus) if draw.random() < 0.7 else [*draw.sample(soc.pus, 1), soc.host]
    chain_of: dict[int, tuple[int, ...]] = {}
    pu_of: dict[int, int] = {}
    for op in range(len(graph)):
        if op in pu_of:
            continue
        able = [pu for pu in homes if _runs(graph, pu, (op,))] or [soc.host]
        pu = draw.choice(able)
        chain: tuple[int, ...] = (op,)
        rest = [i for i in range(op, len(graph)) if i not in pu_of]
        for found in fuse(graph, rest, pu.spec.fuse_patterns):
            if found[0] == op and draw.random() < 0.5 and _runs(graph, pu, found):
                chain = found
        chain_of[chain[-1]] = chain
        for i in chain:
            pu_of[i] = pu.index
    return _shuffled(graph, list(chain_of.values()), pu_of, draw)


def _runs(graph: Graph, pu: PU, ops: tuple[int, ...]) -> bool:
    return why_not(pu, Kernel.of(graph, tuple(graph.operators[i] for i in ops))) is None


def _shuffled(
    graph: Graph, chains: list[tuple[int, ...]], pu_of: dict[int, int], draw: random.Random
) -> tuple[list[tuple[int, ...]], list[int]]:
    home = {op: i for i, chain in enumerate(chains) for op in chain}
    needs = [
        {home[p] for op in chain for p in graph.predecessors[op]} - {i}
        for i, chain in enumerate(chains)
    ]
    done: set[int] = set()
    order: list[int] = []
    while len(order) < len(chains):
        ready = [i for i in range(len(chains)) if i not in done and needs[i] <= done]
        chosen = draw.choice(ready[:6])
        order.append(chosen)
        done.add(chosen)
    return [chains[i] for i in order], [pu_of[chains[i][0]] for i in order]


def _groups(graph: Graph, blocks: list[Block], draw: random.Random) -> list[tuple[int, ...]]:
    needs = block_needs(graph, blocks)
    groups: list[list[int]] = []
    for i, block in enumerate(blocks):
        group = groups[-1] if groups else []
        apart = all(blocks[g].pu != block.pu for g in group)
        if group and apart and not set(group) & set(needs[i]) and draw.random() < 0.7:
            group.append(i)
        else:
            groups.append([i])
    return [tuple(group) for group in groups if len(group) > 1]


def random_memories(graph: Graph, soc: SoC, plan: Plan, seed: int) -> Plan:
    """``plan`` with some tensors in other memories, where everybody who touches them reaches."""
    draw = random.Random(seed)
    reach = {pu.name: {way.memory for way in pu.ways} for pu in soc.pus}
    common: dict[str, set[str]] = {}
    for partition in plan.partitions:
        for name in partition.operators:
            op = graph.operator(name)
            for tensor in (*op.inputs, *op.outputs):
                common[tensor] = common.get(tensor, set(soc.spec.memory)) & reach[partition.pu]
    able = {tensor: sorted(memories) for tensor, memories in common.items() if memories}
    placed = {tensor: draw.choice(m) for tensor, m in able.items() if draw.random() < 0.5}
    found = replace(plan, memories=placed)
    return plan if plan_problems(found, graph, soc) else found


def random_costs(graph: Graph, soc: SoC, seed: int) -> CostModel:
    """First principles, and for some units measured times of some operators and fused kernels."""
    draw = random.Random(seed)
    base = AnalyticalModel()
    tables = {}
    for cluster in dict.fromkeys(pu.cluster for pu in soc.pus if draw.random() < 0.6):
        pu = next(pu for pu in soc.pus if pu.cluster == cluster)
        entries = {}
        for chain in fuse(graph, range(len(graph)), pu.spec.fuse_patterns):
            for ops in {chain, chain[:1]}:
                operators = tuple(graph.operators[i] for i in ops)
                seconds = draw.uniform(1e-6, 2e-3) if draw.random() < 0.95 else CANNOT_RUN
                if draw.random() < 0.5 and _runs(graph, pu, ops):
                    key = group_key(graph, operators)
                    entries[key] = Entry(key, seconds)
        tables[cluster] = ProfileTable(cluster, "random", "random", "kernel", entries)
    return CostChain((MeasuredModel(tables, base), base)) if tables else base
