"""What only real processes show: signals, pipes, hash seeds, other directories."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.study.samples import planned, small_scenario, start, wait_until

HETSIM = [sys.executable, "-m", "hetsim"]


def hetsim(*arguments: str, cwd: object = None, **environment: str):
    return subprocess.run(
        [*HETSIM, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
def test_results_and_files_depend_neither_on_the_hash_seed_nor_on_workers(tmp_path):
    printed = []
    for seed in ("1", "2"):
        done = hetsim("run", "contention", "--model", "squeezenet", "--scheduler", "heft",
                      "--scheduler", "partition_tuner", "--scheduler", "type_based", "--json",
                      "--figures", "none", "--workers", seed, "-o", seed,
                      cwd=tmp_path, PYTHONHASHSEED=seed)  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        printed.append(done.stdout)
    assert printed[0] == printed[1]
    assert len(json.loads(printed[0])["runs"]) == 3
    for name in ("runs.json.gz", "result.json", "operators.csv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX signals")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupted_run_says_so_and_leaves_nothing(tmp_path, sent, code, workers):
    slow = tmp_path / "slow.py"
    slow.write_text(
        "import os, pathlib, time\n"
        "from hetsim.schedulers.base import Scheduler\n"
        "class Slow(Scheduler):\n"
        "    name = 'slow'\n"
        "    optimises = ignores = complexity = source = ''\n"
        "    def plan(self, problem):\n"
        "        pathlib.Path('writing').write_text(str(os.getpid()))\n"
        "        pathlib.Path('writing').rename('planning')\n"
        "        time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [*HETSIM, "run", "paper_one", "--scheduler", "slow.py:Slow", "--workers", workers],
        cwd=tmp_path,
        # Tests that run in the background of a shell ignore Ctrl-C, and so would their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "planning").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(sent)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code
    assert out == ""
    assert err.strip() == "interrupted"
    assert not (tmp_path / "results").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "planning").read_text()), 0)


SLOW = ["--scheduler", "slow.py:Slow"]
STUDIES = {
    "sweep": ["sweep", "small.yaml", "--vary", "npu.sram=128KiB..4MiB:log2", *SLOW],
    "explore": ["explore", "small.yaml", "--vary", "npu.sram=128KiB..4MiB:log2", *SLOW],
    "whatif": ["whatif", "small.yaml", *SLOW],
    "tune": ["tune", "small.yaml", "--only", "plans", "--seconds", "60"],
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX signals")
@pytest.mark.parametrize("verb", STUDIES)
def test_a_terminated_study_ends_like_an_interrupted_one(tmp_path, verb):
    if verb == "explore":
        pytest.importorskip("optuna")
    small_scenario(tmp_path)
    process = start(tmp_path, *STUDIES[verb], "--workers", "2")
    state = tmp_path / "results" / "small-tune.state.json"
    try:
        wait_until(lambda: state.exists() if verb == "tune" else len(planned(tmp_path)) >= 2)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 143
    said = "interrupted; go on with --resume" if verb == "tune" else "interrupted"
    assert err.strip() == said, "no warning of leaked semaphores, no traceback"
    hidden = [path.name for path in tmp_path.rglob(".*")]
    assert hidden == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX signals")
def test_a_reader_that_stops_early_is_no_error(tmp_path):
    done = subprocess.run(
        f"'{sys.executable}' -m hetsim list operators --json | head -n 1; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    first, status = done.stdout.split()
    assert first == "["
    assert status in ("0", "141")
    assert done.stderr == ""


@pytest.mark.slow
def test_an_unwritable_place_is_one_message(tmp_path):
    (tmp_path / "results").write_text("a file where a directory should be")
    done = hetsim("run", "paper_one", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_terminal_without_unicode_shows_the_table_and_json_stays_utf8(tmp_path):
    shown = hetsim("run", "paper_one", "--no-files", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert shown.returncode == 0, shown.stderr
    assert "partition_tuner" in shown.stdout
    listed = hetsim("list", "models", "--json", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert {row["name"] for row in json.loads(listed.stdout)} >= {"squeezenet", "resnet18"}


@pytest.mark.slow
def test_the_collector_of_a_program_that_calls_us_is_left_alone():
    """Our own process looks for garbage seldom; one that is somebody else's is not ours to set."""
    program = (
        "import gc, sys; from hetsim.cli.main import entry; before = gc.get_threshold()\n"
        "entry(['schema', 'plan']); assert gc.get_threshold() == before\n"
        "sys.argv = ['hetsim', 'schema', 'plan']; entry(); assert gc.get_threshold() != before\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
