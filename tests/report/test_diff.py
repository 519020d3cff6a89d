"""What ``hetsim diff`` finds between two results, and what it says to the shell."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import hetsim
from hetsim.cli.main import entry
from hetsim.errors import ResultsError
from hetsim.report.diff import diff_results, read_side
from hetsim.report.files.rebuild import load_result
from hetsim.report.files.writer import write_results


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("diff")
    changes = {"a": {}, "b": {"dram.bandwidth": "0.1x"}}
    for name, overrides in changes.items():
        schedulers = ["type_based", "heft"] if name == "a" else ["type_based", "cpu_only"]
        write_results(hetsim.run("paper_one", overrides, schedulers=schedulers), folder / name)
    return {name: folder / name for name in changes}


@pytest.mark.slow
def test_a_result_does_not_differ_from_itself(places: dict[str, Path]) -> None:
    side = read_side(places["a"])
    diff = diff_results(side, side)
    assert diff.same
    assert [row.ratio for row in diff.rows] == [1.0, 1.0]
    assert all(row.plans_known and row.plan is None for row in diff.rows)


@pytest.mark.slow
def test_makespans_attribution_and_soc_are_compared(places: dict[str, Path]) -> None:
    a, b = read_side(places["a"]), read_side(places["b"])
    diff = diff_results(a, b)
    assert not diff.same
    assert diff.settings == {}
    (change,) = diff.soc.items()
    assert change[0].endswith("dram.bandwidth") or change[0].startswith("memory")
    slower = next(row for row in diff.rows if row.status == "both")
    left, right = a.runs[slower.model, "type_based"], b.runs[slower.model, "type_based"]
    assert slower.ratio == pytest.approx(left.makespan_us / right.makespan_us)
    assert slower.ratio < 1
    # What came and went of the time is what came of the makespan.
    assert sum(slower.attribution_us.values()) == pytest.approx(
        right.makespan_us - left.makespan_us, rel=1e-3
    )
    statuses = {row.scheduler: row.status for row in diff.rows}
    assert statuses == {"type_based": "both", "heft": "only a", "cpu_only": "only b"}


@pytest.mark.slow
def test_operators_that_moved_are_counted(places: dict[str, Path], tmp_path: Path) -> None:
    """The plans of two schedulers under one name: as many moves as operators on other units."""
    full = load_result(places["a"])
    for name, scheduler in (("x", "type_based"), ("y", "heft")):
        row = next(run for run in full.runs if run.scheduler == scheduler)
        alone = replace(full, runs=(replace(row, scheduler="mine"),))
        write_results(alone, tmp_path / name, extras=())
    x, y = read_side(tmp_path / "x"), read_side(tmp_path / "y")
    (row,) = diff_results(x, y).rows
    unit = [
        {op: part.pu for part in plan.partitions for op in part.operators}
        for side in (x, y)
        for plan in side.plans.values()
    ]
    moved = sum(unit[0][op] != unit[1][op] for op in unit[0])
    if row.plan is None:
        assert moved == 0
    else:
        assert sum(row.plan.moved.values()) == moved


@pytest.mark.slow
def test_the_tolerance_decides_what_counts(places: dict[str, Path]) -> None:
    a, b = read_side(places["a"]), read_side(places["b"])
    strict, lax = (next(iter(diff_results(a, b, t).rows)) for t in (1e-6, 0.999))
    assert strict.changed
    assert not lax.changed


@pytest.mark.slow
def test_the_shell_learns_whether_they_differ(
    places: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = str(places["a"]), str(places["b"])
    assert entry(["diff", a, b]) == 0
    out = capsys.readouterr().out
    assert "slower" in out
    assert "bandwidth" in out
    assert entry(["diff", a, b, "--exit-code", "--quiet"]) == 3
    assert entry(["diff", a, a, "--exit-code", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert entry(["diff", a, str(places["b"] / "result.json"), "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["schema"] == "hetsim.diff/1"
    assert value["soc"] == {}  # a lone result.json does not hold it


def test_what_is_no_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="missing"):
        read_side(tmp_path)
    path = tmp_path / "result.json"
    for text, word in (("{", "damaged"), ("{}", "format None"), ("[]", "format None"),
                       ('{"schema": "hetsim.result/1"}', "damaged")):  # fmt: skip
        path.write_text(text)
        with pytest.raises(ResultsError, match=word):
            read_side(tmp_path)


@pytest.mark.slow
def test_a_damaged_archive_costs_only_the_comparison_of_socs_and_plans(
    places: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry(["report", str(places["b"]), "-o", str(tmp_path / "b"), "--quiet"]) == 0
    (tmp_path / "b" / "runs.json.gz").write_bytes(b"damaged")
    assert entry(["diff", str(places["a"]), str(tmp_path / "b")]) == 0
    out = capsys.readouterr().out
    assert "SoCs and plans are not compared" in out
    assert "1 slower" in out


@pytest.mark.parametrize("text", ["x", "-1%", "100%", "nan"])
def test_a_tolerance_is_a_percentage(
    places: dict[str, Path], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    a = str(places["a"])
    assert entry(["diff", a, a, f"--tolerance={text}"]) == 2
    assert "--tolerance" in capsys.readouterr().err


@pytest.mark.slow
def test_report_rebuilds_in_place_and_elsewhere(
    places: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "copy"
    assert entry(["report", str(places["a"]), "-o", str(place), "--quiet"]) == 0
    before = (place / "report.html").read_bytes()
    (place / "report.html").write_text("spoilt")
    (place / "mine.txt").write_text("kept")
    assert entry(["report", str(place)]) == 0
    assert "report.html" in capsys.readouterr().out
    assert (place / "report.html").read_bytes() == before
    assert (place / "mine.txt").read_text() == "kept"
    assert entry(["report", str(places["a"]), "-o", str(place)]) == 2
    assert entry(["report", str(tmp_path)]) == 2
    assert entry(["report", str(place), "--force"]) == 2


@pytest.mark.slow
def test_report_shows_a_whatif_study_of_the_same_scenario(
    places: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change = {"to": "2×", "factor": 2.0, "best_us": 60e3, "shortest_us": 58e3,
              "longest_us": 61e3, "plan": "it", "replanned_us": 65e3, "kept_us": 70e3,
              "verdict": "told", "why": "npu compute −30 of −30 ms", "moved": [], "oddity": "",
              "error": None}  # fmt: skip
    parameter = {"name": "npu <b>clock</b>", "now": "1 GHz", "verdict": "told", "gain": 1.5,
                 "elasticity": -0.6, "changes": [change]}  # fmt: skip
    study = {"schema": "hetsim.whatif/2", "scenario": "paper_one", "soc": "board", "networks": [
        {"model": "squeezenet", "scheduler": "none", "makespan_us": 90e3, "own_us": 90e3,
         "noise": "No noise.", "attribution_us": {"compute": 90e3},
         "sentence": "The bottleneck is npu.", "parameters": [parameter]}]}  # fmt: skip
    path = tmp_path / "whatif.json"
    path.write_text(json.dumps(study))
    place = tmp_path / "out"
    command = ["report", str(places["a"]), "-o", str(place), "--quiet", "--whatif"]
    assert entry([*command, str(tmp_path)]) == 0
    page = (place / "report.html").read_text()
    assert "The bottleneck is npu." in page
    assert "npu &lt;b&gt;clock&lt;/b&gt;" in page
    for text in ("60 ms", "33.3%", "32.2…35.6%", "npu compute −30 of −30 ms", "70 ms"):
        assert text in page
    assert "not made from the same inputs" not in page  # squeezenet did not run under that name
    study["networks"][0]["scheduler"] = "type_based"
    path.write_text(json.dumps(study))
    assert entry([*command, str(tmp_path), "--force"]) == 0
    assert "not made from the same inputs" in (place / "report.html").read_text()
    path.write_text(json.dumps(study | {"scenario": "other"}))
    assert entry([*command, str(tmp_path), "--force"]) == 2
    assert "'other'" in capsys.readouterr().err
    for broken in ("{", '{"schema": "hetsim.whatif/1"}', '{"schema": "hetsim.whatif/2"}'):
        path.write_text(broken)
        assert entry([*command, str(tmp_path), "--force"]) == 2
