"""Whoever performs the points, the results are the same; workers may die on the way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hetsim.errors import ConfigError, ResultsError
from hetsim.executors import registry
from hetsim.executors.base import Executor
from hetsim.executors.processes import ProcessExecutor
from hetsim.executors.registry import Place, executor
from hetsim.executors.serial import SerialExecutor
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import load_scenario
from hetsim.study.axes import parse_axis
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point, PointBench
from hetsim.study.sweep.study import sweep
from tests.executors.letters import Letters
from tests.study.samples import (
    SLOW_SCHEDULER,
    loaded,
    planned,
    small_scenario,
    start,
    wait_until,
)

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
    team = ProcessExecutor[Point, Outcome](1)  # others wait in its queue
    done = sweep(scenario, [parse_axis("npu.sram=32KiB..1MiB:log2")], executor=team)
    errors = [outcome.error for _, outcome in done.rows]
    assert [error is not None for error in errors] == [False, False, True, False, False, False]
    assert "worker process died" in str(errors[2])


def test_no_workers_cannot_work():
    with pytest.raises(ConfigError, match="0 workers"):
        executor(0)


def test_all_cores_are_used_unless_there_is_less_to_do():
    assert isinstance(executor(None, points=1), SerialExecutor)


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


@pytest.mark.slow
def test_the_order_of_arrival_does_not_matter(tmp_path):
    scenario = loaded(tmp_path)
    scrambled = Scrambled()
    assert sweep(scenario, AXES, executor=scrambled).rows == sweep(scenario, AXES).rows
    assert scrambled.most == 3


@pytest.mark.slow
def test_an_unreachable_cluster_is_told():
    pytest.importorskip("distributed")
    from hetsim.executors.cluster import ClusterExecutor

    cluster = ClusterExecutor(f"tcp://127.0.0.1:{free_port()}", timeout_s=0.5)
    with pytest.raises(ConfigError, match=r"cannot be reached within 0\.5 s"):
        cluster.start(None)  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Cluster:
    """A Dask scheduler and its workers on loopback, each a process of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self.address = ""

    def with_workers(self, count: int) -> Cluster:
        """The cluster as tests may have left it, and what it lacks."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.stop()
            port = free_port()
            self.address = f"tcp://127.0.0.1:{port}"
            self.scheduler = self.launch(
                "dask_scheduler", "--port", str(port), "--no-dashboard", "--no-show"
            )
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < count:
            self.workers.append(
                self.launch(
                    "dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"
                )
            )
        return self

    def launch(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *arguments,
             "--host", "127.0.0.1"],
            env={**os.environ, "PLANNED": str(self.directory / "planned.txt")},
            cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def stop(self) -> None:
        for process in (*self.workers, *filter(None, [self.scheduler])):
            process.kill()
            process.wait()
        self.workers = []


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """One cluster for all tests: most of its time is that of starting."""
    pytest.importorskip("distributed")
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    yield found
    found.stop()


@pytest.fixture
def cluster(processes, monkeypatch):
    """Its directory has the small scenario, and what the slow scheduler of it is asked."""
    small_scenario(processes.directory)
    (processes.directory / "planned.txt").unlink(missing_ok=True)
    monkeypatch.setenv("PLANNED", str(processes.directory / "planned.txt"))
    return processes


DESIGNS = "npu.sram=64KiB..1MiB:24"


@pytest.mark.slow
def test_a_cluster_loses_a_worker_and_the_study_ends_all_the_same(tmp_path, cluster):
    from distributed import Client

    from hetsim.executors.cluster import ClusterExecutor

    cluster.with_workers(2)
    scenario = load_scenario(cluster.directory / "small.yaml")
    expected = sweep(scenario, [parse_axis(DESIGNS)])
    slow = choose(scenario, schedulers=[f"{cluster.directory / 'slow.py'}:Slow"])
    lost = cluster.workers[0]
    killed = []

    def progress(_what: str, done: int, _total: int) -> None:
        if done >= 6 and not killed:
            killed.append(lost.pid)
            lost.send_signal(signal.SIGKILL)
            lost.wait()

    with Client(cluster.address, timeout=60.0, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60.0)  # or there would be nobody to lose
    team = ClusterExecutor[Point, Outcome](cluster.address, timeout_s=60.0)
    done = sweep(
        slow, [parse_axis(DESIGNS)], store=tmp_path / "s.sqlite", executor=team, progress=progress
    )
    assert killed
    assert not done.failed
    assert [o.makespan_s for _, o in done.rows] == [o.makespan_s for _, o in expected.rows]
    assert len(set(planned(cluster.directory))) == 24
    # What was under way on the dead worker, or not fetched from it yet, ran again; nothing else.
    assert len(planned(cluster.directory)) <= 24 + 4
    again = sweep(
        slow, [parse_axis(DESIGNS)], store=tmp_path / "s.sqlite",
        executor=ClusterExecutor[Point, Outcome](cluster.address, timeout_s=60.0),
    )  # fmt: skip
    assert again.reused == 24


@pytest.mark.slow
def test_a_cluster_that_goes_away_is_told_and_the_store_keeps_what_is_done(tmp_path, cluster):
    """Two studies lose it at once: one in a process of its own, and one of a program's."""
    from hetsim.executors.cluster import ClusterExecutor

    cluster.with_workers(1)
    slow = choose(
        load_scenario(cluster.directory / "small.yaml"),
        schedulers=[f"{cluster.directory / 'slow.py'}:Slow"],
    )
    slower = SLOW_SCHEDULER.replace("0.1", "0.5")  # so that it is not done before the other
    (cluster.directory / "slower.py").write_text(slower, encoding="utf-8")
    verb = start(
        cluster.directory, "sweep", "small.yaml", "--vary", DESIGNS, "--dask", cluster.address,
        "--scheduler", "slower.py:Slow", "--quiet",
    )  # fmt: skip
    wait_until(lambda: len(planned(cluster.directory)) >= 2)
    axes = [parse_axis(DESIGNS)]
    done = []

    def progress(_what: str, count: int, _total: int) -> None:
        done.append(count)
        if count == 4:
            cluster.scheduler.kill()
            cluster.scheduler.wait()

    with pytest.raises(ResultsError, match="went away"):
        sweep(
            slow, axes, store=tmp_path / "s.sqlite",
            executor=ClusterExecutor[Point, Outcome](cluster.address, timeout_s=10.0),
            progress=progress,
        )  # fmt: skip
    again = sweep(slow, axes, store=tmp_path / "s.sqlite")
    assert again.reused >= done[-1] >= 4
    assert not again.failed
    _, err = verb.communicate(timeout=120)
    assert verb.returncode == 2
    assert err.startswith("error: the cluster at ")
    assert "Traceback" not in err
    assert len(err.splitlines()) == 2, err
