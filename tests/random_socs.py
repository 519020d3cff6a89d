"""Random SoCs, each from a seed: every kind of unit, link and memory there is."""

from __future__ import annotations

import random
from typing import Any

from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec

FIRST_SEEN = ("Conv", "Relu", "Add", "Concat", "MaxPool")
FUSE = ["Conv-Relu", "Conv-Add", "Conv-Add-Relu", "Add-Relu", "Conv-MaxPool"]


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
