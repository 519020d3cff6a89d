"""``benchmarks/atlas.py``: the prior of the phones' SoC files has seen no measurement."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import hetsim
from hetsim.calibrate.networks.simulated import fitting
from hetsim.cli.main import entry
from hetsim.soc.loader import load_soc

SCRIPT = Path(hetsim.__file__).parents[1] / "benchmarks" / "atlas.py"

if not SCRIPT.exists():
    pytest.skip("benchmarks are not part of the installed package", allow_module_level=True)


@pytest.fixture(scope="module")
def atlas() -> ModuleType:
    spec = importlib.util.spec_from_file_location("atlas", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("name", ["snapdragon-8-gen-3", "qcm6690"])
def test_nothing_that_was_fitted_is_in_the_prior(atlas: ModuleType, tmp_path: Path, name: str):
    file = atlas.write_prior(name, tmp_path)
    assert "fitted: " not in file.read_text(encoding="utf-8")
    assert "Calibrated by" not in file.read_text(encoding="utf-8")
    soc, shipped = load_soc(file), load_soc(name)
    unit = soc.by_name["npu"].spec
    assert soc.spec.calibrated == []
    assert unit.uncertainty == {}
    assert set(unit.dtypes) == set(shipped.by_name["npu"].spec.dtypes)
    peak = soc.spec.memory["dram"].bandwidth
    assert unit.dtypes["int8"].bandwidth == pytest.approx(0.7 * peak, rel=0.03)
    assert unit.dtypes["int8"].efficiency["Conv"] == 0.4
    model = fitting(str(file), "npu")
    assert model is not None
    assert not model.has_seen("measured_networks.csv")


def test_every_fitted_phone_names_the_command_that_makes_it(atlas: ModuleType):
    for name in atlas.DEVICES:
        told = load_soc(name).spec.calibrated
        assert {fit.by for fit in told} == {
            f"python benchmarks/atlas.py measured_networks.csv GRAPHS {name}"
        }
        assert all(fit.source.endswith(atlas.DEVICES[name][0]) for fit in told)


@pytest.mark.slow
def test_a_table_that_ships_is_found_by_its_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table, device = "measured_conv_latency.csv", "ultra96/cpu/int8"
    assert entry(["calibrate", "--measurements", table, "--device", device, "--json"]) == 0
    assert device in capsys.readouterr().out
