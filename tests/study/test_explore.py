"""Exploration: the front is a front, constraints rule out, an end is a pause, designs run."""

from __future__ import annotations

import json
import re
import signal
import sys

import pytest

import hetsim.version
from hetsim.cli.main import entry
from hetsim.errors import ConfigError, MissingExtraError, ResultsError
from hetsim.executors.registry import executor
from hetsim.report.figures.pareto import pareto_front
from hetsim.scenario.loader import load_scenario
from hetsim.study.axes import parse_axis
from hetsim.study.explore.objectives import parse_constraint, parse_objectives
from hetsim.study.explore.report import explore_files
from hetsim.study.explore.study import explore
from hetsim.study.point import PointBench
from hetsim.study.sweep.study import sweep
from tests.study.samples import (
    SCENARIO,
    loaded,
    planned,
    priced,
    small_scenario,
    start,
    wait_until,
)

pytest.importorskip("optuna")

AXES = [
    parse_axis("npu.sram=32KiB..512KiB:log2"),
    parse_axis("npu.array.columns=4,8,16"),
    parse_axis("bus.clock=20MHz,40MHz,80MHz,160MHz"),
]


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_front_is_that_of_the_whole_space_when_all_of_it_was_tried(tmp_path):
    scenario = priced(tmp_path)
    axes = AXES[:2]
    study = explore(scenario, axes, minimise=["latency_ms", "area"], trials=400, sampler="random")
    everything = [o for _, o in sweep(scenario, axes).rows]
    points = [(o.makespan_s / 1e-3, o.metrics["area"]) for o in everything]
    best = {points[i] for i in pareto_front(points)}
    found = {(d.measures["latency_ms"], d.measures["area"]) for d in study.front}
    assert found == best
    # A space of fifteen designs is exhausted long before 400 trials.
    assert len(study.designs) < 400


@pytest.fixture(scope="module")
def outcomes():
    return {}


@pytest.fixture
def remembered(monkeypatch, outcomes):
    """Points of the priced scenario run once for all tests of what is searched in which order."""
    real = PointBench.evaluate

    def evaluate(self, job):
        if str(job) not in outcomes:
            outcomes[str(job)] = real(self, job)
        return outcomes[str(job)]

    monkeypatch.setattr(PointBench, "evaluate", evaluate)


@pytest.mark.slow
def test_results_do_not_depend_on_the_workers_and_repeat(tmp_path):
    scenario = priced(tmp_path)

    def search(workers: int):
        return explore(
            scenario, AXES, minimise=["latency_ms", "area"], trials=24,
            executor=executor(workers), constraints=[parse_constraint("latency_ms <= 2")],
        )  # fmt: skip

    first, again = search(1), search(1)
    assert first.designs == again.designs
    assert first.designs == search(2).designs
    assert first.importance == again.importance


@pytest.mark.slow
@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "random"])
def test_an_interrupted_search_ends_where_an_uninterrupted_one_does(tmp_path, sampler):
    scenario = priced(tmp_path)
    options = {"minimise": ["latency_ms", "area"], "sampler": sampler}
    whole = explore(scenario, AXES, trials=24, **options)
    explore(scenario, AXES, trials=16, storage=tmp_path / "o.log", **options)
    rest = explore(scenario, AXES, trials=24, storage=tmp_path / "o.log", **options)
    assert rest.fresh == 8
    assert rest.designs == whole.designs
    assert rest.importance == whole.importance


class Killed(BaseException):
    """Stands for the death of the process: nothing writes anything any more."""


@pytest.mark.slow
@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize(
    ("sampler", "storage"),
    [("tpe", "o.log"), ("nsga2", "o.log"), ("random", "o.log"), ("tpe", "o.sqlite")],
)
def test_a_search_killed_anywhere_tries_the_designs_of_one_that_was_not(
    tmp_path, monkeypatch, sampler, storage
):
    import optuna

    scenario = priced(tmp_path)
    options = {"minimise": ["latency_ms", "area"], "sampler": sampler, "trials": 28}
    whole = explore(scenario, AXES, **options)

    def dying(patch, left: int) -> None:
        """Kills at the write number ``left`` to the storage."""
        counter = [left]
        for name in ("suggest_int", "suggest_categorical", "set_user_attr"):
            original = getattr(optuna.trial.Trial, name)

            def step(self, *arguments, original=original, **named):
                counter[0] -= 1
                if counter[0] < 0:
                    raise Killed
                return original(self, *arguments, **named)

            patch.setattr(optuna.trial.Trial, name, step)

    place = tmp_path / storage
    for left in (0, 1, 2, 30, 25, 41, 20):  # one after the other, on the same storage
        with monkeypatch.context() as patch:
            dying(patch, left)
            with pytest.raises(Killed):
                explore(scenario, AXES, storage=place, **options)
    rest = explore(scenario, AXES, storage=place, **options)
    assert rest.designs == whole.designs
    states = [t.state.name for s in optuna.get_all_study_names(_url(place))
              for t in optuna.load_study(study_name=s, storage=_url(place)).trials]  # fmt: skip
    assert set(states) <= {"COMPLETE", "FAIL"}, "nothing is left running"
    assert len(states) == 28


def _url(place):
    if place.suffix == ".sqlite":
        return f"sqlite:///{place}"
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(place)))


@pytest.mark.slow
def test_a_killed_search_goes_on_and_runs_nothing_twice(workdir, monkeypatch, capsys):
    text = SCENARIO.replace("[type_based]", "['slow.py:Slow']")
    small_scenario(workdir, text=text)
    arguments = (
        "explore", "small.yaml", "--vary", "npu.sram=64KiB..1MiB:16", "--trials", "14",
        "--workers", "1", "--sampler", "random", "--timelines", "0",
    )  # fmt: skip
    study = start(workdir, *arguments)
    wait_until(lambda: len(planned(workdir)) >= 4)
    study.send_signal(signal.SIGKILL)
    study.wait()
    study.communicate()
    begun = planned(workdir)
    monkeypatch.setenv("PLANNED", str(workdir / "planned.txt"))
    assert entry([*arguments]) == 0, capsys.readouterr().err
    data = json.loads((workdir / "results" / "small-explore" / "explore.json").read_text())
    assert len(data["designs"]) == 14
    everything = planned(workdir)
    # Only what was under way when it was killed may have been asked for twice.
    assert len(everything) - len(set(everything)) <= 1
    assert len(everything) > len(begun)


@pytest.mark.slow
def test_constraints_rule_out_and_say_how_many(tmp_path):
    scenario = priced(tmp_path)
    limits = [parse_constraint("latency_ms <= 1.5"), parse_constraint("area <= 2.5")]
    study = explore(
        scenario, AXES, minimise=["area"], constraints=limits, trials=40, sampler="random"
    )
    late = [d for d in study.tried if d.measures["latency_ms"] > 1.5]
    large = [d for d in study.tried if d.measures["area"] > 2.5]
    assert study.killed() == {
        "latency_ms <= 1.5": len(late), "area <= 2.5": len(large), "cannot run": 0,
    }  # fmt: skip
    assert 0 < len(late) < 40
    assert all(d.measures["latency_ms"] <= 1.5 for d in study.feasible)
    assert study.front[0].measures["area"] == min(d.measures["area"] for d in study.feasible)


@pytest.mark.slow
def test_when_nothing_will_do_it_says_what_stands_in_the_way(workdir, capsys):
    scenario = str(small_scenario(workdir))
    code = entry(
        ["explore", scenario, "--vary", "npu.sram=64KiB..512KiB:log2", "--trials", "6",
         "--constraint", "latency_ms <= 0.001", "--workers", "1"]
    )  # fmt: skip
    assert code == 2
    err = capsys.readouterr().err
    assert re.search(r"None of (\d) designs will do; the nearest is design 00\d, latency", err)
    assert re.search(r"latency ≤ 0.001 ms: (\d) of \1 designs miss it; the closest, design 00", err)
    [page] = (workdir / "results" / "small-explore").glob("design-*.html")
    assert "timeline" in page.read_text(), "the nearest can be looked at"


@pytest.mark.slow
def test_designs_that_cannot_run_are_kept_with_their_reason(tmp_path):
    study = explore(
        loaded(tmp_path), [parse_axis("cpu.parallel_efficiency=0.5,1.0,1.5,2.0")], trials=20
    )
    assert study.killed()["cannot run"] >= 1
    assert all(d.values["cpu.parallel_efficiency"] <= 1 for d in study.front)
    assert any("1.5" in str(d.error) or "2.0" in str(d.error) for d in study.designs)


@pytest.mark.slow
def test_the_designs_of_the_front_run_as_they_are(tmp_path):
    scenario = load_scenario(
        small_scenario(tmp_path, "set: {bus.clock: 0.5x}\n"),
        {"area": {"base": 1.0, "per_mac": 0.01}},
    )
    axes = [parse_axis("npu.array.columns=4,8,16"), parse_axis("npu.sram=100KiB..300KiB")]
    study = explore(scenario, axes, minimise=["latency_ms", "area"], trials=12)
    _, files = explore_files(study, timelines=1)
    for name, content in files.items():
        if name.endswith(".yaml"):
            (tmp_path / name).write_text(content)
    assert sum(name.startswith("design-") for name in files) == 1
    for design in study.front:
        stem = f"{design.number:03d}"
        [run] = hetsim.run(tmp_path / f"run-{stem}.yaml").runs
        assert run.makespan_s / 1e-3 == design.measures["latency_ms"]
        soc = hetsim.load_soc(tmp_path / f"soc-{stem}.yaml")
        assert soc.spec.area.total(soc.spec) == design.measures["area"]


def test_measures_the_soc_does_not_state_are_told_early(tmp_path):
    with pytest.raises(ConfigError, match="states no cost") as told:
        explore(loaded(tmp_path, soc="zcu102-vta"), AXES[:1], minimise=["cost"])
    assert "'cost' section" in str(told.value)


@pytest.mark.parametrize(
    "text", ["latency_ms < 3", "latency_ms", "33 >= latency_ms", "latency_ms <= fast", "speed <= 3"]
)
def test_what_is_no_constraint_is_told(text):
    with pytest.raises(ConfigError):
        parse_constraint(text)


def test_what_is_no_objective_is_told():
    with pytest.raises(ConfigError, match="did you mean 'latency_ms'"):
        parse_objectives(["latencyms"])
    with pytest.raises(ConfigError, match="minimised twice"):
        parse_objectives(["latency_ms", "latency_us"])


@pytest.mark.slow
def test_a_storage_of_another_soc_or_version_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "o.sqlite"
    axes = AXES[:1]
    explore(loaded(tmp_path), axes, trials=3, storage=path)
    with pytest.raises(ResultsError, match="another SoC"):
        explore(loaded(tmp_path, **{"cpu.cores": 4}), axes, trials=3, storage=path)
    # Another question of the same scenario has a place of its own.
    assert explore(loaded(tmp_path), AXES[1:2], trials=3, storage=path).fresh
    monkeypatch.setattr(hetsim.version, "installed", lambda: "99.0")
    with pytest.raises(ResultsError, match=r"made by hetsim .*, this is 99.0"):
        explore(loaded(tmp_path), axes, trials=3, storage=path)
    monkeypatch.undo()
    assert not explore(loaded(tmp_path), axes, trials=3, storage=path).fresh


def test_what_is_no_storage_is_told(tmp_path):
    path = tmp_path / "notes.sqlite"
    path.write_text("my notes" * 1000)
    with pytest.raises(ResultsError, match="cannot be used"):
        explore(loaded(tmp_path), AXES[:1], trials=2, storage=path)
    assert path.read_text().startswith("my notes")


@pytest.mark.slow
def test_a_journal_is_shared_by_two_searches(tmp_path):
    path = tmp_path / "o.log"
    explore(loaded(tmp_path), AXES, trials=8, storage=path)
    both = explore(loaded(tmp_path), AXES, trials=16, storage=path)
    assert both.fresh == 8
    assert len(both.designs) == 16


def test_without_optuna_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError) as told:
        explore(loaded(tmp_path), AXES)
    assert "hetsim[explore]" in str(told.value)


SECTION = """
set: {npu.sram: 256 KiB}
explore:
  vary:
    bus.clock: 40 MHz..160 MHz
    npu.array.columns: [4, 8]
  minimise: [latency_ms, energy_mj]
  constraints: ["latency_ms <= 5"]
  trials: 10
"""


@pytest.mark.slow
def test_the_terminal_is_readable_at_80_columns(workdir, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    small_scenario(workdir)
    arguments = [
        "explore", "small.yaml", "--vary", "npu.array.columns=4,8,16", "--vary",
        "npu.dma.bandwidth=200MB/s,400MB/s,800MB/s", "--vary", "bus.clock=20MHz..160MHz",
        "--minimise", "area", "--constraint", "latency_ms <= 2", "--trials", "24",
        "--workers", "1", "--sampler", "random",
    ]  # fmt: skip
    assert entry(arguments) == 0
    told, _, _ = capsys.readouterr().out.partition("\nresults: ")
    lines = told.splitlines()
    assert max(map(len, lines[:-1])) <= 80
    heads = [line.split() for line in lines if line.startswith("parameter")]
    assert [line[-3] for line in heads] == ["area", "latency"]
    shares = [line for line in lines if line.startswith("bus.clock ")]
    assert all("MHz → " in line and "%" in line for line in shares), "no row is broken"
    assert "Of 24 designs, design 0" in told
    assert "has the least area of those with latency ≤ 2 ms:" in " ".join(told.split())


@pytest.mark.slow
def test_the_scenario_may_say_what_to_explore(workdir, capsys):
    scenario = str(small_scenario(workdir, SECTION))
    assert entry(["explore", scenario, "--workers", "1", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["objectives"] == ["latency_ms", "energy_mj"]
    assert data["constraints"] == ["latency_ms <= 5"]
    assert len(data["designs"]) == 10
    names = {path.name for path in (workdir / "results" / "small-explore").iterdir()}
    assert {"report.html", "designs.csv"} <= names
    front = [d["number"] for d in data["designs"] if d["on_front"]]
    assert {f"soc-{number:03d}.yaml" for number in front} <= names
