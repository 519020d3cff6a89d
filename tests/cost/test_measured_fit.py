"""Work bent until it takes a measured time, on a way of 10 B/s and 1 s: by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.cost.measured.fit import alone_s, fit
from hetsim.cost.work import Phase, TileRun, Work
from tests.sim.samples import plain_way

WAY = plain_way(10.0, 1.0)
LOAD, STREAM, STORE = (
    Phase("load", 3.0, 20),  # 2 s of bytes, 1 s of something else
    Phase("stream", 5.0, 30, 10, 3.0),  # 4 s of bytes beside 3 s of arithmetic
    Phase("store", 0.5, 0, 10),  # 1 s of bytes
)
WORK = Work(
    2.0, 3.0, (LOAD, STREAM, STORE), (TileRun(1, 50, 3.0, 20),), weight_bytes=9, first_weights=7,
    clock_hz=8.0,
)  # fmt: skip
"""Dispatch 2 s, three times the latency, 7 s of bytes and 1 s besides: 13 s without arithmetic."""


def bent(work: Work, seconds: float) -> Work:
    found = fit(work, seconds, WAY, source="measured", note="told", spread=0.1)
    assert alone_s(found, WAY) == pytest.approx(seconds)
    assert (found.tiles, found.clock_hz, found.source) == ((), 0.0, "measured")
    assert found.spread == 0.1
    return found


def test_alone_a_phase_takes_the_longer_of_its_sides_and_the_latency_if_it_moves() -> None:
    assert alone_s(WORK, WAY) == 2.0 + (1.0 + 3.0) + (1.0 + 5.0) + (1.0 + 1.0)
    assert alone_s(Work(2.0, 3.0, (Phase("run", 3.0, compute_s=3.0),)), WAY) == 5.0


def test_arithmetic_takes_what_bytes_and_dispatch_leave_of_the_time() -> None:
    longer = bent(WORK, 20.0)
    assert longer.phases == (LOAD, Phase("stream", 11.0, 30, 10, 11.0), STORE)
    assert (longer.dispatch_s, longer.compute_s, longer.note) == (2.0, 11.0, "told")
    assert bent(WORK, 13.5).phases[1] == Phase("stream", 4.5, 30, 10, 4.5)
    least = bent(WORK, 13.0)
    assert least.phases == (LOAD, Phase("stream", 4.0, 30, 10, 3.0), STORE)
    assert (least.dispatch_s, least.compute_s, least.weight_bytes) == (2.0, 3.0, 9)


def test_where_nothing_is_left_the_dispatch_gives_way_first() -> None:
    quick = bent(WORK, 12.0)
    assert quick.phases == (LOAD, Phase("stream", 4.0, 30, 10, 3.0), STORE)
    assert (quick.dispatch_s, quick.compute_s, quick.note) == (1.0, 3.0, "told")


def test_then_what_stuck_out_beside_the_bytes_is_dealt_evenly() -> None:
    quick = bent(WORK, 11.0)
    third = pytest.approx(1 / 3)
    assert [p.seconds - least for p, least in zip(quick.phases, (2, 4, 1), strict=True)] == [
        third
    ] * 3
    assert [p.compute_s for p in quick.phases] == [0.0, 3.0, 0.0]
    assert (quick.dispatch_s, quick.bytes) == (0.0, 70)
    assert quick.note == "told; caches served 0% of its bytes"


def test_bytes_that_do_not_fit_the_time_were_served_by_caches() -> None:
    """3 s of latency leave 3.5 of the 7 s that all bytes would take: half of them."""
    half = bent(WORK, 6.5)
    assert half.phases == (
        Phase("load", 1.0, 10), Phase("stream", 2.0, 15, 5, 2.0), Phase("store", 0.5, 0, 5)
    )  # fmt: skip
    assert (half.compute_s, half.weight_bytes, half.first_weights) == (2.0, 4, 3)
    assert half.note == "told; caches served 50% of its bytes"
    none = bent(WORK, 2.0)  # less than the latency: nothing can have come over the way
    assert (none.bytes, none.weight_bytes, none.first_weights) == (0, 0, 0)
    assert [p.seconds for p in none.phases] == [pytest.approx(2 / 3)] * 3
    assert none.note == "told; caches served 100% of its bytes"
    computing = Work(0.0, 2.0, (Phase("wait", 3.0), Phase("run", 2.0, compute_s=2.0)))
    assert bent(computing, 1.0).note == "told; caches served 0% of its bytes"


def test_what_is_left_is_dealt_by_arithmetic_else_by_bytes_else_evenly() -> None:
    parts = (Phase("a", 1.0, compute_s=1.0), Phase("b", 3.0, compute_s=3.0), Phase("c", 2.0))
    assert [p.seconds for p in bent(Work(0.0, 4.0, parts), 10.0).phases] == [2.0, 6.0, 2.0]
    moving = Work(0.0, 0.0, (Phase("a", 5.0, 10), Phase("b", 3.0, 0, 30)))
    found = bent(moving, 14.0)  # 2 s of latency, 4 s of bytes, 8 s to deal 1 : 3
    assert [(p.seconds, p.compute_s) for p in found.phases] == [(3.0, 0.0), (9.0, 0.0)]
    assert found.compute_s == 0.0
    idle = Work(1.0, 0.0, (Phase("a", 0.0), Phase("b", 7.0)))
    assert [p.seconds for p in bent(idle, 5.0).phases] == [2.0, 2.0]


def test_a_spread_that_nobody_knows_replaces_one_that_was_said() -> None:
    said = replace(WORK, spread=0.2)
    assert fit(said, 20.0, WAY, source="learned", note="").spread is None
