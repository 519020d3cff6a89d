"""How weights are stored, as a scenario states it and studies vary it."""

from __future__ import annotations

import pytest
import yaml

import hetsim
from hetsim.errors import ConfigError
from hetsim.runs.scenario import load_graph
from hetsim.scenario.variants import varied
from hetsim.study.explore.designs import design_files
from hetsim.study.point import Point, PointBench
from tests.study.samples import loaded

PACKS = {"npu.weights": {"unpack": {"int4": 1e6}, "sparsity": {"2:4": 2.0}}}


@pytest.mark.slow
def test_a_scenario_states_them_and_the_unit_gains_by_it(tmp_path):
    plain = hetsim.run(loaded(tmp_path, **PACKS))
    stated = {"weights.dtype": "int4", "weights.sparsity": "2:4"}
    narrow = hetsim.run(loaded(tmp_path, **PACKS, **stated))
    assert narrow.runs[0].makespan_s < plain.runs[0].makespan_s


@pytest.mark.slow
def test_points_of_a_study_read_networks_as_their_design_says(tmp_path):
    scenario = loaded(tmp_path, **PACKS)
    bench = PointBench.of(scenario)
    [label] = bench.graphs
    [asked] = scenario.schedulers
    times = {}
    for dtype in ("float32", "int8", "int4"):
        point = Point(label, asked.label, {"weights.dtype": dtype})
        outcome = bench.evaluate(point)
        assert outcome.error is None
        times[dtype] = outcome.makespan_s
    assert times["int4"] < times["int8"] <= times["float32"]


def test_a_variant_reads_them_anew_and_is_checked(tmp_path):
    scenario = loaded(tmp_path)
    changed = varied(scenario, {"weights.dtype": "int4"})
    [model] = changed.models
    weights = [op.weights for op in load_graph(changed, model).operators if op.nest]
    assert weights
    assert all(dict(kept).get("int4") == 2304 for kept in weights)
    with pytest.raises(ConfigError, match="unknown data type 'int5'"):
        varied(scenario, {"weights.dtype": "int5"})


def test_a_design_is_written_with_them(tmp_path):
    scenario = loaded(tmp_path, **{"weights.dtype": "int4"})
    files = design_files(scenario, {"npu.sram": "128 KiB"}, "1", "a design")
    assert yaml.safe_load(files["run-1.yaml"])["weights"] == {"dtype": "int4"}
