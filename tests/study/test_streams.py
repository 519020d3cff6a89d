"""Studies of scenarios with streams: judged by all of them together, told of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from hetsim.errors import ConfigError
from hetsim.runs.serving import run_service
from hetsim.scenario.loader import Scenario, load_scenario
from hetsim.scenario.refs import ALL_STREAMS
from hetsim.scenario.variants import varied
from hetsim.study.axes import parse_axis
from hetsim.study.compare.study import compare
from hetsim.study.explore.designs import design_files
from hetsim.study.explore.objectives import measure, parse_constraint, parse_objectives
from hetsim.study.explore.study import explore
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point, PointBench, points_of
from hetsim.study.result import page_of
from hetsim.study.sweep.study import sweep
from hetsim.study.whatif.study import whatif

TEXT = """
hetsim: scenario/1
name: two
soc: edge-mcu
models: [ds_cnn, resnet8]
schedulers: [npu_only, cpu_only]
streams:
  - {name: words, model: ds_cnn, arrivals: {kind: periodic, period: 20 ms}, deadline: 20 ms}
  - {name: seen, model: resnet8, arrivals: {kind: poisson, period: 25 ms}, priority: 1}
serve: {duration: 1 s}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    file = tmp_path / "two.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return load_scenario(file)


@pytest.mark.slow
def test_a_point_is_what_run_measures_of_all_streams_and_of_each(scenario):
    bench = PointBench.of(scenario)
    found = {p.scheduler: bench.evaluate(p) for p in points_of(scenario, [{}])}
    for run in run_service(scenario).runs:
        outcome = found[run.label]
        assert {k: outcome.metrics[k] for k in run.metrics} == run.metrics
        own = run.stream("words").metrics["latency_p99_s"]
        assert outcome.metrics["words.latency_p99_s"] == own


def test_points_of_other_streams_have_other_keys(scenario):
    bench, (point, *_) = PointBench.of(scenario), points_of(scenario, [{}])
    file = Path(scenario.source)
    file.write_text(TEXT.replace("period: 25 ms", "period: 26 ms"), encoding="utf-8")
    other = PointBench.of(load_scenario(file))
    assert point.model == ALL_STREAMS
    assert bench.key(point) != other.key(point)
    assert bench.key(point) == PointBench.of(scenario).key(point)


@pytest.mark.slow
def test_a_sweep_is_a_table_of_the_streams_metrics(scenario):
    found = sweep(scenario, [parse_axis("npu.sram=64KiB,1MiB")])
    assert len(found.rows) == 4
    columns = found.table.columns
    assert {"latency_p99_s", "words.miss_rate", "seen.throughput", "utilization.npu"} <= {*columns}
    assert "makespan_s" not in columns
    assert found.table.lead == "latency_p99_s"


@pytest.mark.slow
def test_the_smallest_sram_that_keeps_a_streams_deadline(scenario):
    pytest.importorskip("optuna", reason="optuna is not installed")
    axis = parse_axis("npu.sram=32KiB,64KiB,128KiB,1MiB")
    limit = parse_constraint("seen.latency_p99_ms <= 1.2")
    found = explore(
        scenario, [axis], minimise=["area"], trials=12, constraints=[limit], sampler="random"
    )
    assert len(found.tried) > 1
    by_size = sorted(found.ran, key=lambda design: design.measures["area"])
    for design in by_size:
        bench = varied(scenario, design.values)
        best = min(run_service(bench).runs, key=lambda run: run.merit or ())
        told = best.stream("seen").metrics["latency_p99_s"]
        assert design.measures["seen.latency_p99_ms"] == pytest.approx(told * 1e3)
        assert design.feasible == (told <= 1.2e-3)
    assert 0 < len(found.feasible) < len(found.ran)


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        ("wrods.latency_p99_ms", "there is no stream 'wrods'"),
        ("latency_ms", "measured of single inferences"),
        ("words.makespan_ms", "there is no measure 'words.makespan_ms'"),
        ("words.latency_p98_ms", "did you mean 'words.latency_p9[09]_ms'. known, .*latency_p99_s"),
    ],
)
def test_what_is_not_measured_of_streams_is_told(scenario, measure, told):
    pytest.importorskip("optuna", reason="optuna is not installed")
    axis = parse_axis("npu.sram=64KiB,1MiB")
    with pytest.raises(ConfigError, match=told):
        explore(scenario, [axis], minimise=[measure], trials=2)


def test_measures_of_a_stream_are_read_with_their_units():
    assert parse_constraint(" my cam.latency_p99_ms<=33 ").measure == "my cam.latency_p99_ms"
    assert parse_objectives(["words.latency_p50_us"]) == ("words.latency_p50_us",)
    with pytest.raises(ConfigError, match="is minimised twice"):
        parse_objectives(["words.latency_p50_us", "words.latency_p50_ms"])
    with pytest.raises(ConfigError, match="more words throughput is better"):
        parse_objectives(["words.throughput"])


@pytest.mark.slow
def test_a_design_is_written_with_its_streams(scenario, tmp_path):
    files = design_files(scenario, {"npu.sram": "64 KiB"}, "1", "")
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    again = load_scenario(tmp_path / "run-1.yaml")
    runs = [run_service(s).runs for s in (again, varied(scenario, {"npu.sram": "64 KiB"}))]
    assert [run.metrics for run in runs[0]] == [run.metrics for run in runs[1]]


@pytest.mark.slow
def test_variants_stand_side_by_side_and_draw_the_same_arrivals(scenario):
    found = compare(scenario, {"slow": {"npu.dispatch": "2 ms"}})
    first, slow = found.variants
    assert first.best is not None
    assert slow.best is not None
    for name in ("words", "seen"):
        ledgers = [v.best.served.ledgers[name] for v in found.variants]
        assert sorted(ledgers[0].arrival) == sorted(ledgers[1].arrival)
    assert first.best.merit < slow.best.merit
    page = page_of(found)
    assert page.headline.startswith("Best is as it is: p99 ")
    assert [section.title for section in page.sections] == [
        "all streams", "words", "seen", "Variants"
    ]  # fmt: skip


@pytest.mark.slow
def test_what_a_faster_unit_is_worth_to_one_stream(scenario):
    [found] = whatif(scenario, only=["npu.dispatch"], measure="words.latency_p50").networks
    assert found.model == ALL_STREAMS
    assert found.judged_by == "median latency of words"
    [dispatch] = found.sensitivities
    runs = [run_service(varied(scenario, effect.change.values)).runs for effect in dispatch.effects]
    for effect, (npu_only, _) in zip(dispatch.effects, runs, strict=True):
        own = npu_only.stream("words").metrics["latency_p50_s"]
        assert effect.replanned_s == pytest.approx(own)
    assert dispatch.less.best_s < found.base_s < dispatch.more.best_s


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        ("wrods.latency_p50", "no stream is called 'wrods'"),
        ("misses", "'misses' is no time"),
        ("words.latency_p98", "did you mean 'latency_p99'. known: latency_mean, latency_p50, "),
    ],
)
def test_what_streams_are_not_judged_by_is_told(scenario, measure, told):
    with pytest.raises(ConfigError, match=told):
        whatif(scenario, only=["npu.dispatch"], measure=measure)


def test_a_design_is_judged_by_whoever_misses_the_least_then_by_the_tail():
    """A short tail of what was not given up is no merit."""
    drops = Outcome(metrics={"miss_rate": 0.2, "latency_p99_s": 1e-3, "misses": 20.0})
    keeps = Outcome(metrics={"miss_rate": 0.0, "latency_p99_s": 5e-3, "misses": 0.0})
    slower = Outcome(metrics={"miss_rate": 0.0, "latency_p99_s": 6e-3, "misses": 0.0})
    rows = [
        (Point(ALL_STREAMS, who), found)
        for who, found in (("a", drops), ("b", slower), ("c", keeps))
    ]
    assert measure(rows, ["misses", "latency_p99_ms"])[0] == {"misses": 0.0, "latency_p99_ms": 5.0}
    alone = Outcome(metrics={"makespan_s": 1e-3})
    assert alone.merit == (0.0, 1e-3)
