"""What holds of any streams under any dispatcher."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.sim.dispatchers.edf import EDF
from hetsim.sim.dispatchers.fifo import Fifo
from hetsim.sim.dispatchers.priority import Priority
from hetsim.sim.serving.served import DONE, DROPPED, Served
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.streams.service import Stream
from tests.sim.samples import MS, NPU, lower, make_graph, make_soc
from tests.sim.serving.samples import SOC, chain, served, stream

TWO = make_soc({"npu": NPU})
"""A CPU and an NPU that share 1 GB/s."""

_GRAPH = make_graph(("a", ["x"], 1.0), ("b", ["a"], 3.0), ("c", ["b"], 2.0))
PROGRAMS = (
    lower(_GRAPH, TWO, [("cpu", "a"), ("npu", "b c")]),
    lower(_GRAPH, TWO, [("npu", "a"), ("cpu", "b"), ("npu", "c")]),
    lower(_GRAPH, TWO, [("npu", "a b c")]),
)
DISPATCHERS = {
    "fifo": Fifo,
    "priority": Priority,
    "preemptive": lambda: Priority(preemptive=True),
    "edf": lambda: EDF(preemptive=True),
}

PACE = st.one_of(
    st.builds(lambda p, j: ("periodic", {"period": f"{p} ms", "jitter": f"{j} ms"}),
              st.integers(3, 15), st.integers(0, 3)),
    st.builds(lambda p: ("poisson", {"period": f"{p} ms"}), st.integers(3, 15)),
    st.builds(lambda n: ("closed", {"clients": n, "think": "2 ms"}), st.integers(1, 3)),
)  # fmt: skip
POLICY = st.fixed_dictionaries(
    {},
    optional={
        "priority": st.integers(-1, 2),
        "deadline_s": st.integers(2, 20).map(lambda ms: ms * MS),
        "late": st.sampled_from(["run", "drop"]),
        "queue": st.integers(0, 3),
        "when_full": st.sampled_from(["newest", "oldest"]),
        "in_flight": st.integers(1, 2),
        "count": st.integers(1, 12),
    },
)


@st.composite
def mixes(draw: st.DrawFn) -> tuple[list[Stream], list[int]]:
    """One to three streams, and sometimes one that follows the first."""
    streams = []
    for i in range(draw(st.integers(1, 3))):
        kind, pace = draw(PACE)
        streams.append(stream(f"s{i}", kind, **pace, **draw(POLICY)))
    if draw(st.booleans()):
        streams.append(stream("follower", "after", stream="s0", probability=0.7, **draw(POLICY)))
    return streams, [draw(st.integers(0, len(PROGRAMS) - 1)) for _ in streams]


def columns(found: Served) -> dict[str, list[list[float]]]:
    return {
        name: [x.tolist() for x in (w.number, w.arrival, w.start, w.finish, w.status)]
        for name, w in found.ledgers.items()
    }


def most_at_once(begin: Any, end: Any) -> int:
    """How many of such half-open intervals overlap at most; those without length are none."""
    changes = sorted((t, d) for a, b in zip(begin, end, strict=True) if b > a
                     for t, d in ((a, 1), (b, -1)))  # fmt: skip
    return int(max(np.cumsum([d for _, d in changes]), default=0))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(mixes(), st.sampled_from(sorted(DISPATCHERS)))
def test_nothing_is_lost_and_nobody_is_in_two_places(
    mix: tuple[list[Stream], list[int]], dispatcher: str
) -> None:
    streams, chosen = mix
    programs = {s.name: PROGRAMS[i] for s, i in zip(streams, chosen, strict=True)}

    def run(**options: Any) -> Served:
        made = DISPATCHERS[dispatcher]()
        return served(*streams, programs=programs, soc=TWO, dispatcher=made, duration_s=0.05,
                      seed=3, **options)  # fmt: skip

    found = run(trace=True)
    numbers = sorted(n for w in found.ledgers.values() for n in w.number.tolist())
    assert numbers == list(range(len(numbers)))
    tasks: dict[int, int] = {}
    for row in found.trace.tasks:
        tasks[row.inference] = tasks.get(row.inference, 0) + 1
    for asked in streams:
        ledger = found.ledgers[asked.name]
        done = ledger.status == DONE
        assert ((ledger.status == DROPPED) | done).all()
        assert (ledger.arrival <= ledger.start).all()
        assert (ledger.start[done] < ledger.finish[done]).all()
        assert (ledger.start == ledger.finish)[~done].all()
        jobs = len(programs[asked.name].jobs)
        for number, is_done in zip(ledger.number.tolist(), done.tolist(), strict=True):
            assert tasks.get(number, 0) == (jobs if is_done else 0)
        assert len(ledger) <= (asked.count or np.inf)
        if asked.queue is not None:
            assert most_at_once(ledger.arrival, ledger.start) <= asked.queue
        if asked.in_flight is not None:
            assert most_at_once(ledger.start[done], ledger.finish[done]) <= asked.in_flight
        if asked.late == "drop":
            assert (ledger.start - ledger.arrival <= asked.deadline_s * (1 + 1e-9))[done].all()
    for unit in found.unit_busy_s:
        spans = sorted((s.start, s.end) for s in found.trace.spans
                       if s.lane == unit and s.kind == "compute")  # fmt: skip
        assert all(a[1] <= b[0] + 1e-12 for a, b in pairwise(spans))
        assert found.unit_busy_s[unit] <= found.end_s * (1 + 1e-9)
    by = found.by_stream
    assert (by.blocked_s >= -1e-12).all()
    assert (by.blocked_s.sum(axis=1) <= by.ready_s + 1e-9).all()
    assert by.busy_s.sum(axis=1) == pytest.approx(list(found.unit_busy_s.values()))
    assert columns(run()) == columns(found)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(4, 12), st.integers(0, 2)), min_size=2, max_size=4),
    st.sampled_from(sorted(DISPATCHERS)), st.randoms(use_true_random=False),
)  # fmt: skip
def test_the_order_of_streams_in_the_file_means_nothing(
    said: list[tuple[int, int]], dispatcher: str, shuffled: Any
) -> None:
    """Where nothing happens at the same moment, as with Poisson arrivals."""
    streams = [
        stream(f"s{i}", "poisson", period=f"{period} ms", priority=priority, deadline_s=9 * MS)
        for i, (period, priority) in enumerate(said)
    ]
    programs = {s.name: PROGRAMS[i % 3] for i, s in enumerate(streams)}

    def run(order: list[Stream]) -> Served:
        return served(*order, programs=programs, soc=TWO, dispatcher=DISPATCHERS[dispatcher](),
                      duration_s=0.05)  # fmt: skip

    other = streams[:]
    shuffled.shuffle(other)
    found, again = run(streams), run(other)
    assert columns(found) == columns(again)
    # What others do, or which priority it has, does not change when a stream's inferences come.
    alone = run([replace(streams[0], priority=7)])
    assert sorted(alone.ledgers["s0"].arrival) == sorted(found.ledgers["s0"].arrival)


@settings(max_examples=15, deadline=None)
@given(PACE.filter(lambda pace: pace[0] != "closed"), st.integers(0, 2))
def test_a_stream_alone_is_a_list_of_inferences(
    pace: tuple[str, dict[str, str]], chosen: int
) -> None:
    program = PROGRAMS[chosen]
    found = served(
        stream("s", pace[0], **pace[1], count=8), programs={"s": program}, soc=TWO, seed=5
    )
    ledger = found.ledgers["s"]
    order = np.argsort(ledger.number)
    listed = execute(TWO, [Inference(program, t) for t in ledger.arrival[order].tolist()])
    assert ledger.finish[order].tolist() == listed.finished
    assert found.trace.pu_busy_s == listed.pu_busy_s
    assert found.links == listed.links


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(5, 20), st.integers(0, 3)), min_size=2, max_size=4))
def test_at_each_launch_the_most_urgent_goes(said: list[tuple[int, int]]) -> None:
    streams = [
        stream(f"s{i}", "poisson", period=f"{period} ms", priority=priority)
        for i, (period, priority) in enumerate(said)
    ]
    parts = lower(make_graph(("a", ["x"], 1.0), ("b", ["a"], 1.0)), SOC, [("cpu", "a b")])
    programs = {s.name: parts if i % 2 else chain(1, 1) for i, s in enumerate(streams)}
    found = served(*streams, programs=programs, dispatcher=Priority(preemptive=True),
                   duration_s=0.06, trace=True)  # fmt: skip
    priority, waits = {}, []
    for s in streams:
        ledger = found.ledgers[s.name]
        priority.update(dict.fromkeys(ledger.number.tolist(), s.priority))
        waits += [(a, b, s.priority) for a, b in zip(ledger.arrival, ledger.start, strict=True)]
    for span in found.trace.spans:
        if span.kind == "compute":
            urgent = [w for w in waits if w[0] < span.start < w[1] - 1e-12]
            assert all(p <= priority[span.inference] for _, _, p in urgent)
