"""A plug-in package is installed as its users would, and its own tests, the kits, pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hetsim

PLUGIN = Path(__file__).parents[1] / "plugin"


def run(*arguments: object, **options):
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
def test_the_example_plugin_is_installed_and_passes_its_own_tests(tmp_path):
    pytest.importorskip("hatchling", reason="builds the plug-in")
    pytest.importorskip("pip", reason="installs the plug-in")
    source, site = tmp_path / "source", tmp_path / "site"
    shutil.copytree(PLUGIN, source, ignore=shutil.ignore_patterns("__pycache__"))
    run("pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index",
        "--no-build-isolation", "--target", site, source)  # fmt: skip
    shutil.rmtree(source / "hetsim_example")  # what is tested is what was installed
    # The hetsim of these tests, wherever it is, with what it needs.
    paths = [str(site), str(Path(hetsim.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    told = run(
        "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly", "-rA",
        cwd=source, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )  # fmt: skip
    for kit in ("ByKind", "FreePooling", "Lanes", "Layers", "Milliseconds", "Threads", "Halving"):
        assert f"PASSED tests/test_kits.py::Test{kit}::" in told, kit
    assert " failed" not in told
    assert "SKIPPED" not in told
