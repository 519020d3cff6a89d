"""What a notebook hands over: classes and objects of schedulers, graphs, models, SoCs."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

import hetsim
from hetsim.errors import ConfigError, HetsimError, SchedulerError
from hetsim.plan.model import Plan
from hetsim.progress import told
from hetsim.scenario.variants import asked
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.list.heft import HEFT
from hetsim.schedulers.registry import create
from hetsim.workload.zoo import build_model_proto


class Chosen(Scheduler):
    """Plans as another scheduler does."""

    def __init__(self, other: str = "type_based", times: int = 1) -> None:
        self.other = other
        self.times = times

    def plan(self, problem: Problem) -> Plan:
        return create(self.other).plan(problem)


class Child(HEFT):
    """Has its name from its parent, which would hide who planned."""


@pytest.fixture(scope="module")
def result() -> hetsim.Result:
    return hetsim.run(
        "paper_one", schedulers=[Chosen, Chosen("heft"), Child, "heft", Chosen("heft")],
        models=[hetsim.load_model("squeezenet1_1"), "alexnet"],
    )  # fmt: skip


@pytest.mark.slow
def test_classes_objects_and_names_run_side_by_side(result):
    labels = [run.scheduler for run in result.runs if run.model == "alexnet"]
    assert labels == ["Chosen", "Chosen(other=heft)", "Child", "heft", "Chosen(other=heft)-2"]
    times = {run.scheduler: run.makespan_s for run in result.runs if run.model == "squeezenet1_1"}
    assert times["Chosen(other=heft)"] == times["heft"] == times["Child"] != times["Chosen"]


def test_printed_it_is_a_line_a_row(result):
    lines = repr(result).splitlines()
    assert len(lines) == 11
    assert "Child" in lines[3]


@pytest.mark.slow
def test_a_graph_and_an_onnx_model_run_as_their_name_does():
    proto = build_model_proto("squeezenet1_1")
    found = hetsim.run("paper_one", models=[proto, "squeezenet1_1"], schedulers=["heft"])
    ours, named = found.runs
    assert ours.makespan_s == named.makespan_s
    graph = hetsim.load_model(proto, input_shapes={})
    assert hetsim.run("paper_one", models=[graph], schedulers=["heft"]).runs[0].makespan_s == (
        named.makespan_s
    )


@pytest.mark.slow
def test_a_soc_is_taken_as_it_is_and_may_be_changed_further():
    small = hetsim.load_soc("edge-mcu", {"npu.sram": "128 KiB"})
    options = {"models": ["squeezenet1_1"], "schedulers": ["npu_only"]}
    by_object = hetsim.run("paper_one", soc=small, **options).runs[0].makespan_s
    by_name = hetsim.run("paper_one", {"npu.sram": "128 KiB"}, soc="edge-mcu", **options)
    assert by_object == by_name.runs[0].makespan_s
    again = hetsim.run("paper_one", {"npu.sram": "256 KiB"}, soc=small, **options)
    assert again.runs[0].makespan_s == (
        hetsim.run("paper_one", soc="edge-mcu", **options).runs[0].makespan_s
    )
    assert again.runs[0].makespan_s != by_object


def test_a_loaded_scenario_takes_changes_and_keeps_its_own():
    loaded = hetsim.load_scenario("paper_one")
    changed = asked(loaded, {"cpu.cores": 2}, schedulers=[Chosen])
    assert changed.soc.by_name["cpu"].spec.cores == 2
    assert loaded.soc.by_name["cpu"].spec.cores == 4
    assert [ref.label for ref in changed.schedulers] == ["Chosen"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"models": "resnet18"}, "where a list is due"),
        ({"models": [3]}, "3 (int) is not a network"),
        ({"schedulers": [3.5]}, "3.5 (float) is not a scheduler"),
        ({"schedulers": [int]}, "'int' is not a scheduler"),
        ({"schedulers": HEFT}, "where a list is due"),
        ({"soc": 7}, "7 (int) is not a SoC"),
        ({"soc": "edge-mcv"}, "edge-mcv"),
        ({"models": ["squeezenet1_1", "squeezenet1_1"]}, "given twice"),
    ],
)
def test_what_cannot_be_used_gets_a_sentence(given, message):
    with pytest.raises(HetsimError) as caught:
        hetsim.run("paper_one", **given)
    assert message in caught.value.message
    assert caught.value.hint or "twice" in message


def test_no_scenario_gets_one_as_well():
    with pytest.raises(ConfigError, match="no scenario"):
        hetsim.run(3)


@pytest.mark.slow
def test_a_study_varies_a_parameter_of_an_object():
    sweep = hetsim.sweep(
        "paper_one", {"schedulers.Chosen.other": ["type_based", "heft"]},
        models=["squeezenet1_1"], schedulers=[Chosen],
    )  # fmt: skip
    heft, types = (
        hetsim.run("paper_one", models=["squeezenet1_1"], schedulers=[name]).runs[0].makespan_s
        for name in ("heft", "type_based")
    )
    assert [outcome.makespan_s for _, outcome in sweep.rows] == [types, heft]


@pytest.mark.slow
def test_a_stored_outcome_is_not_that_of_another_object(tmp_path):
    def times(*schedulers: Scheduler) -> tuple[float, int]:
        found = hetsim.sweep(
            "paper_one", {"cpu.cores": [4]}, models=["squeezenet1_1"], schedulers=schedulers,
            store=tmp_path / "kept.jsonl",
        )  # fmt: skip
        return found.rows[0][1].makespan_s, found.reused

    first, _ = times(Chosen("type_based"))
    second, reused = times(Chosen("heft"))
    assert first != second
    assert reused == 0
    assert times(Chosen("heft")) == (second, 1)


def test_workers_cannot_find_what_the_notebook_defines(monkeypatch):
    monkeypatch.setattr(Chosen, "__module__", "__main__")
    with pytest.raises(ConfigError, match="defined in this notebook") as caught:
        hetsim.sweep("paper_one", {"cpu.cores": [1, 4]}, schedulers=[Chosen()], workers=2)
    assert "mine.py:Chosen" in caught.value.hint


def test_a_class_without_plan_is_told():
    class Idle(Scheduler):
        pass

    with pytest.raises(SchedulerError, match="does not define plan"):
        hetsim.run("paper_one", schedulers=[Idle])


@pytest.mark.slow
def test_a_notebook_shows_how_far_it_is_and_clears_it(monkeypatch):
    shown: list[str] = []
    handle = SimpleNamespace(update=lambda html: shown.append(html))
    display = SimpleNamespace(HTML=str, display=lambda html, display_id: handle)
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    hetsim.run("paper_one", models=["squeezenet1_1"], schedulers=["heft"])
    assert "squeezenet1_1" in shown[0]
    assert "<progress" in shown[0]
    assert shown[-1] == ""
    with told(lambda what, done, total: None) as own:
        assert own is not None
    assert shown[-1] == ""


def test_without_a_notebook_nothing_is_shown(capsys):
    with told(None) as teller:
        assert teller is None
    assert capsys.readouterr() == ("", "")
