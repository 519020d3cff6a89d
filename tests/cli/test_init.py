"""``hetsim init``: what it writes runs, says what it was told, and replaces nothing."""

from __future__ import annotations

import pytest

import hetsim
from hetsim.cli.main import entry
from hetsim.cost.sources import cost_files
from hetsim.library import shipped
from hetsim.soc.loader import load_soc
from hetsim.soc.sketch import Sketch, soc_text


def init(*arguments: str) -> int:
    return entry(["init", *map(str, arguments)])


@pytest.mark.slow
def test_what_it_writes_runs(tmp_path, capsys):
    assert init(tmp_path / "chip", "--model", "squeezenet1_1") == 0
    assert "hetsim run" in capsys.readouterr().out
    result = hetsim.run(tmp_path / "chip" / "scenario.yaml", schedulers=["type_based", "heft"])
    assert result.scenario == "chip"
    assert not result.failed
    assert not result.notes


@pytest.mark.parametrize("tops", [0.1, 1, 4, 11.5, 45])
def test_the_numbers_arrive(tmp_path, tops):
    assert init(tmp_path / "a", "--tops", tops, "--cores", 6, "--clock", "3 GHz", "--sram", "3MiB",
                "--bandwidth", "25.6 GB/s", "--memory", "8 GiB") == 0  # fmt: skip
    soc = load_soc(tmp_path / "a" / "soc.yaml")
    npu, cpu = soc.by_name["npu"].spec, soc.by_name["cpu"].spec
    assert 2 * npu.array.macs_per_cycle * npu.point.clock == pytest.approx(tops * 1e12, rel=1e-5)
    assert 0.4e9 < npu.point.clock < 1.6e9
    assert npu.sram == 3 * 2**20
    assert (cpu.cores, cpu.point.clock) == (6, 3e9)
    assert soc.spec.memory["dram"].bandwidth == 25.6e9
    assert soc.spec.memory["dram"].capacity == 8 * 2**30


def test_without_tops_there_is_no_npu(tmp_path):
    assert init(tmp_path / "a", "--tops", "0") == 0
    assert list(load_soc(tmp_path / "a" / "soc.yaml").by_name) == ["cpu"]


def test_every_assumption_is_marked():
    for line in soc_text(Sketch("x")).splitlines():
        name = line.strip().partition(":")[0]
        if name in ("latency", "dispatch", "l2", "interrupt_latency", "partition_call"):
            assert "[estimate]" in line


@pytest.mark.parametrize("name", list(shipped("socs")))
def test_a_copy_is_the_shipped_soc_with_its_comments(tmp_path, name):
    assert init(tmp_path / "copy", "--like", name) == 0
    ours, theirs = load_soc(tmp_path / "copy" / "soc.yaml"), load_soc(name)
    assert ours.name == "copy"
    # Files that it names are named by their whole paths, and are the same.
    assert [path.resolve() for path in cost_files(ours)] == [
        path.resolve() for path in cost_files(theirs)
    ]
    text = (tmp_path / "copy" / "soc.yaml").read_text(encoding="utf-8")
    (tmp_path / "near.yaml").write_text(text.replace(f"{shipped('socs')[name].parent}/", ""))
    assert load_soc(tmp_path / "near.yaml").spec.model_copy(update={"name": name}) == theirs.spec
    assert text.count("#") > shipped("socs")[name].read_text(encoding="utf-8").count("#")


def test_a_model_file_is_named_by_its_whole_path(tmp_path, monkeypatch, capsys):
    import onnx

    from hetsim.workload.zoo import build_model_proto

    monkeypatch.chdir(tmp_path)
    onnx.save(build_model_proto("squeezenet1_1"), "net 1.onnx")
    assert init("a", "--model", "net 1.onnx", "--model", "mobilenet_v2") == 0
    labels = [ref.label for ref in hetsim.load_scenario(tmp_path / "a" / "scenario.yaml").models]
    assert labels == ["net 1", "mobilenet_v2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--clock", "3"], "--clock: '3' has no unit"),
        (["--sram", "0 KiB"], "--sram: '0 KiB' is not above zero"),
        (["--cores", "0"], "--cores"),
        (["--like", "edge-mcv"], "did you mean 'edge-mcu'?"),
        (["--like", "edge-mcu", "--cores", "4"], "--like copies a SoC as it is"),
        (["--tops", "0", "--sram", "1 MiB"], "--sram is the NPU's"),
        (["--model", "squeezenot"], "--model: there is no network called 'squeezenot'"),
        (["--model", "./absent.onnx"], "--model: model file './absent.onnx' does not exist"),
        (
            ["--model", "vit_b16", "--model", "vit_b16"],
            "--model: two networks are called 'vit_b16'",
        ),
    ],
)
def test_wrong_options_are_told_and_nothing_is_written(tmp_path, capsys, arguments, message):
    assert init(tmp_path / "a", *arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_nothing_is_replaced(tmp_path, capsys):
    (tmp_path / "soc.yaml").write_text("mine", encoding="utf-8")
    assert init(tmp_path) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "soc.yaml").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["soc.yaml"]
