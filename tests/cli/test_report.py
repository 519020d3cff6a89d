"""``hetsim report`` from the outside: what it adds to a results directory, and takes away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hetsim.cli.main import entry
from hetsim.report.files.extras import Wanted
from hetsim.report.files.writer import write_results
from tests.report.samples import sample_result

BASE = {"manifest.json", "operators.csv", "report.html", "result.json", "runs.json.gz"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_results(sample_result(1, 1), tmp_path / "out", extras=Wanted("none", "none", "none"))
    return tmp_path / "out"


def names(place: Path) -> set[str]:
    listed = {path.name for path in place.iterdir()}
    manifest = json.loads((place / "manifest.json").read_text())
    assert listed == {*manifest["files"], "manifest.json"}
    told = json.loads((place / "result.json").read_text())["runs"]
    assert {name for run in told for name in run["files"].values()} <= listed
    return listed - BASE


@pytest.mark.slow
def test_one_chart_is_added_and_the_rest_stays_as_it_is(place: Path) -> None:
    assert names(place) == set()
    assert entry(["report", str(place), "--quiet", "--traces", "all"]) == 0
    traces = names(place)
    assert traces
    assert all(name.startswith("trace-") for name in traces)
    stamps = {name: (place / name).read_bytes() for name in traces}
    asked = ["--figures", "gantt", "--run", "net0/type_based"]
    assert entry(["report", str(place), "--quiet", *asked]) == 0
    added = names(place) - traces
    assert added == {"gantt-net0-type_based.svg", "gantt-net0-type_based.png"}
    assert {name: (place / name).read_bytes() for name in traces} == stamps
    page = (place / "report.html").read_text()
    assert "gantt-net0-type_based.svg" in page  # the page links to what is there


@pytest.mark.slow
def test_what_is_there_is_not_drawn_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert entry(["report", str(place), "--quiet", "--figures", "gantt"]) == 0

    def never(*_: object, **_options: object) -> None:
        raise AssertionError("drawn although nobody asked")

    with monkeypatch.context() as patch:
        patch.setattr("hetsim.report.figures.gantt.gantt_images", never)
        assert entry(["report", str(place), "--quiet", "--traces", "all"]) == 0
    damaged = place / "gantt-net0-type_based.svg"
    drawn = damaged.read_bytes()
    damaged.write_text("damaged")  # what is not what was written is made again
    assert entry(["report", str(place), "--quiet", "--plans", "all"]) == 0
    assert damaged.read_bytes() == drawn


@pytest.mark.slow
def test_none_takes_away_those_of_a_kind_and_nothing_else(place: Path) -> None:
    assert entry(["report", str(place), "--quiet", "--figures", "all", "--plans", "all"]) == 0
    assert {"comparison.svg", "gap.png"} <= names(place)
    assert entry(["report", str(place), "--quiet", "--figures", "none"]) == 0
    left = names(place)
    assert left
    assert all(name.startswith("plan-") for name in left)


@pytest.mark.slow
def test_without_a_word_what_is_there_is_made_again(place: Path, tmp_path: Path) -> None:
    assert entry(["report", str(place), "--quiet", "--traces", "all"]) == 0
    (trace,) = (path for path in place.iterdir() if "type_based" in path.name)
    before = trace.read_bytes()
    trace.write_text("spoilt")
    assert entry(["report", str(place), "--quiet"]) == 0
    assert trace.read_bytes() == before
    assert entry(["report", str(place), "--quiet", "-o", str(tmp_path / "copy")]) == 0
    assert names(tmp_path / "copy") == names(place)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--run", "net0/type_based"], "--run needs"),
        (["--run", "net0/type_based", "--figures", "none"], "--run needs"),
        (["--run", "net0/type_based", "--figures", "gap"], "--run needs"),
        (["--figures", "gantt", "--run", "net0/typebased"], "did you mean 'net0/type_based'"),
        (["--figures", "gantt", "--run", "net9/*"], "there is no run 'net9/*'"),
        (["--figures", "some"], "'some' is not one of"),
    ],
)
def test_what_no_run_answers_to_is_refused(
    place: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry(["report", str(place), "--quiet", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert names(place) == set()
