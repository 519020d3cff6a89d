"""Area and cost: sums of stated terms, every one of which counts."""

from __future__ import annotations

import pytest

from hetsim.errors import ConfigError
from hetsim.soc.loader import load_soc
from hetsim.soc.price import AdditiveModel

ALL = {
    "base": 1.5, "pus": {"npu": 0.25}, "per_core": 0.5, "per_mac": 0.001, "per_sram_mib": 2.0,
    "per_dma_gbps": 0.1, "per_link_gbps": 3.0, "per_memory_gbps": 0.7, "per_memory_gib": 11.0,
}  # fmt: skip


def test_the_sum_is_that_of_its_terms_by_hand():
    spec = load_soc("edge-mcu", {"area": ALL}).spec
    expected = {
        "base": 1.5,
        "pus.npu": 0.25,
        "per_core": 0.5 * 2,
        "per_mac": 0.001 * 64,
        "per_sram_mib": 2.0 * (0.25 + 0.125),
        "per_dma_gbps": 0.1 * 1.0,
        "per_link_gbps": 3.0 * 0.32,
        "per_memory_gbps": 0.7 * 0.572,
        "per_memory_gib": 11.0 * 64 / 1024,
    }
    assert spec.area.terms(spec) == pytest.approx(expected)
    assert spec.area.total(spec) == pytest.approx(sum(expected.values()))


@pytest.mark.parametrize("name", sorted(AdditiveModel.model_fields))
def test_every_coefficient_moves_the_sum(name):
    more = {"npu": 99.0} if name == "pus" else 99.0
    before = load_soc("edge-mcu", {"cost": ALL}).spec
    after = load_soc("edge-mcu", {"cost": {**ALL, name: more}}).spec
    assert after.cost.total(after) > before.cost.total(before)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"cpu.cores": 4}, "per_core"),
        ({"npu.array.rows": 16}, "per_mac"),
        ({"npu.sram": "2x"}, "per_sram_mib"),
        ({"cpu.l2": "2x"}, "per_sram_mib"),
        ({"npu.dma.engines": 2}, "per_dma_gbps"),
        ({"bus.width": "64 bit"}, "per_link_gbps"),
        ({"sdram.bandwidth": "2x"}, "per_memory_gbps"),
        ({"sdram.capacity": "2x"}, "per_memory_gib"),
    ],
)
def test_larger_parts_take_more(change, name):
    before = load_soc("edge-mcu", {"area": ALL}).spec
    after = load_soc("edge-mcu", {"area": ALL, **change}).spec
    assert after.area.terms(after)[name] > before.area.terms(before)[name]


def test_vta_and_gpu_are_counted_by_their_multipliers():
    vta = load_soc("zcu102-vta", {"area": {"per_mac": 1.0}}).spec
    assert vta.area.total(vta) == 256
    phone = load_soc("mobile-flagship", {"area": {"per_mac": 1.0}}).spec
    assert phone.area.total(phone) == 64 * 64 + 2560


def test_cores_of_a_gpu_and_threads_of_a_dsp_are_counted():
    staging = {"memory": "32 KiB"}
    changes = {"gpu.staging": staging, "area": {"per_mac": 1.0, "per_sram_mib": 1024.0}}
    area = load_soc("phone-gpu-dsp", changes).spec
    terms = area.area.terms(area)
    assert terms["per_mac"] == 4 * 256 + 4 * 256
    # L2s of two clusters and the GPU, the DSP's TCM, and the local memory of four cores.
    assert terms["per_sram_mib"] == 512 + 256 + 512 + 256 + 4 * 32


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        ({"pus": {"npv": 1.0}}, "no processing unit is called 'npv'"),
        ({"per_link_gbps": 1.0}, "area.per_link_gbps: has no effect"),
        ({"per_mm": 1.0}, "unknown field 'per_mm'"),
        ({"base": -1.0}, "out of range"),
    ],
)
def test_what_would_do_nothing_is_refused(tmp_path, model, complaint):
    soc = tmp_path / "plain.yaml"
    soc.write_text(
        "hetsim: soc/1\nname: plain\n"
        "memory: {dram: {bandwidth: 1 GB/s, capacity: 1 GiB}}\n"
        "pus: {cpu: {kind: cpu_cluster, cores: 1, path: [dram],"
        " operating_points: {n: {clock: 1 GHz}}, macs_per_cycle: {float32: 1},"
        " element_ops_per_cycle: {float32: 1}, efficiency: {default: 1.0}}}\n"
        "runtime: {host: cpu}\n"
    )
    with pytest.raises(ConfigError, match=complaint):
        load_soc(soc, {"area": model})
