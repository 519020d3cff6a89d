"""Operators of a few shapes on units with round numbers, and small profiles: costs by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hetsim.cost.chain import CostModel
from hetsim.cost.measured.table import Entry, ProfileTable, Scope
from hetsim.cost.pu import PUModel, model_of
from hetsim.cost.reach import Reach
from hetsim.cost.work import NOWHERE, Kernel, Phase, Residency, TileRun, Work
from hetsim.learn.vpunn.workloads import Workloads
from hetsim.numeric import Floats
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from tests.sim.samples import NPU, make_soc

CLOCK = {"on": {"clock": "1 GHz"}}
FAR = Reach(widest=4e9, one_way=2e9, narrowest=1e9, nearest=3e-7, farthest=9e-7)
"""4 GB/s both ways at the best, 300 ns away."""


def unit(kind: str, **fields: Any) -> PU:
    """The unit of a SoC with that one beside its host, at 1 GHz."""
    spec = {"kind": kind, "path": ["dram"], "operating_points": CLOCK, **fields}
    return make_soc({"unit": spec}).by_name["unit"]


def model(pu: PU) -> PUModel[Any]:
    return model_of(pu)


def matmul(rows: int, steps: int, columns: int, **changes: Any) -> Operator:
    """``rows`` x ``steps`` by constants of ``steps`` x ``columns``, int8."""
    nest = LoopNest(1, 1, 1, rows, steps, columns, in_w=rows)
    op = Operator("m", "MatMul", ("x",), ("y",), weights=(("int8", steps * columns),),
                  macs=nest.macs, nest=nest, dtype="int8")  # fmt: skip
    return replace(op, **changes)


def convolution(size: int, ins: int, outs: int, kernel: int = 3, **nest: Any) -> Operator:
    """Of an image of ``size`` x ``size`` that is as large afterwards, int8."""
    loops = LoopNest(1, 1, size, size, ins, outs, kernel, kernel, in_h=size, in_w=size)
    loops = replace(loops, **nest)
    return Operator("c", "Conv", ("x",), ("y",), macs=loops.macs, nest=loops, dtype="int8",
                    variant="depthwise" if loops.groups > 1 else "")  # fmt: skip


def products(macs: int, dtype: str = "int8") -> Operator:
    """Products that are no loop nest, as of fused attention."""
    return Operator("p", "Attention", ("x",), ("y",), macs=macs, dtype=dtype)


def elements(count: int, dtype: str = "int8") -> Operator:
    """So many operations that are no products."""
    return Operator("e", "Relu", ("x",), ("y",), element_ops=count, dtype=dtype)


def graph_of(op: Operator, read: int = 1000, written: int = 500) -> Graph:
    """A network of ``op`` alone that reads and writes so many elements."""
    tensors = [Tensor("x", (1, read), op.dtype), Tensor("y", (1, written), op.dtype)]
    return Graph.create("one", [op], tensors, ["x"], ["y"])


def cycles(pu: PU, op: Operator) -> float:
    """Of its arithmetic at 1 GHz."""
    graph = graph_of(op)
    return model(pu).work(graph, Kernel.of(graph, (op,)), NOWHERE).compute_s * 1e9


def work(pu: PU, op: Operator, kept: Residency = NOWHERE) -> Work:
    graph = graph_of(op)
    return model(pu).work(graph, Kernel.of(graph, (op,)), kept)


def quickest(pu: PU, op: Operator, kept: Residency = NOWHERE) -> float:
    """At the end of :data:`FAR`."""
    graph = graph_of(op)
    seconds = model(pu).quickest(graph, Kernel.of(graph, (op,)), kept, FAR)
    assert seconds is not None
    return seconds


def roof(pu: PU, op: Operator) -> tuple[int, float, str]:
    """Operations, the most of them in a nanosecond (to 9 places), and of what."""
    found = model(pu).roof(Kernel.of(graph_of(op), (op,)))
    return found.operations, round(found.per_second / 1e9, 9), found.name


class ByHand:
    """Judges jobs of a VPU: 100 cycles a job and one for 64 results, more in the narrower modes."""

    name = "by hand"

    def cycles(self, jobs: Workloads) -> Floats:
        results = jobs.out_c * jobs.out_h * jobs.out_w
        return np.asarray(100.0 + results * (1.0 + jobs.mode / 8) / 64)


def table(entries: list[Entry], scope: Scope = "kernel") -> ProfileTable:
    return ProfileTable.of(entries, name="t", device="d", source="s", scope=scope)


MEMORY = {"dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB", "latency": "500 us"}}
SLOW = make_soc({"npu": NPU | {"dispatch": "2 ms"}}, memory=MEMORY)
"""A core and an NPU with managed memory, 0.5 ms away from a memory of 1 GB/s."""
LOAD = Phase("load", 4e-3, 1_000_000)  # 1 ms of bytes, 3 ms of something else
RUN = Phase("stream", 3e-3, 2_000_000, 0, 3e-3)  # 2 ms of bytes beside 3 ms of arithmetic
BASE = Work(2e-3, 3e-3, (LOAD, RUN), (TileRun(1, 3_000_000, 3e-3, 0),), clock_hz=1e9)
"""Dispatch 2 ms, latency 0.5 + 0.5, load 4, run 3: 10 ms there, of them 9 without arithmetic."""


@dataclass
class Told(CostModel):
    """What an analytical model says, by residency; kernels of two operators take 5 ms more."""

    works: dict[Residency, Work | None] = field(default_factory=lambda: {NOWHERE: BASE})
    floors: float | None = 2.5e-3
    tail_s: float = 5e-3

    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        work = self.works[residency]
        if work is not None and len(kernel.operators) > 1:
            work = replace(work, dispatch_s=work.dispatch_s + self.tail_s)
        return work

    def floor(self, graph: Graph, op: int, pu: PU) -> float | None:
        return self.floors


def network(*products: Operator) -> Graph:
    """Products of one input, the first with a Relu behind it."""
    operators = [replace(op, name=f"m{i}", outputs=(f"y{i}",)) for i, op in enumerate(products)]
    relu = Operator("r", "Relu", ("y0",), ("z",), element_ops=8, dtype="int8")
    names = ["x", *(op.outputs[0] for op in operators), "z"]
    tensors = [Tensor(name, (1, 8), "int8") for name in names]
    return Graph.create("n", [*operators, relu], tensors, ["x"], names[2:])
