"""Every number of a SoC description does something, and in the direction its name says.

One SoC uses every numeric field of the schema. Each number in turn is changed, a battery of
simulations is repeated, and some result must move; where the field promises a direction, the
total must move that way.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import onnx.parser
import pytest

from hetsim.analysis.metrics.energy import energy
from hetsim.cost.analytical import AnalyticalModel
from hetsim.errors import HetsimError
from hetsim.lower.lowering import Lowering
from hetsim.plan.model import Partition, Plan
from hetsim.runs.case import Case
from hetsim.runs.guards.memory import check_capacity
from hetsim.sim.simulate import execute
from hetsim.soc.loader import build_soc
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from hetsim.workload.onnx.loader import load_onnx
from hetsim.workload.weights import StoredWeights, with_weights
from hetsim.yamlio import parse_yaml

SOC = """
hetsim: soc/1
name: everything
memory:
  dram: {bandwidth: 3.2 GB/s, efficiency: [0.9, 0.8, 0.7], latency: 120 ns, capacity: 2.5 MiB,
         energy_per_byte: 50 pJ, channels: 3, interleave: 5 KiB}
links:
  wide: {width: 64 bit, clock: 500 MHz, latency: 40 ns, arbitration: priority}
  bus: {bandwidth: 1.5 GB/s, latency: 30 ns, arbitration: weighted}
  slc: {bandwidth: 1 GB/s, latency: 20 ns, energy_per_byte: 3 pJ, cache: {capacity: 100 KiB}}
  d2d: {bandwidth: 0.3 GB/s, latency: 50 ns, duplex: full, efficiency: 0.9, energy_per_byte: 4 pJ}
pus:
  cpu:
    kind: cpu_cluster
    path: [wide, dram]
    operating_points: {run: {clock: 1.2 GHz, active_power: 2 W, idle_power: 0.2 W}}
    cores: 4
    workers: [2, 1]
    macs_per_cycle: {float32: 4}
    element_ops_per_cycle: {float32: 2}
    efficiency: {default: 0.4, Conv: 0.5, Conv.grouped: 0.3, Conv.depthwise: 0.2, Relu: 0.6}
    parallel_efficiency: 0.8
    l2: 128 KiB
    dispatch: 3 us
    fuse: [Conv-Relu]
    priority: 2
    crossing: {refetch: 0.3 GB/s, handover: 20 us}
  little:
    kind: cpu_cluster
    path: [bus, dram]
    operating_points: {run: {clock: 900 MHz, active_power: 0.5 W, idle_power: 0.05 W}}
    cores: 1
    macs_per_cycle: {float32: 3}
    element_ops_per_cycle: {float32: 0.5}
    efficiency: {default: 0.3}
    convolution:
      input_cycles: 2.0
      output_cycles: 3.0
      reduction_cycles: 4.0
      width_penalty: 0.5
      width_tile: 4
      depthwise: {input_cycles: 1.0, output_cycles: 1.5}
    dispatch: 2 us
    weight: 2.0
  dsp:
    kind: accelerator
    path: [d2d, bus, slc, dram]
    operating_points: {run: {clock: 600 MHz, active_power: 1 W, idle_power: 0.1 W}}
    macs_per_cycle: {float16: 48}
    element_ops_per_cycle: {float16: 1}
    efficiency: {default: 0.5}
    precision: {float32: float16}
    dispatch: 5 us
    weight: 1.5
    crossing: {quantise: 30 ns, copy: 0.05 GB/s}
    uncertainty: {float16: {unit: 0.2, classes: {default: 0.1, Conv: 0.3}, kernel: 0.4}}
    slowdown: {own: [0.02 GB/s, 0.3 GB/s], external: [0.05 GB/s, 0.5 GB/s],
               kept: [[0.95, 0.8], [0.9, 0.6]]}
  npu:
    kind: npu
    path: [bus, dram]
    operating_points: {run: {clock: 400 MHz, active_power: 0.8 W, idle_power: 0.04 W}}
    precision: {float32: int8}
    layout: tiled
    array: {rows: 16, columns: 8, dataflow: weight_stationary}
    array_efficiency: 0.8
    dtypes: {int8: 0.9}
    vector_lanes: 1
    sram: 24 KiB
    weight_memory: 4 KiB   # a lone inference finds nothing in it: tests/sim/test_weights.py
    dma: {engines: 2, bandwidth: 2 GB/s, setup: 100 ns, outstanding: 1, burst: 32 B}
    prefetch: true
    interrupt_latency: 6 us
    dispatch: 8 us
    weight: 3.0
    operators: {Conv: {max_groups: 4, max_kernel: 3, max_stride: 2}, Relu: {}, MaxPool: {}}
    fuse: [Conv-Relu]
    crossing: {quantise: 2 ns, relayout: 3 ns, cache_maintenance: 4 GB/s}
  core:
    kind: npu
    path: [wide, dram]
    operating_points: {run: {clock: 200 MHz, active_power: 0.3 W, idle_power: 0.03 W}}
    precision: {float32: int8}
    layout: blocked
    cores: 2
    core_sync: 1 us
    array: {batch: 1, block_in: 16, block_out: 16}
    dtypes: {int8: 1.0}
    vector_lanes: 1
    sram: {input: 4 KiB, weight: 12 KiB, accumulator: 4 KiB}
    dma: {engines: 1, bandwidth: 0.4 GB/s, setup: 50 ns}
    host_wait: poll
    weights: {unpack: {int4: 0.3}}
    priority: 1
    dispatch: 10 us
    operators: {Conv: {in_channels_multiple_of: 16, out_channels_multiple_of: 16}, MaxPool: {}}
    fuse: [Conv-Relu]
    crossing: {quantise: 2 ns, relayout: 1 ns, cache_maintenance: 2 GB/s}
  gpu:
    kind: gpu
    path: [wide, dram]
    operating_points: {run: {clock: 300 MHz, active_power: 2 W, idle_power: 0.2 W}}
    cores: 3
    macs_per_cycle: {float32: 24}
    element_ops_per_cycle: {float32: 8}
    efficiency: {default: 0.5, Conv: 0.6}
    work_group: 48
    resident: 2
    tiles: [{rows: 48, columns: 16}, {rows: 5, columns: 8}]
    operand_width: 24
    staging: {memory: 8.1 KiB, steps: 16}
    matrix: {macs_per_cycle: {float32: 30}, depth: 12}
    weights: {unpack: {float16: 2}, sparsity: {"2:4": 1.3}}
    winograd: 2
    l2: 80 KiB
    completion: 15 us
    dispatch: 12 us
    fuse: [Conv-Relu]
    priority: 1
  vector:
    kind: dsp
    path: [bus, dram]
    operating_points: {run: {clock: 700 MHz, active_power: 0.7 W, idle_power: 0.07 W}}
    threads: 2
    vector: 256 bit
    sums: 4
    loads: 0.5
    macs_per_cycle: {float32: 8}
    element_ops_per_cycle: {float32: 0.5}
    efficiency: {default: 0.6}
    weights: {sparsity: {"2:4": 1.7}}
    tcm: 160 KiB
    dma: 0.7 GB/s
    rpc: 80 us
    dispatch: 3 us
    weight: 1.2
  phone:
    kind: mobile_npu
    path: [bus, dram]
    operating_points: {run: {clock: 500 MHz, active_power: 0.6 W, idle_power: 0.06 W}}
    dtypes:
      float32:
        macs_per_cycle: 96
        elements_per_cycle: 0.6
        outputs_per_cycle: 0.2
        efficiency: {default: 0.7, Conv.depthwise: 0.02}
        passes: {default: 1.2, Sigmoid: 3.0}
        tail: 0.4
        bandwidth: 0.9 GB/s
        kernel: 2 us
    block: 24
    sram: 96 KiB
    strips: 2.0
    rpc: 60 us
    dispatch: 4 us
    weight: 1.3
    fuse: [Conv-Relu]
runtime: {host: cpu, partition_call: 5 us, thread_create: 20 us, thread_join: 10 us}
area: {base: 1.0, pus: {npu: 2.0}, per_core: 0.5, per_mac: 0.001, per_sram_mib: 1.5,
       per_dma_gbps: 0.1, per_link_gbps: 0.2, per_memory_gbps: 0.3, per_memory_gib: 0.4}
cost: {base: 3.0, pus: {dsp: 1.0}, per_core: 0.7, per_mac: 0.002, per_sram_mib: 0.5,
       per_dma_gbps: 0.2, per_link_gbps: 0.1, per_memory_gbps: 0.4, per_memory_gib: 0.6}
"""

NETWORK = """
<ir_version: 8, opset_import: ["" : 17]>
wide (float[2,32,16,16] x) => (float[2,288,16,16] y, float[2,32,8,8] z)
<float[32,32,3,3] w0, float[32,32,3,3] w1, float[32,1,3,3] wd, float[32,32,3,3] w3,
 float[32,32,3,3] w4, float[32,32,3,3] w5, float[32,8,3,3] wg, float[32,32,3,3] w6,
 float[32,32,3,3] w7, float[32,32,1,1] w8>
{
  a0 = Conv <pads=[1,1,1,1]> (x, w0)   r0 = Relu (a0)
  a1 = Conv <pads=[1,1,1,1]> (x, w1)   r1 = Relu (a1)
  g0 = Conv <pads=[1,1,1,1], group=4> (r1, wg)   g1 = Sigmoid (g0)
  d0 = Conv <pads=[1,1,1,1], group=32> (x, wd)   a2 = Conv <pads=[1,1,1,1]> (d0, w3)
  r2 = Relu (a2)
  s2 = Sigmoid (r2)
  a3 = Conv <pads=[1,1,1,1]> (x, w3)   r3 = Relu (a3)   m3 = Relu (r3)
  z = Conv <pads=[1,1,1,1], strides=[2,2], group=4> (m3, wg)
  a4 = Conv <pads=[1,1,1,1]> (x, w4)   r4 = Relu (a4)
  c4 = Conv <pads=[1,1,1,1]> (r4, w5)  s4 = Relu (c4)
  m4 = MaxPool <kernel_shape=[3,3], pads=[1,1,1,1]> (s4)
  a5 = Conv <pads=[1,1,1,1]> (x, w5)   r5 = Relu (a5)
  s5 = Sigmoid (r5)
  a6 = Conv <pads=[1,1,1,1]> (x, w6)   r6 = Relu (a6)
  d6 = Conv <pads=[1,1,1,1], group=32> (r6, wd)   p6 = Conv (d6, w8)   s6 = Sigmoid (p6)
  a7 = Conv <pads=[1,1,1,1]> (x, w7)   r7 = Relu (a7)   s7 = Sigmoid (r7)
  a8 = Conv <pads=[1,1,1,1]> (x, w6)   r8 = Relu (a8)
  d8 = Conv <pads=[1,1,1,1], group=32> (r8, wd)   t8 = Tanh (d8)   s8 = Sigmoid (t8)
  y = Concat <axis=1> (r0, g1, s2, m3, m4, s5, s6, s7, s8)
}
"""
BRANCHES = {
    "cpu.0": ["a0", "r0"],
    "cpu.1": ["a1", "r1", "g0", "g1"],
    "little": ["d0", "a2", "r2", "s2"],
    "npu": ["a3", "r3", "m3", "z"],
    "core": ["a4", "r4", "c4", "s4", "m4"],
    "dsp": ["a5", "r5", "s5"],
    "gpu": ["a6", "r6", "d6", "p6", "s6"],
    "vector": ["a7", "r7", "s7"],
    "phone": ["a8", "r8", "d8", "t8", "s8"],
}


def network() -> Graph:
    model = onnx.parser.parse_model(NETWORK)
    for node in model.graph.node:
        node.name = node.output[0]
    for value in list(model.graph.value_info):  # the parser's declarations become weights
        shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
        count = 1
        for dim in shape:
            count *= dim
        model.graph.initializer.append(
            onnx.helper.make_tensor(
                value.name, onnx.TensorProto.FLOAT, shape, bytes(4 * count), True
            )
        )
    return load_onnx(model, name="wide")


def stored(graph: Graph) -> Graph:
    """Some of its weights narrow, some with zeros, as the units that run them state."""
    said = {"c4": {"dtype": "int4"}, "a6": {"dtype": "float16"}, "p6": {"sparsity": "2:4"},
            "a7": {"sparsity": "2:4"}}  # fmt: skip
    every = {name: with_weights(graph, StoredWeights(**how)) for name, how in said.items()}
    return replace(
        graph,
        operators=tuple(
            every[op.name].operator(op.name) if op.name in every else op for op in graph.operators
        ),
    )


GRAPH = stored(network())


def plans() -> list[tuple[str, Plan]]:
    """Everything at once on all units; each branch alone; and the same with a barrier."""
    parts = [Partition(pu.replace(".", "_"), pu, tuple(ops)) for pu, ops in BRANCHES.items()]
    join = Partition("join", "cpu.0", ("y",))
    together = Plan("wide", (*parts, join), (tuple(p.name for p in parts),))
    alone = [
        Partition(p.name + "_all", "cpu.0", p.operators) if p is not kept else kept
        for kept in parts
        for p in parts
    ]
    n = len(parts)
    single = [Plan("wide", (*alone[i * n : (i + 1) * n], join)) for i in range(n)]
    rest = [replace(p, pu="cpu.0") for p in parts if p.pu not in ("little", "dsp")]
    two = [p for p in parts if p.pu in ("little", "dsp")]
    pair = Plan("wide", (*rest, *two, join), (tuple(p.name for p in two),))
    return [
        ("together dataflow", together),
        ("together barrier", together),
        ("pair barrier", pair),
        *((f"alone {i} barrier", plan) for i, plan in enumerate(single)),
    ]


def tight(raw: dict[str, Any]) -> dict[str, Any]:
    """The same SoC with links so slow that transfers, not arithmetic, decide."""
    slow = copy.deepcopy(raw)
    for node, field, share in (
        (slow["memory"]["dram"], "bandwidth", 0.2),
        (slow["links"]["wide"], "clock", 0.1),
        (slow["links"]["bus"], "bandwidth", 0.15),
        (slow["links"]["d2d"], "bandwidth", 0.15),
        (slow["links"]["slc"], "bandwidth", 0.05),
    ):
        number, unit = node[field].split(" ")
        node[field] = f"{float(number) * share:g} {unit}"
    return slow


def results(raw: dict[str, Any]) -> dict[str, float | str]:
    """Everything the battery can see, with roomy and with tight links; errors are results, too."""
    found: dict[str, float | str] = {}
    for regime, data in (("roomy", raw), ("tight", tight(raw))):
        found.update({f"{name} {regime}": value for name, value in battery(data).items()})
    return found


def battery(raw: dict[str, Any]) -> dict[str, float | str]:
    try:
        soc = build_soc(parse_yaml_data(raw))
        check_capacity(GRAPH, soc)
    except HetsimError as error:
        return {"error": str(error)}
    found: dict[str, float | str] = {}
    lowering = Lowering(GRAPH, soc, AnalyticalModel())
    for name, plan in plans():
        execution = name.split()[-1]
        try:
            trace = execute(soc, lowering.program(plan), execution=execution, trace=False)
        except HetsimError as error:
            found[f"error {name}"] = str(error)
            continue
        found[f"makespan {name}"] = trace.makespan_s
        found[f"energy {name}"] = energy(trace, soc) or 0.0
    found["range"] = ranged(lowering)
    for name in ("area", "cost"):
        found[name] = prices(soc, name)
    return found


def ranged(lowering: Lowering) -> float:
    """How far apart the ends of a range are, of the plan that has the DSP run its branch alone."""
    case = Case(GRAPH, lowering.soc, lowering.costs, "barrier")
    plan = dict(plans())[f"alone {list(BRANCHES).index('dsp')} barrier"]
    ends = case.range(plan, case.simulate(plan)).ends(1.0)
    return 0.0 if ends is None else ends[1] - ends[0]


def prices(soc: SoC, name: str) -> float:
    model = getattr(soc.spec, name)
    assert model is not None
    return float(model.total(soc.spec))


def parse_yaml_data(raw: dict[str, Any]) -> Any:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return parse_yaml(yaml.dump(raw, Dumper=dumper, sort_keys=False), "everything.yaml")


def raw_soc() -> dict[str, Any]:
    import yaml

    data: dict[str, Any] = yaml.safe_load(SOC)
    return data


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all numbers and quantities."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from leaves(value, (*path, i))
    elif isinstance(node, bool):
        return
    elif isinstance(node, int | float) or (
        isinstance(node, str) and re.fullmatch(r"[\d.]+ [A-Za-z/]+", node)
    ):
        yield path


ONLY_ENERGY = r"power$|energy_per_byte$"
ONLY_PRICE = r"^(area|cost)\."
ONLY_RANGE = r"\.uncertainty\."
FASTER = (
    r"bandwidth$|clock$|width$|efficiency|_per_cycle|parallel_efficiency|vector_lanes|dtypes|"
    r"array_efficiency|outstanding|burst|engines|cache_maintenance|copy$|refetch|gpu.cores|threads$|"
    r"operand_width|loads$|dma$|unpack|sparsity"
)
SLOWER = (
    r"latency$|dispatch|core_sync|quantise|relayout|setup|partition_call|handover|thread_|_cycles$|"
    r"width_penalty|completion|rpc$|passes|tail$|dtypes.*kernel$"
)
"""Fields whose growth must shorten, or lengthen, the battery's total time."""
SMALLER = ("l2", "capacity", "sram", "input", "weight", "accumulator", "tcm", "memory")
"""Sizes of which there is enough."""
SHARED_ONLY = r"dram.efficiency.[12]"
"""Fields that matter only when several transfers are under way."""


def changed(value: Any, path: tuple[Any, ...]) -> Any:
    """A larger value, or a smaller one where larger is not allowed."""
    if isinstance(value, str):
        number, unit = value.split(" ")
        factor = 0.5 if path[-1] in SMALLER else 1.5
        if path[-2:] in {("own", 0), ("external", 0)}:
            factor = 0.5
        return f"{float(number) * factor:g} {unit}"
    if isinstance(value, int):
        shrinking = (
            "cores",
            "max_groups",
            "max_kernel",
            "max_stride",
            "workers",
            "width_tile",
            "threads",
        )
        if any(name in path for name in shrinking):
            return value - 1 if value > 1 else value + 1
        if path[-1] == "priority":  # what counts is who comes first
            return 0 if value > 1 else 4
        return value + 1
    return value * 0.5 if value <= 1.0 and not re.search(ONLY_PRICE, dotted(path)) else value * 1.5


def dotted(path: tuple[Any, ...]) -> str:
    return ".".join(map(str, path))


BASE = raw_soc()
LATENCY_BOUND = ("pus", "npu", "dma", "bandwidth")  # its bursts bound it; core's is not bound
LEAVES = [path for path in leaves(BASE) if path != LATENCY_BOUND]
REFERENCE = results(BASE)


def test_the_battery_runs() -> None:
    assert not [value for value in REFERENCE.values() if isinstance(value, str)]


@pytest.mark.slow
@pytest.mark.parametrize("path", LEAVES, ids=[dotted(path) for path in LEAVES])
def test_every_number_moves_a_result_in_the_direction_it_promises(path: tuple[Any, ...]) -> None:
    raw = copy.deepcopy(BASE)
    node = raw
    for key in path[:-1]:
        node = node[key]
    before = node[path[-1]]
    node[path[-1]] = after = changed(before, path)
    seen = results(raw)
    moved = {name for name in REFERENCE if seen.get(name) != REFERENCE[name]}
    assert moved, f"{dotted(path)}: {before} -> {after} changes nothing"
    name = dotted(path)
    if re.search(ONLY_ENERGY, name):
        assert all(key.startswith("energy") for key in moved)
    elif re.search(ONLY_RANGE, name):
        assert moved == {"range roomy", "range tight"}
    elif re.search(ONLY_PRICE, name):
        assert all(key.startswith(("area", "cost")) for key in moved)
    elif not any(isinstance(value, str) for value in seen.values()):
        grew = str(after) != str(before) and _number(after) > _number(before)
        # Beside others a slower unit can even help them; alone there is no such excuse.
        kinds = "makespan pair" if {"slowdown", "runtime"} & set(path) else "makespan alone"
        difference = sum(
            float(seen[k]) - float(REFERENCE[k]) for k in REFERENCE if k.startswith(kinds)
        )
        if re.search(SLOWER, name):
            assert difference > 0 if grew else difference < 0
        elif re.search(FASTER, name) and not re.search(SHARED_ONLY, name):
            assert difference < 0 if grew else difference > 0


def _number(value: Any) -> float:
    return float(str(value).split(" ")[0])
