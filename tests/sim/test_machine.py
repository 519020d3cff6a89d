"""A partition on its unit, from jobs put together by hand: who is busy when, and what rows say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hetsim.cost.work import Phase, Step, Work
from hetsim.lower.program import Job, Launch, Program
from hetsim.sim.simulate import execute
from hetsim.sim.trace import Trace
from tests.sim.samples import FAST, MS, NPU, make_soc


def kernel(name: str, ms: float, **steps: Any) -> Launch:
    """Arithmetic alone, with host steps before or after it."""
    work = Work(0.0, ms * MS, (Phase("compute", ms * MS, compute_s=ms * MS),))
    return Launch(name, (name,), work, **steps)


def call(name: str, ms: float) -> tuple[Step, ...]:
    return (Step("call", name, ms * MS),)


def run(*launches: Launch, **npu: str) -> Trace:
    soc = make_soc({"npu": NPU | npu}, memory=FAST)
    return execute(soc, Program("by hand", (Job("p", 1, (), (), launches),), ((0,),)))


def spans(trace: Trace, *lanes: str) -> list[tuple[str, str, float, float]]:
    """(kind, name, start, end) of what is on ``lanes``, in ms by start."""
    rows = (
        (s.kind, s.name, round(s.start / MS, 6), round(s.end / MS, 6))
        for s in trace.spans if s.lane in lanes
    )  # fmt: skip
    return sorted(rows, key=lambda row: row[2:])


A, B = kernel("a", 2.0), kernel("b", 3.0)
AFTER = replace(A, after=call("after", 4.0))


@pytest.mark.parametrize(
    ("launches", "told", "end", "busy"),
    [
        # The host hears of the end of a kernel before it does something, and of that of all.
        ((AFTER, B), [(2, 3), (10, 11)], 11, 7),
        ((AFTER, B, A), [(2, 3), (12, 13)], 13, 9),
        ((A, replace(B, after=call("after", 4.0))), [(5, 6)], 10, 6),
        ((A, B), [(5, 6)], 6, 6),
    ],
)
def test_the_host_is_told_before_it_takes_over_and_at_the_end(
    launches: tuple[Launch, ...], told: list[tuple[int, int]], end: float, busy: float
) -> None:
    trace = run(*launches, interrupt_latency="1 ms")
    assert [row[2:] for row in spans(trace, "npu") if row[0] == "interrupt"] == told
    assert trace.makespan_s == pytest.approx(end * MS)
    assert trace.pu_busy_s["npu"] == pytest.approx(busy * MS)


def test_a_unit_does_nothing_while_the_host_works_and_nobody_polls_for_it() -> None:
    both = replace(A, before=call("before", 1.0), after=call("after", 4.0))
    trace = run(both, B, host_wait="poll")
    assert spans(trace, "npu") == [("compute", "a", 1, 3), ("compute", "b", 7, 10)]
    # No row for the moment before the first step.
    assert spans(trace, "cpu:npu") == [
        ("call", "before", 0, 1), ("poll", "npu", 1, 3), ("call", "after", 3, 7),
        ("poll", "npu", 7, 10),
    ]  # fmt: skip
    assert trace.pu_busy_s["npu"] == pytest.approx(5 * MS)
    assert [(row.start, row.end) for row in trace.tasks] == [(0.0, pytest.approx(10 * MS))]


def test_a_partition_without_kernels_is_its_steps() -> None:
    soc = make_soc({"npu": NPU | {"interrupt_latency": "1 ms"}}, memory=FAST)
    job = Job("p", 1, (), call("in", 2.0), (), call("out", 3.0))
    trace = execute(soc, Program("by hand", (job,), ((0,),)))
    assert spans(trace, "cpu:npu") == [("call", "in", 0, 2), ("call", "out", 2, 5)]
    assert spans(trace, "npu") == []
    assert trace.pu_busy_s["npu"] == 0.0


def test_only_the_first_phase_waits_for_the_dispatch() -> None:
    phases = tuple(Phase(kind, MS, compute_s=MS) for kind in ("load", "compute", "store"))
    launch = Launch("a", ("a",), Work(0.5 * MS, 3 * MS, phases))
    trace = run(launch)
    assert spans(trace, "npu", "npu.dma") == [
        ("dispatch", "a", 0, 0.5), ("load", "a", 0.5, 1.5), ("compute", "a", 1.5, 2.5),
        ("store", "a", 2.5, 3.5),
    ]  # fmt: skip
    assert trace.pu_busy_s["npu"] == pytest.approx(3.5 * MS)
