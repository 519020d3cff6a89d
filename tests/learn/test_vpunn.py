"""VPUNN files: what their layers compute, and what is said of damaged ones."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

from hetsim.errors import ConfigError
from hetsim.learn.vpunn.descriptors import JOBS, TRANSFERS
from hetsim.learn.vpunn.file import read_vpunn
from hetsim.learn.vpunn.model import job_model, transfer_model
from hetsim.learn.vpunn.workloads import (
    CONVOLUTION,
    DEPTHWISE,
    ELTWISE,
    MAXPOOL,
    SPLIT_OVER_H,
    SPLIT_OVER_K,
    Transfers,
    Workloads,
)
from tests.learn.vpunn_files import (
    FULLY_CONNECTED,
    L2,
    NEIGHBOURS,
    RELU,
    SIGMOID,
    LayerToWrite,
    write_vpunn,
)

MODELS = Path(__file__).parents[2] / "socs" / "vpunn"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_layers_and_activations_are_those_of_the_file(tmp_path, rng):
    first, bias = rng.normal(size=(3, 4)), rng.normal(size=3)
    last = rng.normal(size=(1, 3))
    layers = [
        LayerToWrite(FULLY_CONNECTED, [first, bias], 3, RELU),
        LayerToWrite(L2, [], 3),
        LayerToWrite(FULLY_CONNECTED, [last], 1, SIGMOID),
    ]
    network = read_vpunn(write_vpunn(tmp_path / "n.vpunn", layers, 4)).network
    rows = rng.normal(size=(50, 4)).astype(np.float32)
    hidden = np.maximum(rows @ first.T + bias, 0.0)
    length = np.linalg.norm(hidden, axis=1, keepdims=True)
    hidden = hidden / np.where(length > 0, length, 1.0)
    expected = 1.0 / (1.0 + np.exp(-(hidden @ last.T)[:, 0]))
    np.testing.assert_allclose(network.predict(rows), expected, rtol=1e-5)


def test_neighbours_are_weighed_by_one_over_their_distance(tmp_path):
    known = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    layers = [LayerToWrite(NEIGHBOURS, [known, np.array([10.0, 20.0, 90.0])], 1, neighbours=2)]
    network = read_vpunn(write_vpunn(tmp_path / "n.vpunn", layers, 2)).network
    half = np.array([[np.cos(np.pi / 3), np.sin(np.pi / 3)]], dtype=np.float32)
    near, far = 1.0 - np.sin(np.pi / 3), 1.0 - np.cos(np.pi / 3)
    expected = (20.0 / near + 10.0 / far) / (1.0 / near + 1.0 / far)
    assert network.predict(half)[0] == pytest.approx(expected, rel=1e-4)
    assert network.predict(known.astype(np.float32))[0] == pytest.approx(10.0, rel=1e-4)


def test_a_row_does_not_depend_on_its_company():
    model = job_model(MODELS / "vpu_2_7.vpunn")
    jobs = Workloads.of({"in_c": np.arange(16, 16 * 9000, 16), "out_c": 16, "out_h": 7}, 8999)
    some = np.array([0, 17, 4096, 8998])
    np.testing.assert_allclose(model.cycles(jobs)[some], model.cycles(jobs.select(some)), rtol=1e-4)


def test_a_convolution_takes_what_its_array_needs():
    model = job_model(MODELS / "vpu_2_7.vpunn")
    shape = {"in_c": 64, "in_h": 58, "in_w": 56, "out_c": 64, "out_h": 56, "out_w": 56}
    window = {"kernel_h": 3, "kernel_w": 3, "pad_left": 1, "pad_right": 1}
    cycles = model.cycles(Workloads.of({**shape, **window}, 1))[0]
    bare = 56 * 56 * 64 * 64 * 9 / 2048
    assert bare < cycles < 1.3 * bare


def test_the_descriptor_has_each_field_in_its_place():
    jobs = Workloads.of({"operation": [CONVOLUTION, DEPTHWISE, ELTWISE, MAXPOOL], "in_c": 32,
                         "in_h": 9, "in_w": 7, "out_c": 48, "out_h": 5, "out_w": 3, "kernel_h": 3,
                         "kernel_w": 2, "stride_h": 2, "pad_bottom": 1, "mode": 1}, 4)  # fmt: skip
    rows = JOBS[11].rows(jobs)
    assert rows.shape == (4, 93)
    assert rows[:, :4].tolist() == [[0, 0, 1, 0]] * 4  # the third device
    assert rows[:, 4:10].argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert rows[0, 10:14].tolist() == [7, 9, 32, 1]  # width, height, channels, batch
    assert rows[0, 26:30].tolist() == [1, 1, 192, 48]  # 2 x 3 x 32 samples, a mask a channel
    assert rows[1, 26:30].tolist() == [1, 1, 16, 48]  # six samples filled up to 16
    assert rows[2, 26:30].tolist() == [9, 32, 7, 1]  # a sum's other input, as it was trained
    assert rows[3, 26:30].tolist() == [0, 0, 0, 0]
    assert rows[0, 58:66].tolist() == [2, 3, 1, 2, 0, 1, 0, 0]  # kernel, strides, pads
    assert rows[0, 66:69].tolist() == [0, 1, 0]
    assert rows[0, 89:].tolist() == [1, 1, 0, 0]  # tiles written, strategy


def constant(path: Path, value: float, name: str, inputs: int) -> Path:
    """A file that answers ``value``, whatever it is asked."""
    layer = LayerToWrite(FULLY_CONNECTED, [np.zeros((1, inputs)), np.array([value])], 1)
    return write_vpunn(path, [layer], inputs, name=name)


@pytest.mark.parametrize(("answer", "cycles"), [(41.25, 42.0), (42.0, 42.0), (-3.0, 1.0)])
def test_cycles_are_whole_and_at_least_one(tmp_path, answer, cycles):
    model = job_model(constant(tmp_path / "x.vpunn", answer, "VPUNN-11-02", 93))
    assert model.cycles(Workloads.of({"in_c": 16}, 1)).tolist() == [cycles]


@pytest.mark.parametrize(("share", "rate"), [(0.5, 16.0), (1.5, 32.0), (-0.1, 1 / 200)])
def test_a_transfer_is_no_faster_than_its_interface_and_ends(tmp_path, share, rate):
    model = transfer_model(constant(tmp_path / "x.vpunn", share, "VPUNN-1-1", TRANSFERS[1].width))
    seconds = model.seconds(Transfers(np.array([4096]), np.array([0])))
    assert seconds[0] == pytest.approx(4096 / rate / 975e6, rel=1e-6)


def test_what_was_not_trained_is_asked_as_the_nearest_that_was():
    jobs = Workloads.of({"operation": [CONVOLUTION, ELTWISE, CONVOLUTION, CONVOLUTION],
                         "strategy": [0, SPLIT_OVER_K, SPLIT_OVER_H, SPLIT_OVER_H],
                         "write_tiles": [4, 2, 1, 1], "kernel_h": [1, 1, 1, 3]}, 4)  # fmt: skip
    old, new = JOBS[11].rows(jobs)[:, 89:], JOBS[4011].rows(jobs)[:, 89:]
    assert old.tolist() == [[2, 0, 0, 1], [1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]]
    assert new.tolist() == [[4, 0, 0, 1], [2, 0, 0, 1], [1, 1, 0, 0], [1, 1, 0, 0]]


def test_transfers_approach_the_rate_of_the_interface():
    sizes = np.array([2**10, 2**14, 2**18])
    seconds = transfer_model(MODELS / "dma_2_7.vpunn").seconds(Transfers(sizes, np.zeros(3, int)))
    rates = sizes / seconds
    assert np.all(np.diff(rates) > 0)
    assert rates[-1] == pytest.approx(32 * 975e6, rel=0.05)
    assert np.all(rates <= 32 * 975e6)
    rows = TRANSFERS[2].rows(Transfers(sizes, np.array([0, 2, 3])))
    assert rows[:, 0].tolist() == rows[:, 1].tolist() == sizes.tolist()
    assert rows[:, 25:].argmax(axis=1).tolist() == [0, 2, 3]


@pytest.fixture
def whole() -> bytes:
    return (MODELS / "dma_2_7.vpunn").read_bytes()


def refused(path: Path, read=read_vpunn) -> str:
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert caught.value.where is not None
    assert caught.value.where.file == str(path)
    assert caught.value.hint
    return caught.value.message


def test_other_files_are_refused(tmp_path, whole):
    path = tmp_path / "x.vpunn"
    path.write_bytes(b"")
    assert "empty" in refused(path)
    path.write_bytes(whole[:4] + b"TFL3" + whole[8:])
    assert "TFL3" in refused(path)


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.3, 0.99, 0.9999])
def test_a_file_that_is_cut_off_is_refused(tmp_path, whole, share):
    path = tmp_path / "x.vpunn"
    path.write_bytes(whole[: max(8, int(len(whole) * share))])
    assert "damaged or cut off" in refused(path)


@pytest.mark.slow
def test_damaged_files_are_refused_or_read_never_a_crash(tmp_path, whole, rng):
    path = tmp_path / "x.vpunn"
    for _ in range(60):
        content = bytearray(whole)
        place = int(rng.integers(8, 4000)) if rng.random() < 0.5 else len(whole) - 1
        for at in (place, *rng.integers(len(whole) - 2000, len(whole), 3).tolist()):
            content[at] = int(rng.integers(256))
        path.write_bytes(bytes(content))
        with contextlib.suppress(ConfigError):
            read_vpunn(path)


def one_layer(path: Path, **changes) -> Path:
    name = changes.pop("name", "VPUNN-11-02")
    values = {"kind": FULLY_CONNECTED, "constants": [np.ones((1, 93))], "width": 1, **changes}
    return write_vpunn(path / "x.vpunn", [LayerToWrite(**values)], 93, name=name)


def test_an_unknown_layer_or_activation_is_named(tmp_path):
    assert "'layer0' is of kind 9" in refused(one_layer(tmp_path, kind=9))
    assert "activation 7" in refused(one_layer(tmp_path, activation=7))


def test_sizes_that_do_not_fit_are_told(tmp_path):
    assert "80 weights" in refused(one_layer(tmp_path, constants=[np.ones((1, 80))]))
    assert "something else than numbers" in refused(
        one_layer(tmp_path, constants=[np.full((1, 93), np.nan)])
    )


def test_an_unknown_version_is_told(tmp_path):
    assert "does not tell the version" in refused(one_layer(tmp_path, name="mine"))
    assert "descriptor 99" in refused(one_layer(tmp_path, name="VPUNN-99-02"), job_model)
    assert "version 9" in refused(one_layer(tmp_path, name="VPUNN-11-09"), job_model)
    assert "none of a transfer" in refused(one_layer(tmp_path), transfer_model)
