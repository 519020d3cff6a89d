"""The names a notebook uses."""

from __future__ import annotations

import builtins

import pytest

import hetsim
from hetsim.errors import ConfigError, MissingExtraError, WorkloadError


@pytest.fixture(scope="module")
def result() -> hetsim.Result:
    return hetsim.run("paper_one")


@pytest.mark.slow
def test_run_takes_a_name_a_path_or_a_scenario(result):
    scenario = hetsim.load_scenario("paper_one")
    for given in (scenario, scenario.source):
        again = hetsim.run(given, schedulers=["type_based"])
        assert again.runs[0].makespan_s == result.find("squeezenet", "type_based").makespan_s


@pytest.mark.slow
def test_run_tells_its_progress_up_to_the_end():
    told: list[tuple[str, int, int]] = []
    hetsim.run("paper_one", progress=lambda what, done, total: told.append((what, done, total)))
    assert [done for _, done, _ in told] == [0, 1, 2]
    assert {total for _, _, total in told} == {2}
    assert "type_based" in told[0][0]


@pytest.mark.slow
@pytest.mark.parametrize("load", [str, hetsim.load_scenario])
def test_overrides_change_the_soc_of_a_scenario_named_or_loaded(result, load):
    slow = hetsim.run(load("paper_one"), {"cpu.operating_points.nominal.clock": "0.5x"})
    assert all(a.makespan_s > b.makespan_s for a, b in zip(slow.runs, result.runs, strict=True))


@pytest.mark.slow
def test_simulate_repeats_what_run_found(result):
    row = result.find("squeezenet", "partition_tuner")
    again = hetsim.simulate(result.soc, row.graph, row.plan, execution=result.execution)
    assert again.makespan_s == row.makespan_s


def test_load_model_knows_names_and_files(tmp_path):
    assert len(hetsim.load_model("squeezenet")) > 60
    with pytest.raises(WorkloadError, match="there is no network"):
        hetsim.load_model("squeezenot")
    with pytest.raises(WorkloadError, match="nothere"):
        hetsim.load_model(tmp_path / "nothere.onnx")


def test_the_data_frame_has_a_row_for_each_run_and_launch(result):
    pytest.importorskip("pandas")
    frame = result.to_dataframe()
    assert list(frame["scheduler"]) == ["type_based", "partition_tuner"]
    assert list(frame["makespan_s"]) == [run.makespan_s for run in result.runs]
    assert frame["utilization.npu"].between(0, 1).all()
    assert frame["error"].isna().all()
    launches = result.runs[0].to_dataframe()
    assert len(launches) == len(result.runs[0].operators)
    assert launches["end_s"].max() <= result.runs[0].makespan_s


def test_without_pandas_the_message_names_the_command(result, monkeypatch):
    genuine = builtins.__import__

    def without_pandas(name: str, *rest: object, **named: object) -> object:
        if name == "pandas":
            raise ImportError(name)
        return genuine(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    with pytest.raises(MissingExtraError) as caught:
        result.to_dataframe()
    assert caught.value.hint == "install it with: pip install 'hetsim[data]'"


def test_choices_keep_what_the_scenario_says_about_a_scheduler(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(
        "hetsim: scenario/1\nname: own\nsoc: edge-mcu\nmodels: [squeezenet, googlenet]\n"
        "schedulers:\n- heft\n"
        "- {name: partition_tuner, label: tuned, parameters: {switch_penalty_s: 0.0}}\n",
        encoding="utf-8",
    )
    from hetsim.scenario.choices import choose

    scenario = hetsim.load_scenario(path)
    chosen = choose(scenario, models=["googlenet"], schedulers=["tuned", "mosaic"])
    assert [m.name for m in chosen.models] == ["googlenet"]
    assert [(s.name, s.label) for s in chosen.schedulers] == [
        ("partition_tuner", "tuned"),
        ("mosaic", "mosaic"),
    ]
    assert chosen.schedulers[0].parameters == {"switch_penalty_s": 0.0}
    assert choose(scenario) == scenario
    with pytest.raises(ConfigError, match="given twice"):
        choose(scenario, models=["googlenet", "googlenet"])


def test_a_printed_result_fits_on_a_screen(result):
    assert len(repr(result)) < 10_000
