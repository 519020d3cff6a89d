"""Who used what, and who waited for whom."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hetsim.cost.analytical import AnalyticalModel
from hetsim.lower.lowering import Lowering
from hetsim.plan.model import Partition, Plan
from hetsim.sim.dispatchers.priority import Priority
from hetsim.sim.recorder import Recorder
from hetsim.sim.serving.accounts import Accounts, Waits
from tests.sim.samples import FAST, MS, NPU, lower, make_graph, make_soc
from tests.sim.serving.samples import chain, served, stream

LINKS = {"dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"}}


@pytest.mark.parametrize("fidelity", ["fluid", "tile"])
def test_what_streams_used_adds_up_to_what_the_soc_did(fidelity: str) -> None:
    soc = make_soc({"npu": NPU}, memory=LINKS)
    graph = make_graph(("a", ["x"], 1.0), ("b", ["a"], 2.0))
    both = lower(graph, soc, [("cpu", "a"), ("npu", "b")])
    found = served(
        stream("one", "poisson", period="9 ms"), stream("two", "periodic", period="12 ms"),
        programs={"one": both, "two": chain(3, soc=soc, unit="npu")}, soc=soc, duration_s=0.2,
        fidelity=fidelity,
    )  # fmt: skip
    by = found.by_stream
    assert by.streams == ("one", "two")
    assert dict(zip(by.units, by.busy_s.sum(axis=1), strict=True)) == pytest.approx(
        found.unit_busy_s
    )
    assert dict(zip(by.links, by.bytes.sum(axis=1), strict=True)) == pytest.approx(
        {name: usage.bytes for name, usage in found.links.items()}
    )
    # The second moves its input and its output for each of its inferences, and nothing else.
    assert by.bytes[by.links.index("dram"), 1] == 2e6 * len(found.ledgers["two"])
    assert by.busy_s[by.units.index("cpu"), 1] == 0.0


def test_who_waits_is_told_for_whom() -> None:
    # 'long' has the unit from 0 to 10; 'b' waits for 9 of these and then for c, which is urgent.
    found = served(
        stream("long", "periodic", period="1 s", count=1),
        stream("b", "periodic", period="1 s", offset="1 ms", count=1),
        stream("c", "periodic", period="1 s", offset="2 ms", count=1, priority=1),
        programs={"long": chain(10), "b": chain(2), "c": chain(3)},
    )  # fmt: skip
    assert found.by_stream.blocked_s / MS == pytest.approx(
        np.array([[0, 0, 0], [9, 0, 3], [8, 0, 0]]), abs=1e-9
    )
    assert found.by_stream.ready_s / MS == pytest.approx([0, 12, 8])


def test_who_stands_aside_waits_for_whom_it_makes_room() -> None:
    soc = make_soc(memory=FAST)
    long = lower(make_graph(("a", ["x"], 4.0), ("b", ["a"], 4.0)), soc, [("cpu", "a b")])
    found = served(
        stream("long", "periodic", period="1 s", count=1),
        stream("urgent", "periodic", period="1 s", offset="1 ms", count=1, priority=1),
        programs={"long": long, "urgent": chain(5)}, dispatcher=Priority(True),
    )  # fmt: skip
    assert found.by_stream.blocked_s / MS == pytest.approx(np.array([[0, 5], [3, 0]]), abs=1e-9)


def test_frames_wait_for_those_of_their_stream_in_flight() -> None:
    soc = make_soc({"npu": NPU}, memory=FAST)
    graph = make_graph(("a", ["x"], 4.0), ("b", ["a"], 4.0))
    found = served(
        stream("s", "periodic", period="1 ms", count=3, in_flight=1),
        programs={"s": lower(graph, soc, [("cpu", "a"), ("npu", "b")])}, soc=soc,
    )  # fmt: skip
    # They come at 1 and 2 and begin at 8 and 16.
    assert found.by_stream.blocked_s / MS == pytest.approx(np.array([[21.0]]), rel=1e-6)
    ledger = found.ledgers["s"]
    assert (ledger.start - ledger.arrival).sum() == pytest.approx(found.by_stream.ready_s[0])


@pytest.mark.parametrize("fidelity", ["fluid", "tile"])
def test_bytes_of_several_memories_at_once_are_told_to_the_byte(fidelity: str) -> None:
    """Two megabytes in from one memory, one out to another, side by side."""
    memory = LINKS | {"scratch": {"bandwidth": "1 GB/s", "capacity": "1 GiB"}}
    soc = make_soc({"npu": NPU | {"routes": {"scratch": ["scratch"]}}}, memory=memory)
    graph = make_graph(("a", ["x", "y"], 1.0))
    plan = Plan(graph.name, (Partition("p", "npu", ("a",)),), memories={"a": "scratch"})
    program = Lowering(graph, soc, AnalyticalModel()).program(plan)
    found = served(
        stream("s", "periodic", period="20 ms", count=3),
        stream("t", "periodic", period="20 ms", offset="10 ms", count=2),
        programs={"s": program, "t": program}, soc=soc, fidelity=fidelity,
    )  # fmt: skip
    by = found.by_stream
    assert dict(zip(by.links, by.bytes.tolist(), strict=True)) == {
        "dram": [6e6, 4e6], "scratch": [3e6, 2e6], "npu.dma": [9e6, 6e6],
    }  # fmt: skip


def test_what_the_host_moves_for_a_stream_is_its_own() -> None:
    """A megabyte of floats is read and a quarter of one written for each input, and back."""
    int8 = {"dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}}
    soc = make_soc({"npu": NPU | int8 | {"crossing": {"quantise": "1 ns"}}}, memory=LINKS)
    one, three = stream("s", "periodic", period="20 ms", count=1), stream(
        "t", "periodic", period="20 ms", offset="10 ms", count=3
    )  # fmt: skip
    program = chain(1, soc=soc, unit="npu")
    found = served(one, three, programs={"s": program, "t": program}, soc=soc)
    bytes_of = dict(zip(found.by_stream.links, found.by_stream.bytes.tolist(), strict=True))
    assert bytes_of == {"dram": [3e6, 9e6], "npu.dma": [0.5e6, 1.5e6]}


class Rows(Recorder):
    """The names of what it was told."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []
        for name in ("task", "host", "hit", "wait", "preempted", "phase", "tile", "tiled"):
            setattr(self, name, partial(self._hear, name))

    def _hear(self, *told: object) -> None:
        self.heard.append(told)


def test_what_is_counted_is_passed_on_as_it_was_told() -> None:
    rows = Rows()
    accounts = Accounts(1, 1, rows)
    task, unit, launch, phase = (SimpleNamespace(stream=0, index=0) for _ in range(4))
    flow = SimpleNamespace(links=())
    said: list[tuple[Any, ...]] = [
        ("task", task, unit, 1.0, 2.0),
        ("host", "cpu", phase, 1.0, 2.0, flow, task),
        ("hit", "kernel", "a", 64, task),
        ("wait", "cpu", "poll", "npu", 1.0, 2.0, task),
        ("preempted", unit, 1.0, 2.0, task),
        ("phase", unit, launch, phase, 0.25, 1.0, 2.0, flow, task),
        ("tile", unit, launch, "load", 3, 1.0, 2.0, 64, task),
        ("tiled", unit, launch, 1.0, 2.0, 0.5, 0.25, 0.125, task),
    ]
    for name, *told in said:
        getattr(accounts, name)(*told)
    accounts.occupied(unit, 1.0, 2.0, task)  # type: ignore[arg-type]
    assert rows.heard == said
    assert accounts.close(["s"], ["u"], ["dram"], Waits(1, 1)).bytes.tolist() == [[0.0]]
