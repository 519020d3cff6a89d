"""Dispatchers that choose units: by hand, and beside static schedules worked out apart."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest

from hetsim.bounds.makespan import lower_bounds
from hetsim.cost.analytical import AnalyticalModel
from hetsim.errors import DispatcherError
from hetsim.lower.choices import PlanChoices
from hetsim.lower.lowering import Lowering
from hetsim.lower.program import Program
from hetsim.plan.build import Block, make_plan
from hetsim.runs.case import Case
from hetsim.schedulers.base import Problem
from hetsim.schedulers.groups import fused_groups
from hetsim.schedulers.list.heft import upward_ranks
from hetsim.schedulers.list.timeline import Schedule
from hetsim.schedulers.units import Units
from hetsim.sim.dispatchers.ranks import UpwardRanks
from hetsim.sim.dispatchers.registry import create_dispatcher
from hetsim.sim.expected import Expected
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from tests.sim.samples import CLUSTER, FAST, MS, make_graph, make_soc

PLACING = ("met", "eft", "etf", "heft")


def soc_of(*clocks_ghz: float, **host: object) -> SoC:
    """A host and clusters of so many GHz, all alike otherwise: nothing is converted."""
    units = {
        f"u{i}": CLUSTER | {"operating_points": {"n": {"clock": f"{ghz} GHz"}}}
        for i, ghz in enumerate(clocks_ghz)
    }
    # The host takes part in nothing.
    return make_soc({"cpu": {"exclude": ["Relu"]} | host, **units}, memory=FAST)


def open_program(graph: Graph, soc: SoC) -> Program:
    """Every operator a partition of its own, planned for the first unit behind the host."""
    blocks = [Block((i,), 1) for i in range(len(graph))]
    plan = make_plan(graph, soc, blocks, scheduler="by hand")
    return PlanChoices(Lowering(graph, soc, AnalyticalModel()), plan).program


def run(program: Program, soc: SoC, name: str, work: Sequence[Inference] = (), **kw) -> Trace:
    return execute(soc, work or program, dispatcher=create_dispatcher(name, kw), contention=False)


def places(trace: Trace, soc: SoC) -> list[str]:
    """The unit of each partition of the first inference."""
    rows = sorted((row.position, row.pu) for row in trace.tasks if row.inference == 0)
    return [soc.pus[unit].name for _, unit in rows]


def independent(*ms: float) -> Graph:
    return make_graph(*((f"n{i}", ["x"], each) for i, each in enumerate(ms)))


def test_each_chooses_as_it_says() -> None:
    # Four equal partitions of 4 ms on a unit of 1 GHz, 1 ms on one of 4 GHz.
    soc = soc_of(1, 4)
    program = open_program(independent(4, 4, 4, 4, 4), soc)
    # MET: all on the fast one. EFT: the fifth ends at 4 on either, and the first is first.
    assert places(run(program, soc, "met"), soc) == ["u1"] * 5
    assert places(run(program, soc, "eft"), soc) == ["u1", "u1", "u1", "u0", "u1"]
    # ETF: both begin at once, the slow one with what is left.
    trace = run(program, soc, "etf")
    assert places(trace, soc) == ["u1", "u0", "u1", "u1", "u1"]
    assert trace.makespan_s == pytest.approx(4 * MS)


def test_data_stays_where_moving_it_would_take_longer() -> None:
    # u1 has everything copied, 1 MB in a millisecond, its output to the application too.
    copied = CLUSTER | {"operating_points": {"n": {"clock": "1.5 GHz"}},
                        "crossing": {"copy": "1 GB/s"}}  # fmt: skip
    slow = CLUSTER | {"operating_points": {"n": {"clock": "1 GHz"}}}
    soc = make_soc({"cpu": {"exclude": ["Relu"]}, "u0": slow, "u1": copied}, memory=FAST)
    program = open_program(make_graph(("a", ["x"], 2.0), ("b", ["a"], 2.4)), soc)
    assert places(run(program, soc, "met"), soc) == ["u1", "u1"]
    trace = run(program, soc, "eft")
    assert places(trace, soc) == ["u0", "u0"]  # 2 < 1 + 1.33; 2.4 < 1 + 1.6 + 1
    assert trace.makespan_s == pytest.approx(4.4 * MS)


def test_order_and_preemption_on_the_chosen_units() -> None:
    soc = soc_of(1)
    long, short = open_program(independent(4), soc), open_program(independent(1), soc)
    work = [
        Inference(long), Inference(long, 0.1 * MS, 0, 0, 20 * MS),
        Inference(short, 0.2 * MS, 1, 0, 30 * MS),
    ]  # fmt: skip

    def ends(**parameters: object) -> list[float]:
        return [t / MS for t in run(long, soc, "eft", work, **parameters).finished]

    assert ends() == ends(order="edf") == pytest.approx([4, 8, 9])
    assert ends(order="priority") == pytest.approx([4, 9, 5])
    asked = [create_dispatcher("eft", kw).preempts for kw in ({}, {"preemptive": True})]
    assert asked == [False, True]


def random_graph(seed: int, size: int = 12) -> Graph:
    """Operators of random times, each reading up to two of those before it."""
    drawn = random.Random(seed)
    operators = []
    for i in range(size):
        known = [f"n{j}" for j in range(i)]
        inputs = drawn.sample(known, min(len(known), drawn.randint(0, 2))) or ["x"]
        operators.append((f"n{i}", inputs, drawn.randint(100_000, 900_000) / 1e5))
    return make_graph(*operators)


def list_schedule(times: Sequence[Mapping[int, float]], needs: Sequence[Sequence[int]],
                  levels: Sequence[float], units: int) -> list[float]:  # fmt: skip
    """Ends of ETF's static schedule without communication, straight from its definition.

    Of all pairs of a task whose predecessors are scheduled and a unit, the one that can start
    first; then the higher level, then the earlier end.
    """
    free, ends, left = [0.0] * units, [0.0] * len(needs), set(range(len(needs)))
    while left:
        ready = [i for i in left if not left & set(needs[i])]
        offers = []
        for i in ready:
            for unit, seconds in times[i].items():
                start = max([free[unit], *(ends[j] for j in needs[i])])
                offers.append((start, -levels[i], start + seconds, i, unit))
        _, _, end, i, unit = min(offers)
        free[unit] = ends[i] = end
        left.remove(i)
    return ends


@pytest.mark.parametrize("seed", range(6))
def test_etf_of_one_inference_is_its_static_schedule(seed: int) -> None:
    soc, graph = soc_of(1, 2, 3), random_graph(seed)
    program = open_program(graph, soc)
    clocks = {1: 1.0, 2: 2.0, 3: 3.0}
    times = [{u: op.element_ops / 1e9 / c for u, c in clocks.items()} for op in graph.operators]
    needs = [job.needs for job in program.jobs]
    levels = [0.0] * len(needs)
    for i in reversed(range(len(needs))):
        levels[i] += sum(times[i].values()) / 3
        for j in needs[i]:
            levels[j] = max(levels[j], levels[i])
    expected = list_schedule(times, needs, levels, 4)
    trace = run(program, soc, "etf")
    ended = {row.position: row.end for row in trace.tasks}
    assert [ended[i] for i in range(len(needs))] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_heft_of_what_is_ready_at_once_is_the_static_schedule(seed: int) -> None:
    # Without edges everything is ready at once, and HEFT's order is that of its ranks.
    drawn = random.Random(seed)
    soc = soc_of(1, 2, 3)
    graph = independent(*(drawn.randint(100, 900) / 100 for _ in range(9)))
    problem = Problem(graph, soc, Case(graph, soc, AnalyticalModel()).problem().profile)
    units = Units(problem)
    schedule, ranks = Schedule(units), upward_ranks(units)
    for u in sorted(range(len(units)), key=lambda u: (-ranks[u], u)):
        start, _, pu = min(((*schedule.earliest(u, p), p) for p in units.pus), key=lambda o: o[1:])
        schedule.place(u, pu, start)
    program = open_program(graph, soc)
    trace = run(program, soc, "heft")
    assert places(trace, soc) == [soc.pus[pu].name for pu in schedule.pu]
    ended = {row.position: row.end for row in trace.tasks}
    assert [ended[i] for i in range(len(units))] == pytest.approx(schedule.end, rel=1e-9)


def test_ranks_are_those_of_the_static_algorithm() -> None:
    soc, graph = soc_of(1, 2, 3), random_graph(7)
    problem = Problem(graph, soc, Case(graph, soc, AnalyticalModel()).problem().profile)
    ranks, program = UpwardRanks(Expected(soc)), open_program(graph, soc)
    found = [ranks.of(program, i) for i in range(len(graph))]
    assert found == pytest.approx(upward_ranks(Units(problem)), rel=1e-9)


def test_expectations_are_those_of_the_schedulers() -> None:
    # Kernels, ranks and grain of a real network on a real SoC, conversions included.
    from hetsim.soc.loader import load_soc
    from hetsim.workload.networks import load_network

    graph, soc = load_network("squeezenet"), load_soc("zcu102-vta")
    case = Case(graph, soc)
    units = Units(case.problem())
    program = PlanChoices(case.lowering, fused_groups(case.problem())).program
    assert program.choices is not None
    expected = Expected(soc)
    for u in range(len(units)):
        assert list(program.choices.units(u)) == units.feasible(u)
        for pu in program.choices.units(u):
            job = program.choices.job(u, pu, [pu] * len(program.jobs[u].needs))
            seconds = expected.launches(pu, job.launches)
            assert seconds == pytest.approx(units.time[u][pu], rel=1e-12)


@pytest.mark.parametrize("name", PLACING)
def test_none_beats_the_bound_and_all_is_run_once(name: str) -> None:
    soc, graph = soc_of(1, 2, 3), random_graph(99, 6)
    program = open_program(graph, soc)
    bound = max(b.seconds for b in lower_bounds(graph, soc, AnalyticalModel()))
    trace = run(program, soc, name, [Inference(program, i * MS) for i in range(5)])
    assert sorted((r.inference, r.position) for r in trace.tasks) == [
        (i, p) for i in range(5) for p in range(6)
    ]
    latencies = [end - start for start, end in zip(trace.arrived, trace.finished, strict=True)]
    assert min(latencies) >= bound * (1 - 1e-9)


def test_a_program_of_one_plan_is_refused() -> None:
    soc = soc_of(1)
    graph = independent(1)
    plan = make_plan(graph, soc, [Block((0,), 1)], scheduler="by hand")
    program = Lowering(graph, soc, AnalyticalModel()).program(plan)
    with pytest.raises(DispatcherError, match="'eft' chooses units, and 'by hand' has no choices"):
        execute(soc, program, dispatcher=create_dispatcher("eft"))
