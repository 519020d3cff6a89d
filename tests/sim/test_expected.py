"""What a dispatcher may expect and see: seconds by hand, tails against every path."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from hetsim.lower.program import Program
from hetsim.sim.expected import Expected
from hetsim.sim.machine import Machine
from hetsim.sim.simulate import execute
from hetsim.sim.view import View
from tests.sim.samples import CLUSTER, FAST, MS, NPU, lower, make_graph, make_soc

INT8 = {"dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}}
# 1 ms to bring a tensor in or out, 0.5 ms to launch a kernel.
CROSSING = {"crossing": {"quantise": "4 ns"}, "dispatch": "500 us"}
SOC = make_soc({"npu": NPU | INT8 | CROSSING, "big": CLUSTER}, memory=FAST, partition_call="250 us")
CHAIN = make_graph(("a", ["x"], 2.0), ("b", ["a"], 3.0), ("c", ["b"], 4.0))


def ms(value: float) -> Any:
    return pytest.approx(value * MS, rel=1e-6)


def test_a_job_is_its_steps_and_its_kernels_and_the_same_as_alone_in_simulation() -> None:
    program = lower(CHAIN, SOC, [("npu", "a b c")])
    (job,) = program.jobs
    expected = Expected(SOC)
    assert expected.steps(job.entry) == ms(1.25)
    assert expected.steps(job.exit) == ms(1)
    assert expected.launches(job.pu, job.launches) == ms(10.5)
    assert expected.job(job) == ms(12.75)
    assert expected.job(job) == expected.job(job)
    assert execute(SOC, program).makespan_s == pytest.approx(expected.job(job))


def test_kernels_that_have_ended_count_no_more() -> None:
    (job,) = lower(CHAIN, SOC, [("npu", "a b c")]).jobs
    expected = Expected(SOC)
    left = [expected.launches(job.pu, job.launches, done) for done in range(4)]
    assert left == [ms(10.5), ms(8), ms(4.5), ms(0)]
    # The same kernels on another unit are another question.
    assert expected.launches(SOC.by_name["big"].index, job.launches) == ms(10.5)
    (other,) = lower(CHAIN, SOC, [("big", "a b c")]).jobs
    assert expected.launches(other.pu, other.launches) == ms(9)


@pytest.mark.parametrize("seed", range(6))
def test_a_tail_is_the_longest_way_to_an_end(seed: int) -> None:
    draw = random.Random(seed)
    names = "abcdefg"
    graph = make_graph(*(
        (n, draw.sample(["x", *names[:i]], draw.randint(1, min(i + 1, 2))), draw.randint(1, 9))
        for i, n in enumerate(names)
    ))  # fmt: skip
    program = lower(graph, SOC, [(draw.choice(("cpu", "big", "npu")), n) for n in names])
    expected = Expected(SOC)
    seconds = [expected.job(job) for job in program.jobs]

    def longest(position: int) -> float:
        after = [i for i, job in enumerate(program.jobs) if position in job.needs]
        return seconds[position] + max(map(longest, after), default=0.0)

    for position in range(len(names)):
        assert expected.tail(program, position) == pytest.approx(longest(position))
    assert expected.tail(Program("one", program.jobs[:1], ((0,),)), 0) == seconds[0]


def test_a_view_knows_who_runs_and_when_each_unit_should_be_free() -> None:
    """'low' of 9 ms is taken at 1, 'high' of 2 ms goes before it from 4 on."""
    machine = Machine(SOC)
    view = View(machine, lambda *_: None)
    (low,) = lower(CHAIN, SOC, [("big", "a b c")]).jobs
    (high,) = lower(make_graph(("u", ["y"], 1.75)), SOC, [("big", "u")]).jobs
    big, first, second = low.pu, SimpleNamespace(job=low), SimpleNamespace(job=high)
    assert (view.soc, view.units, view.now) == (SOC, 3, 0.0)
    seen: list[tuple[float, Any, float]] = []

    def look() -> None:
        seen.append((view.now / MS, view.running(big), view.free_at(big) / MS))

    def story() -> Any:
        yield machine.env.timeout(1 * MS)
        look()
        view.took(first)  # type: ignore[arg-type]
        look()
        yield machine.env.timeout(3 * MS)
        look()
        view.took(second)  # type: ignore[arg-type]
        look()
        yield machine.env.timeout(3 * MS)
        look()  # it should have ended a millisecond ago
        view.ended(second)  # type: ignore[arg-type]
        view.ended(first)  # type: ignore[arg-type]
        look()

    machine.env.process(story())
    machine.env.run()
    assert [at for at, _, _ in seen] == pytest.approx([1, 1, 4, 4, 7, 7])
    assert [task for _, task, _ in seen] == [None, first, first, second, second, None]
    # It takes 9.25 ms with its call, of which 3 had passed when the other, of 2 ms, went before it.
    assert [free for _, _, free in seen] == pytest.approx([1, 10.25, 10.25, 12.25, 13.25, 7])
    assert view.free_at(0) == pytest.approx(7 * MS)
    assert view.running(0) is None
