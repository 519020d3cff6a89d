"""The benchmarks run and say what they should; how fast anything is, is nobody's assertion."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

import hetsim

SCRIPT = Path(hetsim.__file__).parents[1] / "benchmarks" / "run.py"

if not SCRIPT.exists():
    pytest.skip("benchmarks are not part of the installed package", allow_module_level=True)


SMALL = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import bench_sweep, bench_tune, engine, planning, run, scenarios, served
from hetsim.study.axes import parse_axis
engine.OPERATORS = 2_000
bench_tune.EVALUATIONS, bench_tune.GOALS = 200, {"squeezenet": 300.0, "ds_cnn": None}
planning.NETWORK, planning.PLANS = "squeezenet", 20
bench_sweep.AXES = [parse_axis("npu.sram=64KiB,1MiB"), parse_axis("bus.clock=40MHz,80MHz")]
bench_sweep.CHOICE = {"models": ["ds_cnn"], "schedulers": ["profile_greedy"]}
bench_sweep.SPIN = "pass"
quick = ("--model", "ds_cnn", "--scheduler", "type_based", "--figures", "none")
scenarios.RUNS, scenarios.ONCE = [("quickstart", quick)], [("budget", quick)]
served.INFERENCES = 20
sys.exit(run.main())
"""
"""The command on inputs that take seconds: what is measured is nobody's business here."""


@pytest.mark.slow
def test_every_benchmark_of_the_command_produces_its_figures(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SMALL, str(SCRIPT.parent), "--quick", "--json", "figures.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "figures.json").read_text())
    measured = {m["name"]: m for m in found["measurements"]}
    assert len(measured) == len(found["measurements"])
    for name, m in measured.items():
        assert math.isfinite(m["value"]), name
        assert m["unit"], name
        assert name in done.stdout
    goals = {name: m["goal"] for name, m in measured.items() if m["goal"] is not None}
    assert goals["operators per second"] == 50_000
    assert goals["plan evaluations per second"] >= 200
    assert goals["hetsim --help"] == 0.3
    runs = [m for name, m in measured.items() if name.startswith("hetsim run ")]
    assert [m["name"].split()[2] for m in runs] == ["quickstart", "budget"]
    assert all(m["unit"] == "× import numpy" for m in runs)
    assert measured["operators per second"]["reached"] is (
        measured["operators per second"]["value"] >= 50_000
    )


@pytest.mark.slow
def test_an_unknown_suite_is_refused():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "warp"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "unknown suite 'warp'" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("soc", "model"),
    [("zcu102-vta", "mobilenet_v2"), ("edge-mcu", "squeezenet"), ("mobile-flagship", "squeezenet"),
     ("zcu102-vta-4t", "resnet18"), ("zcu102-4vta", "shufflenet"), ("edge-mcu", "alexnet")],
)  # fmt: skip
def test_advice_on_delegating_keeps_its_promises(monkeypatch, capsys, soc, model):
    """The whole table takes half an hour; these are every SoC family and what fits nowhere."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import delegates

    words = ["delegates", "--soc", soc, "--model", model, "--tuning", "0", "--evaluations", "500"]
    monkeypatch.setattr(sys, "argv", words)
    assert delegates.main() == 0
    printed = capsys.readouterr()
    rows = [line for line in printed.out.splitlines() if line.startswith(f"| {soc} | {model} |")]
    assert len(rows) == 1
    assert "0 promises broken" in printed.err
