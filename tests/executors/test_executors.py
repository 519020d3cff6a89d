"""Whoever performs the points, the results are the same; workers may die on the way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from hetsim.errors import ConfigError, ResultsError
from hetsim.executors import registry
from hetsim.executors.base import Bench, Executor
from hetsim.executors.registry import Place, executor
from hetsim.executors.serial import SerialExecutor
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import load_scenario
from hetsim.study.axes import parse_axis
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point, PointBench
from hetsim.study.sweep.study import sweep
from tests.study.samples import loaded, planned, small_scenario, start, wait_until

AXES = [parse_axis("npu.sram=64KiB..512KiB:log2"), parse_axis("bus.clock=0.5x,1x,0x")]


@pytest.mark.slow
def test_results_do_not_depend_on_the_workers(tmp_path):
    scenario = loaded(tmp_path)
    alone = sweep(scenario, AXES)
    together = sweep(scenario, AXES, executor=executor(2))
    assert len(alone.rows) == 12
    assert len(alone.failed) == 4  # a clock of zero
    assert together.rows == alone.rows
    assert together.table.to_csv() == alone.table.to_csv()


@pytest.mark.slow
def test_a_point_that_kills_its_worker_is_a_row_and_the_others_run(tmp_path):
    scenario = load_scenario(small_scenario(tmp_path))
    scenario = choose(scenario, schedulers=[f"{tmp_path / 'slow.py'}:Deadly"])
    done = sweep(scenario, [parse_axis("npu.sram=32KiB..1MiB:log2")], executor=executor(2))
    errors = [outcome.error for _, outcome in done.rows]
    assert [error is not None for error in errors] == [False, False, True, False, False, False]
    assert "worker process died" in str(errors[2])


def test_no_workers_cannot_work():
    with pytest.raises(ConfigError, match="0 workers"):
        executor(0)


def test_all_cores_are_used_unless_there_is_less_to_do():
    assert isinstance(executor(None, points=1), SerialExecutor)


class Letters(Bench[int, str]):
    """Any jobs and answers will do for an executor."""

    def evaluate(self, job: int) -> str:
        if job == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return "abcdefg"[job]

    def lost(self, job: int, reason: str) -> str:
        return f"{job}: {reason}"


@pytest.mark.slow
def test_any_bench_will_do_and_says_itself_what_became_of_a_lost_job():
    bench = Letters()
    with executor(2) as team:
        team.ensure(bench)
        found = dict(team.perform((f"job {i}", i) for i in range(7)))
        assert list(map(found.get, ("job 0", "job 1", "job 2", "job 6"))) == ["a", "b", "c", "g"]
        assert found["job 3"].startswith("3: the worker process died")
        assert len(found) == 7
    with team:  # started again after it was stopped
        team.ensure(bench)
        assert dict(team.perform([("x", 1)])) == {"x": "b"}


def test_an_executor_elsewhere_is_a_name_and_an_address(monkeypatch):
    place = Place(f"{__name__}:Scrambled")
    monkeypatch.setitem(registry.ELSEWHERE, "queue", place)
    assert isinstance(executor(4, queue="a://b"), Scrambled)
    assert not isinstance(executor(1, queue=None), Scrambled)
    with pytest.raises(ConfigError, match="one place"):
        executor(1, queue="a://b", dask="tcp://c:1")
    monkeypatch.setitem(registry.ELSEWHERE, "queue", Place("nowhere:Nothing"))
    with pytest.raises(ConfigError, match="executor 'queue' of 'nowhere:Nothing' cannot be loaded"):
        executor(1, queue="a://b")


class Scrambled(Executor[Point, Outcome]):
    """Gives outcomes back late and in reverse."""

    slots = 3

    def __init__(self, address: str = "") -> None:
        self.waiting: list[tuple[int, Point]] = []
        self.most = 0
        self.bench: PointBench | None = None

    def start(self, bench: PointBench) -> None:
        self.bench = bench

    def submit(self, number: int, job: Point) -> None:
        self.waiting.append((number, job))
        self.most = max(self.most, len(self.waiting))

    def wait(self) -> list[tuple[int, Outcome]]:
        assert self.bench is not None
        number, job = self.waiting.pop()
        return [(number, self.bench.evaluate(job))]

    def stop(self) -> None:
        self.waiting.clear()


def test_the_order_of_arrival_does_not_matter(tmp_path):
    scenario = loaded(tmp_path)
    scrambled = Scrambled()
    assert sweep(scenario, AXES, executor=scrambled).rows == sweep(scenario, AXES).rows
    assert scrambled.most == 3


@pytest.mark.slow
def test_an_unreachable_cluster_is_told():
    pytest.importorskip("distributed")
    from hetsim.executors.cluster import ClusterExecutor

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = ClusterExecutor(f"tcp://127.0.0.1:{port}", timeout_s=1.0)
    with pytest.raises(ConfigError, match="cannot be reached within 1 s"):
        cluster.start(None)  # type: ignore[arg-type]


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler and two workers, each a process of its own, on loopback."""
    pytest.importorskip("distributed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    environment = {**os.environ, "PLANNED": str(tmp_path / "planned.txt")}
    processes = []

    def launch(*arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], env=environment, cwd=tmp_path,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        processes.append(process)
        return process

    host = ("--host", "127.0.0.1")
    launch(
        "distributed.cli.dask_scheduler", *host, "--port", address.rpartition(":")[2],
        "--no-dashboard", "--no-show",
    )  # fmt: skip
    worker = ("distributed.cli.dask_worker", address, *host, "--nthreads", "1", "--no-nanny")
    workers = [launch(*worker, "--no-dashboard") for _ in range(2)]
    yield address, workers, processes[0]
    for process in reversed(processes):
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_cluster_loses_a_worker_and_the_study_ends_all_the_same(tmp_path, cluster, monkeypatch):
    address, workers, _ = cluster
    monkeypatch.setenv("PLANNED", str(tmp_path / "planned.txt"))
    scenario = load_scenario(small_scenario(tmp_path))
    expected = sweep(scenario, [parse_axis("npu.sram=64KiB..1MiB:24")])
    slow = choose(scenario, schedulers=[f"{tmp_path / 'slow.py'}:Slow"])
    from hetsim.executors.cluster import ClusterExecutor

    killed = []

    def progress(_what: str, done: int, _total: int) -> None:
        if done >= 6 and not killed:
            killed.append(workers[0].pid)
            workers[0].send_signal(signal.SIGKILL)
            workers[0].wait()

    team = ClusterExecutor[Point, Outcome](address, timeout_s=60.0)
    wait_until(lambda: workers[0].poll() is None)
    time.sleep(3.0)  # both workers should be there, or there would be nobody to lose
    done = sweep(
        slow, [parse_axis("npu.sram=64KiB..1MiB:24")], store=tmp_path / "s.sqlite",
        executor=team, progress=progress,
    )  # fmt: skip
    assert killed
    assert not done.failed
    assert [o.makespan_s for _, o in done.rows] == [o.makespan_s for _, o in expected.rows]
    assert len(set(planned(tmp_path))) == 24
    # What was under way on the dead worker, or not fetched from it yet, ran again; nothing else.
    assert len(planned(tmp_path)) <= 24 + 4
    again = sweep(
        slow, [parse_axis("npu.sram=64KiB..1MiB:24")], store=tmp_path / "s.sqlite",
        executor=ClusterExecutor[Point, Outcome](address, timeout_s=60.0),
    )  # fmt: skip
    assert again.reused == 24


@pytest.mark.slow
def test_a_cluster_that_goes_away_is_told_and_the_store_keeps_what_is_done(
    tmp_path, cluster, monkeypatch
):
    address, _, scheduler = cluster
    monkeypatch.setenv("PLANNED", str(tmp_path / "planned.txt"))
    scenario = load_scenario(small_scenario(tmp_path))
    slow = choose(scenario, schedulers=[f"{tmp_path / 'slow.py'}:Slow"])
    from hetsim.executors.cluster import ClusterExecutor

    axes = [parse_axis("npu.sram=64KiB..1MiB:24")]
    done = []

    def progress(_what: str, count: int, _total: int) -> None:
        done.append(count)
        if count == 4:
            scheduler.kill()
            scheduler.wait()

    with pytest.raises(ResultsError, match="went away"):
        sweep(
            slow, axes, store=tmp_path / "s.sqlite",
            executor=ClusterExecutor[Point, Outcome](address, timeout_s=10.0), progress=progress,
        )  # fmt: skip
    again = sweep(slow, axes, store=tmp_path / "s.sqlite")
    assert again.reused >= done[-1] >= 4
    assert not again.failed


@pytest.mark.slow
def test_the_death_of_a_cluster_is_one_message_on_the_terminal(tmp_path, cluster):
    address, _, scheduler = cluster
    small_scenario(tmp_path)
    study = start(
        tmp_path, "sweep", "small.yaml", "--vary", "npu.sram=64KiB..1MiB:24", "--dask", address,
        "--scheduler", "slow.py:Slow", "--quiet",
    )  # fmt: skip
    wait_until(lambda: len(planned(tmp_path)) >= 4)
    scheduler.kill()
    scheduler.wait()
    _, err = study.communicate(timeout=120)
    assert study.returncode == 2
    assert err.startswith("error: the cluster at ")
    assert "Traceback" not in err
    assert len(err.splitlines()) == 2, err
