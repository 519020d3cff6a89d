"""Every file in examples/ runs: scripts from top to bottom, notebooks cell by cell."""

from __future__ import annotations

import ast
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

import hetsim

ROOT = Path(hetsim.__file__).parents[1]
EXAMPLES = ROOT / "examples"
if not EXAMPLES.is_dir():  # an installed wheel has no examples beside it
    pytest.skip("examples are not part of the installed package", allow_module_level=True)

SCRIPTS = sorted(EXAMPLES.glob("*.py"))
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
NEEDS = {"explore_designs": "optuna"}
"""What an example needs beyond the dependencies of hetsim itself."""
ALONE = "own_network"
"""The cheapest: it has an interpreter to itself, and runs where slow tests are left out, too."""

LINES = 60


def test_every_file_is_executed_here() -> None:
    found = {path for path in EXAMPLES.rglob("*") if path.is_file()}
    found = {path for path in found if "__pycache__" not in path.parts}
    assert found == {*SCRIPTS, *NOTEBOOKS}
    assert len(SCRIPTS) >= 10
    assert NOTEBOOKS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_short_and_says_what_it_shows_and_prints(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert len(text.splitlines()) < LINES
    title, _, rest = (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")
    assert "\n" not in title
    assert title.endswith((".", "?"))
    assert "print" in rest.lower()


@pytest.mark.slow
@pytest.mark.parametrize(
    "script", [path for path in SCRIPTS if path.stem != ALONE], ids=lambda path: path.stem
)
def test_a_script_runs_and_prints(
    script: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if script.stem in NEEDS:
        pytest.importorskip(NEEDS[script.stem])
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    runpy.run_path(str(script), run_name="__main__")
    assert capsys.readouterr().out.strip()


@pytest.mark.slow
def test_a_script_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{ALONE}.py")],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {}
    codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert codes
    for number, code in enumerate(codes, 1):
        exec(compile(code, f"{notebook.name}, cell {number}", "exec", dont_inherit=True), names)
    assert not any(cell.get("outputs") for cell in cells), "outputs go stale: clear them"
