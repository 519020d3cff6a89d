"""What an inference asks of units, links, cores and its own state, and the most that follows."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from hetsim.bounds.response.curves import TICKS
from hetsim.bounds.response.pieces import least
from hetsim.bounds.throughput import (
    Demands,
    Limit,
    demands,
    most_of_any_plan,
    most_together,
)
from hetsim.lower.program import Access, Program, State
from hetsim.sim.simulate import execute
from hetsim.soc.model import SoC
from tests.bounds.test_tight import convolution
from tests.bounds.test_tolls import TILED
from tests.sim.samples import FAST, MS, NPU, lower, make_graph, make_soc


def asked(soc: SoC, program: Program) -> Demands:
    found = demands(soc, program)
    assert found is not None
    return found


def test_the_most_of_one_stream_is_what_its_scarcest_need_allows() -> None:
    found = Demands({"a": 2.0, "b": 1.0}, latency_s=5.0, cycle_s=3.0)
    assert found.most() == Limit(1 / 3, "the state between inferences")
    assert found.most(in_flight=1) == Limit(1 / 5, "1 in flight")
    assert found.most(in_flight=2) == Limit(1 / 3, "the state between inferences")
    level = Demands({"b": 1.0, "a": 2.5}, latency_s=5.0, cycle_s=2.5)
    assert level.most(in_flight=2) == level.most() == Limit(1 / 2.5, "a")
    assert Demands({"a": 1.0}, 8.0, 0.0).most(in_flight=2) == Limit(1 / 4, "2 in flight")
    assert Demands({"a": 0.0}, 0.0, 0.0).most().per_second == inf
    assert Limit(2.0, "a").plus(3.0) == Limit(5.0, "a")


def test_cores_links_and_units_by_hand() -> None:
    memory = {"dram": {"bandwidth": "1 GB/s", "efficiency": [0.5, 1.0], "capacity": "1 GiB"}}
    soc = make_soc({"gpu": TILED}, memory=memory, partition_call="3 ms")
    graph = make_graph(("a", ["x"], 4.0), ("b", ["a"], 8.0))
    found = asked(soc, lower(graph, soc, [("gpu", "a"), ("cpu", "b")]))
    # Into the format and out of it, 2 MB and 0.5 ms each; kernels move 2 MB each.
    assert found.seconds["dram"] == pytest.approx(8e6 / 1e9)  # at its best, with others
    assert found.seconds["gpu"] == pytest.approx((3 + 4 + 4) * MS)  # 2 MB at half of 1 GB/s
    assert found.seconds["cpu"] == pytest.approx((3 + 4 + 8) * MS)
    # Two calls and two conversions by one thread, 8 ms by four: a quarter of it for each core.
    assert found.seconds["cores of cpu"] == pytest.approx((2 * 3 + 2 * 0.5 + 4 * 8) / 4 * MS)
    assert found.seconds.keys() == {"gpu", "cpu", "dram", "cores of cpu"}
    assert found.latency_s == pytest.approx(26 * MS)
    back = asked(soc, lower(graph, soc, [("gpu", "a b")]))
    # The result leaves the format, too.
    assert back.seconds["cores of cpu"] == pytest.approx((3 + 0.5 + 0.5) / 4 * MS)


def test_tile_by_tile_a_unit_is_held_for_what_its_tiles_take() -> None:
    npu = NPU | {"sram": "64 KiB", "dma": {"bandwidth": "1 GB/s"}}
    far = {"dram": {"bandwidth": "1 GB/s", "latency": "3 us", "capacity": "1 GiB"}}
    soc, graph = make_soc({"npu": npu}, memory=far), convolution(32, 28)
    program = lower(graph, soc, [("npu", "c")])
    times = [execute(soc, program, fidelity=f, trace=False).makespan_s for f in ("fluid", "tile")]
    assert times[0] != pytest.approx(times[1], rel=1e-3)
    found = [demands(soc, program, tiles=tiles) for tiles in (False, True)]
    assert [d.seconds["npu"] for d in found if d] == pytest.approx(times)
    assert demands(soc, program) == found[0]
    assert least(soc, program) == [pytest.approx(times[0] * TICKS)]


def stateful(*states: tuple[Access, ...]) -> Demands:
    """Four jobs of 1, 2, 4 and 8 ms: a, then b or c on units of their own, then d after both."""
    soc = make_soc({"n1": NPU, "n2": NPU}, memory=FAST)
    graph = make_graph(
        ("a", ["x"], 1.0), ("b", ["a"], 2.0), ("c", ["a"], 4.0), ("d", ["b", "c"], 8.0)
    )
    program = lower(graph, soc, [("cpu", "a"), ("n1", "b"), ("n2", "c"), ("cpu", "d")])
    jobs = tuple(replace(job, states=each) for job, each in zip(program.jobs, states, strict=True))
    names = {access.state for each in states for access in each}
    kept = tuple(State(name, "dram", 8) for name in sorted(names))
    return asked(soc, replace(program, jobs=jobs, states=kept))


def test_state_waits_along_the_longest_path_between_its_uses() -> None:
    reads, writes = Access("h", reads=True), Access("h", writes=True)
    assert stateful((), (), (), ()).cycle_s == 0.0
    assert stateful((), (), (), ()).latency_s == pytest.approx(13 * MS)
    assert stateful((reads,), (), (), (writes,)).cycle_s == pytest.approx(13 * MS)
    # The next one may not write before all of this one have read.
    assert stateful((writes,), (), (), (reads,)).cycle_s == pytest.approx(13 * MS)
    assert stateful((reads,), (), (writes,), ()).cycle_s == pytest.approx(5 * MS)
    assert stateful((), (writes,), (), ()).cycle_s == pytest.approx(2 * MS)
    # No path leads from one branch to the other: each waits for itself at most.
    assert stateful((), (reads,), (writes,), ()).cycle_s == pytest.approx(4 * MS)
    assert stateful((), (reads,), (), (reads,)).cycle_s == 0.0
    # Another state is no reason to wait.
    other = Access("other", reads=True)
    assert stateful((other,), (), (), (writes,)).cycle_s == pytest.approx(8 * MS)


def test_the_best_mix_fills_what_it_is_worth_to_fill() -> None:
    """A takes 1 of one thing and 1/2 of another, which B takes 1 of: 1 and 1/2 together."""
    streams = {"A": Demands({"r": 1.0, "s": 0.5}, 1.0, 0.0), "B": Demands({"s": 1.0}, 1.0, 0.0)}
    found = most_together(streams, {"A": inf, "B": inf})
    assert (found.argument, found.per_second) == ("s", pytest.approx(1.5))
    few = most_together(streams, {"A": inf, "B": 0.25})
    assert few == Limit(1.25, "no more is offered")
    assert most_together(streams, {"A": 0.5, "B": inf}).per_second == pytest.approx(0.5 + 0.75)


def test_any_plan_of_several_networks_in_proportion() -> None:
    soc = make_soc({"npu": NPU})
    graph = make_graph(("a", ["x"], 1.0))
    slow = {"m": (graph, [[1.0, inf]]), "n": (graph, [[3.0, inf]])}
    found = most_of_any_plan(soc, slow, {"m": 2.0, "n": 1.0})
    assert found is not None
    assert found.argument == "operators divided over all PUs"
    assert found.per_second == pytest.approx(3 / (2 * 1 + 3))
    quick = {name: (graph, [[1e-9, 1e-9]]) for name in "mn"}
    found = most_of_any_plan(soc, quick, {"m": 2.0, "n": 1.0})
    assert found is not None
    assert found.argument == "weights and network tensors through memory"
    assert found.per_second == pytest.approx(3 / (3 * 2 * MS))
    keeping = make_soc({"npu": NPU | {"weight_memory": "1 MB"}})
    assert most_of_any_plan(keeping, slow, {"m": 2.0, "n": 1.0}) is None
    assert most_of_any_plan(soc, {"m": (graph, [[0.0, 0.0]])}, {"m": 0.0}).per_second == inf
