"""Channels of a memory that take turns: times by hand, agreement of grains, what is refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hetsim.bounds.makespan import lower_bounds
from hetsim.cost.analytical import AnalyticalModel
from hetsim.sim.simulate import execute
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC, Turns
from tests.sim.samples import CLUSTER, MS, NPU, lower, make_graph, make_soc

ONE = make_graph(("a", ["x"], 0.0))
TWO = make_graph(("a", ["x"], 0.0), ("b", ["y"], 0.0))


def soc(pus: dict[str, Any] | None = None, **memory: Any) -> SoC:
    return make_soc(pus, memory={"dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"} | memory})


def run(soc: SoC, *parts: tuple[str, str], fidelity: str = "fluid") -> Trace:
    graph = TWO if len(parts) > 1 else ONE
    groups = [[f"p{i}" for i in range(len(parts))]] if len(parts) > 1 else []
    trace = execute(soc, lower(graph, soc, list(parts), groups), fidelity=fidelity)
    for bound in lower_bounds(graph, soc, AnalyticalModel(), fidelity):
        assert bound.seconds <= trace.makespan_s * (1 + 1e-9), bound
    return trace


@pytest.mark.parametrize(
    ("channels", "interleave", "expected"),
    [
        (1, None, 2.0),  # 2 MB at 1 GB/s
        (4, "500 kB", 2.0),  # one turn of each
        (4, "250 B", 2.0),
        (2, "2 MB", 4.0),  # one turn, so one of two channels
        (8, "4 MB", 16.0),
        (3, "500 kB", 3.0),  # one round, and one turn more in one channel
        (4, "600 kB", 2.4),  # the fourth turn is shorter; three channels have 600 kB
    ],
)
def test_the_channel_that_has_the_most_decides(
    channels: int, interleave: str | None, expected: float
) -> None:
    turns = {"channels": channels, "interleave": interleave} if interleave else {}
    trace = run(soc(**turns), ("cpu", "a"))
    assert trace.makespan_s == pytest.approx(expected * MS, rel=1e-9)
    assert trace.links["dram"].bytes == 2_000_000
    assert sum(a.transfer for a in trace.activities) == pytest.approx(expected * MS, rel=1e-9)


def test_two_short_transfers_use_two_channels() -> None:
    pair = {"big": CLUSTER}
    alone, both = (
        run(soc(pair, channels=2, interleave="2 MB"), *parts).makespan_s
        for parts in ([("cpu", "a")], [("cpu", "a"), ("big", "b")])
    )
    assert alone == pytest.approx(4 * MS)
    assert both == pytest.approx(4 * MS)


@pytest.mark.parametrize("fidelity", ["fluid", "tile"])
def test_tiles_are_short_where_kernels_are_not(fidelity: str) -> None:
    """Eight tiles of 125 kB each way, each in one of two channels: as if there was only one."""
    npu = {"npu": NPU | {"vector_lanes": 10**6, "double_buffer": False}}
    short = run(soc(npu, channels=2, interleave="125 kB"), ("npu", "a"), fidelity=fidelity)
    assert short.makespan_s == pytest.approx(4 * MS, rel=1e-5)
    even = run(soc(npu, channels=2, interleave="62500 B"), ("npu", "a"), fidelity=fidelity)
    assert even.makespan_s == pytest.approx(2 * MS, rel=1e-5)


@given(st.integers(1, 9), st.integers(1, 50), st.integers(0, 2000))
def test_occupied_is_the_busiest_channel_counted_byte_by_byte(
    channels: int, interleave: int, amount: int
) -> None:
    turns = Turns(channels, interleave)
    per_channel = Counter(byte // interleave % channels for byte in range(amount))
    expected = channels * max(per_channel.values(), default=0)
    assert turns.occupied(amount) == expected
    assert turns.occupied(np.array([amount, 0]))[0] == expected


@pytest.mark.parametrize("turns", [{"channels": 2}, {"interleave": "1 KiB"}])
def test_what_would_do_nothing_is_refused(turns: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="need each other"):
        soc(**turns)
