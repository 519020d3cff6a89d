"""Who used what, and who waited for whom."""

from __future__ import annotations

import numpy as np
import pytest

from hetsim.sim.dispatchers.priority import Priority
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
