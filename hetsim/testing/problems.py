"""Graphs, SoCs and profiles by hand, so that right answers can be worked out on paper.

No simulation stands behind them: times come from tables, so a test says what everything costs and
nothing else happens. :func:`random_problem` draws all of it from a seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hetsim.cost.fusion import fuse, is_fusable, match
from hetsim.cost.profile import INFEASIBLE, Profile
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem
from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec
from hetsim.workload.graph import Graph, Operator, Tensor

ELEMENTS = 256


def make_soc(
    npus: int = 1,
    cpus: Sequence[int] = (1,),
    npu_operators: Mapping[str, Mapping[str, int]] | None = None,
    npu_fuse: Sequence[str] = (),
    cpu_fuse: Sequence[str] = (),
    gpus: int = 0,
    cpu_exclude: Sequence[str] = (),
    runtime: Mapping[str, str] | None = None,
) -> SoC:
    """A SoC whose figures do not matter: schedulers see the profile only."""
    point = {"only": {"clock": "1 GHz"}}
    rate = {"float32": 1.0, "int8": 1.0}
    cpu = {
        "kind": "cpu_cluster",
        "cores": sum(cpus),
        "workers": list(cpus),
        "path": ["dram"],
        "operating_points": point,
        "macs_per_cycle": rate,
        "element_ops_per_cycle": rate,
        "efficiency": {"default": 1.0},
        "fuse": list(cpu_fuse),
        "exclude": list(cpu_exclude),
    }
    npu = {
        "kind": "npu",
        "path": ["dram"],
        "operating_points": point,
        "array": {"batch": 1, "block_in": 16, "block_out": 16},
        "dtypes": {"float32": 1.0},
        "vector_lanes": 16,
        "sram": "1 MiB",
        "dma": {"bandwidth": "1 GB/s"},
        "operators": {k: dict(r) for k, r in (npu_operators or {"Conv": {}}).items()},
        "fuse": list(npu_fuse),
    }
    gpu = {
        "kind": "accelerator",
        "path": ["dram"],
        "operating_points": point,
        "macs_per_cycle": rate,
        "element_ops_per_cycle": rate,
        "efficiency": {"default": 1.0},
    }
    pus: dict[str, object] = {"cpu": cpu}
    pus |= {"npu" if npus == 1 else f"npu{i}": npu for i in range(npus)}
    pus |= {"gpu" if gpus == 1 else f"gpu{i}": gpu for i in range(gpus)}
    spec = SoCSpec.model_validate(
        {
            "hetsim": "soc/1",
            "name": "fake",
            "memory": {"dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"}},
            "pus": pus,
            "runtime": {"host": "cpu", **(runtime or {})},
        }
    )
    return SoC.from_spec(spec)


def make_graph(
    edges: Mapping[str, Iterable[str]],
    kinds: Mapping[str, str] | None = None,
    outputs: Iterable[str] | None = None,
    weights: Mapping[str, int] | None = None,
    one_tensor_per_edge: bool = False,
    name: str = "net",
) -> Graph:
    """A graph from ``{operator: its producers}`` in topological order.

    Operators without producers read the network input. The result of ``a`` is tensor ``a.out``, or
    with ``one_tensor_per_edge`` it writes ``a.b`` for every reader ``b``.
    """
    producers = {op: list(ps) for op, ps in edges.items()}
    readers: dict[str, list[str]] = {op: [] for op in producers}
    for op, ps in producers.items():
        for p in ps:
            readers[p].append(op)
    ends = list(outputs) if outputs is not None else [op for op in producers if not readers[op]]
    tensors = [Tensor("in", (ELEMENTS,))]
    operators = []
    for op, ps in producers.items():
        if one_tensor_per_edge:
            inputs = [f"{p}.{op}" for p in ps]
            written = [f"{op}.{r}" for r in readers[op]] or [f"{op}.out"]
        else:
            inputs, written = [f"{p}.out" for p in ps], [f"{op}.out"]
        tensors += [Tensor(t, (ELEMENTS,)) for t in written]
        count = (weights or {}).get(op, 0)
        operators.append(
            Operator(
                op,
                (kinds or {}).get(op, "Conv"),
                tuple(inputs or ["in"]),
                tuple(written),
                weights=(("float32", count),) if count else (),
            )
        )
    return Graph.create(name, operators, tensors, ["in"], [f"{op}.out" for op in ends])


def chain(*kinds: str) -> Graph:
    """A chain of operators ``n0, n1, ...`` of the given kinds."""
    edges = {f"n{i}": [f"n{i - 1}"] if i else [] for i in range(len(kinds))}
    return make_graph(edges, {f"n{i}": kind for i, kind in enumerate(kinds)})


class FakeProfile(Profile):
    """Times from tables.

    ``times[op][pu]``: alone, data at hand; ``None`` = unsupported. ``groups[(names...), pu]``:
    a fused chain. ``comm[tensor]``, else ``default_comm``: a crossing between any two PUs.
    A profile's ``time`` adds the crossing of inputs from the host (PU 0), as ``transfer``, unless
    ``transfers[op]`` states another. ``call`` is part of nothing but :meth:`call`. ``copies[op]``,
    else ``default_comm``: T(n), which is no part of anything.
    """

    def __init__(
        self,
        graph: Graph,
        soc: SoC,
        times: Mapping[str, Sequence[float | None]],
        groups: Mapping[tuple[tuple[str, ...], int], float] | None = None,
        comm: Mapping[str, float] | None = None,
        default_comm: float = 0.0,
        transfers: Mapping[str, Sequence[float]] | None = None,
        call: float = 0.0,
        copies: Mapping[str, float] | None = None,
    ) -> None:
        self.graph, self.soc = graph, soc
        self.times, self.groups = times, dict(groups or {})
        self.comm, self.default_comm = dict(comm or {}), default_comm
        self.transfers = dict(transfers or {})
        self.call_s = call
        self.copies = dict(copies or {})
        self.asked = 0

    def alone(self, op: int, pu: int) -> float:
        value = self.times[self.graph.operators[op].name][pu]
        return INFEASIBLE if value is None else value

    def time(self, op: int, pu: int) -> float:
        self.asked += 1
        return self.alone(op, pu) + self.transfer(op, pu)

    def group_time(self, ops: Sequence[int], pu: int) -> float:
        self.asked += 1
        if not is_fusable(self.graph, ops, self.soc.pus[pu].spec.fuse_patterns):
            return INFEASIBLE
        names = tuple(self.graph.operators[i].name for i in ops)
        alone = self.groups.get((names, pu), INFEASIBLE)
        return alone + self.transfer(ops[0], pu) if alone < INFEASIBLE else INFEASIBLE

    def chain_time(self, ops: Sequence[int], pu: int) -> float:
        self.asked += 1
        total = 0.0
        for kernel in fuse(self.graph, ops, self.soc.pus[pu].spec.fuse_patterns):
            if len(kernel) == 1:
                total += self.alone(kernel[0], pu)
            else:
                names = tuple(self.graph.operators[i].name for i in kernel)
                total += self.groups.get((names, pu), INFEASIBLE)
        return total

    def transfer(self, op: int, pu: int) -> float:
        self.asked += 1
        operator = self.graph.operators[op]
        if operator.name in self.transfers:
            return self.transfers[operator.name][pu]
        return sum(self.crossing(t, 0, pu) for t in operator.inputs)

    def copy(self, op: int) -> float:
        self.asked += 1
        return self.copies.get(self.graph.operators[op].name, self.default_comm)

    def crossing(self, tensor: str, source: int, target: int) -> float:
        self.asked += 1
        return 0.0 if source == target else self.comm.get(tensor, self.default_comm)

    def call(self) -> float:
        return self.call_s


def make_problem(
    graph: Graph,
    soc: SoC,
    times: Mapping[str, Sequence[float | None]],
    execution: str = "dataflow",
    seed: int = 0,
    **profile: Any,
) -> Problem:
    """A problem over a :class:`FakeProfile`."""
    return Problem(graph, soc, FakeProfile(graph, soc, times, **profile), execution, seed)


def placement(plan: Plan) -> dict[str, str]:
    """The PU of each operator."""
    return {op: part.pu for part in plan.partitions for op in part.operators}


def random_problem(rng: random.Random, size: int, npus: int = 1, **soc: Any) -> Problem:
    """Any acyclic graph; kinds that NPUs run alone, behind a Conv only, or not at all."""
    edges = {
        f"n{i}": [f"n{p}" for p in sorted(rng.sample(range(i), rng.randint(0, min(i, 3))))]
        for i in range(size)
    }
    kinds = {f"n{i}": rng.choice(["Conv", "Relu", "Relu", "Add", "Softmax"]) for i in range(size)}
    graph = make_graph(edges, kinds, weights={f"n{i}": rng.randint(0, 9) for i in range(size)})
    fused = ["Conv-Add-Relu", "Conv-Relu"]
    made = make_soc(
        npus, npu_operators={"Conv": {}, "Add": {}}, npu_fuse=fused, cpu_fuse=["Conv-Relu"], **soc
    )
    times: dict[str, list[float | None]] = {}
    for name, kind in kinds.items():
        times[name] = [
            None if pu.kind == "npu" and kind not in ("Conv", "Add") else rng.uniform(0.1, 5.0)
            for pu in made.pus
        ]
    groups = {}
    for pu in made.pus:
        for i in range(size):
            chain = match(graph, i, pu.spec.fuse_patterns)
            if len(chain) > 1:
                names = tuple(graph.operators[j].name for j in chain)
                groups[names, pu.index] = rng.uniform(0.1, 5.0)
                shorter = match(graph, i, [p for p in pu.spec.fuse_patterns if len(p) < len(chain)])
                if len(shorter) > 1:
                    names = tuple(graph.operators[j].name for j in shorter)
                    groups[names, pu.index] = rng.uniform(0.1, 5.0)
    return make_problem(
        graph,
        made,
        times,
        groups=groups,
        default_comm=rng.uniform(0, 2),
        call=rng.random(),
        seed=rng.randrange(99),
    )
