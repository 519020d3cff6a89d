"""Small graphs and SoCs for the tests of the plan room."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec
from hetsim.workload.graph import Graph, Operator, Tensor


def graph_of(
    edges: Mapping[str, Iterable[str]],
    kinds: Mapping[str, str] | None = None,
    name: str = "net",
) -> Graph:
    """A graph from ``{operator: its producers}``; what nobody reads is an output."""
    read = {p for ps in edges.values() for p in ps}
    operators = [
        Operator(
            op, (kinds or {}).get(op, "Relu"), tuple(f"{p}.out" for p in ps) or ("in",),
            (f"{op}.out",),
        )
        for op, ps in edges.items()
    ]  # fmt: skip
    tensors = [Tensor("in", (4,)), *(Tensor(f"{op}.out", (4,)) for op in edges)]
    return Graph.create(
        name, operators, tensors, ["in"], [f"{o}.out" for o in edges if o not in read]
    )


def random_graph(rng: random.Random, size: int) -> Graph:
    """Any acyclic graph of ``size`` operators with up to three producers each."""
    edges = {
        f"n{i}": [f"n{p}" for p in sorted(rng.sample(range(i), rng.randint(0, min(i, 3))))]
        for i in range(size)
    }
    return graph_of(edges)


def soc_of(gpus: int = 2, fuse: Iterable[str] = (), npu: bool = False) -> SoC:
    """``gpus`` general PUs ``u0, u1, ...``, of which the first is the host; an NPU if asked for."""
    point = {"only": {"clock": "1 GHz"}}
    rate = {"float32": 1.0}
    general = {
        "kind": "cpu_cluster", "cores": 1, "path": ["dram"], "operating_points": point,
        "macs_per_cycle": rate, "element_ops_per_cycle": rate, "efficiency": {"default": 1.0},
    }  # fmt: skip
    pus: dict[str, object] = {f"u{i}": general for i in range(gpus)}
    if npu:
        pus["npu"] = {
            "kind": "npu", "path": ["dram"], "operating_points": point,
            "array": {"batch": 1, "block_in": 16, "block_out": 16}, "vector_lanes": 16,
            "dtypes": {"float32": 1.0}, "sram": "1 MiB", "dma": {"bandwidth": "1 GB/s"},
            "operators": {"Conv": {}}, "fuse": list(fuse),
        }  # fmt: skip
    return SoC.from_spec(
        SoCSpec.model_validate(
            {
                "hetsim": "soc/1",
                "name": "fake",
                "memory": {"dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"}},
                "pus": pus,
                "runtime": {"host": "u0"},
            }
        )
    )
