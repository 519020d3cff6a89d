"""Learned models of simulated tiles, and learned models attached to a unit of a SoC."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import hetsim
from hetsim.calibrate.standin import (
    BASES,
    base_model,
    evaluate_standin,
    measure_speed,
    new_workloads,
)
from hetsim.cli.main import entry
from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.learned.model import LearnedCostModel
from hetsim.cost.learned.workloads import operator_rows
from hetsim.cost.measured.fit import alone_s
from hetsim.cost.work import Kernel, Residency
from hetsim.errors import ConfigError
from hetsim.forms.arrays import systolic_cycles
from hetsim.learn.mlp import TrainingOptions
from hetsim.learn.physical.arrays import array_cycles
from hetsim.learn.regressor import LearnedModel
from hetsim.learn.store import load_model, save_model
from hetsim.library import shipped
from hetsim.runs.case import Case
from hetsim.runs.profile.kernels import KernelTable, simulate_kernels
from hetsim.soc.arrays import GemmCore, SystolicArray
from hetsim.soc.loader import load_soc
from hetsim.soc.model import PU, SoC
from hetsim.soc.npu import NPUSpec
from hetsim.workload.graph import Graph, LoopNest
from hetsim.workload.zoo import load_model as load_network

QUICK = TrainingOptions(epochs=60, hidden=(16,))


@pytest.fixture(scope="module")
def soc() -> SoC:
    return load_soc("mobile-flagship")


@pytest.fixture(scope="module")
def npu(soc: SoC) -> PU:
    return soc.by_name["npu"]


@pytest.fixture(scope="module")
def graphs() -> list[Graph]:
    return [load_network(name) for name in ("squeezenet", "squeezenet1_1", "resnet18")]


@pytest.fixture(scope="module")
def kernels(graphs: list[Graph], soc: SoC, npu: PU) -> KernelTable:
    return simulate_kernels(graphs, soc, npu)


@pytest.fixture(scope="module")
def array(npu: PU) -> SystolicArray | GemmCore:
    assert isinstance(npu.spec, NPUSpec)
    return npu.spec.array


@pytest.fixture(scope="module")
def trained(kernels: KernelTable, array: SystolicArray | GemmCore) -> Callable[[str], LearnedModel]:
    """The model on each base, trained once."""
    return cache(
        lambda base: LearnedModel.fit(
            kernels.table, baseline=base_model(base, array), options=QUICK
        )
    )


@pytest.mark.slow
def test_kernels_are_simulated_alone_at_both_fidelities(
    kernels: KernelTable, graphs: list[Graph], npu: PU
) -> None:
    table = kernels.table
    assert sorted(set(table.families.tolist())) == sorted(graph.name for graph in graphs)
    assert kernels.refused == 0
    fluid = []
    for graph in graphs:
        seen: set[LoopNest] = set()
        for op in graph.operators:
            if op.nest is not None and op.nest not in seen:
                seen.add(op.nest)
                work = AnalyticalModel().work(graph, Kernel.of(graph, (op,)), npu)
                assert work is not None
                fluid.append(alone_s(work, npu.home))
    assert table.number("physical") == pytest.approx(fluid)
    assert (np.abs(table.target / table.number("physical") - 1) < 0.02).all()
    assert (table.target != table.number("physical")).any()
    assert (table.number("floor") <= table.target).all()


def test_a_unit_that_can_run_none_of_it_is_an_error(graphs: list[Graph]) -> None:
    narrow = load_soc("mobile-flagship", {"npu.operators": {"MaxPool": {}}, "npu.fuse": []})
    with pytest.raises(ConfigError, match="no convolution"):
        simulate_kernels(graphs[:1], narrow, narrow.by_name["npu"])


def test_array_cycles_are_the_closed_form_of_every_group(kernels: KernelTable, npu: PU) -> None:
    table, groups = kernels.table, kernels.table["groups"]
    for dataflow in ("weight_stationary", "output_stationary", "input_stationary"):
        array = SystolicArray(rows=12, columns=20, dataflow=dataflow)
        found = array_cycles(array, table)
        for i in range(len(table)):
            pixels = int(table["out_h"][i] * table["out_w"][i])
            terms = int(table["c_in"][i] // groups[i] * table["k_h"][i] * table["k_w"][i])
            one = systolic_cycles(
                dataflow, 12, 20, pixels, terms, int(table["c_out"][i] // groups[i])
            )
            assert found[i] == one * groups[i]
    graph = load_network("squeezenet")
    op = next(op for op in graph.operators if op.nest is not None and op.nest.k_h == 3)
    assert op.nest is not None
    blocked = array_cycles(GemmCore(block_in=16, block_out=16), operator_rows([op], npu))
    blocks = -(-op.nest.in_c // 16) * -(-op.nest.out_c // 16)
    assert blocked[0] == 9 * op.nest.out_h * op.nest.out_w * blocks


@pytest.mark.slow
def test_whole_networks_are_kept_aside_and_known_layers_told_apart(
    kernels: KernelTable, array: SystolicArray | GemmCore
) -> None:
    report = evaluate_standin(kernels.table, array, learned=["array"], folds=3, options=QUICK)
    assert list(report.scores) == ["fluid", "roofline", "array", "learned on array"]
    for family in set(kernels.table.families.tolist()):
        assert len(set(report.fold_of[kernels.table.families == family].tolist())) == 1
    new = new_workloads(kernels.table, report.fold_of)
    of_resnet = kernels.table.families == "resnet18"
    assert new[of_resnet].mean() > 0.8  # nothing else here looks like it
    assert new[~of_resnet].mean() < 0.8  # the two SqueezeNets share layers
    assert f"{int(new.sum())} of {len(new)} rows" in report.notes[0]
    errors = {name: score.overall.mape for name, score in report.scores.items()}
    assert errors["fluid"] < 0.02
    assert errors["array"] < errors["roofline"]
    with pytest.raises(ConfigError, match="one family"):
        evaluate_standin(kernels.table.select(of_resnet), array)


@pytest.mark.slow
@pytest.mark.parametrize("base", BASES)
def test_every_base_is_stored_with_its_model(
    base: str, kernels: KernelTable, trained: Callable[[str], LearnedModel], tmp_path: Path
) -> None:
    model = trained(base)
    save_model(model, tmp_path / "m.npz")
    again = load_model(tmp_path / "m.npz")
    before, after = model.predict(kernels.table), again.predict(kernels.table)
    assert (before.value == after.value).all()
    assert (before.value >= again.physical.floor(kernels.table)).all()
    assert np.mean(np.abs(before.value / kernels.table.target - 1)) < 0.05
    speed = measure_speed(again, kernels.table, 1.0, 0.5)
    assert speed.tile_per_s == len(kernels.table)
    assert speed.ratio == pytest.approx(speed.learned_per_s / len(kernels.table))
    if base == "fluid":  # its simulation is not free
        assert speed.learned_per_s < speed.fluid_per_s


@pytest.mark.slow
@pytest.mark.parametrize("base", ["array", "fluid"])
def test_a_network_simulated_with_the_stand_in_takes_as_long_as_its_tiles(
    base: str, trained: Callable[[str], LearnedModel], soc: SoC, graphs: list[Graph]
) -> None:
    from hetsim.schedulers.registry import create

    analytical = AnalyticalModel()
    costs = LearnedCostModel({"npu": trained(base)}, analytical)
    from hetsim.cost.chain import CostChain

    case = Case(graphs[0], soc, costs=CostChain([costs, analytical]))
    plan = case.plan(create("npu_only", {}))
    run = case.evaluate("npu_only", plan)
    tiles = Case(graphs[0], soc, fidelity="tile").simulate(plan, trace=False)
    assert run.makespan_s == pytest.approx(tiles.makespan_s, rel=0.03)
    assert run.lower_bound_s is not None
    assert run.makespan_s is not None
    assert run.lower_bound_s <= run.makespan_s
    assert {row.cost_source for row in run.operators} == {"learned", "analytical"}
    for row in run.operators:
        assert (row.cost_source == "learned") == ("Conv" in row.kinds)
    assert costs.notes() == []
    assert costs.within > 0


def test_what_stays_on_chip_saves_time_and_bytes_with_learned_costs_too(
    trained: Callable[[str], LearnedModel], npu: PU, graphs: list[Graph]
) -> None:
    graph, analytical = graphs[2], AnalyticalModel()
    costs = LearnedCostModel({"npu": trained("array")}, analytical)
    path = npu.home
    checked = 0
    for op in graph.operators:
        if op.nest is None:
            continue
        kernel = Kernel.of(graph, (op,))
        kept = Residency(frozenset(op.inputs[:1]), frozenset(op.outputs), 0)
        alone, resident = (costs.work(graph, kernel, npu, r) for r in (Residency(), kept))
        bare = analytical.work(graph, kernel, npu, kept)
        if alone is None or resident is None or bare is None:
            continue
        checked += 1
        assert resident.source == "learned"
        assert resident.load_bytes == bare.load_bytes
        assert resident.store_bytes == bare.store_bytes
        assert alone_s(resident, path) <= alone_s(alone, path)
        floor = costs.floor(graph, graph.index[op.name], npu)
        assert floor is not None
        assert floor <= alone_s(resident, path) * (1 + 1e-9)
    assert checked > 10


@pytest.mark.slow
def test_a_run_uses_the_model_that_its_soc_names_and_says_what_was_out_of_range(
    trained: Callable[[str], LearnedModel], tmp_path: Path
) -> None:
    text = shipped("socs")["mobile-flagship"].read_text()
    assert text.count("\n  npu:\n") == 1
    (tmp_path / "mine.yaml").write_text(
        text.replace("\n  npu:\n", "\n  npu:\n    learned: stand-in.npz\n")
    )
    scenario = tmp_path / "s.yaml"
    scenario.write_text(
        "hetsim: scenario/1\nname: s\nsoc: mine.yaml\nmodels: [squeezenet, vgg19]\n"
        "schedulers: [npu_only]\n"
    )
    save_model(trained("array"), tmp_path / "stand-in.npz")
    result = hetsim.run(str(scenario))
    notes = "\n".join(result.notes)
    assert "costs of squeezenet / npu_only: 26 learned (" in notes
    (said,) = [note for note in result.notes if "out of its range" in note]
    assert said.startswith("vgg19: ")
    assert "npu: macs" in said
    assert "is outside" in said
    learned = result.find("vgg19", "npu_only")
    assert learned is not None
    sources = {row.cost_source for row in learned.operators}
    assert "analytical" in sources  # what was out of range is still simulated
    assert "stand-in.npz" in result.inputs

    (tmp_path / "stand-in.npz").unlink()
    with pytest.raises(ConfigError, match=r"pus\.npu\.learned"):
        hetsim.run(str(scenario))


COMMAND = [
    "calibrate", "edge-mcu", "--pu", "npu", "--simulate", "tile",
    "--models", "squeezenet,squeezenet1_1",
]  # fmt: skip


@pytest.mark.slow
def test_the_command_trains_reports_and_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert entry([*COMMAND, "--learned", "-o", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (report,) = found["reports"]
    assert set(report["models"]) == {"fluid", "roofline", "array", "learned on array"}
    assert found["speed"]["ratio"] > 1
    names = sorted(path.name for path in out.iterdir())
    assert names == ["learned-npu.npz", "report.json", "scatter-npu.png"]
    model = load_model(out / "learned-npu.npz")
    assert "edge-mcu" in model.provenance["source"]
    assert model.provenance["score"].startswith("MAPE")


@pytest.mark.slow
def test_the_command_reports_without_training_and_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry([*COMMAND, "-o", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["reports"][0]["models"]) == {"fluid", "roofline", "array"}
    assert "of 2 networks" in found["summary"]
    assert found["speed"] is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "scatter-npu.png"]
    assert entry([*COMMAND, "-o", str(tmp_path)]) == 2
    assert "report.json exists" in capsys.readouterr().err
    assert entry(COMMAND) == 0
    assert "roofline" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--simulate", "tile"], "needs a SOC"),
        (["edge-mcu", "--pu", "npu"], "one of --measurements, --networks and --simulate"),
        (["edge-mcu", "--pu", "cpu", "--simulate", "tile"], "does not work in tiles"),
        (["edge-mcu", "--pu", "nup", "--simulate", "tile"], "did you mean 'npu'"),
        (["edge-mcu", "--pu", "npu", "--simulate", "tile", "--models", "vgg19"], "two or more"),
        (["edge-mcu", "--pu", "npu", "--simulate", "tile", "--split", "row"], "--split goes with"),
        (["--measurements", "x.csv", "--base", "fluid"], "--base goes with --simulate"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry(["calibrate", *arguments]) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.slow
def test_the_benchmark_prints_every_network(tmp_path: Path) -> None:
    script = Path(hetsim.__file__).parents[1] / "benchmarks" / "tile_standin.py"
    if not script.exists():
        pytest.skip("benchmarks are not part of the installed package")
    done = subprocess.run(
        [
            sys.executable, str(script), "--socs", "mobile-flagship",
            "--models", "squeezenet,squeezenet1_1", "--steps", "20", "--json", "found.json",
        ],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    (found,) = json.loads((tmp_path / "found.json").read_text())
    assert set(found["networks"]) == {"squeezenet", "squeezenet1_1"}
    assert found["kernels"] == sum(row["kernels"] for row in found["networks"].values())
    assert set(found["speed"]) == set(BASES)
    assert "squeezenet1_1" in done.stdout
