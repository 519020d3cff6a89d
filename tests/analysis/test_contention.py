"""Without contention a plan may take longer: by hand, why, and that it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.analysis.contention import anomaly_note, anomaly_notes
from hetsim.analysis.result import Run
from hetsim.plan.model import Partition, Plan
from hetsim.runs.case import Case
from hetsim.soc.model import SoC
from tests.sim.samples import CLUSTER, FAST, MS, make_graph, make_soc

BUS = {"bus": {"bandwidth": "1 GB/s"}}
ON_BUS = CLUSTER | {"path": ["bus", "dram"]}
CONVERTED = CLUSTER | {"layout": "nhwc", "crossing": {"relayout": "4 ns"}}  # 1 ms a tensor

GRAPH = make_graph(
    ("a", ["x"], 0.0), ("e", ["y"], 0.0), ("c", ["z"], 2.0), ("b", ["a"], 1.0), ("d", ["c"], 10.0)
)
PLAN = Plan(
    "by hand",
    tuple(Partition(op, pu, (op,)) for op, pu in zip("aecbd", "axyzw", strict=True)),
)


def soc_with(cores: int) -> SoC:
    """a and e share the bus; b and d want their inputs converted by a thread of the host."""
    units = {"cpu": CLUSTER | {"cores": cores}, "a": ON_BUS, "x": ON_BUS, "y": CLUSTER,
             "z": CONVERTED, "w": CONVERTED}  # fmt: skip
    return make_soc(units, memory=FAST, links=BUS)


def run_on(cores: int) -> Run:
    return Case(GRAPH, soc_with(cores)).evaluate("mine", PLAN)


def test_sooner_transfers_may_mean_a_later_end_by_hand() -> None:
    """One core. With contention a and e end at 4 ms, without it at 2 ms, as c does anyway.

    c's result is converted for d from 2 to 3 ms, d runs until 13 ms, and its result takes 1 ms
    more. Without contention a's result is converted meanwhile: both conversions take until 4 ms.
    """
    run = run_on(1)
    assert run.makespan_s == pytest.approx(14 * MS)
    assert run.metrics["contention_free_s"] == pytest.approx(15 * MS)
    assert run.contention_cost_s == pytest.approx(-1 * MS)
    assert run.evaluation is not None
    assert run.evaluation.undisturbed.links["bus"].contention_s == 0.0


def test_with_a_core_for_each_thread_the_anomaly_is_gone() -> None:
    run = run_on(2)
    assert run.makespan_s == pytest.approx(14 * MS)
    assert run.contention_cost_s == pytest.approx(0.0, abs=1e-12)
    assert anomaly_note(run) is None


def test_an_anomaly_is_told_and_only_an_anomaly() -> None:
    note = anomaly_note(run_on(1))
    assert note is not None
    assert "by hand / mine" in note
    assert "1000 us longer" in note
    assert "anomaly" in note
    ordinary = run_on(2)
    dearer = replace(ordinary, metrics={**ordinary.metrics, "contention_free_s": 13 * MS})
    rounded = replace(ordinary, metrics={**ordinary.metrics, "contention_free_s": 14 * MS + 1e-17})
    failed = replace(ordinary, metrics={}, error="no plan")
    assert anomaly_notes([ordinary, dearer, rounded, failed]) == []
