"""How a kernel's bytes are divided among memories: whole bytes, phase by phase and tile by tile."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hetsim.cost.work import NOWHERE, Kernel, Phase, Residency, TileRun, Traffic, Work
from hetsim.errors import InfeasibleError
from hetsim.lower.placement import check_room, placed, touched
from hetsim.workload.graph import Graph, Operator, Tensor
from tests.sim.samples import NPU, make_soc

INT8 = {"dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}}
MEMORY = {
    name: {"bandwidth": "1 GB/s", "capacity": room}
    for name, room in (("dram", "1 GiB"), ("near", "400 B"), ("far", "100 B"))
}
ROUTES = {"routes": {"near": ["near"], "far": ["far"]}}
SOC = make_soc({"cpu": ROUTES, "npu": NPU | INT8 | ROUTES}, memory=MEMORY)
NPU_, CPU = SOC.by_name["npu"], SOC.by_name["cpu"]
GRAPH = Graph.create(
    "net",
    [Operator("k", "Concat", ("x", "y"), ("z", "w"), (("float32", 50),), element_ops=1)],
    [Tensor("x", (100,)), Tensor("y", (50,)), Tensor("z", (120,)), Tensor("w", (40,))],
    ["x", "y"], ["z", "w"],
)  # fmt: skip
KERNEL = Kernel.of(GRAPH, GRAPH.operators)
# The NPU reads 100 + 50 bytes and 50 of weights, and writes 120 + 40.
WORK = Work(
    0.0, 1.0,
    (Phase("load", 1.0, 40), Phase("stream", 5.0, 363, 100, 1.0), Phase("store", 1.0, 0, 60)),
    (TileRun(1, 41, 0.5, 33), TileRun(2, 10, 0.25, 3)),
)  # fmt: skip


def divided(memories: Mapping[str, str], kept: Residency = NOWHERE) -> Work:
    return placed(GRAPH, KERNEL, WORK, kept, NPU_, memories)


def test_each_memory_has_the_share_of_its_tensors_rounded_down_and_home_the_rest() -> None:
    found = divided({"x": "near", "w": "far", "y": "dram"})
    # Half of what is read is x, a quarter of what is written w.
    assert found.phases == (
        Phase("load", 1.0, 20, 0, elsewhere=(Traffic("near", 20), Traffic("far"))),
        Phase("stream", 5.0, 182, 75, 1.0, (Traffic("near", 181), Traffic("far", 0, 25))),
        Phase("store", 1.0, 0, 45, elsewhere=(Traffic("near"), Traffic("far", 0, 15))),
    )
    assert found.tiles == (
        TileRun(1, 21, 0.5, 25, (Traffic("near", 20), Traffic("far", 0, 8))),
        TileRun(2, 5, 0.25, 3, (Traffic("near", 5), Traffic("far", 0, 0))),
    )
    assert (found.load_bytes, found.store_bytes) == (WORK.load_bytes, WORK.store_bytes)


def test_several_tensors_of_one_memory_are_one_share_and_both_ways_one_traffic() -> None:
    found = divided({"x": "near", "y": "near", "z": "near"})
    assert [phase.elsewhere for phase in found.phases] == [
        (Traffic("near", 30),), (Traffic("near", 272, 75),), (Traffic("near", 0, 45),)
    ]  # fmt: skip
    assert [(phase.load_bytes, phase.store_bytes) for phase in found.phases] == [
        (10, 0), (91, 25), (0, 15)
    ]  # fmt: skip


def test_what_stays_on_chip_has_no_share() -> None:
    kept = Residency(inputs=frozenset("y"), outputs=frozenset("w"))
    found = divided({"x": "near", "z": "far"}, kept)
    # Two thirds of what is read are x, and all that is written is z.
    assert [(t.load_bytes, t.store_bytes) for t in found.phases[1].elsewhere] == [
        (242, 0),
        (0, 100),
    ]
    assert (found.phases[1].load_bytes, found.phases[1].store_bytes) == (121, 0)
    assert divided({}).phases == WORK.phases


def test_what_a_kernel_touches_at_home_is_told_by_tensor() -> None:
    found = touched(GRAPH, KERNEL, NOWHERE, NPU_, {"x": "near", "y": "dram"})
    assert (found.network, found.reads, found.weights) == ("net", (("y", 50),), (("net: k", 50),))
    assert found.writes == (("z", 120), ("w", 40))
    kept = Residency(inputs=frozenset("y"), outputs=frozenset("w"))
    found = touched(GRAPH, KERNEL, kept, CPU, {})
    assert (found.reads, found.writes) == ((("x", 400),), (("z", 480),))
    assert found.read_bytes == 400 + 200
    bare = Kernel.of(GRAPH, (Operator("k", "Relu", ("x",), ("z",)),))
    assert touched(GRAPH, bare, NOWHERE, NPU_, {}).weights == ()


def test_tensors_fit_a_memory_to_the_byte_in_the_type_of_who_makes_them() -> None:
    # x comes from the application, in the host's four bytes; the NPU writes one byte each.
    check_room(GRAPH, SOC, {"x": "near"}, {})
    check_room(GRAPH, SOC, {"x": "near", "w": "far"}, {"w": NPU_.index})
    check_room(GRAPH, SOC, {"z": "near", "w": "near"}, {"z": NPU_.index, "w": CPU.index})
    with pytest.raises(InfeasibleError, match=r"'far' need 160 B, and it has 100 B") as caught:
        check_room(
            GRAPH, SOC, {"x": "near", "z": "far", "w": "far"}, dict.fromkeys("zw", NPU_.index)
        )
    assert caught.value.hint == "put 60 B elsewhere, or raise its capacity"
    with pytest.raises(InfeasibleError, match=r"'near' need 440 B"):
        check_room(GRAPH, SOC, {"x": "near", "w": "near"}, {"w": NPU_.index})
