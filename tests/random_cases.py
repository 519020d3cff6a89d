"""Random SoCs and random valid plans, each from a seed."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

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
from hetsim.soc.schema import SoCSpec
from hetsim.workload.graph import Graph
from hetsim.workload.synthetic import random_graph
from hetsim.workload.weights import StoredWeights, with_weights

FUSE = ["Conv-Relu", "Conv-Add", "Conv-Add-Relu", "Add-Relu", "Conv-MaxPool"]
FIRST_SEEN = ("Conv", "Relu", "Add", "Concat", "MaxPool")


def random_network(seed: int, size: int) -> Graph:
    """A random graph, some of them with narrow and sparse weights."""
    graph = random_graph(seed, size, spatial=(1, 5, 14)[seed % 3])
    dtype, sparsity = ("int4" if seed % 4 == 1 else None), ("2:4" if seed % 5 < 2 else None)
    return with_weights(graph, StoredWeights(dtype, None, sparsity))


def random_soc(seed: int, *, routes: bool = False) -> SoC:
    """One or two clusters, up to two NPUs, perhaps an accelerator, GPU or DSP, on shared links.

    ``routes``: and a memory more, which some of them reach.
    """
    return SoC.from_spec(SoCSpec.model_validate(random_soc_file(seed, routes=routes)))


def random_soc_file(seed: int, *, routes: bool = False) -> dict[str, Any]:
    """What a file of that SoC would say."""
    draw = random.Random(seed)
    links = {f"link{i}": _link(draw) for i in range(draw.randint(0, 2))}
    memory = {"dram": _memory(draw)}
    if draw.random() < 0.15:
        memory["sram"] = _memory(draw)
    pus: dict[str, dict[str, Any]] = {"cpu": _cluster(draw, links, memory)}
    if draw.random() < 0.3:
        pus["little"] = _cluster(draw, links, memory)
    for i in range(draw.choice((0, 1, 1, 1, 2))):
        pus[f"npu{i}"] = _npu(draw, links, memory)
    if draw.random() < 0.3:
        pus["gpu"] = _accelerator(draw, links, memory)
    grouped = random.Random(seed + 2)
    if grouped.random() < 0.4:
        make = grouped.choice((_gpu, _dsp))
        pus["grouped"] = make(grouped, links, memory)
    if routes:
        further = random.Random(seed)
        memory["far"] = _memory(further)
        for unit in pus.values():
            if further.random() < 0.7:
                shared = [name for name in links if further.random() < 0.5]
                unit["routes"] = {"far": [*shared, "far"]}
    cuts = random.Random(seed + 1)
    for unit in pus.values():
        if cuts.random() < 0.25:
            unit["crossing"]["refetch"] = _rate(cuts)
        if cuts.random() < 0.25:
            unit["crossing"]["handover"] = f"{cuts.uniform(0, 50):.3f} us"
    kept = random.Random(seed + 3)
    for unit in pus.values():
        if kept.random() < 0.3:
            unit["weights"] = {"unpack": {"int4": 10 ** kept.uniform(-2, 2)}}
        if kept.random() < 0.3:
            unit.setdefault("weights", {})["sparsity"] = {"2:4": kept.uniform(1, 2)}
    _more_links(random.Random(seed + 2), links, pus)
    channels = random.Random(seed + 3)
    for spec in memory.values():
        if channels.random() < 0.4:
            spec["channels"] = channels.choice((2, 3, 8))
            spec["interleave"] = channels.choice(("256 B", "4 KiB", "100 kB"))
    runtime = {
        "host": "cpu",
        "partition_call": _time(draw, 50),
        "thread_create": _time(draw, 50),
        "thread_join": _time(draw, 50),
        "exchange": draw.choice(("native", "native", "host")),
    }
    if draw.random() < 0.3:
        runtime["input_copy"] = _rate(draw)
    return {
        "hetsim": "soc/1", "name": f"random{seed}", "memory": memory, "links": links, "pus": pus,
        "runtime": runtime,
    }  # fmt: skip


def _time(draw: random.Random, most_us: float) -> str | int:
    return 0 if draw.random() < 0.3 else f"{draw.uniform(0, most_us):.3f} us"


def _rate(draw: random.Random) -> str:
    return f"{10 ** draw.uniform(-1, 1.5):.4f} GB/s"


def _memory(draw: random.Random) -> dict[str, Any]:
    shares = [round(draw.uniform(0.3, 1.0), 2) for _ in range(draw.randint(1, 4))]
    return {
        "bandwidth": _rate(draw),
        "efficiency": shares[0] if len(shares) == 1 else shares,
        "latency": _time(draw, 1),
        "capacity": "64 GiB",
    }


def _link(draw: random.Random) -> dict[str, Any]:
    kinds = ("max_min_fair", "max_min_fair", "weighted", "priority", "fifo")
    return {
        "bandwidth": _rate(draw), "arbitration": draw.choice(kinds), "latency": _time(draw, 1),
    }  # fmt: skip


def _more_links(draw: random.Random, links: dict[str, Any], pus: dict[str, dict[str, Any]]) -> None:
    """Makes some links those between dies, and one perhaps a cache."""
    cached = draw.choice([*links, None, None])
    for name, link in links.items():
        users = [pu for pu, unit in pus.items() if name in unit["path"]]
        if name == cached and users:
            link["cache"] = {"capacity": f"{draw.choice((4, 64, 1024, 65536))} KiB"}
            if draw.random() < 0.3:
                link["cache"]["units"] = draw.sample(users, draw.randint(1, len(users)))
            continue
        if draw.random() < 0.3:
            link["efficiency"] = round(draw.uniform(0.5, 1.0), 2)
        if draw.random() < 0.4:
            link["duplex"] = "full"
            behind = {
                path[-1]
                for unit in pus.values()
                for path in (unit["path"], *unit.get("routes", {}).values())
                if name in path
            }
            near = [memory for memory in sorted(behind) if draw.random() < 0.5]
            if near and len(near) < len(behind):
                link["backwards"] = near


def _common(draw: random.Random, links: dict[str, Any], memory: dict[str, Any]) -> dict[str, Any]:
    path = [name for name in links if draw.random() < 0.7] + [draw.choice(list(memory))]
    spec: dict[str, Any] = {
        "path": path,
        "operating_points": {"nominal": {"clock": f"{draw.randint(100, 2000)} MHz"}},
        "dispatch": _time(draw, 30),
        "fuse": draw.sample(FUSE, draw.randint(0, len(FUSE))),
    }
    used = {links[name]["arbitration"] for name in path if name in links}
    if "weighted" in used:
        spec["weight"] = draw.choice((0.5, 1.0, 4.0))
    if "priority" in used:
        spec["priority"] = draw.randint(-1, 2)
    if draw.random() < 0.25:
        spec["slowdown"] = {
            "own": ["0.2 GB/s", "4 GB/s"],
            "external": ["1 GB/s", "8 GB/s"],
            "kept": [[0.99, 0.9], [0.95, round(draw.uniform(0.4, 0.9), 2)]],
        }
    crossing: dict[str, Any] = {}
    if draw.random() < 0.5:
        crossing["quantise"] = f"{draw.uniform(0, 4):.3f} ns"
    if draw.random() < 0.5:
        crossing["relayout"] = f"{draw.uniform(0.1, 4):.3f} ns"
        if draw.random() < 0.4:
            crossing["relayout_at"] = "kernel"
    if draw.random() < 0.3:
        crossing["cache_maintenance"] = _rate(draw)
    if draw.random() < 0.3:
        crossing["copy"] = _rate(draw)
    spec["crossing"] = crossing
    if draw.random() < 0.3:
        spec["layout"] = "nhwc"
    return spec


def _arithmetic(draw: random.Random) -> dict[str, Any]:
    return {
        "macs_per_cycle": {"float32": draw.uniform(1, 16), "int8": draw.uniform(4, 64)},
        "element_ops_per_cycle": {"float32": draw.uniform(1, 16), "int8": draw.uniform(1, 64)},
        "efficiency": {"default": draw.uniform(0.1, 1), "Conv": draw.uniform(0.1, 1)},
    }


def _cluster(draw: random.Random, links: dict[str, Any], memory: dict[str, Any]) -> dict[str, Any]:
    cores = draw.randint(1, 4)
    spec = _common(draw, links, memory) | _arithmetic(draw)
    spec |= {"kind": "cpu_cluster", "cores": cores, "parallel_efficiency": draw.uniform(0, 1)}
    if draw.random() < 0.5:
        spec["workers"] = [1] * cores if draw.random() < 0.5 else [draw.randint(1, cores)]
    if spec["fuse"] and draw.random() < 0.3:
        spec["fused_tails"] = "free"
    if draw.random() < 0.5:
        spec["l2"] = f"{draw.choice((16, 256, 2048))} KiB"
    return spec


def _accelerator(
    draw: random.Random, links: dict[str, Any], memory: dict[str, Any]
) -> dict[str, Any]:
    spec = _common(draw, links, memory) | _arithmetic(draw) | {"kind": "accelerator"}
    if draw.random() < 0.5:
        spec["precision"] = {"float32": "int8"}
    return spec


def _gpu(draw: random.Random, links: dict[str, Any], memory: dict[str, Any]) -> dict[str, Any]:
    spec = _common(draw, links, memory) | _arithmetic(draw)
    tiles = [(draw.choice((4, 16, 64)), draw.choice((1, 4, 16))) for _ in range(draw.randint(1, 3))]
    spec |= {
        "kind": "gpu",
        "cores": draw.randint(1, 16),
        "resident": draw.choice((1, 1, 2, 4)),
        "work_group": draw.choice((1, 32, 256)),
        "tiles": [{"rows": rows, "columns": columns} for rows, columns in tiles],
        "completion": _time(draw, 50),
    }
    if draw.random() < 0.5:
        spec["operand_width"] = draw.choice((4, 16.0, 64))
    if draw.random() < 0.4:
        spec["staging"] = {"memory": f"{draw.choice((16, 64))} KiB", "steps": draw.choice((4, 16))}
    if draw.random() < 0.4:
        spec["matrix"] = {"macs_per_cycle": {"int8": 256}, "depth": draw.choice((4, 16))}
    if draw.random() < 0.4:
        spec["winograd"] = draw.choice((2, 4))
    if draw.random() < 0.4:
        spec["l2"] = f"{draw.choice((16, 256))} KiB"
    if draw.random() < 0.4:
        spec["precision"] = {"float32": "int8"}
    return spec


def _dsp(draw: random.Random, links: dict[str, Any], memory: dict[str, Any]) -> dict[str, Any]:
    spec = _common(draw, links, memory) | _arithmetic(draw)
    spec |= {
        "kind": "dsp",
        "threads": draw.randint(1, 6),
        "vector": f"{draw.choice((128, 512, 1024))} bit",
        "sums": draw.choice((1, 6, 8)),
        "loads": draw.choice((0.5, 1.0, 2.0)),
        "rpc": _time(draw, 200),
    }
    if draw.random() < 0.7:
        spec["tcm"] = f"{draw.choice((4, 32, 256))} KiB"
    if draw.random() < 0.5:
        spec["dma"] = _rate(draw)
    if draw.random() < 0.5:
        spec["precision"] = {"float32": "int8"}
    return spec


def _npu(draw: random.Random, links: dict[str, Any], memory: dict[str, Any]) -> dict[str, Any]:
    spec = _common(draw, links, memory)
    dtype = draw.choice(("int8", "float32", "float16"))
    spec |= {
        "kind": "npu",
        "array": _array(draw),
        "array_efficiency": draw.uniform(0.3, 1),
        "dtypes": {dtype: draw.choice((1.0, 0.5))},
        "vector_lanes": draw.choice((1, 8, 64)),
        "sram": _sram(draw),
        "dma": {
            "engines": draw.randint(1, 3), "bandwidth": _rate(draw), "setup": _time(draw, 2),
        },
        "double_buffer": draw.random() < 0.7,
        "operators": _operators(draw),
    }  # fmt: skip
    if dtype != "float32":
        spec["precision"] = {"float32": dtype}
    if spec["double_buffer"] and draw.random() < 0.4:
        spec["prefetch"] = True
    more = random.Random(repr(spec))  # draws of their own, so that what was drawn stays
    if more.random() < 0.35:
        spec["cores"] = more.choice((2, 3, 4))
        if more.random() < 0.4:
            spec["workers"] = more.choice(([1] * spec["cores"], [spec["cores"] - 1, 1]))
        if max(spec.get("workers", [spec["cores"]])) > 1:
            spec["core_sync"] = _time(more, 5)
    if draw.random() < 0.5:
        spec["host_wait"] = "poll"
    elif draw.random() < 0.5:
        spec["interrupt_latency"] = _time(draw, 20)
    return spec


def _array(draw: random.Random) -> dict[str, Any]:
    if draw.random() < 0.4:
        return {"batch": 1, "block_in": draw.choice((4, 16)), "block_out": draw.choice((4, 16))}
    flows = ("weight_stationary", "output_stationary", "input_stationary")
    sizes = (2, 4, 8, 16, 32)
    return {
        "rows": draw.choice(sizes), "columns": draw.choice(sizes), "dataflow": draw.choice(flows),
    }  # fmt: skip


def _sram(draw: random.Random) -> Any:
    if draw.random() < 0.5:
        return f"{draw.choice((16, 64, 256, 4096))} KiB"
    return {name: f"{draw.choice((8, 32, 128))} KiB" for name in ("input", "weight", "accumulator")}


def _operators(draw: random.Random) -> Any:
    if draw.random() < 0.3:
        return "all"
    rule = {"in_channels_multiple_of": 16} if draw.random() < 0.3 else {}
    chosen = ["Conv", *draw.sample(FIRST_SEEN[1:], draw.randint(0, 4))]
    return {kind: rule if kind == "Conv" else {} for kind in chosen}


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
