"""What makes two studies the same, so that one may replace the other's results unasked."""

from __future__ import annotations

import pytest

from hetsim.cli.main import entry
from hetsim.scenario.loader import load_scenario
from hetsim.study.axes import parse_axis
from hetsim.study.compare.study import CompareStudy
from hetsim.study.explore.study import ExploreStudy
from hetsim.study.sweep.study import SweepStudy
from hetsim.study.tune.rounds import Effort
from hetsim.study.tune.search import study_digest
from hetsim.study.tune.study import TuneStudy
from hetsim.study.whatif.study import WhatIfStudy
from tests.study.samples import SCENARIO, loaded, small_scenario

AXES = [parse_axis("npu.sram=128KiB,256KiB")]
STUDIES = {
    "tune": TuneStudy,
    "sweep": lambda scenario: SweepStudy(scenario, AXES),
    "explore": lambda scenario: ExploreStudy(scenario, AXES),
    "whatif": WhatIfStudy,
    "compare": lambda scenario: CompareStudy(scenario, {"less": {"npu.sram": "128 KiB"}}),
}


@pytest.mark.parametrize("kind", STUDIES)
def test_what_was_changed_on_the_command_line_makes_another_study(tmp_path, kind):
    study = STUDIES[kind]
    first = study(loaded(tmp_path)).identity
    assert study(loaded(tmp_path)).identity == first
    for change in ({"seed": 7}, {"npu.sram": "96 KiB"}, {"execution": "barrier"},
                   {"fidelity": "tile"}, {"weights.dtype": "int4"}):  # fmt: skip
        assert study(loaded(tmp_path, **change)).identity != first, change


@pytest.mark.parametrize("kind", STUDIES)
def test_another_scheduler_under_the_same_label_makes_another_study(tmp_path, kind):
    texts = [SCENARIO.replace("[type_based]", f"[{{name: {n}, label: mine}}]")
             for n in ("heft", "cpu_only")]  # fmt: skip
    one, other = (load_scenario(small_scenario(tmp_path, text=text)) for text in texts)
    assert STUDIES[kind](one).identity != STUDIES[kind](other).identity


def test_a_state_of_tuning_is_of_one_time_limit(tmp_path):
    # What a scheduler does not finish in time is no plan to start from.
    one, other = (loaded(tmp_path, time_limit=limit) for limit in ("1 s", "2 s"))
    assert study_digest(one, []) != study_digest(other, [])


def test_ranges_of_the_same_ends_are_told_apart(tmp_path):
    texts = "npu.sram=64KiB..1MiB:linear:5", "npu.sram=64KiB..1MiB:log2:5"
    one, other = (ExploreStudy(loaded(tmp_path), [parse_axis(text)]) for text in texts)
    assert one.axes[0].interval != other.axes[0].interval
    assert one.identity != other.identity


def test_more_effort_is_the_same_tuning(tmp_path):
    scenario = loaded(tmp_path)
    assert TuneStudy(scenario, Effort(10)).identity == TuneStudy(scenario, Effort(20)).identity
    assert TuneStudy(scenario, plans=False).identity != TuneStudy(scenario).identity


@pytest.mark.slow
def test_tuning_with_another_seed_does_not_replace_what_was_found(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small_scenario(tmp_path)
    tune = ["tune", "small.yaml", "--only", "plans", "--evaluations", "1", "--workers", "1"]
    assert entry([*tune, "--quiet"]) == 0
    before = (tmp_path / "results" / "small-tune" / "tune.json").read_bytes()
    assert entry([*tune, "--quiet", "--seed", "3"]) == 2
    assert "exists and is not empty" in capsys.readouterr().err
    assert (tmp_path / "results" / "small-tune" / "tune.json").read_bytes() == before
    assert entry([*tune, "--quiet"]) == 0
