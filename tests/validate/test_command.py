"""``hetsim validate``: what it prints, writes and returns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hetsim.cli.main import entry

LIMITS = "hetsim: thresholds/1\nchecks:\n  scale-sim: {rows: {least: 1000}}\n"


@pytest.mark.slow
def test_the_table_fits_eighty_columns_and_has_a_line_for_each_check(capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert entry(["validate", "simgrid", "scale-sim", "--workers", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    for name, line in zip(("simgrid", "scale-sim"), lines[1:3], strict=True):
        assert line.split()[0] == name
        assert line.split()[-1] == "passed"
    assert any("SCALE-Sim 3.0" in line for line in lines), "the source is told"


@pytest.mark.slow
def test_what_is_worse_ends_with_three_and_says_by_how_much(capsys, tmp_path) -> None:
    limits = tmp_path / "mine.yaml"
    limits.write_text(LIMITS)
    arguments = ["validate", "scale-sim", "--thresholds", str(limits), "--workers", "1"]
    assert entry(arguments) == 3
    assert "scale-sim (worse): rows is 95, allowed: rows >= 1,000" in capsys.readouterr().out


@pytest.mark.slow
def test_workers_change_nothing(capsys) -> None:
    told = []
    for workers in ("1", "2"):
        arguments = ["validate", "npu-dma", "scale-sim", "--json", "--workers", workers]
        assert entry(arguments) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    found = json.loads(told[0])
    assert found["schema"] == "hetsim.validation/1"
    assert [check["verdict"] for check in found["checks"]] == ["passed", "passed"]


@pytest.mark.slow
def test_the_directory_holds_a_page_all_rows_and_pictures(tmp_path, capsys) -> None:
    out = tmp_path / "out"
    arguments = ["validate", "scale-sim", "--workers", "1", "-o", str(out), "--figures"]
    assert entry(arguments) == 0
    held = {path.name for path in out.iterdir()}
    assert held == {
        "report.html", "validation.json", "scatter-scale-sim.svg", "scatter-scale-sim.png",
        "manifest.json",
    }  # fmt: skip
    rows = json.loads((out / "validation.json").read_text())["checks"][0]["comparisons"]
    assert len(rows) == 95
    assert "1 of 1 checks stay within" in (out / "report.html").read_text()
    assert entry(arguments) == 2, "an existing directory is not replaced unasked"


@pytest.mark.slow
def test_own_tables_are_compared_and_named(tmp_path, capsys) -> None:
    table = "network,dataflow,rows,cols,cycles\nresnet18,weight_stationary,32,32,2000000\n"
    (tmp_path / "scalesim_cycles.csv").write_text(table)
    arguments = ["validate", "scale-sim", "--data", str(tmp_path), "--json", "--workers", "1"]
    assert entry(arguments) == 3
    (check,) = json.loads(capsys.readouterr().out)["checks"]
    assert check["own_tables"] == ["scalesim_cycles.csv"]
    assert check["worst"] == pytest.approx(2_855_031 / 2_000_000 - 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["simgird"], "did you mean 'simgrid'?"),
        (["--data", "nowhere", "scale-sim"], "there is no directory 'nowhere'"),
        (["--thresholds", "nowhere.yaml", "scale-sim"], "nowhere.yaml"),
        (["--figures", "scale-sim"], "go with -o"),
        (["--quick", "scale-sim"], "no CHECK"),
    ],
)
def test_what_cannot_be_used_is_an_error(tmp_path, monkeypatch, capsys, arguments, told) -> None:
    monkeypatch.chdir(tmp_path)
    assert entry(["validate", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not list(Path().iterdir())


def test_a_table_with_a_bad_row_is_a_failed_check(tmp_path, capsys) -> None:
    (tmp_path / "scalesim_cycles.csv").write_text("network,cycles\nresnet18\n")
    arguments = ["validate", "scale-sim", "--data", str(tmp_path), "--json", "--workers", "1"]
    assert entry(arguments) == 2
    (check,) = json.loads(capsys.readouterr().out)["checks"]
    assert check["verdict"] == "failed"
    assert "scalesim_cycles.csv:2" in check["reason"]


def test_the_list_tells_what_every_check_compares(capsys) -> None:
    from hetsim.validate.registry import checks

    assert entry(["validate", "--list"]) == 0
    printed = capsys.readouterr().out
    for name, check in checks().items():
        assert f"{name}: {check.title}" in printed
