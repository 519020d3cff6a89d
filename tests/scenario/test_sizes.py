"""Sizes of networks in scenarios: in the file, on the command line, and as what a study varies."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

import hetsim
from hetsim.cli.main import entry
from hetsim.errors import ConfigError, HetsimError
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import load_scenario
from hetsim.scenario.variants import varied
from hetsim.study.axes import check_axes, parse_axis
from hetsim.study.point import Point, PointBench
from hetsim.study.sweep.study import sweep
from hetsim.workload.sizes import Sizes
from tests.workload.samples import model, node, weight

SCENARIO = """\
hetsim: scenario/1
name: words
soc: edge-mcu
{top}models:
- {{path: words.onnx{own}}}
- squeezenet
schedulers: [cpu_only]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    nodes = [node("MatMul", ["x", "w"], "m"), node("Relu", ["m"], "y")]
    proto = model(nodes, {"x": ["batch", "seq", 8]}, ["y"], {"w": weight(8, 16)})
    onnx.save(proto, tmp_path / "words.onnx")
    finder = [node("NonZero", ["x"], "found"), node("Cast", ["found"], "y", to=1)]
    onnx.save(model(finder, {"x": [4, 4]}, ["y"]), tmp_path / "finder.onnx")
    return tmp_path


def write(folder: Path, top: str = "", own: str = "") -> Path:
    path = folder / "words.yaml"
    path.write_text(SCENARIO.format(top=top, own=own), encoding="utf-8")
    return path


def dims(scenario: hetsim.Scenario) -> list[dict[str, int]]:
    return [dict(ref.sizes.dims) for ref in scenario.models]


def test_dimensions_for_all_models_and_for_one(folder: Path) -> None:
    path = write(folder, "dims: {batch: 2, seq: 6}\n", ", dims: {seq: 9}")
    scenario = load_scenario(path)
    assert dims(scenario) == [{"batch": 2, "seq": 9}, {"batch": 2}]
    assert dims(load_scenario(path, {"dims.seq": "12"}))[0] == {"batch": 2, "seq": 12}
    assert dims(varied(scenario, {"dims.seq": 3}))[0] == {"batch": 2, "seq": 3}
    assert dims(choose(scenario, sizes=Sizes(dims={"batch": 5}))) == [
        {"batch": 5, "seq": 9}, {"batch": 5},
    ]  # fmt: skip
    other = choose(scenario, models=["words.onnx"], sizes=Sizes(dims={"seq": 4}))
    assert dims(other) == [{"batch": 2, "seq": 4}]


@pytest.mark.parametrize(
    ("top", "own", "message"),
    [
        ("dims: {sequence: 6}\n", "", "words.yaml:4:7: no model has an open dimension 'sequence'"),
        ("dims: {seq: 0}\n", "", "words.yaml:4:13"),
        ("", ", dims: {seq: many}", "words.yaml:5:34"),
        ("", ", max_output: {y: 0}", "words.yaml:5:38: models[0].max_output.y: 0 is out of range"),
        ("", ", max_output: {y: [1, 0]}", "words.yaml:5:42"),
    ],
)
def test_a_wrong_size_is_told_with_its_place(
    folder: Path, top: str, own: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_scenario(write(folder, top, own))
    assert message in str(caught.value)


def test_a_models_own_dimension_that_it_lacks_is_an_error(folder: Path) -> None:
    scenario = load_scenario(write(folder, own=", dims: {batch: 1, sec: 4}"))
    with pytest.raises(HetsimError, match="dims names 'sec'") as caught:
        PointBench.of(scenario)
    assert "did you mean 'seq'" in str(caught.value)


@pytest.mark.slow
def test_options_of_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder)
    run = ["run", "words.yaml", "--no-files", "--json"]
    assert entry([*run, "--dim", "batch=1", "--dim", "seq=5"]) == 0
    first, second = json.loads(capsys.readouterr().out)["runs"]
    assert first["makespan_us"] < second["makespan_us"]
    assert entry([*run, "--model", "finder.onnx"]) == 2
    assert "--max-output found=N" in capsys.readouterr().err
    assert entry([*run, "--model", "finder.onnx", "--max-output", "NonZero=7"]) == 0
    capsys.readouterr()
    for option, given, reason in (
        ("--dim", "seq", "'seq' is not a size"),
        ("--dim", "seq=1x2", "'seq=1x2' is not a size"),
        ("--dim", "sec=4", "no model has an open dimension 'sec'"),
        ("--max-output", "found=x", "'found=x' is not a size"),
        ("--max-output", "found=7", "no models"),
    ):
        assert entry([*run, option, given]) == 2
        assert reason in capsys.readouterr().err
    assert entry([*run, "--dim", "seq=1", "--dim", "seq=2"]) == 2
    assert "given twice" in capsys.readouterr().err


def test_an_unknown_dimension_fails_before_the_study(folder: Path) -> None:
    scenario = load_scenario(write(folder))
    with pytest.raises(ConfigError, match="no model has an open dimension 'sec'"):
        check_axes(scenario, [parse_axis("dims.sec=1..4")])
    with pytest.raises(ConfigError, match="not the size of a dimension"):
        check_axes(scenario, [parse_axis("dims.seq=0.5,0.7")])
    with pytest.raises(ConfigError, match="did you mean 'seq'"):
        check_axes(scenario, [parse_axis("dims.sequ=1,2")])


@pytest.mark.slow
def test_a_dimension_is_an_axis_and_each_row_is_what_run_would_give(folder: Path) -> None:
    path = write(folder)
    done = sweep(
        load_scenario(path),
        [parse_axis("dims.seq=8..32:log2"), parse_axis("dims.batch=1,2")],
    )
    rows = [(point, outcome) for point, outcome in done.rows if point.model == "words"]
    assert len(rows) == 6
    for point, outcome in rows:
        run = next(r for r in hetsim.run(path, dict(point.design)).runs if r.model == "words")
        assert outcome.metrics == run.metrics
    times = {tuple(p.design.values()): outcome.makespan_s or 0.0 for p, outcome in rows}
    assert times[8, 1] < times[16, 1] < times[32, 1]
    assert times[16, 2] == pytest.approx(times[32, 1]), "two sentences of 16 are 32 words"


def test_points_of_other_dimensions_are_other_points(folder: Path) -> None:
    bench = PointBench.of(load_scenario(write(folder)), {"dims.seq": 8, "dims.batch": 1})

    def key(seq: int, name: str = "words") -> str:
        return bench.key(Point(name, "cpu_only", {"dims.seq": seq, "dims.batch": 1}))

    assert len({key(8), key(16), key(32)}) == 3
    assert key(8, "squeezenet") == key(16, "squeezenet"), "which has no such dimension"
    failed = bench.evaluate(Point("words", "cpu_only", {"dims.seq": 2**31 - 1, "dims.batch": 1}))
    assert failed.error
