"""The results directory: complete, atomic, and never at the cost of a user's files."""

from __future__ import annotations

import dataclasses
import errno
import json
import re
from pathlib import Path

import pytest

from hetsim.analysis.result import Result
from hetsim.errors import ResultsError
from hetsim.report.files import single
from hetsim.report.files.extras import Wanted
from hetsim.report.files.single import SINGLE
from hetsim.report.files.writer import check_directory, write_results
from tests.report.samples import HOSTILE, sample_result

EVERYTHING = Wanted("all", "all", "all")


@pytest.fixture(scope="module")
def result() -> Result:
    full = sample_result(1, 1)
    return dataclasses.replace(full, runs=(full.runs[0], full.runs[-1]))


def listing(directory: Path) -> list[str]:
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*"))


@pytest.mark.slow
def test_writes_every_file_and_names_them_in_result_and_manifest(
    result: Result, tmp_path: Path
) -> None:
    place = tmp_path / "deep" / "er" / "out"
    written = write_results(result, place, extras=EVERYTHING, command=["hetsim", "run", "a b"])
    assert all(path.is_file() for path in written.values())
    assert listing(place) == sorted(written)
    assert listing(tmp_path / "deep" / "er") == sorted(["out", *(f"out/{n}" for n in written)])
    value = json.loads((place / "result.json").read_text())
    named = [name for run in value["runs"] for name in run["files"].values()]
    assert {"gantt-net0-type_based.svg", "trace-net0-type_based.json"} <= set(named)
    assert set(named) <= set(written)
    assert value["runs"][1]["files"] == {}
    manifest = json.loads((place / "manifest.json").read_text())
    assert manifest["command"] == "hetsim run 'a b'"
    assert manifest["seed"] == 7
    assert manifest["inputs"] == dict(result.inputs)
    assert set(manifest["files"]) == set(written) - {"manifest.json"}
    assert manifest["planning_ms"][0]["ms"] == 12.3
    assert "hetsim" in manifest["versions"]


@pytest.mark.slow
def test_a_command_given_as_text_is_kept_as_it_is(result: Result, tmp_path: Path) -> None:
    write_results(result, tmp_path / "out", command="hetsim run x")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["command"] == "hetsim run x"


@pytest.mark.slow
def test_only_the_manifest_differs_between_two_writings(result: Result, tmp_path: Path) -> None:
    first = write_results(result, tmp_path / "a")
    second = write_results(result, tmp_path / "b")
    assert first.keys() == second.keys()
    for name in first.keys() - {"manifest.json"}:
        assert first[name].read_bytes() == second[name].read_bytes(), name


def test_refuses_what_is_there_and_says_what_to_do(result: Result, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(ResultsError, match="not empty") as caught:
        write_results(result, tmp_path)
    assert "--force" in str(caught.value.hint)
    with pytest.raises(ResultsError, match="not written by hetsim"):
        write_results(result, tmp_path, force=True)
    with pytest.raises(ResultsError, match="is a file"):
        check_directory(tmp_path / "mine.txt" / "below")
    assert listing(tmp_path) == ["mine.txt"]


@pytest.mark.parametrize("manifest", ["{}", "not json", '{"schema": "other/1"}', "[]"])
def test_force_spares_directories_with_somebody_elses_manifest(
    result: Result, tmp_path: Path, manifest: str
) -> None:
    place = tmp_path / "site"
    place.mkdir()
    (place / "manifest.json").write_text(manifest)
    with pytest.raises(ResultsError, match="not written by hetsim"):
        write_results(result, place, force=True)
    assert listing(place) == ["manifest.json"]


@pytest.mark.slow
def test_force_replaces_ours_and_carries_over_what_is_not(result: Result, tmp_path: Path) -> None:
    place = tmp_path / "out"
    old = write_results(result, place)
    (place / "notes.txt").write_text("mine")
    (place / "sub").mkdir()
    (place / "sub" / "deep.txt").write_text("mine too")
    renamed = dataclasses.replace(result.runs[0], scheduler="other")
    new = write_results(dataclasses.replace(result, runs=(renamed,)), place, force=True)
    assert (place / "notes.txt").read_text() == "mine"
    assert (place / "sub" / "deep.txt").read_text() == "mine too"
    assert "gantt-net0-other.svg" in new
    assert not (place / "gantt-net0-type_based.svg").exists()
    assert "gantt-net0-type_based.svg" in old
    assert listing(tmp_path) == ["out", *(f"out/{n}" for n in listing(place))]


@pytest.mark.slow
def test_force_does_not_overwrite_a_users_file_of_the_same_name(
    result: Result, tmp_path: Path
) -> None:
    place = tmp_path / "out"
    write_results(dataclasses.replace(result, runs=result.failed), place)
    (place / "gantt-net0-type_based.svg").write_text("drawn by hand")
    before = listing(tmp_path)
    with pytest.raises(ResultsError, match="did not write"):
        write_results(result, place, force=True)
    assert (place / "gantt-net0-type_based.svg").read_text() == "drawn by hand"
    assert listing(tmp_path) == before


@pytest.mark.slow
def test_an_empty_directory_is_filled_even_when_one_stands_in_it(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "out"
    place.mkdir()
    monkeypatch.chdir(place)
    written = write_results(result, Path("."))
    assert Path("result.json").is_file()
    assert listing(place) == sorted(written)
    with pytest.raises(ResultsError, match="current directory"):
        write_results(result, Path("."), force=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), ValueError()]
)
@pytest.mark.parametrize("existing", [False, True])
def test_a_failure_midway_leaves_nothing_behind(
    result: Result,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    existing: bool,
) -> None:
    place = tmp_path / "new" / "out"
    if existing:
        write_results(result, place)
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in listing(tmp_path)}

    def fail(*_: object, **_options: object) -> str:
        raise failure

    monkeypatch.setattr(single, "render_report", fail)
    expected = ResultsError if isinstance(failure, OSError) else type(failure)
    with pytest.raises(expected) as caught:
        write_results(result, place, force=True)
    if isinstance(failure, OSError):
        assert "No space left" in str(caught.value)
        assert "free some space" in str(caught.value)
    assert set(listing(tmp_path)) == set(before)


def test_file_names_are_plain_and_unique() -> None:
    base = sample_result(1, 1, failing=False).runs[0]
    labels = [
        ("a/b", "x y"), ("a_b", "x_y"), ("A_B", "X_Y"), ("../..", "CON"), ("", ""),
        (HOSTILE, "n" * 300), ("m" * 300, HOSTILE), ("网络", "调度"), ("a/b", "x y"),
    ]  # fmt: skip
    runs = [dataclasses.replace(base, model=m, scheduler=s) for m, s in labels]
    extras = SINGLE.extras(dataclasses.replace(sample_result(1, 1), runs=tuple(runs)))
    flat = [name for extra in extras if extra.position is not None for name in extra.files]
    assert len({name.lower() for name in flat}) == len(flat) == 4 * len(labels)
    assert all(re.fullmatch(r"(gantt|trace|plan)-[A-Za-z0-9._+=-]{1,140}", n) for n in flat)


@pytest.mark.slow
def test_progress_counts_what_is_made(result: Result, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    write_results(result, tmp_path / "out", progress=lambda *told: seen.append(told))
    assert seen == [("gantt-net0-type_based.svg", 1, 2), ("plan-net0-type_based.yaml", 2, 2)]


def test_by_default_only_the_fastest_run_of_a_network_is_drawn() -> None:
    sample = sample_result(2, 2)
    first = min(
        (run for run in sample.runs if run.model == "net1" and run.makespan_s is not None),
        key=lambda run: run.makespan_s or 0.0,
    )
    made = SINGLE.chosen(sample, Wanted())
    own = [extra for extra in made if sample.runs[extra.position or 0].model == "net1"]
    assert [extra.kind for extra in own] == ["gantt", "plan"]
    assert {sample.runs[extra.position or 0].scheduler for extra in own} == {first.scheduler}
    assert {sample.runs[extra.position or 0].model for extra in made} == {"net0", "net1"}


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        (Wanted("none", "none", "none"), []),
        (Wanted("gantt", "none", "none"), ["gantt"] * 8),
        (Wanted("comparison", "none", "none"), ["comparison"]),
        (Wanted("all", None, None), ["attribution", "comparison", *["gantt"] * 8, "gap"]),
        (Wanted("gantt", "all", "best", frozenset({1})), ["gantt", "plan", "trace"]),
        (Wanted("all", None, None, frozenset({1})), ["gantt"]),
        (Wanted("none", "all", None), ["trace"] * 8),
    ],
)
def test_words_say_which_extras_there_are(wanted: Wanted, kinds: list[str]) -> None:
    sample = sample_result(2, 2, failing=False)
    assert sorted(extra.kind for extra in SINGLE.chosen(sample, wanted)) == kinds
