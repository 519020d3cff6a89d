"""What a SoC file says it was fitted to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from hetsim.cli.main import entry
from hetsim.errors import ConfigError
from hetsim.soc.loader import load_soc

FIT = {
    "what": "whole networks, float16",
    "unit": "npu",
    "source": "a table",
    "rows": 412,
    "held_out": {"rows": 412, "median": 0.128, "p90": 0.31},
    "by": "hetsim calibrate x",
}


def soc_file(tmp_path: Path, *fits: dict[str, object]) -> str:
    described = yaml.safe_load(Path(load_soc("edge-mcu").source).read_text())
    described |= {"calibrated": list(fits), "name": "mine"}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(described))
    return str(path)


@pytest.mark.slow
def test_a_report_says_what_the_soc_was_fitted_to(tmp_path, capsys):
    estimate = {"what": "layers", "unit": "cpu", "source": "b", "rows": 1, "kind": "estimate"}
    unsure = FIT | {"what": "jobs", "held_out": FIT["held_out"] | {"unseen": False}}
    soc = soc_file(tmp_path, FIT, estimate, unsure)
    scenario = tmp_path / "s.yaml"
    scenario.write_text(
        f"hetsim: scenario/1\nname: s\nsoc: {soc}\nmodels: [squeezenet]\nschedulers: [npu_only]\n"
    )
    assert entry(["run", str(scenario), "-o", str(tmp_path / "out")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert (
        "fitted to npu, whole networks, float16: 13% median error on unseen rows (31% p90),"
        " 412 measurements; cpu, layers: error unknown, 1 estimate of a vendor's program,"
        " not of silicon; npu, jobs: 13% median error on rows that may have been seen (31% p90),"
        " 412 measurements."
    ) in told


@pytest.mark.slow
def test_the_list_tells_the_error_of_every_soc(capsys):
    assert entry(["list", "socs", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["edge-mcu"]["error"] == "not calibrated"
    assert rows["edge-mcu"]["calibrated"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unit": "npuu"}, "no unit is called 'npuu'; did you mean 'npu'?"),
        ({"rows": 0}, "rows"),
        ({"held_out": {"rows": 3, "median": -0.1, "p90": 0.2}}, "held_out.median"),
        (
            {"held_out": {"rows": 3, "median": 0.3, "p90": 0.2}},
            "held_out.median: is above p90, 0.2",
        ),
        ({"kind": "guess"}, "'measurement' or 'estimate'"),
    ],
)
def test_a_wrong_entry_is_located(tmp_path, change, said):
    with pytest.raises(ConfigError) as caught:
        load_soc(soc_file(tmp_path, FIT | change))
    assert said in str(caught.value)
    assert "mine.yaml:" in str(caught.value)
