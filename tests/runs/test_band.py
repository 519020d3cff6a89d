"""The band of a published comparison over what nobody measured."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

import hetsim
from hetsim.errors import ConfigError
from hetsim.report.files.jsonout import result_to_dict
from hetsim.report.summary import published_figures

SCENARIO = """
hetsim: scenario/1
name: banded
soc: zcu102-vta
models: [{path: net.onnx, label: net}]
schedulers: [type_based, cpu_only]
execution: barrier
reference:
  title: t
  source: s
  improvements:
    - {model: net, scheduler: type_based, baseline: cpu_only, improvement_percent: 5}
  unmeasured:
    - what: the CPU's rate
      vary: {pus.cpu.efficiency.Conv: [0.1, 0.319, 0.9]}
    - what: the copy, and the call with it
      vary: {runtime.input_copy: [1 GB/s, 2 GB/s], runtime.partition_call: [10 us, 1 us]}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    data = helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 16, 56, 56])
    last = helper.make_tensor_value_info("last", TensorProto.FLOAT, None)
    weights = helper.make_tensor("w", TensorProto.FLOAT, [32, 16, 3, 3], [0.5] * 4608)
    node = helper.make_node("Conv", ["data", "w"], ["last"], name="conv", pads=[1, 1, 1, 1])
    graph = helper.make_graph([node], "net", [data], [last], [weights])
    onnx.save(helper.make_model(graph), tmp_path / "net.onnx")
    path = tmp_path / "banded.yaml"
    path.write_text(SCENARIO)
    return path


@pytest.mark.slow
def test_the_band_is_what_runs_with_those_values_say(scenario: Path) -> None:
    figure = published_figures(hetsim.run(scenario))[0]
    found = []
    for rate in (0.1, 0.319, 0.9):
        for copy, call in (("1 GB/s", "10 us"), ("2 GB/s", "1 us")):
            changes = {
                "pus.cpu.efficiency.Conv": rate,
                "runtime.input_copy": copy,
                "runtime.partition_call": call,
            }
            ours = published_figures(hetsim.run(scenario, changes))[0].ours
            assert ours is not None
            found.append(ours)
    assert figure.settings == 6
    assert figure.band == pytest.approx((min(found), max(found)))
    assert figure.ours is not None
    assert min(found) < figure.ours < max(found)
    assert max(found) - min(found) > 10


def test_the_result_says_what_the_band_is_over(scenario: Path) -> None:
    result = hetsim.run(scenario)
    reference = result_to_dict(result)["reference"]
    assert isinstance(reference, dict)
    assert reference["unmeasured"] == ["the CPU's rate", "the copy, and the call with it"]
    low, high = reference["figures"][0]["band_percent"]
    assert low < reference["figures"][0]["simulated_percent"] < high


def test_rows_that_are_not_run_have_no_band(scenario: Path) -> None:
    figure = published_figures(hetsim.run(scenario, schedulers=["type_based"]))[0]
    assert (figure.ours, figure.band) == (None, None)


def test_another_soc_has_no_band_and_the_report_says_why(scenario: Path) -> None:
    result = hetsim.run(scenario, {"soc": "mobile-flagship"})
    assert published_figures(result)[0].band is None
    assert any("no band on mobile-flagship" in note for note in result.notes)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("efficiency.Conv:", "efficency.Conv:", "efficency"),
        ("[10 us, 1 us]", "[10 us, 1 V]", "1 V"),
        ("[10 us, 1 us]", "[10 us, 1 us, 2 us]", "has 3 values, and the first path .* 2"),
        ("[0.1, 0.319, 0.9]", "[0.1]", "at least 2"),
    ],
)
def test_a_wrong_quantity_is_told_with_its_line(
    scenario: Path, old: str, new: str, told: str
) -> None:
    scenario.write_text(SCENARIO.replace(old, new))
    with pytest.raises(ConfigError, match=told) as caught:
        hetsim.load_scenario(str(scenario))
    assert f"{scenario}:" in str(caught.value)
