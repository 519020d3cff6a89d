"""Where a simulated time is told, its range stands beside it; and where there is none, why."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hetsim.cli.main import entry
from hetsim.report.files.archive import load_archive
from hetsim.report.summary import chance_text, range_text

SOC = Path(__file__).parents[2] / "socs/edge-dual.yaml"
SCENARIO = """
hetsim: scenario/1
name: unsure
soc: soc.yaml
models: [squeezenet]
schedulers: [cpu_only, npu_only, heft]
"""


def scenario(folder: Path, *kinds: str) -> Path:
    """One whose units of these kinds say how unsure they are."""
    text = SOC.read_text()
    said = r"\1\n    uncertainty: {default: {unit: 0.1, kernel: 0.2}}"
    for kind in kinds:
        text = re.sub(rf"(\n    kind: {kind})", said, text)
    (folder / "soc.yaml").write_text(text)
    (folder / "scenario.yaml").write_text(SCENARIO)
    return folder / "scenario.yaml"


def run(path: Path, out: Path, *more: str) -> int:
    return entry(["run", str(path), "-o", str(out), *more])


@pytest.mark.slow
def test_ranges_are_told_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    path, out = scenario(tmp_path, "cpu_cluster", "npu"), tmp_path / "out"
    assert run(path, out) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert re.search(r"cpu_only [\d.]+ \([\d.]+–[\d.]+\)", shown)
    assert "ms (90 %)" in shown
    assert "> 99 %" in shown
    assert re.search(r"squeezenet takes [\d.]+ ms \([\d.]+–[\d.]+, 90 %\) with", shown)
    assert "with a probability of" in shown
    assert "No ranges" not in shown
    rows = json.loads((out / "result.json").read_text())["runs"]
    for row in rows:
        low, high = row["makespan_low_us"], row["makespan_high_us"]
        assert low < row["makespan_us"] < high
        assert 1.1 < high / row["makespan_us"] < 1.6
    fastest = min(rows, key=lambda row: row["makespan_us"])
    assert fastest["beaten_by_best"] is None
    assert all(0.5 <= row["beaten_by_best"] <= 1.0 for row in rows if row is not fastest)
    stored = load_archive(out / "runs.json.gz")
    assert all(len(run.range.ratios) == 512 for run in stored.runs)
    assert stored.runs[0].faster_than(stored.runs[0]) == 0.5
    page = (out / "report.html").read_text()
    assert '"range":"' in page.replace(" ", "").replace('"range":""', "")
    assert '"low":' in page
    faster = tmp_path / "faster"
    assert run(path, faster, "--set", "cpu.operating_points.nominal.clock=1.1x") == 0
    capsys.readouterr()
    assert entry(["diff", str(out), str(faster), "--json"]) == 0
    changes = {row["scheduler"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    # The same kernels on the same unit: what is wrong with one is wrong with the other.
    assert changes["cpu_only"]["b_faster"] == 1.0
    assert entry(["diff", str(out), str(faster)]) == 0
    assert "b really is faster with a probability of > 99 %" in capsys.readouterr().out


@pytest.mark.slow
def test_units_that_nobody_calibrated_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(scenario(tmp_path, "npu"), tmp_path / "some") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "ranges are too narrow: cpu (up to 100% of the kernels' time)" in shown
    assert run(scenario(tmp_path), tmp_path / "none") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "No ranges: no unit of edge-dual that ran anything says how far off it is" in shown
    assert "(90 %)" not in shown
    assert "No ranges" in (tmp_path / "none/report.html").read_text()
    row = json.loads((tmp_path / "none/result.json").read_text())["runs"][0]
    assert row["makespan_low_us"] is None


@pytest.mark.slow
def test_variants_share_their_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = scenario(tmp_path, "cpu_cluster", "npu")
    arguments = ["whatif", str(path), "--set", "bus.clock=1.2x", "-o", str(tmp_path / "out")]
    assert entry(arguments) == 0
    assert re.search(r"really faster than it +– +> 99 %", capsys.readouterr().out)
    told = json.loads((tmp_path / "out/compare.json").read_text())["variants"]
    assert [variant["faster_than_first"]["squeezenet"] for variant in told] == [None, 1.0]
    table = (tmp_path / "out/compare.csv").read_text()
    assert "makespan_low_us,makespan_high_us" in table


@pytest.mark.slow
def test_two_socs_share_no_errors(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(
        "hetsim: scenario/1\nname: two\nsoc: snapdragon-8-gen-3\nmodels: [squeezenet]\n"
        "schedulers: [npu_only]\n"
    )
    out = tmp_path / "out"
    other = ["--set", "soc=snapdragon-8-elite"]
    assert entry(["whatif", str(path), *other, "-o", str(out)]) == 0
    told = json.loads((out / "compare.json").read_text())["variants"]
    assert 0.5 < told[1]["faster_than_first"]["squeezenet"] < 0.95


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (1.2e-3, 1.71e-3, "1.2–1.7"),
        (1.401e-3, 1.404e-3, "1.40–1.40"),
        (0.95e-3, 1.04e-3, "0.95–1.0"),
        (119e-3, 203e-3, "120–200"),
        (119e-3, 124e-3, "119–124"),
        (9.4e-3, 12.6e-3, "9.4–13"),
        (900e-3, 1300e-3, "900–1,300"),
    ],
)
def test_ends_of_a_range_in_few_digits(low: float, high: float, text: str) -> None:
    assert range_text(low, high, 1e-3) == text


def test_samples_cannot_tell_certainty() -> None:
    assert [chance_text(p) for p in (1.0, 0.83, 0.5, 0.0)] == ["> 99 %", "83 %", "50 %", "< 1 %"]
