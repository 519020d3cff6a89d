"""A SoC with round numbers and networks of element-wise operators, for times by hand.

Bandwidth 1 GB/s, one element operation per cycle at 1 GHz, tensors of 1 MB: an operator that does
``ms`` million element operations computes for that many milliseconds and moves 2 MB in 2 ms.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from hetsim.cost.analytical import AnalyticalModel
from hetsim.lower.lowering import Lowering
from hetsim.lower.program import Program
from hetsim.plan.model import Partition, Plan
from hetsim.plan.validate import validate_plan
from hetsim.sim.simulate import execute
from hetsim.sim.source import Completion, Inference, Source
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC, Way
from hetsim.soc.schema import SoCSpec
from hetsim.workload.graph import Graph, Operator, Tensor

ELEMENTS = 250_000
MS = 1e-3
CLUSTER = {
    "kind": "cpu_cluster",
    "cores": 4,
    "path": ["dram"],
    "operating_points": {"nominal": {"clock": "1 GHz"}},
    "macs_per_cycle": {"float32": 1.0, "int8": 1.0},
    "element_ops_per_cycle": {"float32": 1.0},
    "efficiency": {"default": 1.0},
    "parallel_efficiency": 0.0,
}
NPU = {
    "kind": "npu",
    "path": ["dram"],
    "operating_points": {"nominal": {"clock": "1 GHz"}},
    "array": {"rows": 8, "columns": 8, "dataflow": "weight_stationary"},
    "dtypes": {"float32": 1.0},
    "vector_lanes": 1,
    "sram": "16 MB",
    "dma": {"bandwidth": "1e9 GB/s"},
}
FAST = {"dram": {"bandwidth": "1e9 GB/s", "capacity": "1 GiB"}}
"""A memory that takes no time."""


def make_soc(
    pus: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    memory: Mapping[str, Any] | None = None,
    links: Mapping[str, Any] | None = None,
    **runtime: str,
) -> SoC:
    """``cpu`` is always there; ``pus`` adds to it or changes it."""
    units = {"cpu": CLUSTER | dict((pus or {}).get("cpu", {}))}
    units |= {name: dict(spec) for name, spec in (pus or {}).items() if name != "cpu"}
    spec = {
        "hetsim": "soc/1",
        "name": "by hand",
        "memory": memory or {"dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"}},
        "links": links or {},
        "pus": units,
        "runtime": {"host": "cpu", **runtime},
    }
    return SoC.from_spec(SoCSpec.model_validate(spec))


def make_graph(*operators: tuple[str, Sequence[str], float]) -> Graph:
    """Operators (name, tensors read, milliseconds of arithmetic); each writes its own name.

    Tensors that nobody writes are inputs, tensors that nobody reads are outputs.
    """
    written = [name for name, _, _ in operators]
    read = [t for _, inputs, _ in operators for t in inputs]
    names = dict.fromkeys([*read, *written])
    return Graph.create(
        "by hand",
        [
            Operator(name, "Relu", tuple(inputs), (name,), element_ops=round(ms * 1e6))
            for name, inputs, ms in operators
        ],
        [Tensor(name, (1, ELEMENTS)) for name in names],
        [t for t in names if t not in written],
        [t for t in written if t not in read],
    )


def lower(
    graph: Graph,
    soc: SoC,
    partitions: Sequence[tuple[str, str]],
    groups: Sequence[Sequence[str]] = (),
) -> Program:
    """The program of partitions (PU, operators separated by blanks), named p0, p1, ..."""
    plan = Plan(
        graph.name,
        tuple(Partition(f"p{i}", pu, tuple(ops.split())) for i, (pu, ops) in enumerate(partitions)),
        tuple(tuple(group) for group in groups),
    )
    validate_plan(plan, graph, soc)
    return Lowering(graph, soc, AnalyticalModel()).program(plan)


def simulate(
    graph: Graph,
    soc: SoC,
    partitions: Sequence[tuple[str, str]],
    groups: Sequence[Sequence[str]] = (),
    **options: Any,
) -> Trace:
    return execute(soc, lower(graph, soc, partitions, groups), **options)


def plain_way(bandwidth: float, latency: float = 0.0) -> Way:
    """Straight to a memory."""
    each = (bandwidth,)
    return Way(("dram",), ("dram",), bandwidth, bandwidth, latency, each, each, bandwidth)


@contextmanager
def counting(*kinds: type) -> Iterator[Callable[[], int]]:
    """Yields what counts the objects of ``kinds`` that were made since, and are still held."""
    gc.collect()
    gc.freeze()  # what was there before is no longer looked through, which takes longest

    def count() -> int:
        gc.collect()
        return sum(isinstance(found, kinds) for found in gc.get_objects())

    try:
        yield count
    finally:
        gc.unfreeze()


class Loop(Source):
    """``clients`` that each ask again ``think`` seconds after an answer, ``count`` times in all."""

    def __init__(
        self, first: Inference, *, count: int, clients: int = 1, think: float = 0.0
    ) -> None:
        self._first, self._clients, self._think = first, clients, think
        self._left = count - clients

    def arrivals(self) -> Iterator[Inference]:
        return (self._first for _ in range(self._clients))

    def ended(self, completion: Completion) -> Iterable[Inference]:
        if self._left:
            self._left -= 1
            yield replace(self._first, arrival=completion.finish + self._think)
