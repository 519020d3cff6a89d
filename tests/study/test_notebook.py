"""Studies from a notebook."""

from __future__ import annotations

import pytest

import hetsim
from hetsim.errors import ConfigError
from tests.study.samples import small_scenario


def test_each_study_is_one_call_and_shows_itself(tmp_path):
    scenario = small_scenario(tmp_path)
    swept = hetsim.sweep(
        scenario, {"npu.sram": "64KiB..256KiB:log2", "bus.clock": ["80 MHz", "160 MHz"]},
        store=tmp_path / "s.sqlite",
    )  # fmt: skip
    assert len(swept.rows) == 6
    # The SoC states power, area and cost, so each has a plot against time.
    assert set(swept.figures()) == {
        "heatmap-small", "pareto-energy", "pareto-area", "pareto-cost", "pareto-peak_memory",
    }  # fmt: skip
    what = hetsim.whatif(scenario, only=["bus"])
    both = hetsim.compare(scenario, {"fast": {"bus.clock": "2x"}})
    assert what.networks[0].base_s == both.base.best("small").makespan_s
    for study in (swept, what, both):
        assert "<table " in study._repr_html_()


def test_exploration_too(tmp_path):
    pytest.importorskip("optuna")
    study = hetsim.explore(
        small_scenario(tmp_path), {"bus.clock": ["40 MHz", "80 MHz"]}, trials=4,
        constraints=["latency_ms <= 100"],
    )  # fmt: skip
    assert study.front[0].values == {"bus.clock": "80 MHz"}
    assert "<table " in study._repr_html_()


def test_a_bad_range_names_its_path(tmp_path):
    scenario = small_scenario(tmp_path)
    with pytest.raises(ConfigError, match=r"vary bus.clock: .*must ascend"):
        hetsim.sweep(scenario, {"bus.clock": "2..1 MHz"})
