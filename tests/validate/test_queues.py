"""Queues of theory in the simulator, and the laws that hold for every run exactly."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from hetsim.analysis.serving.queues import integral, steps
from hetsim.sim.dispatchers.priority import Priority
from hetsim.sim.serving.serve import serve
from hetsim.sim.serving.served import DROPPED
from hetsim.streams.arrivals.poisson import Poisson
from hetsim.streams.service import Stream
from hetsim.validate.checks.queues import QUEUES, Queue, compared
from tests.sim.samples import NPU, lower, make_graph, make_soc


def test_the_formulas_are_those_of_the_books() -> None:
    assert Queue("M", 1, 0.5, 0).wait_s() == pytest.approx(1e-3)
    assert Queue("D", 1, 0.5, 0).wait_s() == pytest.approx(0.5e-3)
    # Erlang's C of two servers: 2 rho^2 / (1 + rho); of three at 2 Erlang: 4/9.
    assert Queue("M", 2, 0.5, 0).wait_s() == pytest.approx(1 / 3 * 1e-3)
    assert Queue("M", 3, 2 / 3, 0).wait_s() == pytest.approx(4 / 9 * 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("queue", [q for q in QUEUES if q.load == 0.5], ids=str)
def test_waits_are_those_of_theory(queue: Queue) -> None:
    """Half of the check's: a wait twice as long, or half as long, is outside."""
    for row in compared(replace(queue, count=10_000)):
        assert row.low <= row.reference <= row.high
        assert row.high < 2.0 * row.reference < 4.0 * row.low


@pytest.mark.slow
@pytest.mark.parametrize("servers", [1, 3])
def test_the_laws_of_little_and_of_utilisation_are_exact(servers: int) -> None:
    served, common = Queue("M", servers, 0.8, 3000).simulated(7)
    (ledger,) = served.ledgers.values()
    assert len(ledger) == len(common.asked_s) == 3000
    # What units were busy is what was asked of them, and each inference took what it asked for.
    assert math.fsum(served.unit_busy_s.values()) == pytest.approx(
        math.fsum(common.asked_s), rel=1e-12
    )
    order = np.argsort(ledger.arrival, kind="stable")
    assert (ledger.finish - ledger.start)[order] == pytest.approx(
        common.asked_s, rel=1e-6, abs=1e-12
    )
    # The mean number in the system is the rate times the mean latency: both are the same area.
    times, number = steps(ledger.arrival, ledger.finish)
    area = math.fsum(np.diff(times) * number[:-1])
    latencies = ledger.finish - ledger.arrival
    assert area == pytest.approx(math.fsum(latencies), rel=1e-11)
    assert integral(ledger.arrival, ledger.finish, 0.0, served.end_s) == pytest.approx(
        area, rel=1e-11
    )
    assert number.min() == number[-1] == 0


@pytest.mark.slow
def test_they_are_exact_with_several_streams_units_and_drops_too() -> None:
    """Two NPUs' worth of streams, urgent ones in between, and a queue of two that overflows."""
    soc = make_soc({"npu": NPU}, partition_call="20 us")
    graph = make_graph(("a", ["x"], 3.0), ("b", ["a"], 1.0))
    plans = {
        "on": [("npu", "a b")], "over": [("npu", "a"), ("cpu", "b")], "urgent": [("cpu", "a b")],
    }  # fmt: skip
    programs = {name: lower(graph, soc, plan) for name, plan in plans.items()}
    requests = {"kind": "poisson", "period": "8 ms"}
    streams = [
        Stream(name, "m", Poisson.model_validate(requests), priority=int(name == "urgent"),
               count=400, queue=2 if name == "over" else None)
        for name in plans
    ]  # fmt: skip
    served = serve(soc, streams, programs, dispatcher=Priority(preemptive=True), seed=1)
    by = served.by_stream
    for unit, busy in zip(by.units, by.busy_s, strict=True):
        assert math.fsum(busy) == pytest.approx(served.unit_busy_s[unit], rel=1e-12)
    for ledger in served.ledgers.values():
        assert len(ledger) == 400
        there = integral(ledger.arrival, ledger.finish, 0.0, served.end_s)
        times, number = steps(ledger.arrival, ledger.finish)
        assert there == pytest.approx(math.fsum(ledger.finish - ledger.arrival), rel=1e-11)
        assert there == pytest.approx(math.fsum(np.diff(times) * number[:-1]), rel=1e-11)
    assert served.ledgers["over"].count(DROPPED) > 0
