"""OpenVINO as the engine: kernels matched to operators, plans run, outputs those of the whole."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from hetsim.cli.main import entry
from hetsim.host import bandwidth, cuts
from hetsim.host.engines.onnxruntime import OnnxRuntime
from hetsim.host.engines.openvino import Layer, OpenVino, matched_layers
from hetsim.host.machine import this_machine
from hetsim.host.measure import measure_network
from hetsim.host.ran import Match
from hetsim.workload.onnx.loader import load_onnx
from tests.host.networks import branches, small_network
from tests.workload.samples import model, node, weight


def test_kernels_that_lost_the_name_of_their_product_are_matched() -> None:
    graph = load_onnx(
        model(
            [node("Conv", ["x", "w"], "a"), node("Relu", ["a"], "b"), node("Conv", ["b", "w"], "c"),
             node("Add", ["b", "c"], "d"), node("Relu", ["d"], "e"), node("Conv", ["e", "w"], "f"),
             node("MaxPool", ["f"], "g", kernel_shape=[1, 1])],
            {"x": [1, 4, 8, 8]}, ["g"], {"w": weight(4, 4, 1, 1)},
        )
    )  # fmt: skip
    layers = [
        Layer("reorder", "Reorder", ()),
        Layer("k1", "Convolution", ("Multiply_1", "b_op")),  # its Conv was renamed by a fold
        Layer("k2", "Convolution", ("Multiply_2", "d_op", "e_op")),
        Layer("k3", "Convolution", ("Multiply_3",)),
        Layer("k4", "Pooling", ("g_op",)),
    ]
    assert matched_layers(graph, layers) == [
        Match(("a_op", "b_op"), ("k1",)),
        Match(("c_op", "d_op", "e_op"), ("k2",)),
        Match(("f_op",), ("k3",)),
        Match(("g_op",), ("k4",)),
    ]
    # With a kernel more than operators, nobody can say which is which.
    more = [*layers, Layer("k5", "Convolution", ("Multiply_5",))]
    assert ("f_op",) not in [match.operators for match in matched_layers(graph, more)]


def test_kernels_that_share_an_operator_are_one_group() -> None:
    graph = load_onnx(model([node("Relu", ["x"], "a"), node("Exp", ["a"], "b")], {"x": [4]}, ["b"]))
    layers = [Layer("1", "Eltwise", ("a_op",)), Layer("2", "Eltwise", ("b_op", "a_op"))]
    assert matched_layers(graph, layers) == [Match(("a_op", "b_op"), ("1", "2"))]


class TestForReal:
    """With OpenVINO itself."""

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("openvino", reason="openvino is not installed: hetsim[openvino]")

    @pytest.mark.slow
    def test_it_computes_what_the_other_engine_does(self) -> None:
        pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
        from hetsim.host.engines.base import How

        network = small_network()
        one, other = (
            engine.runner(network.model, How("small"))(network.feeds)
            for engine in (OpenVino(), OnnxRuntime())
        )
        assert one.keys() == other.keys()
        for name, array in other.items():
            assert np.allclose(one[name], array, atol=1e-4)

    @pytest.mark.slow
    def test_every_operator_is_measured(self) -> None:
        times = measure_network(
            small_network(), OpenVino(), cpus=this_machine().cpus[:1], warmup=1, repeats=3
        )
        assert not times.missing
        assert sum(times.costs(0.0).values()) == pytest.approx(times.latency.median_s)

    @pytest.mark.slow
    def test_a_network_is_measured_and_verified(self, tmp_path, monkeypatch, capsys) -> None:
        monkeypatch.chdir(tmp_path)
        # How fast this machine is does not matter here: arrays and chains as small as they go.
        monkeypatch.setattr(bandwidth, "LARGEST", 1 << 20)
        monkeypatch.setattr(cuts, "SHAPES", ((4, 8), (4, 16)))
        onnx.save(branches(), "mine.onnx")
        sizes = ["--input-shape", "x=1x3x8x8"]
        assert entry(["profile", "--measure", "openvino", "--model", "mine.onnx", "--repeat", "3",
                      *sizes, "-o", "out"]) == 0  # fmt: skip
        assert "OpenVINO" in (tmp_path / "out" / "host.yaml").read_text()
        capsys.readouterr()
        code = entry(["verify", "out/scenario.yaml", "--engine", "openvino", "--rounds", "2",
                      "--patience", "0 s"])  # fmt: skip
        said = capsys.readouterr()
        assert code == 0 or "nothing can be told" in said.err
        assert "equal the uncut model's" in " ".join(said.out.split())
