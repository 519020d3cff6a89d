"""The first scenario a user runs makes the point: contention that one plan overlooks."""

from __future__ import annotations

import pytest

import hetsim
from hetsim.report.overlooked import overlooked


@pytest.mark.slow
def test_the_plan_of_an_idle_soc_looks_better_than_one_npu_and_is_worse():
    result = hetsim.run("quickstart")
    one, heft, tuned = result.runs
    assert heft.predicted_s < 0.8 * one.makespan_s
    assert heft.makespan_s > 1.05 * one.makespan_s
    assert tuned.makespan_s < one.makespan_s
    assert tuned.makespan_s < 0.9 * heft.makespan_s
    assert heft.attribution["bus_contention"] > 4 * tuned.attribution["bus_contention"]
    sentence = overlooked(result)
    assert sentence.startswith("heft expected ")
    assert "at bus" in sentence
    assert "partition_tuner_tuned" in sentence


@pytest.mark.slow
def test_on_a_wider_bus_the_same_plan_is_good_and_nothing_was_overlooked():
    wide = {"bus.clock": "8x", "sdram.bandwidth": "8x"}
    result = hetsim.run("quickstart", wide, schedulers=["type_based", "heft"])
    one, heft = result.runs
    assert heft.makespan_s < 0.9 * one.makespan_s
    assert overlooked(result) == ""
