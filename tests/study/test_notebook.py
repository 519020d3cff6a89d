"""Studies from a notebook."""

from __future__ import annotations

import pytest

import hetsim
from hetsim.errors import ConfigError
from hetsim.study.result import StudyResult
from tests.study.samples import small_scenario


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda s: hetsim.sweep(s, ["bus.clock"]), "vary: .*where a mapping is due"),
        (lambda s: hetsim.explore(s, "bus.clock=1..2MHz"), "vary: .*where a mapping is due"),
        (lambda s: hetsim.compare(s, ["bus.clock=2x"]), "variants: .*where a mapping is due"),
        (lambda s: hetsim.compare(s, {"a": "bus.clock=2x"}), "variants a: .*a mapping is due"),
        (
            lambda s: hetsim.explore(s, {"bus.clock": ["1 MHz"]}, constraints="latency_ms <= 1"),
            "constraints: 'latency_ms <= 1'.*where a list is due",
        ),
        (lambda s: hetsim.run(s, plans="plan.yaml"), "plans: .*where a list is due"),
        (lambda s: hetsim.run(s, seed=-1), "seed: -1 .*is no seed"),
        (lambda s: hetsim.run(s, seed=0.5), "seed: 0.5 .*is no seed"),
    ],
)
def test_what_has_another_shape_gets_a_sentence(tmp_path, call, told):
    with pytest.raises(ConfigError, match=told):
        call(small_scenario(tmp_path))


def test_a_result_of_a_study_from_outside_needs_no_page():
    class Plain(StudyResult):
        pass

    assert Plain()._repr_html_() is None
