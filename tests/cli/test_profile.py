"""``hetsim profile`` and ``hetsim verify`` from outside."""

from __future__ import annotations

import csv
import json

import onnx
import pytest

from hetsim.calibrate.networks.readers.registry import FORMATS as NETWORKS
from hetsim.calibrate.networks.table import read_networks
from hetsim.cli.main import entry
from hetsim.cli.profile import NETWORK_FORMATS, OPERATOR_FORMATS
from hetsim.cost.measured.files import read_profile
from hetsim.cost.measured.readers.registry import FORMATS as OPERATORS
from hetsim.host import bandwidth, cuts
from tests.host.networks import branches


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_a_simulated_profile_comes_back_as_a_measured_one(tmp_path, capsys):
    """Attached to the SoC it came from, it changes nothing; halved, it halves the kernels."""
    assert entry(["profile", "--soc", "zcu102-vta", "--model", "squeezenet", "-o", "p"]) == 0
    names = {path.name for path in (tmp_path / "p").iterdir()}
    assert names == {
        "profile.csv", "profile-cpu.yaml", "profile-npu.yaml", "nestc-cpu.yaml", "nestc-npu.yaml",
        "nestc-cpu-comm.yaml", "nestc-npu-comm.yaml", "manifest.json",
    }  # fmt: skip
    rows = list(csv.DictReader((tmp_path / "p/profile.csv").open()))
    assert {row["pu"] for row in rows} == {"cpu", "npu"}
    assert any("+" in row["operators"] for row in rows)
    assert all(row["reason"] for row in rows if row["time_us"] == "cannot run")
    host = read_profile("p/profile-cpu.yaml").entries
    copied = {row["key"]: float(row["transfer_us"]) for row in rows if row["pu"] == "npu"}
    assert all(copied[key] == pytest.approx(e.transfer_s * 1e6) for key, e in host.items()
               if key in copied)  # fmt: skip
    assert min(copied.values()) > 0  # the copy of the inputs, which the host's units have, too
    scenario = tmp_path / "s.yaml"
    scenario.write_text(
        "hetsim: scenario/1\nname: s\nsoc: zcu102-vta\nmodels: [squeezenet]\n"
        "schedulers: [type_based]\nprofiles: {cpu: p/profile-cpu.yaml, npu: p/profile-npu.yaml}\n"
    )
    assert entry(["run", str(scenario), "--no-files", "--json"]) == 0
    capsys.readouterr()
    makespans = []
    for name in ("paper_one", str(scenario)):
        command = ["run", name, "--scheduler", "type_based", "--no-files", "--json",
                   "--execution", "barrier"]  # fmt: skip
        assert entry(command) == 0
        result = json.loads(capsys.readouterr().out)
        makespans.append(result["runs"][0])
    assert json.dumps(makespans[0]) != json.dumps(makespans[1])  # sources differ
    notes = "".join(result["notes"])
    assert "measured" in notes


@pytest.mark.slow
def test_nestc_files_written_are_files_read(tmp_path, capsys):
    assert entry(["profile", "--soc", "zcu102-vta", "--model", "squeezenet", "-o", "p"]) == 0
    capsys.readouterr()
    command = ["profile", "--import", "nestc", "p/nestc-npu.yaml", "p/nestc-npu-comm.yaml",
               "--model", "squeezenet", "--device", "vta", "-o", "q"]  # fmt: skip
    assert entry(command) == 0
    written, read = read_profile("p/profile-npu.yaml"), read_profile("q/vta.yaml")
    assert written.entries.keys() == read.entries.keys()
    for key, one in written.entries.items():
        assert read.entries[key].seconds == pytest.approx(one.seconds, rel=1e-5)
        assert read.entries[key].transfer_s == pytest.approx(one.transfer_s, rel=1e-5)
    assert entry(command) == 2  # the directory exists
    assert entry([*command, "--force"]) == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give one of --soc, --measure and --import"),
        (["--soc", "zcu102-vta"], "--soc goes with one --model"),
        (["--import", "csv"], "FILEs"),
        (["--soc", "s", "--model", "m", "--device", "d"], "--device goes with --import"),
        (["--import", "csv", "f", "--repeat", "3"], "--repeat goes with --measure"),
        (["--import", "csv", "none.csv"], "no such file"),
        (["--import", "csv", "f", "--pu", "npu"], "--soc and --pu go together"),
        (["--import", "csv", "f", "--unit", "min"], "'min' is not one of 'us', 'ms', 's'"),
        (["--soc", "s", "--model", "m", "--censored", "drop"], "--censored goes with --import"),
        (["--import", "aihub", "f", "--model", "resnet18"], "--model goes with times of operators"),
        (["--import", "aihub", "f", "--censored", "drop"], "--censored goes with times of operat"),
        (["--import", "tflite", "none.csv", "--model", "resnet18"], "no such file"),
        (["--import", "tensorrt", "f"], "'tensorrt' is not one of 'nestc'"),
        (["--measure", "onnxruntime", "--model", "none.tflite"], "as ONNX; this is TFLite"),
        (["--measure", "onnxruntime", "--threads", "two"], "not a list of thread counts"),
        (["--soc", "zcu102-vta", "--model", "squeezenett"], "no network called"),
    ],
)
def test_wrong_calls_end_with_one_message(arguments, told, capsys):
    assert entry(["profile", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_the_formats_offered_are_those_of_the_registries():
    assert list(OPERATOR_FORMATS) == list(OPERATORS)
    assert list(NETWORK_FORMATS) == list(NETWORKS)


def test_whole_networks_become_one_table(tmp_path, capsys):
    told = {"n_prompt": 512, "n_gen": 0, "avg_ns": 5e8, "model_filename": "m/tiny.gguf",
            "cpu_info": "Some CPU"}  # fmt: skip
    (tmp_path / "bench.jsonl").write_text(json.dumps(told) + "\n")
    command = ["profile", "--import", "llama-bench", "bench.jsonl", "--device", "board", "-o", "q"]
    assert entry(command) == 0
    assert "q/networks.csv: 1 times of 1 networks on 1 devices" in capsys.readouterr().out
    [row] = read_networks("q/networks.csv")
    assert (row.network, row.device, row.latency_s) == ("tiny", "board", 0.5)
    assert entry(command) == 2
    assert "q" in capsys.readouterr().err


@pytest.mark.slow
def test_an_import_is_checked_against_the_peak_of_the_unit_that_was_measured(tmp_path, capsys):
    (tmp_path / "vta.yaml").write_text(
        "backendName: VTA\nConvolution-1-56-56-64-float-64-3-1: 8\nRelu-1-56-56-64-float: 1\n"
    )
    command = ["profile", "--import", "nestc", "vta.yaml", "--model", "resnet18", "-o", "q",
               "--soc", "zcu102-vta", "--pu"]  # fmt: skip
    assert entry([*command, "npu"]) == 2
    told = capsys.readouterr().err
    assert "vta.yaml:2:1: Conv[n1 c64 h56 w56 o64 k3x3" in told
    assert "8 us are 14451 GMAC/s, more than the peak of npu, 85.25 GMAC/s" in told
    assert "is the unit right? 8 ms would be 14.45 GMAC/s" in told
    assert not (tmp_path / "q").exists()
    assert entry([*command, "gpu"]) == 2
    assert "zcu102-vta has no unit 'gpu'" in capsys.readouterr().err
    assert entry([*command, "npu", "--unit", "ms"]) == 0


def test_a_profile_that_is_not_there_is_located_in_the_scenario(tmp_path, capsys):
    (tmp_path / "s.yaml").write_text(
        "hetsim: scenario/1\nname: s\nsoc: zcu102-vta\nmodels: [squeezenet]\n"
        "schedulers: [heft]\nprofiles:\n  npu: gone.yaml\n"
    )
    assert entry(["run", "s.yaml", "--no-files"]) == 2
    assert "s.yaml:7:8: profiles.npu: there is no file" in capsys.readouterr().err
    text = (tmp_path / "s.yaml").read_text().replace("npu: gone", "gpu: s")
    (tmp_path / "s.yaml").write_text(text)
    assert entry(["run", "s.yaml", "--no-files"]) == 2
    assert "no entry 'gpu'" in capsys.readouterr().err


@pytest.mark.slow
def test_verify_needs_a_machine_of_cpus(capsys):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    assert entry(["verify", "contention", "--rounds", "1"]) == 2
    assert "only CPU workers can run for real here" in capsys.readouterr().err


@pytest.mark.slow
def test_a_network_of_ones_own_is_measured_run_and_verified(tmp_path, capsys, monkeypatch):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    # What is measured about the machine itself is not this test's business, that it is, is.
    monkeypatch.setattr(bandwidth, "LARGEST", 16 << 20)
    monkeypatch.setattr(cuts, "SHAPES", cuts.SHAPES[:2])
    onnx.save(branches(), tmp_path / "mine.onnx")  # its batch is open
    measure = ["profile", "--measure", "onnxruntime", "--model", "mine.onnx", "--repeat", "3",
               "--input-shape", "x=1x3x8x8", "-o", "out"]  # fmt: skip
    assert entry(measure) == 0
    scenario = str(tmp_path / "out" / "scenario.yaml")
    assert entry(["run", scenario, "--no-files"]) == 0
    mine = ["--model", "mine.onnx", "--input-shape", "x=1x3x8x8", "--soc", "out/host.yaml"]
    assert entry(["plan", "make", *mine, "--scheduler", "heft", "-o", "p.yaml"]) == 0
    assert entry(["plan", "validate", "p.yaml", *mine]) == 0
    capsys.readouterr()
    code = entry(["verify", scenario, "--rounds", "2", "--patience", "0 s", "--sessions", "2",
                  "--json"])  # fmt: skip
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert len(told["sessions"]) == 2
    assert all(set(session["drift"]) == {"mine"} for session in told["sessions"])
    # A busy machine is told, and nothing is concluded from it.
    assert code == 0 or "nothing can be told" in said.err
    assert all(plan["outputs_equal"] for plan in told["plans"])
