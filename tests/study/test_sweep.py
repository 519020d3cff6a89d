"""Sweeps: what is varied arrives, nothing runs twice, and the table and pictures are right."""

from __future__ import annotations

import io
import json
import shlex

import pytest

import hetsim
from hetsim.cli.main import entry
from hetsim.errors import ConfigError, ResultsError
from hetsim.scenario.loader import load_scenario
from hetsim.scenario.variants import varied
from hetsim.study.axes import asked_axes, parse_axis
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point, PointBench
from hetsim.study.result import page_of
from hetsim.study.sweep.pictures import curves, heatmap, pareto
from hetsim.study.sweep.quantities import as_numbers
from hetsim.study.sweep.study import sweep
from tests.study.samples import SCENARIO, loaded, small_scenario


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_each_row_is_what_run_would_give(tmp_path):
    scenario = small_scenario(tmp_path)
    rows = sweep(
        load_scenario(scenario),
        [parse_axis("npu.sram=64KiB,128KiB"), parse_axis("execution=barrier,dataflow")],
    ).rows
    assert len(rows) == 4
    for point, outcome in rows:
        [run] = hetsim.run(scenario, dict(point.design)).runs
        assert outcome.metrics == run.metrics
        assert outcome.utilization["npu"] == run.pus["npu"].utilization
        assert outcome.attribution_s == run.attribution


@pytest.mark.slow
def test_scheduler_parameters_and_socs_can_be_varied(tmp_path, monkeypatch):
    text = SCENARIO.replace("[type_based]", "[{name: slow.py:Slow, label: s}]")
    scenario = load_scenario(small_scenario(tmp_path, text=text))
    monkeypatch.setenv("PLANNED", str(tmp_path / "planned.txt"))
    done = sweep(scenario, [parse_axis("schedulers.s.seconds=0.0,0.001")])
    assert not done.failed
    plain = loaded(tmp_path)
    done = sweep(plain, [parse_axis("soc=edge-mcu,mobile-flagship")])
    mcu, phone = (outcome.makespan_s for _, outcome in done.rows)
    assert mcu > phone


def test_values_that_mean_the_same_run_once(tmp_path):
    bench = PointBench.of(loaded(tmp_path))

    def key(**design):
        values = {path.replace("_", "."): value for path, value in design.items()}
        return bench.key(Point("small", "type_based", values))

    assert key(npu_sram="1 MiB") == key(npu_sram="1024 KiB") == key(npu_sram="4x")
    assert len({key(), key(npu_sram="1 MiB"), key(seed=3), key(execution="barrier")}) == 4
    assert key() == PointBench.of(loaded(tmp_path)).key(Point("small", "type_based"))
    assert key() != PointBench.of(loaded(tmp_path, seed=1)).key(Point("small", "type_based"))


def test_a_scheduler_of_ones_own_runs_again_when_its_file_changes(tmp_path):
    text = SCENARIO.replace("type_based", "slow.py:Deadly")
    scenario = load_scenario(small_scenario(tmp_path, text=text))
    first = PointBench.of(scenario).key(Point("small", "slow.py:Deadly"))
    with (tmp_path / "slow.py").open("a") as file:
        file.write("# changed\n")
    assert PointBench.of(scenario).key(Point("small", "slow.py:Deadly")) != first


def test_outcomes_survive_json():
    outcome = Outcome({"makespan_s": 1 / 3}, utilization={"npu": 0.1}, seconds=2.0)
    assert Outcome.from_json(outcome.to_json()) == outcome
    changed = outcome.to_json().replace("0.1", "0.2")
    for text in ('{"other": 1}', changed, outcome.to_json()[:-9], "[" * 10_000, None):
        with pytest.raises(ResultsError, match="damaged"):
            Outcome.from_json(text)


@pytest.mark.parametrize(
    ("path", "complaint", "hint"),
    [
        ("npo.sram=1MiB,2MiB", "nothing is called 'npo'", "did you mean 'npu'"),
        ("npu.srem=1MiB,2MiB", "unknown field 'srem'.*all 2 values", ""),
        ("models.0=a,b", "cannot vary 'models.0'", "execution"),
        ("schedulers.hft.x=1,2", "'hft.x' is not LABEL.PARAMETER", "type_based"),
        ("execution=fast,slow", "fast", ""),
    ],
)
def test_paths_that_lead_nowhere_are_told_before_anything_runs(tmp_path, path, complaint, hint):
    with pytest.raises(ConfigError, match=complaint) as told:
        sweep(loaded(tmp_path), [parse_axis(path)])
    assert hint in str(told.value)


def test_a_design_that_makes_no_soc_is_a_row(tmp_path):
    done = sweep(loaded(tmp_path), [parse_axis("cpu.parallel_efficiency=0.5,1.5")])
    assert [outcome.error is None for _, outcome in done.rows] == [True, False]
    assert "1.5" in str(done.failed[0][1].error)


def test_a_variant_leaves_the_scenario_as_it_was(tmp_path):
    scenario = loaded(tmp_path)
    before = scenario.soc.spec.pus["npu"].sram
    changed = varied(scenario, {"npu.sram": "2x", "seed": 7, "soc.bus.clock": "1 GHz"})
    assert changed.soc.spec.pus["npu"].sram == 2 * before
    assert changed.seed == 7
    assert changed.soc.spec.links["bus"].clock == 1e9
    assert scenario.soc.spec.pus["npu"].sram == before
    assert scenario.seed == 0


@pytest.mark.slow
def test_the_table_goes_to_csv_json_parquet_and_html(tmp_path):
    pandas = pytest.importorskip("pandas")
    done = sweep(loaded(tmp_path), [parse_axis("npu.sram=64KiB,128KiB,0KiB")])
    table = done.table
    frame = pandas.read_csv(io.StringIO(table.to_csv()))
    assert list(frame["npu.sram"]) == ["64 KiB", "128 KiB", "0 KiB"]
    assert frame["makespan_s"][0] == done.rows[0][1].makespan_s
    assert frame["error"].notna().tolist() == [False, False, True]
    pytest.importorskip("pyarrow")
    table.to_parquet(tmp_path / "t.parquet")
    again = pandas.read_parquet(tmp_path / "t.parquet")
    assert again["makespan_s"][1] == done.rows[1][1].makespan_s
    assert ">64 KiB</t" in done._repr_html_()
    assert json.loads(json.dumps(table.to_records()))[0]["npu.sram"] == "64 KiB"


@pytest.mark.slow
def test_names_in_html_are_escaped(tmp_path):
    done = sweep(loaded(tmp_path), [parse_axis("npu.layout=<b>x</b>")])
    assert "<b>x" not in done._repr_html_()


@pytest.mark.slow
def test_pictures_show_the_numbers(tmp_path):
    done = sweep(
        loaded(tmp_path),
        [parse_axis("npu.sram=256KiB,64KiB,128KiB"), parse_axis("bus.clock=1x,2x")],
    )
    figure = curves(done.table, "npu.sram")
    [line] = figure.axes[0].lines
    best = [
        min(o.makespan_s for p, o in done.rows if p.design["npu.sram"] == size) * 1e3
        for size in ("64 KiB", "128 KiB", "256 KiB")
    ]
    assert list(line.get_ydata()) == pytest.approx(best)
    shown = heatmap(done.table, "npu.sram", "bus.clock").axes[0].images[0].get_array()
    assert shown.shape == (2, 3)
    assert shown[1, 2] == pytest.approx(done.rows[1][1].makespan_s * 1e3)  # 2x, 256 KiB
    assert pareto(done.table, "makespan_s", "energy_j").axes[0].get_xlabel().startswith("time")
    with pytest.raises(ConfigError, match="was not varied"):
        curves(done.table, "npu.srem")
    with pytest.raises(ConfigError, match="there is no 'power'"):
        curves(done.table, "npu.sram", "power")


def test_axes_are_numbers_only_when_all_values_are():
    assert as_numbers(["64 KiB", "1 MiB"]) == [65536.0, 1048576.0]
    assert as_numbers(["0.5x", "2x"]) == [0.5, 2.0]
    assert as_numbers([1, 2.5]) == [1.0, 2.5]
    assert as_numbers(["poll", "interrupt"]) is None
    assert as_numbers([True, False]) is None
    assert as_numbers(["1 KiB", "1 s"]) is None


SECTION = """
sweep:
  vary:
    npu.sram: 64KiB..256KiB:log2
    bus.clock: [80 MHz, 160 MHz]
"""


@pytest.mark.slow
def test_the_scenario_may_say_what_to_sweep(workdir, capsys):
    scenario = small_scenario(workdir, SECTION)
    assert entry(["sweep", str(scenario), "--workers", "1", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["axes"]["npu.sram"] == ["64 KiB", "128 KiB", "256 KiB"]
    assert len(data["rows"]) == 6
    written = {path.name for path in (workdir / "results" / "small-sweep").iterdir()}
    assert {"report.html", "sweep.csv", "sweep.json", "heatmap-small.svg"} <= written


def test_a_bad_range_in_the_file_is_blamed_on_its_line(tmp_path):
    scenario = small_scenario(tmp_path, SECTION.replace("64KiB..256KiB", "256KiB..64KiB"))
    assert entry(["sweep", str(scenario)]) == 2
    line = scenario.read_text().splitlines().index("    npu.sram: 256KiB..64KiB:log2") + 1
    loaded_one = load_scenario(scenario)
    with pytest.raises(ConfigError, match="must ascend") as told:
        asked_axes(loaded_one, (), "sweep")
    assert told.value.where.line == line


@pytest.mark.slow
def test_failed_rows_are_told_and_another_studys_directory_is_respected(workdir, capsys):
    scenario = str(small_scenario(workdir))
    first = ["sweep", scenario, "--vary", "npu.array.rows=8,0", "--workers", "1"]
    assert entry(first) == 2
    assert "1 of 2 runs failed" in capsys.readouterr().err
    assert entry([*first, "--quiet"]) == 2  # the same study again: replaced without asking
    capsys.readouterr()
    other = ["sweep", scenario, "--vary", "npu.array.rows=8,16", "--workers", "1", "--quiet"]
    assert entry(other) == 2
    assert "exists and is not empty" in capsys.readouterr().err
    assert entry([*other, "--force"]) == 0


@pytest.mark.slow
def test_the_page_tells_a_command_that_runs_the_fastest_row(workdir, capsys):
    (workdir / "mine").mkdir()
    path = small_scenario(workdir / "mine").relative_to(workdir)  # is not called like the scenario
    done = sweep(load_scenario(path), [parse_axis("npu.sram=64KiB,128KiB")])
    [_, runs] = page_of(done).sections
    assert runs.code is not None
    assert entry([*shlex.split(runs.code)[1:], "--json"]) == 0
    [run] = json.loads(capsys.readouterr().out)["runs"]
    fastest = min(outcome.makespan_s for _, outcome in done.rows)
    assert run["makespan_us"] == pytest.approx(fastest * 1e6)


def test_nothing_to_vary_is_told(workdir, capsys):
    assert entry(["sweep", str(small_scenario(workdir))]) == 2
    assert "nothing to vary" in capsys.readouterr().err


@pytest.mark.slow
def test_the_page_escapes_what_comes_from_files(workdir):
    text = SCENARIO.replace("name: small", 'name: "<script>alert(1)</script>"')
    scenario = str(small_scenario(workdir, text=text))
    arguments = ["--vary", "npu.sram=64KiB,128KiB", "--workers", "1", "-o", "out", "--quiet"]
    assert entry(["sweep", scenario, *arguments, "--store", "s.sqlite"]) == 0
    page = (workdir / "out" / "report.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    named = page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert "http" not in named
