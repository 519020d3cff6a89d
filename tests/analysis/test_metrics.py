"""A metric is one object: registered once, it is told everywhere, and nothing else is touched."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

import hetsim
from hetsim.analysis.metrics import registry
from hetsim.analysis.metrics.base import Metric
from hetsim.analysis.result import Result
from hetsim.cli.main import entry
from hetsim.errors import ConfigError, HetsimError
from hetsim.report.diff import diff_results, diff_to_dict, read_side
from hetsim.report.files.jsonout import dumps, result_to_dict
from hetsim.report.files.rebuild import load_result
from hetsim.report.files.resultfile import ResultFile, result_json_schema
from hetsim.report.files.writer import write_results
from hetsim.report.page.run import render_report
from hetsim.report.text.diff import print_diff
from hetsim.report.text.run import print_result
from hetsim.study.axes import parse_axis
from hetsim.study.compare.report import compare_files, table
from hetsim.study.explore.objectives import label, parse_constraint, parse_objectives
from hetsim.study.explore.report import explore_files, front_table
from hetsim.study.explore.study import explore
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point, PointBench
from hetsim.study.store import Store
from hetsim.study.sweep.pictures import curves, heatmap, pareto
from hetsim.study.sweep.report import sweep_files
from hetsim.study.sweep.study import sweep
from tests.study.samples import loaded, small_scenario

WARMTH = Metric(
    "warmth", "warmth of a run", "twice the energy",
    of=lambda run: 2 * (run.metrics["energy_j"] or 0.0),
    dimension="energy", better="less", joint="sum",
)  # fmt: skip
HASTE = Metric(
    "haste", "haste of a run", "inferences a second",
    of=lambda run: 1 / run.trace.makespan_s,
    unit="Hz", better="more", heading="how hasty", stands="front",
)  # fmt: skip
WEIGHT = Metric(
    "weight", "weight", "of the SoC",
    of_soc=lambda soc: 7.0 + soc.links["bus"].bandwidth[0] / 1e12,
    unit="g", better="less", joint="first", state_it="weigh it",
)  # fmt: skip


AXES = [parse_axis("npu.sram=64KiB,128KiB"), parse_axis("bus.clock=1x,2x")]


class Registered:
    """An entry point."""

    value = "somewhere:METRIC"

    def __init__(self, name: str, result: object) -> None:
        self.name, self.result = name, result

    def load(self) -> object:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def install(monkeypatch):
    def add(*found: object) -> None:
        points = [Registered(str(getattr(m, "name", "made-up")), m) for m in found]
        known = {registry.GROUP: points}
        monkeypatch.setattr("hetsim.plugins.entry_points", lambda group: known.get(group, []))
        registry.metrics.cache_clear()

    yield add
    monkeypatch.undo()
    registry.metrics.cache_clear()


@pytest.fixture
def installed(install):
    install(WARMTH, HASTE, WEIGHT)
    return install


@pytest.fixture
def result(installed, tmp_path) -> Result:
    return hetsim.run(small_scenario(tmp_path))


def printed(show, value) -> str:
    console = Console(file=io.StringIO(), width=200)
    show(value, console)
    return console.file.getvalue()


# ---- one run


def test_a_run_holds_it_in_si_units_and_later_metrics_read_earlier_ones(result):
    [run] = result.runs
    assert run.metrics["warmth_j"] == 2 * run.energy_j > 0
    assert run.metrics["haste"] == 1 / run.makespan_s
    assert run.metrics["weight"] > 7


def test_result_json_has_it_by_the_rule_of_its_dimension(result):
    [row] = result_to_dict(result)["runs"]
    [run] = result.runs
    assert row["warmth_uj"] == round(run.metrics["warmth_j"] * 1e6, 6)
    assert row["haste"] == round(run.metrics["haste"], 9)
    assert "weight" not in row  # the SoC's, not the run's
    names = list(row)
    assert names.index("gap") < names.index("haste") < names.index("operators")
    assert names.index("energy_uj") < names.index("warmth_uj") < names.index("files")


def test_its_schema_names_it_and_files_of_others_are_read_without_it(result, install):
    described = result_json_schema()["$defs"]["RunEntry"]
    assert described["properties"]["warmth_uj"]["description"] == "twice the energy"
    assert "haste" in described["required"]
    assert "weight" not in described["properties"]
    document = json.loads(dumps(result_to_dict(result)))
    assert list(document["runs"][0]) == [n for n in described["properties"] if n != "error"]
    install()
    assert "haste" not in result_json_schema()["$defs"]["RunEntry"]["properties"]
    [row] = ResultFile.model_validate(document).runs
    assert row.metrics["warmth_uj"] == document["runs"][0]["warmth_uj"]
    document["runs"][0]["warmth_uj"] = "hot"
    with pytest.raises(ValueError, match="warmth_uj"):
        ResultFile.model_validate(document)


@pytest.mark.slow
def test_tables_of_runs_have_a_column(result):
    [run] = result.runs
    text = f"{run.metrics['haste']:.4g} Hz"
    assert "how hasty" in printed(print_result, result)
    assert text in printed(print_result, result)
    page = render_report(result)
    assert '<th scope="col" class="n">how hasty</th>' in page
    assert f'<td class="n">{text}</td>' in page
    assert "how hasty" in result._repr_html_()
    assert text in result._repr_html_()


def test_what_is_no_column_is_told_beside(result):
    [run] = result.runs
    assert f"warmth {run.metrics['warmth_j'] * 1e3:.4g} mJ" in run._repr_html_()
    assert '["warmth","' in render_report(result)


@pytest.mark.slow
def test_data_frames_have_a_column(result):
    pytest.importorskip("pandas")
    frame = result.to_dataframe()
    assert frame["warmth_j"][0] == result.runs[0].metrics["warmth_j"]
    assert frame["haste"][0] == result.runs[0].metrics["haste"]


@pytest.mark.slow
def test_archives_keep_it_where_it_is_not_installed(result, install, tmp_path):
    write_results(result, tmp_path / "out")
    assert load_result(tmp_path / "out").runs[0].metrics == result.runs[0].metrics
    install()
    again = load_result(tmp_path / "out")
    assert again.runs[0].metrics == result.runs[0].metrics
    [row], [was] = (result_to_dict(r)["runs"] for r in (again, result))
    assert row["warmth_uj"] == was["warmth_uj"]
    if pytest.importorskip("pandas"):
        assert again.to_dataframe()["warmth_j"][0] == result.runs[0].metrics["warmth_j"]
    assert "warmth" in again.runs[0]._repr_html_()


def test_a_later_proof_is_read_again(result):
    [run] = result.runs
    proof = dataclasses.replace(run.bounds[0], seconds=run.makespan_s)
    better = run.with_bounds((*run.bounds, proof))
    assert better.lower_bound_s == run.makespan_s
    assert better.gap == 0.0
    assert better.metrics["warmth_j"] == run.metrics["warmth_j"]


# ---- differences


@pytest.mark.slow
def test_a_diff_tells_of_it(installed, install, tmp_path):
    scenario = small_scenario(tmp_path)
    for name, changes in (("a", {}), ("b", {"sdram.energy_per_byte": "2x"})):
        write_results(hetsim.run(scenario, changes), tmp_path / name)
    for told_as in ("warmth", "warmth_uj"):
        a, b = (read_side(tmp_path / name) for name in ("a", "b"))
        diff = diff_results(a, b)
        [row] = diff_to_dict(diff)["rows"]
        assert row["metrics"]["warmth_uj"] == tuple(
            side.runs["small", "type_based"].metrics["warmth_uj"] for side in (a, b)
        )
        assert "haste" not in row["metrics"]
        assert not row["changed"]  # that is about the makespan
        assert f"{told_as} " in printed(print_diff, diff)
        assert not dataclasses.replace(diff, soc={}).same
        install()  # the second time by somebody who does not have it


# ---- studies


@pytest.mark.slow
def test_sweeps_have_columns_pictures_and_a_page(installed, tmp_path):
    done = sweep(loaded(tmp_path), AXES)
    names = ("warmth_j", "haste", "weight")
    page, files = sweep_files(done)
    head, first, *_ = csv.reader(io.StringIO(files["sweep.csv"]))
    values = dict(zip(head, first, strict=True))
    metrics = done.rows[0][1].metrics
    assert [float(values[name]) for name in names] == [metrics[name] for name in names]
    rows = json.loads(files["sweep.json"])["rows"]
    assert [rows[0][name] for name in names] == [metrics[name] for name in names]
    shown = next(section.table for section in page.sections if section.table is not None)
    assert {"warmth", "weight"} <= set(shown.columns)
    assert {"pareto-warmth.svg", "pareto-weight.svg"} <= files.keys()
    assert "warmth" in done._repr_html_()
    figure = done.figures()["pareto-warmth"]
    assert figure.axes[0].get_ylabel() == "warmth of a run (mJ)"


@pytest.mark.slow
def test_pictures_show_the_best_whichever_way_that_is(installed, tmp_path):
    done = sweep(loaded(tmp_path), AXES)
    for name, best in (("haste", max), ("warmth_j", min)):
        wanted = [
            best(o.metrics[name] for p, o in done.rows if p.design["npu.sram"] == size)
            for size in ("64 KiB", "128 KiB")
        ]
        scale = 1e3 if name == "warmth_j" else 1.0
        axes = curves(done.table, "npu.sram", name).axes[0]
        assert list(axes.lines[0].get_ydata()) == pytest.approx([v * scale for v in wanted])
    assert axes.get_ylabel() == "warmth of a run (mJ)"
    # Haste is 1/time, so the fastest run alone is on the front.
    front = pareto(done.table, "makespan_s", "haste").axes[0].collections[-1]
    fastest = min(o.makespan_s for _, o in done.rows)
    assert [list(at) for at in front.get_offsets()] == [
        [pytest.approx(fastest * 1e3), pytest.approx(1 / fastest)]
    ]
    shown = heatmap(done.table, "npu.sram", "bus.clock", "warmth_j").axes
    assert shown[1].get_ylabel() == "warmth of a run (mJ)"


@pytest.mark.slow
def test_comparisons_have_a_row_and_a_column(installed, tmp_path):
    both = hetsim.compare(small_scenario(tmp_path), {"fast": {"bus.clock": "2x"}})
    rows = {row[0]: row[1:] for row in table(both, "small").rows}
    runs = [variant.best("small") for variant in both.variants]
    assert rows["warmth"] == [f"{run.metrics['warmth_j'] * 1e3:.4g} mJ" for run in runs]
    _, files = compare_files(both)
    lines = list(csv.DictReader(io.StringIO(files["compare.csv"])))
    wanted = [pytest.approx(run.metrics["warmth_j"] * 1e6) for run in runs]
    assert [float(line["warmth_uj"]) for line in lines] == wanted


@pytest.mark.slow
def test_it_can_be_minimised_and_demanded(installed, tmp_path):
    pytest.importorskip("optuna")
    limit = parse_constraint("haste >= 700")
    study = explore(
        loaded(tmp_path), [parse_axis("bus.clock=0.25x,1x,2x")], trials=6, constraints=[limit],
        minimise=["warmth_mj", "weight"],
    )  # fmt: skip
    rows = {p.design["bus.clock"]: o.metrics for p, o in sweep(loaded(tmp_path), study.axes).rows}
    for design in study.designs:
        metrics = rows[design.values["bus.clock"]]
        assert design.measures["warmth_mj"] == metrics["warmth_j"] / 1e-3
        assert design.measures["weight"] == metrics["weight"]
        assert design.feasible == (metrics["haste"] >= 700)
    assert 0 < study.killed()["haste >= 700"] < len(study.designs)
    assert front_table(study).columns[1:4] == ["weight (g)", "warmth (mJ)", "haste (Hz)"]
    _, files = explore_files(study)
    assert "warmth_mj" in files["designs.csv"].splitlines()[0]
    assert "pareto-warmth_mj-weight" in study.figures()


@pytest.mark.slow
def test_the_command_line_knows_it(installed, tmp_path, monkeypatch, capsys):
    pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    scenario = str(small_scenario(tmp_path))
    vary = ["--vary", "bus.clock=1x,2x", "--trials", "2", "--workers", "1", "--force"]
    assert entry(["explore", scenario, *vary, "--minimise", "warmth_uj"]) == 0
    assert "warmth (µJ)" in capsys.readouterr().out
    assert entry(["explore", scenario, *vary, "--minimise", "warmth_l"]) == 2
    assert "did you mean 'warmth_j'" in capsys.readouterr().err
    assert entry(["explore", scenario, *vary, "--minimise", "haste"]) == 2
    assert "--constraint 'haste >= NUMBER'" in capsys.readouterr().err


def test_names_are_those_of_the_metrics_in_every_unit():
    told = {name: label(name) for name in ("latency_s", "latency_us", "energy_mj", "area", "cost")}
    assert told == {
        "latency_s": "latency (s)", "latency_us": "latency (µs)", "energy_mj": "energy (mJ)",
        "area": "area (mm²)", "cost": "cost",
    }  # fmt: skip
    assert parse_objectives(["makespan_ns"]) == ("makespan_ns",)
    with pytest.raises(ConfigError, match="minimised twice"):
        parse_objectives(["latency_ms", "makespan_us"])


def test_a_soc_without_it_is_told_before_anything_runs(install, tmp_path):
    pytest.importorskip("optuna")
    install(dataclasses.replace(WEIGHT, of_soc=lambda soc: None))
    with pytest.raises(ConfigError, match="states no weight") as told:
        explore(loaded(tmp_path), [parse_axis("bus.clock=1x,2x")], minimise=["weight"])
    assert told.value.hint == "weigh it"


def test_stores_keep_it_and_know_what_they_have_not_measured(install, tmp_path):
    point = Point("small", "type_based", {})
    before = PointBench.of(loaded(tmp_path)).key(point)
    install(WARMTH)
    bench = PointBench.of(loaded(tmp_path))
    assert bench.key(point) != before
    outcome = bench.evaluate(point)
    assert Outcome.from_json(outcome.to_json()) == outcome
    with Store(tmp_path / "s.sqlite", "small") as store:
        store.put("k", point, outcome)
        assert store.get("k").metrics["warmth_j"] == outcome.metrics["warmth_j"] > 0


# ---- what cannot be used


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        (ImportError("no such file"), "cannot be loaded: no such file"),
        ("a text", "is not a hetsim.analysis.metrics.base.Metric"),
        (dataclasses.replace(WARMTH, of=None), "or else 'of_soc'"),
        (dataclasses.replace(WARMTH, dimension="charm"), "dimension 'charm'; there are bandwidth"),
        (dataclasses.replace(WARMTH, name="cosy warmth"), "'cosy warmth', which is no identifier"),
        (dataclasses.replace(WARMTH, name="energy"), "name that is already in use: energy"),
        (dataclasses.replace(HASTE, name="energy_mj"), "name that is already in use: energy_mj"),
        (dataclasses.replace(HASTE, name="files"), "name that is already in use: files"),
        (dataclasses.replace(WARMTH, aliases=("latency",)), "name that is already in use: latency"),
    ],
)
def test_an_entry_point_that_is_no_metric_is_told(install, found, complaint):
    install(found)
    with pytest.raises(ConfigError, match=complaint):
        registry.metrics()


def test_a_metric_that_raises_is_named_and_nonsense_is_nothing(install, tmp_path: Path):
    install(dataclasses.replace(WARMTH, of=lambda run: run.nothing))
    with pytest.raises(HetsimError, match="metric 'warmth' raised AttributeError"):
        hetsim.run(small_scenario(tmp_path))
    install(dataclasses.replace(WARMTH, of=lambda run: float("nan")))
    [run] = hetsim.run(tmp_path / "small.yaml").runs
    assert run.metrics["warmth_j"] is None
