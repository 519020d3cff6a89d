"""The kits find what is wrong: every plug-in here breaks one promise."""

from __future__ import annotations

import inspect
import random
import threading
from dataclasses import replace
from pathlib import Path

import click
import pytest

from hetsim import testing
from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.analytical.accelerator import AcceleratorModel
from hetsim.cost.work import Phase, Work
from hetsim.errors import ConfigError
from hetsim.executors.serial import SerialExecutor
from hetsim.report.files.jsonout import dumps
from hetsim.report.page.study import Page
from hetsim.study.base import PointStudy
from hetsim.study.point import PointBench, points_of
from hetsim.study.registry import STUDIES
from hetsim.testing import (
    CostModelKit,
    ExecutorKit,
    Kit,
    PUKindKit,
    ReaderKit,
    SchedulerKit,
    StudyKit,
)

SCHEDULERS = '''
import random
import threading
from dataclasses import replace

from hetsim.plan.build import Block, make_plan
from hetsim.plan.model import Proof
from hetsim.schedulers.simple.cpu_only import CPUOnly


class Sound(CPUOnly):
    name = "Sound"


class Forgets(Sound):
    """Leaves an operator out."""

    name = "Forgets"

    def plan(self, problem):
        plan = super().plan(problem)
        first, *others = plan.partitions
        return replace(plan, partitions=(replace(first, operators=first.operators[:-1]), *others))


class Throws(Sound):
    """Draws from a generator that nobody has seeded."""

    name = "Throws"

    def plan(self, problem):
        return replace(super().plan(problem), details={"draw": random.random()})


class Remembers(Sound):
    """Counts its problems."""

    name = "Remembers"
    seen = 0

    def plan(self, problem):
        self.seen += 1
        return replace(super().plan(problem), details={"seen": self.seen})


class Crashes(Sound):
    """Has not thought of a network of one operator."""

    name = "Crashes"

    def plan(self, problem):
        problem.graph.operators[1]
        return super().plan(problem)


class Believes(Sound):
    """Runs whatever it is told, wherever."""

    name = "Believes"

    def plan(self, problem):
        every = Block(tuple(range(len(problem.graph))), 0)
        plan = make_plan(problem.graph, problem.soc, [every], scheduler=self.name)
        return replace(plan, predicted_s=1.0)


class Boasts(Sound):
    """Proves what is not so."""

    name = "Boasts"

    def plan(self, problem):
        return replace(super().plan(problem), proof=Proof(1e9, self.name))


class Silent(Sound):
    """Says neither what it optimises nor when it will end."""

    name = "Silent"
    optimises = "not stated"


class Opaque(Sound):
    """Holds what no other process can hold."""

    name = "Opaque"

    def __init__(self):
        self.key = lambda op: op
'''


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text(SCHEDULERS, encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_sound_scheduler_passes(file):
    SchedulerKit.of(name=f"{file}:Sound", problems=5, simulated=["edge-mcu"]).check()


@pytest.mark.parametrize(
    ("name", "test", "says"),
    [
        ("Forgets", "random_problems_have_a_valid_plan_always_the_same", "is in no partition"),
        ("Throws", "random_problems_have_a_valid_plan_always_the_same", "another plan the second"),
        ("Remembers", "it_remembers_nothing_of_other_problems", "depends on earlier problems"),
        ("Crashes", "degenerate_networks", "index out of range"),
        ("Believes", "what_no_unit_runs_is_refused", "no unit runs 'b', and yet"),
        ("Boasts", "simulated_problems_have_plans_that_run_within_their_bounds", "than the bound"),
        ("Silent", "its_row_is_complete", "Silent.optimises is not stated"),
        ("Opaque", "it_survives_pickling", "pickle"),
    ],
)
def test_a_broken_scheduler_is_caught(file, name, test, says):
    kit = SchedulerKit.of(name=f"{file}:{name}")
    with pytest.raises(Exception, match=says):
        getattr(kit(), f"test_{test}")()


class Executor(SerialExecutor):
    def __init__(self, fault):
        super().__init__()
        self.fault = fault

    def submit(self, ticket, point):
        super().submit(ticket, point)
        if self.fault == "loses" and ticket == 7:
            self._done.pop()
        if self.fault == "repeats" and ticket == 7:
            self._done *= 2
        if self.fault == "mixes up" and ticket == 7:
            self._done = [(ticket, self._bench.evaluate(3))]

    def wait(self):
        if self.fault == "hangs":
            threading.Event().wait()
        return super().wait()

    def stop(self):
        if self.fault == "stops once" and self._bench is None:
            raise RuntimeError("it is stopped already")
        super().stop()


class Broken(ExecutorKit):
    has_workers = False
    patience_s = 30.0
    fault = ""

    def make(self):
        return Executor(self.fault)


@pytest.mark.parametrize(
    ("fault", "test", "says"),
    [
        ("loses", "every_job_is_answered_exactly_once", "wait\\(\\) gave nothing"),
        ("repeats", "every_job_is_answered_exactly_once", r"came not once: \{7: 2\}"),
        ("mixes up", "every_job_is_answered_exactly_once", "job 7 has the answer"),
        ("stops once", "stopping_is_possible_at_any_time_and_twice", "stopped already"),
    ],
)
def test_a_broken_executor_is_caught(fault, test, says):
    Broken.check()
    with pytest.raises((AssertionError, RuntimeError), match=says):
        getattr(Broken.of(fault=fault)(), f"test_{test}")()


def test_an_executor_that_waits_for_ever_is_given_up():
    kit = Broken.of(fault="hangs", patience_s=0.2)
    with pytest.raises(AssertionError, match=r"no answer for 0\.2 s: a job is lost"):
        kit().test_every_job_is_answered_exactly_once()


class Costs(AnalyticalModel):
    """Answers with one fault."""

    def __init__(self, fault):
        self.fault = fault
        self.asked = 0

    def work(self, graph, kernel, pu, residency):
        work = super().work(graph, kernel, pu, residency)
        self.asked += 1
        if self.fault == "tires":
            return replace(work, dispatch_s=1e-6 * self.asked)
        if self.fault == "negative":
            return replace(work, compute_s=-1.0)
        if self.fault == "spills" and residency.inputs:
            more = [replace(p, load_bytes=p.load_bytes + 10**8) for p in work.phases]
            return replace(work, phases=tuple(more), tiles=())
        return work

    def floor(self, graph, op, pu):
        floor = super().floor(graph, op, pu)
        if self.fault == "high":
            return floor * 10
        return float("inf") if self.fault == "bars" else floor


class Costing(CostModelKit):
    models = ()
    fault = ""

    def make(self, soc, graphs):
        return Costs(self.fault)


@pytest.mark.parametrize(
    ("fault", "test", "says"),
    [
        ("tires", "answers_depend_on_the_question_alone", "asked backwards"),
        ("negative", "answers_are_sound", "negative or infinite"),
        ("spills", "what_is_on_chip_moves_no_more_bytes", "bytes more than from memory"),
        ("high", "nothing_runs_faster_than_the_floors_of_its_operators", "less than its floor"),
        (
            "bars",
            "what_can_never_run_has_an_infinite_floor_or_none_and_a_reason",
            "has an infinite",
        ),
    ],
)
def test_a_broken_cost_model_is_caught(fault, test, says):
    getattr(Costing(), f"test_{test}")()
    with pytest.raises(AssertionError, match=says):
        getattr(Costing.of(fault=fault)(), f"test_{test}")()


class Reading(ReaderKit):
    form = "csv"
    file = "times.csv"
    fault = ""

    def write(self, graph, times):
        return "operators,time_us\n" + "".join(f"{op},{s * 1e6!r}\n" for op, s in times.items())

    def read(self, request):
        try:
            tables = super().read(request)
        except ConfigError as error:
            if self.fault == "lost":
                raise ConfigError("it is broken") from error
            if self.fault == "lenient":
                return []
            raise
        if self.fault == "milliseconds":
            slow = {k: replace(e, seconds=e.seconds * 1e3) for k, e in tables[0].entries.items()}
            return [replace(tables[0], entries=slow)]
        if self.fault == "deaf":
            return [replace(tables[0], device="theirs")]
        if self.fault == "draws":
            return [replace(tables[0], remarks=(str(random.random()),))]
        return tables


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "test", "says"),
    [
        ("lost", "junk_is_an_error_that_names_the_file", r"empty: which file\? it is broken"),
        ("lenient", "junk_is_an_error_that_names_the_file", "0 tables came out of it"),
        ("lenient", "a_missing_file_is_told_by_name", "0 tables came out of it"),
        ("milliseconds", "what_was_written_arrives", "s became"),
        ("draws", "what_was_written_arrives", "two answers"),
        ("deaf", "the_device_can_be_named_by_the_user", "my board"),
    ],
)
def test_a_broken_reader_is_caught(fault, test, says):
    getattr(Reading(), f"test_{test}")()
    with pytest.raises(AssertionError, match=says):
        getattr(Reading.of(fault=fault)(), f"test_{test}")()


RUN = Phase("run", 1e-6, 0, 0, 1e-6)


class Kind(PUKindKit):
    kind = "accelerator"

    def entry(self):
        rates = {"float32": 8, "int8": 8}
        return {
            "macs_per_cycle": rates,
            "element_ops_per_cycle": rates,
            "efficiency": {"default": 0.5},
        }

    def graphs(self):
        return super().graphs()[:1]


@pytest.mark.parametrize(
    ("method", "wrong", "test", "says"),
    [
        ("floor", lambda self, op: 1.0, "nothing_runs_faster_than_the_floors_of_its_operators",
         "less than its floor"),
        ("floor", lambda self, op: -1.0, "nothing_runs_faster_than_the_floors_of_its_operators",
         "negative"),
        ("work", lambda self, graph, kernel, residency: Work(self.spec.point.clock, 0.0, (RUN,)),
         "a_faster_clock_slows_nothing", "at 2 GHz"),
        ("work", lambda self, graph, kernel, residency: Work(1.0, 0.0, (RUN,)), "what_moves_moves",
         "dispatch = '9 us' changes nothing"),
        ("work", lambda self, graph, kernel, residency: Work(1.0, 0.0, ()), "answers_are_sound",
         "no phase"),
    ],
)  # fmt: skip
def test_a_broken_kind_is_caught(monkeypatch, method, wrong, test, says):
    kit = Kind.of(moves={"dispatch": "9 us"})
    getattr(kit(), f"test_{test}")()
    monkeypatch.setattr(AcceleratorModel, method, wrong)
    with pytest.raises(AssertionError, match=says):
        getattr(kit(), f"test_{test}")()


def test_a_kind_that_nobody_registers_is_told():
    with pytest.raises(Exception, match="unregistered"):
        Kind.of(kind="unregistered")().test_it_is_known_by_its_kind()


class Odd(PointStudy):
    """Two runs, and one fault."""

    kind = "odd"
    fault = ""
    options = (click.Option(["--size"], default="20 MHz"),)

    def __init__(self, scenario, size):
        super().__init__(scenario)
        self.size = size

    def question(self):
        return "always the same" if self.fault == "forgets" else self.size

    def points(self):
        return points_of(self.scenario, [{}, {"bus.clock": self.size}])

    def conclude(self, rows, reused, wall_s):
        if self.fault == "raises" and any(outcome.error for _, outcome in rows):
            raise RuntimeError("what now?")
        return [outcome.makespan_s for _, outcome in rows]

    def run(self, executor, progress=None):
        if self.fault != "races":
            return super().run(executor, progress)
        executor.ensure(PointBench.of(self.scenario))
        answers = executor.perform(enumerate(self.points()))
        return [outcome.makespan_s for _, outcome in answers]  # as they come

    def report(self, result):
        told = [*result, random.random()] if self.fault == "draws" else result
        name = "../odd.json" if self.fault == "leads out" else "odd.json"
        return Page("odd", "odd", "odd"), {"odd.json": dumps(told), name: dumps(told)}

    def headline(self, result):
        return "odd"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "test", "says"),
    [
        ("forgets", "the_same_question_has_the_same_identity", "asked something else"),
        ("races", "the_answer_depends_on_the_question_alone", "answered elsewhere: odd.json"),
        ("draws", "the_answer_depends_on_the_question_alone", "asked again: odd.json differs"),
        ("leads out", "the_report_is_complete", "leads out of the directory"),
        ("raises", "a_scheduler_that_raises_is_told_and_no_crash", "exit code 1"),
    ],
)
def test_a_broken_study_is_caught(monkeypatch, fault, test, says):
    monkeypatch.setitem(STUDIES, "odd", ("tests.testing.test_kits:Odd", "Be odd."))
    kit = StudyKit.of(name="odd", other=("--size", "10 MHz"))
    getattr(kit(), f"test_{test}")()
    monkeypatch.setattr(Odd, "fault", fault)
    with pytest.raises(AssertionError, match=says):
        getattr(kit(), f"test_{test}")()


def test_a_kit_knows_its_attributes():
    with pytest.raises(TypeError, match="SchedulerKit has no attribute 'nmae'"):
        SchedulerKit.of(nmae="heft")
    with pytest.raises(AttributeError, match="ScheduleKit"):
        _ = testing.ScheduleKit


def test_every_kit_is_offered_and_needs_no_pytest():
    source = Path(inspect.getfile(testing)).parent
    assert "pytest" not in "".join(
        line for file in source.glob("*.py") for line in file.open() if "import" in line
    )
    for name in testing.__all__:
        kit = getattr(testing, name)
        assert issubclass(kit, Kit)
        assert not name.startswith("Test"), "pytest would collect it wherever it is imported"
        assert kit is Kit or len(kit.checks()) > 4
