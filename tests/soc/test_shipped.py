"""The SoCs that ship: they load, and zcu102-vta agrees with the profile it was inferred from."""

from __future__ import annotations

import pytest

from hetsim.library import shipped
from hetsim.soc.arrays import GemmCore
from hetsim.soc.cpu import CPUClusterSpec
from hetsim.soc.loader import load_soc
from hetsim.soc.npu import NPUSpec


@pytest.mark.parametrize("name", list(shipped("socs")))
def test_every_shipped_soc_loads_under_its_own_name(name: str) -> None:
    soc = load_soc(name)
    assert soc.name == name
    assert soc.spec.description
    assert soc.host.kind == "cpu_cluster"
    assert all(link.bandwidth[-1] > 0 for link in soc.links.values())


@pytest.mark.parametrize("name", list(shipped("socs")))
def test_every_figure_has_a_source_or_is_marked_an_estimate(name: str) -> None:
    text = shipped("socs")[name].read_text(encoding="utf-8")
    assert "[doc]" in text
    assert "[estimate]" in text


def test_the_four_socs_are_what_they_are_called() -> None:
    assert [pu.name for pu in load_soc("zcu102-4vta").pus] == [
        "cpu",
        "npu0",
        "npu1",
        "npu2",
        "npu3",
    ]
    kinds = [pu.kind for pu in load_soc("mobile-flagship").pus]
    assert kinds == ["cpu_cluster", "cpu_cluster", "cpu_cluster", "npu", "accelerator"]
    edge = load_soc("edge-mcu")
    npu = edge.by_name["npu"].spec
    assert isinstance(npu, NPUSpec)
    assert npu.sram == 256 * 1024
    assert edge.by_name["cpu"].cores == 2


def test_the_four_vtas_differ_only_in_their_path() -> None:
    one = load_soc("zcu102-vta").by_name["npu"].spec.model_dump(exclude={"path"})
    for pu in load_soc("zcu102-4vta").pus[1:]:
        assert pu.spec.model_dump(exclude={"path"}) == one


MEASURED_VTA = [
    # in channels, out channels, output size, kernel, stride, milliseconds
    (64, 64, 56, 3, 1, 8),
    (64, 128, 28, 3, 2, 5),
    (128, 128, 28, 3, 1, 5),
    (128, 256, 14, 3, 2, 3),
    (256, 256, 14, 3, 1, 3),
    (256, 512, 7, 3, 2, 2),
    (512, 512, 7, 3, 1, 3),
    (64, 128, 28, 1, 2, 4),
    (128, 256, 14, 1, 2, 2),
    (256, 512, 7, 1, 2, 2),
]


@pytest.mark.parametrize(("c", "n", "size", "kernel", "stride", "ms"), MEASURED_VTA)
def test_vta_parameters_reproduce_the_measured_profile(
    c: int, n: int, size: int, kernel: int, stride: int, ms: float
) -> None:
    spec = load_soc("zcu102-vta").by_name["npu"].spec
    assert isinstance(spec, NPUSpec)
    assert isinstance(spec.array, GemmCore)
    macs = c * n * size * size * kernel * kernel
    rate = spec.array.block_in * spec.array.block_out * spec.point.clock * spec.array_efficiency
    elements = c * (size * stride) ** 2 + n * size * size
    per_element = spec.crossing.quantise + spec.crossing.relayout
    seconds = spec.dispatch + elements * per_element + macs / rate
    assert seconds * 1e3 == pytest.approx(ms, abs=1.0)


MEASURED_CPU = [
    # efficiency key, MACs or operations, milliseconds
    ("Conv", 64 * 64 * 56 * 56 * 9, 72),
    ("Conv", 64 * 128 * 28 * 28 * 9, 39),
    ("Conv", 128 * 256 * 14 * 14 * 9, 41),
    ("Conv", 256 * 256 * 14 * 14 * 9, 74),
    ("Conv", 512 * 512 * 7 * 7 * 9, 75),
    ("Conv.pointwise", 64 * 128 * 28 * 28, 5),
    ("Conv.pointwise", 128 * 256 * 14 * 14, 6),
    ("Conv.pointwise", 256 * 512 * 7 * 7, 5),
    ("Conv.stem", 3 * 64 * 112 * 112 * 49, 147),
    ("Gemm", 512 * 1000, 2),
    ("MaxPool", 64 * 56 * 56 * 9, 12),
]


@pytest.mark.parametrize(("key", "work", "ms"), MEASURED_CPU)
def test_cpu_efficiencies_reproduce_the_measured_profile(key: str, work: int, ms: float) -> None:
    spec = load_soc("zcu102-vta").by_name["cpu"].spec
    assert isinstance(spec, CPUClusterSpec)
    # Whole milliseconds were recorded, hence the absolute tolerance; shapes vary, hence 10 %.
    peak = spec.point.clock * spec.macs_per_cycle["float32"]
    assert spec.units == (1,)
    assert work / (peak * spec.efficiency[key]) * 1e3 == pytest.approx(ms, rel=0.10, abs=1.0)


def test_the_phone_runs_networks_on_its_gpu_and_its_dsp() -> None:
    soc = load_soc("phone-gpu-dsp")
    assert [pu.kind for pu in soc.pus] == ["cpu_cluster", "cpu_cluster", "gpu", "dsp"]
    assert soc.by_name["dsp"].spec.managed_memory == 256 * 1024
