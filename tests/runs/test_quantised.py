"""Quantised networks where int8 is quick: the same work on an NPU, and less on a CPU."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import hetsim
from tests.workload.samples import model, node

BENCHMARKS = Path(hetsim.__file__).parents[1] / "benchmarks"
if not BENCHMARKS.exists():
    pytest.skip("benchmarks are not part of the installed package", allow_module_level=True)
pytest.importorskip("onnxruntime", reason="onnxruntime, whose quantiser is used, is not installed")
pytestmark = pytest.mark.slow

FORMS = ("QDQ", "QDQ per channel", "QOperator")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """A small network in floats, and as ONNX Runtime's quantiser writes it."""
    folder = tmp_path_factory.mktemp("quantised")
    random = np.random.default_rng(0)

    def w(*shape: int) -> Any:
        return random.standard_normal(shape).astype(np.float32)

    onnx.save(
        model(
            [node("Conv", ["x", "w1"], "a", pads=[1] * 4, strides=[2, 2]), node("Relu", ["a"], "b"),
             node("Conv", ["b", "w2"], "c", pads=[1] * 4, group=32),
             node("Clip", ["c", "0", "6"], "d"),
             node("Conv", ["d", "w3"], "e"), node("Add", ["b", "e"], "f"), node("Relu", ["f"], "g"),
             node("MaxPool", ["g"], "h", kernel_shape=[2, 2], strides=[2, 2]),
             node("Conv", ["h", "w4"], "i", pads=[1] * 4), node("Sigmoid", ["i"], "j"),
             node("Mul", ["i", "j"], "k"), node("GlobalAveragePool", ["k"], "l"),
             node("Flatten", ["l"], "m"), node("Gemm", ["m", "w5", "b5"], "n", transB=1)],
            {"x": [1, 3, 64, 64]}, ["n"],
            {"w1": w(32, 3, 3, 3), "w2": w(32, 1, 3, 3), "w3": w(32, 32, 1, 1),
             "w4": w(64, 32, 3, 3), "w5": w(10, 64), "b5": w(10),
             "0": np.float32(0), "6": np.float32(6)},
        ),
        folder / "small.onnx",
    )  # fmt: skip
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from quantised import quantised
    finally:
        sys.path.remove(str(BENCHMARKS))
    return dict(quantised(str(folder / "small.onnx"), folder, FORMS))


def run(path: Path, soc: str) -> Any:
    scenario = path.with_suffix(".yaml")
    scenario.write_text(
        f"hetsim: scenario/1\nname: q\nsoc: {soc}\nmodels: [{{path: {path}}}]\n"
        "schedulers: [cpu_only, type_based]\n",
        encoding="utf-8",
    )
    return hetsim.run(scenario)


@pytest.mark.parametrize("soc", ["mobile-flagship", "edge-mcu"])
def test_an_npu_that_computes_in_int8_takes_the_same_time(files, soc: str) -> None:
    busy = {}
    for form, path in files.items():
        (result,) = (r for r in run(path, soc).runs if r.scheduler == "type_based")
        assert result.error is None
        busy[form] = result.pus["npu"].busy_s
    for form in FORMS:
        assert busy[form] == pytest.approx(busy["float"], rel=0.02), form


@pytest.mark.parametrize("soc", ["mobile-flagship", "edge-mcu", "zcu102-vta"])
def test_int8_is_quicker_than_float_on_a_cpu_that_computes_it_faster(files, soc: str) -> None:
    times, kernels = {}, {}
    for form, path in files.items():
        (result,) = (r for r in run(path, soc).runs if r.scheduler == "cpu_only")
        times[form] = result.makespan_s
        heads = {row: row.operators.partition("+")[0] for row in result.operators}
        kernels[form] = {
            name.removesuffix("_quant"): row.end_s - row.start_s for row, name in heads.items()
        }
    for form in FORMS:
        assert times[form] < times["float"]
        shared = kernels[form].keys() & kernels["float"].keys()
        assert len(shared) >= 5
        for name in shared:
            assert kernels[form][name] <= kernels["float"][name], (form, name)
