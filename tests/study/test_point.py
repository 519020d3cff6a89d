"""Points of a study, one after the other on one bench."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.runs import case
from hetsim.scenario.loader import load_scenario
from hetsim.study.point import PointBench, points_of
from tests.study.samples import SCENARIO, small_scenario

MANY = SCENARIO.replace(
    "[type_based]",
    "[type_based, heft, {name: partition_tuner_tuned, parameters: {evaluations: 40}}]",
)
STREAMS = (
    MANY + "streams: [{model: small, arrivals: {kind: periodic, period: 1 ms}, until: 3 ms}]\n"
)
DESIGNS = [{"npu.sram": "128 KiB"}, {"npu.sram": "256 KiB"}]


@pytest.mark.slow
@pytest.mark.parametrize("text", [MANY, STREAMS], ids=["network", "streams"])
def test_an_outcome_depends_on_its_point_alone(tmp_path, text):
    scenario = load_scenario(small_scenario(tmp_path, text=text))
    points = points_of(scenario, DESIGNS)
    assert len(points) == 6
    bench = PointBench.of(scenario)
    in_turn = {str(p) + p.scheduler: bench.evaluate(p) for p in points}
    for point in reversed(points):
        alone = PointBench.of(scenario).evaluate(point)
        assert alone.error is None
        again = bench.evaluate(point)
        for outcome in (in_turn[str(point) + point.scheduler], again):
            assert replace(outcome, seconds=0) == replace(alone, seconds=0), point


@pytest.mark.slow
def test_what_no_plan_goes_below_is_proven_once_for_each_design(tmp_path, monkeypatch):
    proofs = []

    def counted(*given, **named):
        proofs.append(named)
        return proven(*given, **named)

    proven = case.lower_bounds
    monkeypatch.setattr(case, "lower_bounds", counted)
    scenario = load_scenario(small_scenario(tmp_path, text=MANY))
    bench = PointBench.of(scenario)
    for point in points_of(scenario, DESIGNS):
        assert bench.evaluate(point).error is None
    assert len(proofs) == 2
