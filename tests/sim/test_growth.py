"""Ten times the operators are ten times the work, counted in calls: clocks are no witnesses."""

from __future__ import annotations

import cProfile

import pytest

from hetsim.cost.work import Phase, Work
from hetsim.lower.program import Job, Launch, Program
from hetsim.sim.simulate import execute
from tests.sim.samples import CLUSTER, make_soc


def contending(pairs: int) -> Program:
    """Pairs of partitions of five kernels on two clusters; each pair awaits the one before."""
    jobs: list[Job] = []
    for position in range(2 * pairs):
        phase = Phase("stream", (40e-6, 10e-6)[position % 2], 30_000, 10_000, 5e-6)
        work = Work(dispatch_s=1e-6, compute_s=5e-6, phases=(phase,))
        pair = position - position % 2
        needs = (pair - 2, pair - 1) if pair else ()
        launches = tuple(Launch(f"k{position}.{i}", (), work) for i in range(5))
        jobs.append(Job(f"p{position}", position % 2, needs, (), launches))
    return Program("made up", tuple(jobs), tuple((i,) for i in range(len(jobs))))


def calls(pairs: int) -> int:
    soc = make_soc({"one": CLUSTER, "two": CLUSTER})
    program = contending(pairs)
    profile = cProfile.Profile()
    profile.runcall(execute, soc, program, trace=False)
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.slow
def test_calls_grow_with_the_number_of_operators_and_no_faster() -> None:
    few, many = calls(50), calls(500)
    assert few > 50 * 10
    assert many <= 10 * few
