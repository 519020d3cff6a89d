"""Cases: whatever a scheduler does, the outcome is a run or a run with an error."""

from __future__ import annotations

import time
from typing import Any

import pytest

import hetsim
from hetsim.errors import InfeasibleError, PlanError, SchedulerError
from hetsim.plan.model import Partition, Plan
from hetsim.runs.case import Case
from hetsim.runs.guards.limits import time_limit
from hetsim.runs.guards.memory import check_capacity, peak_bytes
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.workload.graph import Graph, Operator, Tensor
from tests.sim.samples import CLUSTER, make_graph, make_soc


class Does(Scheduler):
    """A scheduler that does what it is given."""

    name = "does"
    optimises = ignores = complexity = source = ""

    def __init__(self, action: Any) -> None:
        self.action = action

    def plan(self, problem: Problem) -> Plan:
        return self.action(problem) if callable(self.action) else self.action


GRAPH = make_graph(("a", ["x"], 1.0), ("b", ["a"], 2.0))
GOOD = Plan("by hand", (Partition("p", "cpu", ("a", "b")),), predicted_s=0.004)


@pytest.fixture
def case() -> Case:
    return Case(GRAPH, make_soc({"big": CLUSTER}))


def throw(error: BaseException) -> Any:
    def raises(_: Problem) -> Plan:
        raise error

    return raises


def recurse(problem: Problem) -> Plan:
    return recurse(problem)


def hang(_: Problem) -> Plan:
    while True:
        try:
            time.sleep(0.01)
        except Exception:
            continue


def test_a_good_plan_is_simulated_with_everything_a_report_needs(case: Case) -> None:
    run = case.run("mine", Does(GOOD))
    assert run.error is None
    assert run.makespan_s == pytest.approx(4e-3)
    assert run.predicted_s == 0.004
    assert run.lower_bound_s is not None
    assert run.lower_bound_s <= run.makespan_s
    assert run.pus["cpu"].utilization == pytest.approx(1.0)
    assert run.pus["big"].busy_s == 0.0
    assert run.links["dram"].bytes == 4_000_000
    assert [row.operators for row in run.operators] == ["a", "b"]
    assert [row.end_s for row in run.operators] == pytest.approx([2e-3, 4e-3])
    assert sum(run.attribution.values()) == pytest.approx(run.makespan_s)
    assert run.metrics["contention_free_s"] == pytest.approx(run.makespan_s)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (throw(ValueError("no idea")), "ValueError: no idea"),
        (throw(KeyError("x")), "KeyError"),
        (throw(SystemExit(3)), "SystemExit"),
        (throw(StopIteration()), "StopIteration"),
        (throw(MemoryError()), "MemoryError"),
        (recurse, "recurs"),
        (None, "NoneType"),
        ("a plan", "str"),
        (Plan("by hand", ()), "no partitions"),
        (Plan("other", GOOD.partitions), "other"),
        (Plan("by hand", (Partition("p", "gpu", ("a", "b")),)), "gpu"),
        (Plan("by hand", (Partition("p", "cpu", ("a",)),)), "'b'"),
        (Plan("by hand", (Partition("p", "cpu", ("b", "a")),)), "before"),
        (Plan("by hand", (Partition("p", "cpu", ("a", "b")),), (("p", "q"),)), "'q'"),
        (Plan("by hand", ("a", "b")), "not a plan"),  # type: ignore[arg-type]
        (Plan("by hand", None), "not a plan"),  # type: ignore[arg-type]
        (Plan("by hand", (Partition("p", "cpu", (0, 1)),)), ""),  # type: ignore[arg-type]
        (Plan("by hand", (Partition("p", 0, ("a", "b")),)), ""),  # type: ignore[arg-type]
        (Plan("by hand", (Partition("p", "cpu", (["a"], "b")),)), ""),  # type: ignore[arg-type]
        (Plan("by hand", GOOD.partitions, predicted_s="soon"), "soon"),  # type: ignore[arg-type]
        (Plan("by hand", GOOD.partitions, predicted_s=float("nan")), "nan"),
        (Plan("by hand", GOOD.partitions, predicted_s=-1.0), "-1"),
    ],
)
def test_a_scheduler_that_fails_is_a_run_with_an_error(
    case: Case, action: Any, message: str
) -> None:
    with pytest.raises((SchedulerError, PlanError)):
        case.plan(Does(action))
    run = case.run("mine", Does(action))
    assert run.error is not None
    assert message in run.error
    assert run.makespan_s is None
    assert run.gap is None


def test_a_scheduler_that_hangs_is_stopped(case: Case) -> None:
    begun = time.monotonic()
    run = case.run("mine", Does(hang), limit_s=0.2)
    assert run.error is not None
    assert "0.2 s" in run.error
    assert "Does" in run.error
    assert time.monotonic() - begun < 30  # it came back at all


def test_ctrl_c_is_not_an_error_of_the_scheduler(case: Case) -> None:
    with pytest.raises(KeyboardInterrupt):
        case.run("mine", Does(throw(KeyboardInterrupt())))


def test_time_limits_leave_no_alarm_behind() -> None:
    import signal

    before = signal.getsignal(signal.SIGALRM)
    with time_limit(60.0, "nothing"):
        pass
    with pytest.raises(SchedulerError, match="sleeping took longer"), time_limit(0.05, "sleeping"):
        time.sleep(5)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_without_a_limit_the_body_just_runs() -> None:
    with time_limit(None, "nothing"):
        pass


def test_limits_outside_the_main_thread_do_not_hinder() -> None:
    import threading

    done = []

    def work() -> None:
        with time_limit(0.01, "work"):
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


def branches() -> Graph:
    """x of 1 kB feeds a (2 kB) and b (3 kB), which c (5 kB) reads; 7 kB of weights."""
    sizes = {"x": 250, "a": 500, "b": 750, "c": 1250}
    return Graph.create(
        "branches",
        [
            Operator("a", "Conv", ("x",), ("a",), (("float32", 1500),)),
            Operator("b", "Conv", ("x",), ("b",), (("int8", 1000),)),
            Operator("c", "Add", ("a", "b"), ("c",)),
        ],
        [Tensor(name, (1, size)) for name, size in sizes.items()],
        ["x"],
        ["c"],
    )


def test_peak_memory_is_weights_and_what_is_alive_at_once() -> None:
    # Weights 7000; x and c live throughout; at c both a and b are alive.
    assert peak_bytes(branches()) == 7000 + 1000 + 5000 + 2000 + 3000


def test_a_network_larger_than_the_memory_is_refused_with_what_is_missing() -> None:
    def soc(capacity: str) -> Any:
        return make_soc(memory={"dram": {"bandwidth": "1 GB/s", "capacity": capacity}})

    check_capacity(branches(), soc("18 kB"))
    with pytest.raises(InfeasibleError, match="branches") as caught:
        Case(branches(), soc("17.5 kB")).check()
    assert "500 B" in str(caught.value)


@pytest.mark.slow
def test_a_network_that_does_not_fit_fails_its_own_rows_only(tmp_path: Any) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "hetsim: scenario/1\nname: s\nsoc: edge-mcu\nmodels: [inception_v3, squeezenet]\n"
        "schedulers: [type_based, cpu_only]\n"
    )
    result = hetsim.run(str(path))
    errors = {(run.model, run.scheduler): run.error for run in result.runs}
    assert "needs 102.4 MiB" in (errors["inception_v3", "type_based"] or "")
    assert "needs 102.4 MiB" in (errors["inception_v3", "cpu_only"] or "")
    assert errors["squeezenet", "type_based"] is None
    assert errors["squeezenet", "cpu_only"] is None
