"""Dispatchers as scenarios name them: by name, by file, with time for deciding, planning anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from hetsim.errors import DispatcherError, HetsimError
from hetsim.runs.serving import run_service
from hetsim.scenario.loader import load_scenario

TEXT = """
hetsim: scenario/1
name: two
soc: zcu102-2vta
models: [squeezenet]
schedulers: [npu_only]
streams:
  - {name: slow, model: squeezenet, arrivals: {kind: periodic, period: 400 ms}}
  - {name: fast, model: squeezenet, arrivals: {kind: periodic, period: 300 ms}, priority: 1}
serve: {duration: 1200 ms, dispatchers: [%s]}
"""
MINE = """
from hetsim.sim.dispatchers.fifo import Fifo


class Mine(Fifo):
    def next(self, unit):
        return super().next(unit) if self.view.now < 1 else {}[unit]
"""


@pytest.fixture
def runs(tmp_path: Path):
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")

    def of(*dispatchers: str):
        file = tmp_path / "two.yaml"
        file.write_text(TEXT % ", ".join(dispatchers), encoding="utf-8")
        return {run.label: run for run in run_service(load_scenario(file)).runs}

    return of


@pytest.mark.slow
def test_who_needs_no_plan_runs_once_and_deciding_costs_time(runs):
    found = runs("fifo", "{name: fifo, label: slow, overhead: 1 ms}", "eft")
    assert list(found) == ["npu_only · fifo", "npu_only · slow", "fused groups · eft"]
    assert [run.error for run in found.values()] == [None] * 3
    free, charged = found["npu_only · fifo"], found["npu_only · slow"]
    partitions = len(free.streams[0].plan.partitions)
    extra = charged.metrics["latency_mean_s"] - free.metrics["latency_mean_s"]
    assert extra > 0.8e-3 * partitions > 0.0


@pytest.mark.slow
def test_planning_anew_gives_networks_side_by_side_other_plans(runs):
    found = runs("priority", "replan", "{name: replan, label: each, parameters: {plans: each}}")
    means = {d: found[f"npu_only · {d}"].metrics["latency_mean_s"]
             for d in ("priority", "each", "replan")}  # fmt: skip
    # Planned each on its own, a network has the same plan whoever is there.
    assert means["each"] == means["priority"] != means["replan"]
    # What is proven of plans is not told of others.
    assert found["npu_only · priority"].metrics["throughput_bound"] is not None
    assert found["npu_only · each"].metrics["throughput_bound"] is None


@pytest.mark.slow
def test_a_file_of_the_user_is_told_with_its_line_when_it_raises(runs):
    found = runs("mine.py:Mine")
    assert list(found) == ["npu_only"]
    for run in found.values():
        assert "mine.py:7: dispatcher 'Mine' raised KeyError" in run.error


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("eff", "two.yaml:10:42: there is no dispatcher 'eff'"),
        ("{name: edf, parameters: {preemptiv: true}}", "no parameter 'preemptiv'"),
        ("mine.py:Yours", "mine.py: it defines no 'Yours'"),
        ("{name: eft, parameters: {order: lifo}}", "expected one of 'fifo', 'priority', 'edf'"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(runs, entry, words):
    with pytest.raises(DispatcherError) as caught:
        runs(entry)
    assert words in str(caught.value)


def test_two_of_one_label_are_told(runs):
    with pytest.raises(HetsimError, match="two dispatchers are called 'fifo'"):
        runs("fifo", "fifo")
