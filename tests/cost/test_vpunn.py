"""VPUNN as a cost source: operators become jobs, the model judges them, the quickest is taken."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hetsim.cli.main import entry
from hetsim.cost.analytical.pipeline import Engine
from hetsim.cost.learned.vpunn.candidates import candidates
from hetsim.cost.learned.vpunn.choosing import Asked, choose, fewest_cycles
from hetsim.cost.learned.vpunn.layers import Layer, layer_of
from hetsim.cost.learned.vpunn.transfers import transfer_curve
from hetsim.cost.sources import cost_files, cost_model
from hetsim.cost.work import Kernel, Residency, Work
from hetsim.errors import ConfigError, HetsimError, InfeasibleError
from hetsim.learn.vpunn.model import job_model
from hetsim.learn.vpunn.workloads import (
    COMPRESSED,
    CONVOLUTION,
    DEPTHWISE,
    ELTWISE,
    FLOAT16,
    Workloads,
)
from hetsim.library import shipped
from hetsim.soc.loader import load_soc
from hetsim.soc.model import SoC
from hetsim.workload.zoo import load_model

MODELS = Path(__file__).parents[2] / "socs" / "vpunn"
GENERATIONS = [("intel-npu-27", "vpu_2_7.vpunn", 2), ("intel-npu-40", "vpu_4_0.vpunn", 6)]
MIB = 2**20


@pytest.fixture
def soc() -> SoC:
    return load_soc("intel-npu-27")


def engine_of(soc: SoC) -> Engine:
    return Engine(soc.by_name["npu"].home, 0.0, True)


def convolution(**changes: int) -> Layer:
    shape = {"in_c": 64, "out_c": 128, "out_h": 56, "out_w": 56, "in_h": 56, "in_w": 56, "k_h": 3,
             "k_w": 3, **changes}  # fmt: skip
    return Layer(CONVOLUTION, 0, 1, **shape)


def asked(soc: SoC, room: float = 2 * MIB, **changes: float) -> Asked:
    whole = Asked(56 * 56 * 64, 9 * 64 * 128, 0, 56 * 56 * 128, room, 1 / 1.3e9, engine_of(soc))
    return replace(whole, **changes)


@pytest.mark.parametrize("tiles", [1, 2, 6])
def test_jobs_cover_the_layer_and_do_all_its_products(tiles: int) -> None:
    layer, model = convolution(out_h=57, in_h=57, out_c=144), job_model(MODELS / "vpu_2_7.vpunn")
    found = candidates(layer, tiles, model)
    assert len(found) > 10
    assert set(found.by_rows.tolist()) == {0, 1}
    # The busiest tile has at least its share of the products, at 2,048 a cycle.
    share = 57 * 56 * 64 * 144 * 9 / found.tiles / 2048
    assert np.all(found.cycles > 0.9 * share)
    assert fewest_cycles(layer, tiles, model) < 2.0 * share.min()


@pytest.mark.parametrize(("name", "file", "tiles"), GENERATIONS)
def test_no_layer_of_a_network_beats_its_multipliers(name: str, file: str, tiles: int) -> None:
    soc, model = load_soc(name), job_model(MODELS / file)
    graph, npu = load_model("resnet18"), load_soc(name).by_name["npu"]
    seen = 0
    for op in graph.operators:
        layer = layer_of(graph, op, npu)
        if not isinstance(layer, Layer) or layer.operation not in (CONVOLUTION, COMPRESSED):
            continue
        seen += 1
        peak = tiles * soc.by_name["npu"].spec.array.macs_per_cycle / 2  # float16
        assert fewest_cycles(layer, tiles, model) > 0.8 * op.macs / peak, op.name
    assert seen > 20


def test_the_quickest_candidate_that_fits_is_taken(soc: SoC) -> None:
    layer, model = convolution(), job_model(MODELS / "vpu_2_7.vpunn")
    roomy = choose(layer, 2, model, asked(soc))
    found = candidates(layer, 2, model)
    assert roomy.tiling.compute_s * 1.3e9 == pytest.approx(found.cycles.min(), rel=0.2)
    tight = choose(layer, 2, model, asked(soc, room=64 * 1024))
    assert tight.tiling.tiles > roomy.tiling.tiles
    assert tight.tiling.held_bytes <= 2 * 64 * 1024
    assert tight.tiling.input_load + tight.tiling.weight_load > (
        roomy.tiling.input_load + roomy.tiling.weight_load
    )
    with pytest.raises(InfeasibleError, match="bytes larger than a tile's memory"):
        choose(layer, 2, model, asked(soc, room=1000))


def test_more_tiles_take_less_and_both_splits_are_used() -> None:
    model = job_model(MODELS / "vpu_4_0.vpunn")
    wide, deep = convolution(), convolution(out_h=4, out_w=4, in_h=4, in_w=4, in_c=512, out_c=512)
    for layer in (wide, deep):
        cycles = [fewest_cycles(layer, tiles, model) for tiles in (1, 2, 6)]
        assert cycles[0] > cycles[1] > cycles[2]
    best = {
        layer.out_h: int(found.by_rows[int(np.argmin(found.cycles))])
        for layer in (wide, deep)
        for found in [candidates(layer, 6, model)]
    }
    assert best == {56: 1, 4: 0}


@pytest.mark.slow
def test_a_fully_connected_layer_stands_in_rows_of_sixteen_pixels(soc: SoC) -> None:
    graph, npu = load_model("vit_b16"), soc.by_name["npu"]
    op = next(op for op in graph.operators if op.kind == "MatMul" and op.weights)
    layer = layer_of(graph, op, npu)
    assert isinstance(layer, Layer)
    assert (layer.out_w, layer.k_h, layer.dtype) == (16, 1, FLOAT16)
    assert layer.out_h * 16 >= 197 > (layer.out_h - 1) * 16


@pytest.mark.slow
def test_kinds_and_forms_of_layers(soc: SoC) -> None:
    npu, graph = soc.by_name["npu"], load_model("mobilenet_v2")
    kinds = [layer_of(graph, op, npu) for op in graph.operators]
    operations = [layer.operation for layer in kinds if isinstance(layer, Layer)]
    assert operations[0] == COMPRESSED  # three channels
    assert {DEPTHWISE, CONVOLUTION, ELTWISE} <= set(operations)
    relu = next(op for op in graph.operators if op.kind == "Clip")
    assert layer_of(graph, relu, npu) is None
    vit = load_model("vit_b16")
    patches = next(op for op in vit.operators if op.kind == "Conv")
    assert layer_of(vit, patches, npu) == "kernels of more than 11"


def first_convolution(soc: SoC, residency: Residency = Residency()) -> Work:  # noqa: B008
    graph = load_model("resnet18")
    op = [op for op in graph.operators if op.kind == "Conv"][5]
    kernel = Kernel.of(graph, (op,))
    kept = replace(residency, inputs=frozenset(kernel.inputs)) if residency.inputs else residency
    work = cost_model(soc).work(graph, kernel, soc.by_name["npu"], kept)
    assert work is not None
    return work


@pytest.mark.slow
def test_the_learned_times_of_transfers_are_counted() -> None:
    """The fluid's load takes what the engines were measured to, the path being faster."""
    soc = load_soc("intel-npu-27", {"npu_port.bandwidth": "1000 GB/s", "dram.bandwidth": "2 TB/s"})
    work = first_convolution(soc)
    assert work.source == "learned"
    load = work.phases[0]
    curve = transfer_curve(MODELS / "dma_2_7.vpunn")
    expected = curve.at(curve.loading, np.array([load.load_bytes / 2]))[0]
    assert load.seconds == pytest.approx(expected)
    plain = load_soc("intel-npu-27", {"npu.dma.learned": None})
    assert first_convolution(plain).tiles
    assert first_convolution(plain).phases[0].seconds < load.seconds


def test_what_is_on_chip_is_not_loaded(soc: SoC) -> None:
    plain, resident = first_convolution(soc), first_convolution(soc, Residency(frozenset({"x"})))
    assert resident.load_bytes < plain.load_bytes
    assert resident.load_bytes == resident.weight_bytes


def test_cycles_scale_with_the_clock_and_transfers_do_not() -> None:
    slow = first_convolution(load_soc("intel-npu-27", {"npu.operating_point": "nominal"}))
    fast = first_convolution(load_soc("intel-npu-27", {"npu.operating_point": "peak"}))
    assert slow.cycles == pytest.approx(fast.cycles, rel=0.05)
    assert slow.compute_s > fast.compute_s


def test_longer_transfers_never_take_less_and_reach_the_interface() -> None:
    for name, rate in (("dma_2_7.vpunn", 31.2e9), ("dma_4_0.vpunn", 62.1e9)):
        curve = transfer_curve(MODELS / name)
        sizes = np.geomspace(1, 8 * MIB, 200)
        for seconds in (curve.loading, curve.storing):
            taken = curve.at(seconds, sizes)
            assert np.all(np.diff(taken) >= 0)
            assert np.all(taken >= sizes / rate * (1 - 1e-9))
        assert curve.at(curve.loading, np.array([0.0]))[0] == 0.0


@pytest.mark.slow
def test_a_run_says_that_it_was_learned_and_what_was_not(tmp_path: Path, capsys) -> None:
    (tmp_path / "s.yaml").write_text(
        "hetsim: scenario/1\nname: s\nsoc: intel-npu-40\nmodels: [vit_b16]\n"
        "schedulers: [npu_only]\n"
    )
    assert entry(["run", str(tmp_path / "s.yaml"), "-o", str(tmp_path / "out")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "learned (" in said
    assert "left to the analytical model: kernels of more than 11 (1)" in said


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The SoC file with its models beside it, where they may be damaged."""
    shutil.copytree(MODELS, tmp_path / "vpunn")
    return Path(shutil.copy(shipped("socs")["intel-npu-27"], tmp_path / "mine.yaml"))


def refused(soc: Path, changes: dict[str, object] | None = None) -> HetsimError:
    with pytest.raises(ConfigError) as caught:
        cost_model(load_soc(soc, changes or {}))
    return caught.value


def test_bad_files_end_with_their_place(mine: Path, capsys) -> None:
    file = mine.parent / "vpunn" / "vpu_2_7.vpunn"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    error = refused(mine)
    assert error.where is not None
    assert error.where.file == str(file)
    (mine.parent / "s.yaml").write_text(
        f"hetsim: scenario/1\nname: s\nsoc: {mine}\nmodels: [resnet18]\nschedulers: [npu_only]\n"
    )
    assert entry(["run", str(mine.parent / "s.yaml"), "-o", str(mine.parent / "out")]) == 2
    assert "damaged or cut off" in capsys.readouterr().err
    assert not (mine.parent / "out").exists()
    file.unlink()
    assert "pus.npu.learned: there is no file" in refused(mine).message
    file.write_bytes(whole)
    (mine.parent / "vpunn" / "dma_2_7.vpunn").unlink()
    assert "pus.npu.dma.learned: there is no file" in refused(mine).message


def test_a_model_of_something_else_is_refused(mine: Path) -> None:
    error = refused(mine, {"p_cores.learned": "vpunn/vpu_2_7.vpunn"})
    assert "pus.p_cores.learned" in error.message
    assert "none of a job" in refused(mine, {"npu.learned": "vpunn/dma_2_7.vpunn"}).message
    assert "none of a transfer" in refused(mine, {"npu.dma.learned": "vpunn/vpu_2_7.vpunn"}).message
    alone = refused(mine, {"npu.learned": None})
    assert "has no effect: the unit has no 'learned' model" in str(alone)
    early = refused(mine, {"npu.prefetch": True})
    assert "pus.npu.prefetch: has no effect" in str(early)


def test_a_study_depends_on_both_files(mine: Path) -> None:
    assert [path.name for path in cost_files(load_soc(mine))] == ["vpu_2_7.vpunn", "dma_2_7.vpunn"]


def test_the_model_is_read_again_when_its_file_changes(mine: Path) -> None:
    file = mine.parent / "vpunn" / "vpu_2_7.vpunn"
    job = Workloads.of({"in_c": 64, "out_c": 64, "out_h": 9, "out_w": 9}, 1)
    before = job_model(file).cycles(job)
    shutil.copy(file.parent / "vpu_4_0.vpunn", file)
    assert job_model(file).cycles(job) != before
