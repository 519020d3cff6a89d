"""Two results of streams compared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hetsim.cli.main import entry
from hetsim.report.files.serving.jsonout import served_to_dict
from hetsim.report.files.serving.resultfile import ServingFile
from hetsim.report.files.writer import write_results
from hetsim.report.serveddiff import ServedSide, diff_served
from hetsim.report.text.serveddiff import verdict
from tests.report.samples import sample_result
from tests.report.serving_samples import served_result

P99 = ("latency_p99_s", "latency_p99_low_s", "latency_p99_high_s")


def with_p99(values: tuple[float | None, ...], **more: object) -> object:
    """The second run of the sample with another tail of its first stream."""
    result = served_result()
    run = result.runs[1]
    first, *others = run.streams
    changed = replace(first, metrics={**first.metrics, **dict(zip(P99, values, strict=True))})
    return replace(result, runs=(replace(run, streams=(changed, *others)),), **more)


def compared(a: object, b: object):
    """Both as their result.json says it."""
    left, right = (ServingFile.model_validate(served_to_dict(result)) for result in (a, b))
    return diff_served(ServedSide("a", left), ServedSide("b", right))


@pytest.mark.slow
def test_intervals_tell_a_change_from_noise() -> None:
    base = with_p99((0.010, 0.009, 0.011))
    assert compared(base, base).same

    def change(values):
        (row,) = [row for row in compared(base, with_p99(values)).rows if row.metrics]
        assert (row.run.split(" ")[0], row.stream) == ("type_based", "cam<era>")
        return row.metrics["latency_p99_us"]

    near = change((0.012, 0.0105, 0.0125))
    assert (near.a, near.b, near.noise, near.better) == (10000, 12000, True, False)
    far = change((0.006, 0.005, 0.007))
    assert (far.noise, far.better) == (False, True)
    above = change((0.030, 0.028, 0.032))
    assert (above.noise, above.better) == (False, False)
    unknown = change((0.006, None, None))
    assert (unknown.noise, unknown.better) == (None, True)


def test_settings_streams_and_rows_of_one_side_are_told() -> None:
    result = served_result()
    one = replace(result, runs=result.runs[:1])
    first, *others = result.service.streams
    urgent = replace(result.service, streams=(replace(first, priority=9), *others))
    diff = compared(one, replace(result, seed=7, service=urgent))
    assert diff.settings == {"seed": ("0", "7"), "cam<era>.priority": ("2", "9")}
    alone = {row.stream for row in diff.rows if row.status == "only b"}
    assert alone == {"cam<era>", "web", "background", "all"}
    assert not diff.same


def test_results_without_a_common_row_are_not_called_the_same() -> None:
    result = served_result()
    runs = tuple(replace(run, label=f"other {run.label}") for run in result.runs)
    told = verdict(compared(result, replace(result, runs=runs)))
    assert told.startswith("Nothing is compared: no run of a stream is in both by its name; ")


@pytest.mark.slow
def test_the_command_prints_json_and_exits(tmp_path: Path, capsys) -> None:
    a, b = (str(tmp_path / name) for name in "ab")
    write_results(with_p99((0.010, 0.009, 0.011)), Path(a), extras=())
    write_results(with_p99((0.006, 0.005, 0.007)), Path(b), extras=())
    assert entry(["diff", a, b, "--json", "--exit-code"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["same"]) == ("hetsim.servingdiff/1", False)
    assert entry(["diff", a, a, "--exit-code"]) == 0
    assert "No figure of any stream differs." in capsys.readouterr().out
    assert entry(["diff", a, b]) == 0
    out = capsys.readouterr().out
    assert "p99 10 ms 6 ms -40.0% beyond noise" in " ".join(out.split())
    assert "Beyond noise 1 figures are better in b, 0 worse" in " ".join(out.split())


@pytest.mark.slow
def test_streams_are_not_compared_with_single_inferences(tmp_path: Path, capsys) -> None:
    write_results(served_result(), tmp_path / "a", extras=())
    write_results(sample_result(1, 1), tmp_path / "b", extras=())
    assert entry(["diff", str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    assert "compare results of one kind" in capsys.readouterr().err
