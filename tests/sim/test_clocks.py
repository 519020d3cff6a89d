"""Clocks that change while kernels run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hetsim.errors import ConfigError
from hetsim.lower.program import Program
from hetsim.sim.machine import Machine
from hetsim.sim.recorder import SpanRecorder
from hetsim.sim.runtimes.dataflow import Dataflow
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference, Listed
from hetsim.sim.trace import Activity
from hetsim.soc.model import SoC
from tests.sim.samples import CLUSTER, FAST, MS, NPU, lower, make_graph, make_soc

GHZ = 1e9


def ms(value: float) -> Any:
    return pytest.approx(value * MS, rel=1e-6)


def finish(
    soc: SoC,
    *programs: Program,
    clocks: tuple[tuple[float, str, float], ...] = (),
    tiles: bool = False,
    activities: list[Activity] | None = None,
) -> float:
    """Seconds until all programs have ended; ``clocks`` are (ms, domain, Hz)."""
    ends: list[float] = []
    recorder = SpanRecorder([], [], activities if activities is not None else [], [])
    machine = Machine(soc, recorder, tiles=tiles)
    for time, domain, hz in clocks:
        machine.network.at(time * MS, lambda _, d=domain, h=hz: machine.set_clock(d, h))
    source = Listed([Inference(program) for program in programs])
    Dataflow(machine, source, lambda done: ends.append(done.finish)).start()
    machine.env.run()
    return max(ends)


def kernel(soc: SoC, unit: str, compute_ms: float) -> Program:
    return lower(make_graph(("a", ["x"], compute_ms)), soc, [(unit, "a")])


@pytest.mark.parametrize("tiles", [False, True])
@pytest.mark.parametrize("unit", ["cpu", "npu", "big"])
def test_half_a_kernel_at_half_the_clock_takes_one_and_a_half_times_as_long(
    unit: str, tiles: bool
) -> None:
    soc = make_soc({"npu": NPU, "big": CLUSTER}, memory=FAST)
    program = kernel(soc, unit, 8.0)
    assert finish(soc, program, tiles=tiles) == ms(8)
    slowed = finish(soc, program, clocks=((4.0, unit, 0.5 * GHZ),), tiles=tiles)
    assert slowed == ms(4 + 4 / 0.5)
    # From the start, and back again: 2 ms of work done in 4 ms, the other 6 at full speed.
    there_and_back = ((0.0, unit, 0.5 * GHZ), (4.0, unit, GHZ))
    assert finish(soc, program, clocks=there_and_back, tiles=tiles) == ms(4 + 6)
    assert finish(soc, program, clocks=((4.0, unit, 4 * GHZ),), tiles=tiles) == ms(4 + 1)


@pytest.mark.parametrize("unit", ["cpu", "npu"])
def test_what_waits_for_memory_does_not_feel_the_clock(unit: str) -> None:
    soc = make_soc({"npu": NPU})
    program = kernel(soc, unit, 0.01)  # 2 MB at 1 GB/s
    plain = finish(soc, program)
    assert finish(soc, program, clocks=((1.0, unit, 0.1 * GHZ),)) == pytest.approx(plain, rel=1e-9)


def test_a_kernel_without_arithmetic_and_one_that_has_ended_feel_no_clock() -> None:
    soc = make_soc({"npu": NPU})
    for unit in ("cpu", "npu"):
        moving = kernel(soc, unit, 0.0)
        clocks = ((1.0, unit, 0.1 * GHZ), (50.0, unit, 2 * GHZ))
        assert finish(soc, moving, clocks=clocks) == finish(soc, moving) == ms(2)
        assert finish(soc, kernel(soc, unit, 8.0), clocks=clocks[1:]) < 50 * MS
    # Both units share the memory: 4 MB at 1 GB/s.
    assert finish(soc, kernel(soc, "cpu", 0.0), kernel(soc, "npu", 0.0)) == ms(4)


def test_a_kernel_bound_by_memory_becomes_bound_by_arithmetic_when_it_must() -> None:
    # 2 ms of bytes beside 1 ms of arithmetic; at a quarter of the clock that is 4 ms. Half of it
    # has gone by then.
    soc = make_soc()
    slowed = finish(soc, kernel(soc, "cpu", 1.0), clocks=((1.0, "cpu", 0.25 * GHZ),))
    assert slowed == ms(1 + 4 / 2)


def test_a_clock_is_that_of_its_domain_alone() -> None:
    soc = make_soc({"cpu": {"workers": [1, 1]}, "big": CLUSTER}, memory=FAST)
    graph = make_graph(("a", ["x"], 8.0), ("b", ["y"], 8.0))
    both = lower(graph, soc, [("cpu.0", "a"), ("cpu.1", "b")])
    assert finish(soc, both, clocks=((4.0, "cpu", 0.5 * GHZ),)) == ms(12)
    assert finish(soc, both, clocks=((4.0, "big", 0.5 * GHZ),)) == ms(8)


def test_crowded_cores_and_slow_clocks_multiply() -> None:
    # Four threads beside a fifth that polls for the NPU's 20 ms: 4/5 of the speed, then half of
    # that from 5 ms on, when half of the work is done.
    soc = make_soc({"npu": NPU | {"host_wait": "poll"}}, memory=FAST)
    work = kernel(soc, "cpu", 8.0), kernel(soc, "npu", 20.0)
    ends: list[float] = []
    machine = Machine(soc)
    machine.network.at(5 * MS, lambda _: machine.set_clock("cpu", 0.5 * GHZ))
    source = Listed([Inference(program) for program in work])
    Dataflow(machine, source, lambda done: ends.append(done.finish)).start()
    machine.env.run()
    assert ends == [ms(5 + 4 / 0.4), ms(20)]


def test_stated_and_measured_seconds_stay_seconds() -> None:
    soc = make_soc({"cpu": {"dispatch": "3 ms"}}, memory=FAST)
    program = kernel(soc, "cpu", 8.0)
    slow = ((0.0, "cpu", 0.5 * GHZ),)
    assert finish(soc, program, clocks=slow) == ms(3 + 16)
    job = program.jobs[0]
    work = replace(job.launches[0].work, clock_hz=0.0)
    measured = replace(job, launches=(replace(job.launches[0], work=work),))
    assert finish(soc, replace(program, jobs=(measured,)), clocks=slow) == ms(3 + 8)
    assert finish(soc, replace(program, jobs=(measured,)), clocks=((5.0, "cpu", 0.5 * GHZ),)) == ms(
        3 + 8
    )


def test_time_at_another_clock_is_arithmetic_in_the_trace() -> None:
    soc = make_soc({"npu": NPU}, memory=FAST)
    for unit, tiles in (("cpu", False), ("npu", False), ("npu", True)):
        for clocks in (((0.0, unit, 0.5 * GHZ),), ((8 / 3, unit, 2 * GHZ),)):
            done: list[Activity] = []
            program = kernel(soc, unit, 8.0)
            end = finish(soc, program, clocks=clocks, activities=done, tiles=tiles)
            if not tiles or clocks[0][2] < GHZ:
                assert sum(a.compute for a in done) == pytest.approx(end, rel=1e-6)


def test_the_nominal_clock_changes_no_bit() -> None:
    soc = make_soc({"npu": NPU})
    for unit in ("cpu", "npu"):
        program = kernel(soc, unit, 1.7)
        plain = execute(soc, program).makespan_s
        assert finish(soc, program, clocks=((0.3, "cpu", GHZ),)) == plain
        assert program.jobs[0].launches[0].work.cycles == 1.7e6


def test_a_phase_of_both_kinds_of_tiles_lies_between() -> None:
    from hetsim.cost.work import Phase

    # Two tiles of 1 s of arithmetic, one beside 2 s of transfers: 3 s.
    phase = Phase("stream", 3.0, 10, 10, 2.0)
    assert phase.at(1.0) == phase
    assert [phase.at(s).seconds for s in (0.5, 2.0, 4.0)] == [2.0, 4.0, 8.0]


@pytest.mark.parametrize(("domain", "hz"), [("gpu", GHZ), ("cpu", 0.0), ("cpu", float("inf"))])
def test_impossible_clocks_are_refused(domain: str, hz: float) -> None:
    with pytest.raises(ConfigError, match=domain):
        Machine(make_soc()).set_clock(domain, hz)
