"""The profiles that ship: they fit what they are for, and say what of it was measured."""

from __future__ import annotations

import json
import re

import pytest

from hetsim.cli.main import entry
from hetsim.cost.measured.files import read_profile
from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.peak import refuse_impossible
from hetsim.library import shelf_path
from hetsim.soc.loader import load_soc
from hetsim.workload.zoo import load_model

FOLDER = shelf_path("socs") / "profiles"
RESNET = load_model("resnet18")
UNITS = {"cpu": "cpu", "vta": "npu"}

CPU_MS = 147 + 12 + 4 * 72 + 39 + 5 + 3 * 72 + 41 + 6 + 3 * 74 + 38 + 5 + 3 * 75 + 2
VTA_MS = 4 * 8 + 5 + 4 + 3 * 5 + 3 + 2 + 3 * 3 + 2 + 2 + 3 * 3
"""What the authors measured of the whole network, kernel by kernel: for VTA without the first."""

FUSED_MS = {"cpu": 148 + 72 + 39 + 72 + 41 + 74 + 38 + 75, "vta": 8 + 5 + 5 + 3 + 3 + 2 + 3}
"""Of every Conv and Relu in one, each kind of it once."""


@pytest.mark.parametrize("unit", UNITS)
def test_the_authors_resnet18_fits_the_network_and_the_unit(unit):
    path = FOLDER / f"etri-resnet18-{unit}.yaml"
    table = read_profile(path)
    assert not table.doubts
    keys = {operator_key(RESNET, op) for op in RESNET.operators}
    for key, found in table.entries.items():
        assert set(key.split(" + ")) <= keys, key
        assert found.seconds is not None
        assert found.seconds * 1e3 == pytest.approx(round(found.seconds * 1e3), rel=1e-9)
        assert found.spread_s == pytest.approx(250e-6)
    times = [table.time(operator_key(RESNET, op)) or 0.0 for op in RESNET.operators]
    assert sum(times) * 1e3 == pytest.approx({"cpu": CPU_MS, "vta": VTA_MS}[unit])
    fused = [e.seconds or 0.0 for key, e in table.entries.items() if " + " in key]
    assert sum(fused) * 1e3 == pytest.approx(FUSED_MS[unit])
    refuse_impossible(table, UNITS[unit], load_soc("zcu102-vta"))
    # Each figure says whether it was measured; what was not is told and left out.
    text = path.read_text(encoding="utf-8")
    entries = text[text.index("entries:") :]
    assert len(re.findall(r"^# \[measured.*\n- operators", entries, re.MULTILINE)) == len(table)
    assert any(remark.startswith("[censored]") for remark in table.remarks)


@pytest.mark.slow
def test_the_study_on_the_authors_times_takes_what_they_measured(capsys):
    command = ["run", "paper_measured", "--scheduler", "cpu_only", "--no-files", "--json"]
    assert entry(command) == 0
    result = json.loads(capsys.readouterr().out)
    (run,) = result["runs"]
    others = [op for op in RESNET.operators if op.kind in ("Relu", "Add", "GlobalAveragePool")]
    # One after the other on one unit; what was printed as 1 ms is below 1.5 ms each.
    assert CPU_MS <= run["makespan_us"] * 1e-3 <= CPU_MS + 1.5 * len(others)
    assert any("measured" in note for note in result["notes"])
    assert result["reference"]["figures"][0]["published_percent"] == 5.36
