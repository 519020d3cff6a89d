"""Urgent partitions between the launches of others."""

from __future__ import annotations

import pytest

from hetsim.lower.program import Program
from hetsim.sim.machine import Machine
from hetsim.sim.recorder import SpanRecorder
from hetsim.sim.runtimes.dataflow import Preemptive
from hetsim.sim.simulate import execute, run, totals
from hetsim.sim.source import Inference, Listed
from hetsim.sim.trace import Span, Trace
from hetsim.soc.model import SoC
from tests.sim.samples import FAST, MS, NPU, lower, make_graph, make_soc


def case(unit: str = "cpu", **npu: object) -> tuple[SoC, Program, Program]:
    """Three launches of 4 ms in one partition on ``unit``, and one launch of 1 ms."""
    soc = make_soc({"npu": NPU | npu}, memory=FAST)
    graph = make_graph(("a", ["x"], 4.0), ("b", ["a"], 4.0), ("c", ["b"], 4.0))
    urgent = lower(make_graph(("u", ["y"], 1.0)), soc, [(unit, "u")])
    return soc, lower(graph, soc, [(unit, "a b c")]), urgent


def in_ms(trace: Trace) -> list[float]:
    return [pytest.approx(t / MS, rel=1e-6) for t in trace.finished]


def kinds(trace: Trace, kind: str) -> list[Span]:
    return [span for span in trace.spans if span.kind == kind]


def test_an_urgent_partition_goes_at_the_next_launch_and_the_other_goes_on() -> None:
    soc, long, urgent = case()
    work = [Inference(long), Inference(urgent, 5 * MS, priority=1)]
    assert in_ms(execute(soc, work)) == [12, 13]
    trace = execute(soc, work, execution="preemptive")
    assert in_ms(trace) == [13, 9]
    assert trace.pu_busy_s["cpu"] == pytest.approx(13 * MS)
    (aside,) = kinds(trace, "preempted")
    assert (aside.inference, aside.start, aside.end) == (
        0, pytest.approx(8 * MS), pytest.approx(9 * MS)
    )  # fmt: skip
    starts = {s.name: s.start / MS for s in kinds(trace, "compute")}
    assert starts == pytest.approx({"a": 0, "b": 4, "u": 8, "c": 9}, rel=1e-6)
    # What the partition did has no gap: its time aside is accounted for.
    mine = sorted((a.start, a.end) for a in trace.activities if a.inference == 0)
    assert [a for a, _ in mine][1:] == [b for _, b in mine][:-1]


def test_equal_priority_preempts_nobody() -> None:
    soc, long, urgent = case()
    for priorities in ((0, 0), (1, 1), (1, 0)):
        work = [
            Inference(long, priority=priorities[0]),
            Inference(urgent, 5 * MS, priority=priorities[1]),
        ]
        trace = execute(soc, work, execution="preemptive")
        assert trace == execute(soc, work)
        assert not kinds(trace, "preempted")


def test_a_unit_that_cannot_be_interrupted_ends_what_it_has_begun() -> None:
    soc, long, urgent = case("npu", preemptible=False)
    work = [Inference(long), Inference(urgent, 5 * MS, priority=1), Inference(long, 6 * MS)]
    trace = execute(soc, work, execution="preemptive")
    assert not kinds(trace, "preempted")
    # The urgent one still goes before what has not begun.
    first, second, last = trace.finished
    assert first < second < last
    other, *_ = case("npu")
    assert kinds(execute(other, work, execution="preemptive"), "preempted")


def test_who_preempts_may_be_preempted() -> None:
    soc, long, urgent = case()
    work = [
        Inference(long),
        Inference(long, 1 * MS, priority=1),
        Inference(urgent, 6 * MS, priority=2),
        Inference(urgent, 6 * MS, priority=2),
    ]
    # First long: 0-4; second 4-8; both urgent ones 8-10; second 10-18; first 18-26.
    assert in_ms(execute(soc, work, execution="preemptive")) == [26, 18, 9, 10]


def test_the_cores_of_a_polling_thread_are_counted_once() -> None:
    # The host computes 40 ms on all four cores beside a fifth, polling thread for 13 ms: a single
    # one, although two partitions are open on the NPU between 8 and 9 ms.
    soc, long, urgent = case("npu", host_wait="poll")
    host = lower(make_graph(("h", ["z"], 40.0)), soc, [("cpu", "h")])
    work = [Inference(long), Inference(urgent, 5 * MS, priority=1), Inference(host)]
    trace = execute(soc, work, execution="preemptive")
    assert in_ms(trace) == [13, 9, 40 + 13 / 5]
    polls = sorted((s.inference, s.start / MS, s.end / MS) for s in kinds(trace, "poll"))
    assert polls == [
        (0, 0, pytest.approx(8)),
        (0, pytest.approx(9), pytest.approx(13)),
        (1, pytest.approx(8), pytest.approx(9)),
    ]
    assert trace.pu_busy_s["npu"] == pytest.approx(13 * MS)


@pytest.mark.parametrize("fidelity", ["fluid", "tile"])
def test_an_urgent_inference_leaves_the_unit_between_its_own_partitions(fidelity: str) -> None:
    soc, long, _ = case("npu")
    graph = make_graph(("u", ["y"], 1.0), ("v", ["u"], 3.0), ("w", ["v"], 1.0))
    urgent = lower(graph, soc, [("npu", "u"), ("cpu", "v"), ("npu", "w")])
    work = [Inference(long), Inference(urgent, 1 * MS, priority=1)]
    # a 0-4, u 4-5, b 5-9 while the CPU has v 5-8, w 9-10, c 10-14.
    trace = execute(soc, work, execution="preemptive", fidelity=fidelity)
    assert in_ms(trace) == [14, 10]


def test_taking_a_unit_from_a_partition_costs_what_is_said() -> None:
    soc, long, urgent = case()
    source = Listed([Inference(long), Inference(urgent, 5 * MS, 1), Inference(urgent, 6 * MS, 1)])
    spans: list[Span] = []
    machine = Machine(soc, SpanRecorder(spans, [], [], []), preemption_s=0.25 * MS)
    done: dict[int, float] = {}
    runtime = Preemptive(machine, source, lambda d: done.update({d.number: d.finish / MS}))
    run(machine, runtime)
    # Once for both: the unit is taken at 8, and goes on from 10.25.
    assert done == pytest.approx({1: 9.25, 2: 10.25, 0: 14.25})
    assert totals(machine, 0).pu_busy_s["cpu"] == pytest.approx(14.25 * MS)
    (switch,) = (span for span in spans if span.kind == "switch")
    assert (switch.lane, switch.name, switch.inference) == ("cpu", "preemption", 0)
    assert [switch.start, switch.end] == pytest.approx([8 * MS, 8.25 * MS])


@pytest.mark.parametrize(("sram", "spilled"), [("16 MB", 0), ("2 MB", 1_000_000)])
def test_what_was_kept_on_chip_makes_room_where_it_must(sram: str, spilled: int) -> None:
    # 1 MB passes from a to b on chip, of 2 MB; u and v take 1.25 MB between them.
    soc = make_soc({"npu": NPU | {"sram": sram}})
    long = lower(make_graph(("a", ["x"], 4.0), ("b", ["a"], 4.0)), soc, [("npu", "a b")])
    urgent = lower(make_graph(("u", ["y"], 1.0), ("v", ["u"], 1.0)), soc, [("npu", "u v")])
    assert long.jobs[0].launches[1].kept.unsaved_bytes == 1_000_000
    work = [Inference(long), Inference(urgent, 1 * MS, 1)]
    plain, trace = execute(soc, work), execute(soc, work, execution="preemptive")
    for link in ("dram", "npu.dma"):
        assert trace.links[link].bytes - plain.links[link].bytes == 2 * spilled
    # 1 GB/s, so that each way takes 1 ms; u waits for one of them, and a for both.
    assert trace.makespan_s - plain.makespan_s == pytest.approx(2 * spilled / 1e9)
    assert trace.pu_busy_s["npu"] == pytest.approx(trace.makespan_s)
    mine = sorted((a.start, a.end) for a in trace.activities if a.inference == 0)
    assert [a for a, _ in mine][1:] == [b for _, b in mine][:-1]


def test_room_on_chip_is_that_of_who_stands_aside_now() -> None:
    # 1 MB passes from a to b and from c to d, and u takes 1.25 MB: in 3 MB there is room beside
    # what stands aside, each of the two times, and there would not be beside both.
    soc = make_soc({"npu": NPU | {"sram": "3 MB"}})
    chain = (("a", ["x"], 4.0), ("b", ["a"], 4.0), ("c", ["b"], 4.0), ("d", ["c"], 4.0))
    graph = make_graph(*chain)
    long = lower(graph, soc, [("npu", "a b c d")])
    assert [launch.kept.unsaved_bytes for launch in long.jobs[0].launches] == [0, 10**6] * 2
    urgent = lower(make_graph(("u", ["y"], 1.0), ("v", ["u"], 1.0)), soc, [("npu", "u v")])
    work = [Inference(long), Inference(urgent, 1 * MS, 1), Inference(urgent, 12 * MS, 1)]
    plain, trace = execute(soc, work), execute(soc, work, execution="preemptive")
    assert len(kinds(trace, "preempted")) == 2
    assert trace.links["dram"].bytes == plain.links["dram"].bytes


def test_a_cache_keeps_nothing_for_who_stands_aside() -> None:
    # b finds a's megabyte in the cache, unless somebody ran in between: then it is read.
    soc = make_soc({"cpu": {"l2": "1 MB"}})
    long = lower(make_graph(("a", ["x"], 4.0), ("b", ["a"], 4.0)), soc, [("cpu", "a b")])
    urgent = lower(make_graph(("u", ["y"], 1.0)), soc, [("cpu", "u")])
    work = [Inference(long), Inference(urgent, 1 * MS, 1)]
    plain, trace = execute(soc, work), execute(soc, work, execution="preemptive")
    assert trace.links["dram"].bytes - plain.links["dram"].bytes == 1_000_000
