"""No stream gets more through than is proven, and some exactly that."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import highspy
import pytest

from hetsim.bounds.makespan import area_bound
from hetsim.bounds.simulated import least_seconds, simulated_floors
from hetsim.bounds.throughput import demands, most_of_any_plan, most_together
from hetsim.cost.analytical import AnalyticalModel
from hetsim.lower.lowering import Lowering
from hetsim.lower.program import Access, Program, State
from hetsim.sim.dispatchers.fifo import Fifo
from hetsim.sim.serving.serve import serve
from hetsim.soc.model import SoC
from hetsim.streams.arrivals.closed import Closed
from hetsim.streams.service import Stream
from tests.random_cases import random_network, random_plan
from tests.random_socs import random_soc
from tests.sim.samples import CLUSTER, FAST, MS, NPU, lower, make_graph, make_soc


def saturated(
    soc: SoC, programs: dict[str, Program], count: int = 60, in_flight: int | None = None
) -> dict[str, float]:
    """Inferences per second of clients who never think, eight to a stream."""
    arrivals = Closed(kind="closed", clients=8)
    streams = [Stream(n, "m", arrivals, count=count, in_flight=in_flight) for n in programs]
    served = serve(soc, streams, programs, dispatcher=Fifo())
    return {name: len(book) / served.end_s for name, book in served.ledgers.items()}


def test_the_busiest_unit_is_the_limit_and_is_reached() -> None:
    soc = make_soc({"npu": NPU}, memory=FAST)
    graph = make_graph(("a", ["x"], 4.0), ("b", ["a"], 1.0))
    program = lower(graph, soc, [("npu", "a"), ("cpu", "b")])
    found = demands(soc, program)
    assert (found.seconds["npu"], found.seconds["cpu"]) == pytest.approx((4 * MS, MS))
    assert found.latency_s == pytest.approx(5 * MS)
    assert found.most().argument == "npu"
    assert found.most().per_second == pytest.approx(250)
    assert saturated(soc, {"s": program}, 400)["s"] == pytest.approx(250, rel=0.01)
    one = found.most(in_flight=1)
    assert (one.argument, one.per_second) == ("1 in flight", pytest.approx(200))
    assert saturated(soc, {"s": program}, in_flight=1)["s"] == pytest.approx(200)
    assert found.most(in_flight=2).argument == "npu"


def test_a_shared_memory_is_the_limit_of_two_units() -> None:
    """2 MB an inference at 1 GB/s: 500 of both streams together, however many units there are."""
    soc = make_soc({"big": CLUSTER})
    graph = make_graph(("a", ["x"], 0.0))
    programs = {unit: lower(graph, soc, [(unit, "a")]) for unit in ("cpu", "big")}
    asked = {name: demands(soc, program) for name, program in programs.items()}
    together = most_together(asked, dict.fromkeys(asked, inf))
    assert (together.argument, together.per_second) == ("dram", pytest.approx(500))
    assert sum(saturated(soc, programs).values()) == pytest.approx(500)


def test_where_the_solver_gives_up_no_more_is_claimed_than_what_is_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    soc = make_soc({"big": CLUSTER})
    program = lower(make_graph(("a", ["x"], 0.0)), soc, [("cpu", "a")])
    asked = dict.fromkeys(("s", "t"), demands(soc, program))
    monkeypatch.setattr(
        "highspy.Highs.getModelStatus", lambda solver: highspy.HighsModelStatus.kIterationLimit
    )
    limit = most_together(asked, {"s": 400.0, "t": 300.0})
    assert (limit.argument, limit.per_second) == ("no more is offered", 700.0)


def test_who_asks_for_less_is_served_first_in_the_best_mix() -> None:
    soc = make_soc(memory=FAST)
    asked = {
        name: demands(soc, lower(make_graph(("a", ["x"], ms)), soc, [("cpu", "a")]))
        for name, ms in (("short", 1.0), ("long", 10.0))
    }
    little = most_together(asked, {"short": 100.0, "long": 20.0})
    assert (little.argument, little.per_second) == ("no more is offered", 120.0)
    much = most_together(asked, {"short": 500.0, "long": 100.0})
    assert (much.argument, much.per_second) == ("cpu", pytest.approx(500 + 50))
    assert most_together(asked, {"short": inf, "long": inf}).per_second == pytest.approx(1000)


def test_state_between_inferences_closes_a_cycle() -> None:
    """A job reads what the last one of the inference before wrote: nothing overlaps."""
    soc = make_soc({"npu": NPU}, memory=FAST)
    program = lower(
        make_graph(("a", ["x"], 2.0), ("b", ["a"], 3.0)), soc, [("npu", "a"), ("cpu", "b")]
    )
    first, last = program.jobs
    state = State("h", "dram", 8)
    program = replace(
        program, states=(state,),
        jobs=(replace(first, states=(Access("h", reads=True),)),
              replace(last, states=(Access("h", writes=True),))),
    )  # fmt: skip
    found = demands(soc, program)
    assert found.cycle_s == pytest.approx(5 * MS)
    assert (found.most().argument, found.most().per_second) == (
        "the state between inferences", pytest.approx(200),
    )  # fmt: skip
    assert saturated(soc, {"s": program})["s"] == pytest.approx(200, rel=1e-3)


def test_calls_fill_the_cores_of_the_host() -> None:
    """Calls of 3 ms for kernels of 1 ms: the host's single core is what limits both NPUs."""
    soc = make_soc(
        {"cpu": {"cores": 1}, "npu": NPU, "npu2": NPU}, memory=FAST, partition_call="3 ms"
    )
    graph = make_graph(("a", ["x"], 1.0))
    programs = {unit: lower(graph, soc, [(unit, "a")]) for unit in ("npu", "npu2")}
    asked = {name: demands(soc, program) for name, program in programs.items()}
    together = most_together(asked, dict.fromkeys(asked, inf))
    assert together.argument == "cores of cpu"
    assert together.per_second == pytest.approx(1 / (3 * MS))
    # In step with each other both compute for 1 ms after calls of 6 ms: the host idles meanwhile.
    assert sum(saturated(soc, programs, 200).values()) == pytest.approx(2 / (7 * MS))


@pytest.mark.parametrize("seed", range(12))
def test_nobody_gets_more_through_than_is_proven(seed: int) -> None:
    """Random networks, SoCs and plans, saturated: each alone, and both together."""
    soc, programs, tables = random_soc(seed), {}, {}
    for i in range(2):
        graph = random_network(seed * 2 + i, 3 + seed % 4)
        costs = AnalyticalModel()
        plan = random_plan(graph, soc, seed + i)
        programs[str(i)] = Lowering(graph, soc, costs).program(plan)
        tables[str(i)] = graph, least_seconds(simulated_floors(graph, soc, costs, "fluid"))
    asked = {name: demands(soc, program) for name, program in programs.items()}
    reached = saturated(soc, programs, 20)
    anyhow = most_of_any_plan(soc, tables, {"0": 1.0, "1": 1.0})
    assert anyhow is None or sum(reached.values()) <= anyhow.per_second * (1 + 1e-9)
    if None not in asked.values():
        proven = most_together(asked, dict.fromkeys(asked, inf)).per_second
        assert sum(reached.values()) <= proven * (1 + 1e-9)
        for name, program in programs.items():
            alone = saturated(soc, {name: program}, 20)[name]
            assert alone <= asked[name].most().per_second * (1 + 1e-9)
            one = saturated(soc, {name: program}, 5, in_flight=1)[name]
            assert one <= asked[name].most(in_flight=1).per_second * (1 + 1e-9)
    else:
        assert anyhow is None


def test_any_plan_of_one_network_is_the_area_bound() -> None:
    soc = make_soc({"npu": NPU})
    graph = make_graph(("a", ["x"], 4.0), ("b", ["a"], 1.0))
    table = least_seconds(simulated_floors(graph, soc, AnalyticalModel(), "fluid"))
    found = most_of_any_plan(soc, {"m": (graph, table)}, {"m": 30.0})
    assert found.per_second == pytest.approx(1 / area_bound(table))
