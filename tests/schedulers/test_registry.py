"""Schedulers by name, by entry point and by file; wrong names and parameters are explained."""

from __future__ import annotations

import pickle
import random

import pytest

from hetsim.errors import SchedulerError
from hetsim.schedulers import registry
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from tests.schedulers.fakes import random_problem

MINE = """
from hetsim.plan.build import Block, make_plan
from hetsim.schedulers.base import Scheduler


class Mine(Scheduler):
    name = "mine"
    optimises = ignores = complexity = source = "nothing"

    def __init__(self, pu: int = 0, factor: float = 1.0) -> None:
        if pu < 0:
            raise ValueError("negative")
        self.pu = pu
        self.factor = factor

    def plan(self, problem):
        ops = tuple(range(len(problem.graph)))
        return make_plan(problem.graph, problem.soc, [Block(ops, self.pu)], scheduler=self.name)


class NotOne:
    pass


class Unfinished(Scheduler):
    name = "unfinished"
"""


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


@pytest.mark.parametrize("name", registry.scheduler_names())
def test_every_built_in_scheduler_has_a_complete_row(name):
    cls = registry.find(name)
    assert cls.name == name
    row = registry.describe(cls, name, "built in")
    for text in (row.optimises, row.ignores, row.complexity, row.source):
        assert len(text) > 3
    assert pickle.loads(pickle.dumps(registry.create(name))) is not None


def test_rows_show_parameters_with_defaults():
    rows = {row.name: row for row in registry.list_schedulers()}
    assert rows["partition_tuner"].parameters["switch_penalty_us"] == "2000.0"
    assert rows["partition_tuner"].parameters["lpt_by"] == "'bytes'"
    assert rows["heft"].parameters == {}


def test_parameters_reach_the_constructor():
    made = registry.create("partition_tuner", {"switch_penalty_us": 5, "joint": True})
    assert made == PartitionTuner(switch_penalty_us=5.0, joint=True)
    assert isinstance(made.switch_penalty_us, float)


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("hefd", {}, ["no scheduler 'hefd'", "did you mean 'heft'", "./mine.py:MyScheduler"]),
        ("heft", {"x": 1}, ["no parameter 'x'", "(none)"]),
        ("partition_tuner", {"joint_": True}, ["'joint_'", "did you mean 'joint'"]),
        ("partition_tuner", {"joint": "maybe"}, ["'joint' is 'maybe'", "true or false"]),
        ("partition_tuner", {"longest_group": 2.5}, ["a whole number"]),
        ("partition_tuner", {"longest_group": True}, ["a whole number"]),
        ("partition_tuner", {"lpt_by": "size"}, ["'bytes'", "'time'"]),
        ("partition_tuner", {"switch_penalty_us": "2 ms"}, ["a number"]),
        ("partition_tuner", {"switch_penalty_us": -2}, ["zero or more"]),
    ],
)
def test_wrong_names_and_parameters_are_explained(name, parameters, words):
    with pytest.raises(SchedulerError) as caught:
        registry.create(name, parameters)
    for word in words:
        assert word in str(caught.value)


def test_a_scheduler_from_a_file(mine):
    scheduler = registry.create(f"{mine}:Mine", {"pu": 1, "factor": 2})
    assert isinstance(scheduler, Scheduler)
    assert (scheduler.pu, scheduler.factor) == (1, 2.0)
    assert registry.describe(type(scheduler), "mine", str(mine)).parameters["pu"] == "0"


def test_an_edited_file_is_read_again(mine):
    before = registry.find(f"{mine}:Mine")
    assert registry.find(f"{mine}:Mine") is before
    mine.write_text(MINE.replace('name = "mine"', 'name = "changed"'))
    assert registry.find(f"{mine}:Mine").name == "changed"


@pytest.mark.parametrize(
    ("suffix", "words"),
    [
        (":Mime", ["defines no 'Mime'", "did you mean 'Mine'"]),
        (":NotOne", ["is not a scheduler", "subclass"]),
        (":Unfinished", ["does not define plan()"]),
        ("", ["names a file but no class"]),
    ],
)
def test_files_without_a_scheduler_are_explained(mine, suffix, words):
    with pytest.raises(SchedulerError) as caught:
        registry.create(f"{mine}{suffix}")
    for word in words:
        assert word in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(SchedulerError, match="no such scheduler file"):
        registry.create(f"{tmp_path}/none.py:X")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x = 1\n\ndef f():\n    return 1 / 0\n\nf()\n", 4, "ZeroDivisionError"),
        ("x = 1\ny = (\n", 2, "SyntaxError"),
        ("import nothing_of_that_name\n", 1, "nothing_of_that_name"),
        ("import sys\nsys.exit(3)\n", 2, "SystemExit"),
    ],
)
def test_a_file_that_fails_on_import_is_located(tmp_path, text, line, words):
    file = tmp_path / "broken.py"
    file.write_text(text)
    with pytest.raises(SchedulerError) as caught:
        registry.create(f"{file}:X")
    assert f"{file}:{line}" in str(caught.value)
    assert words in str(caught.value)


def test_a_constructor_that_raises_is_located(mine):
    with pytest.raises(SchedulerError, match=r"mine\.py:\d+.*ValueError: negative"):
        registry.create(f"{mine}:Mine", {"pu": -1})


def test_entry_points_of_other_packages(tmp_path, monkeypatch):
    (tmp_path / "other_pkg.py").write_text(MINE)
    info = tmp_path / "other_pkg-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other_pkg\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[hetsim.schedulers]\nfrom_elsewhere = other_pkg:Mine\nbroken = other_pkg:Nothing\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert "from_elsewhere" in registry.scheduler_names()
    assert registry.create("from_elsewhere", {"pu": 2}).pu == 2
    with pytest.raises(SchedulerError, match="'broken' of other_pkg:Nothing cannot be imported"):
        registry.create("broken")


def test_a_class_is_named_after_itself_unless_it_says_otherwise():
    class Sketch(Scheduler):
        pass

    class Named(Sketch):
        name = "mine"

    assert (Sketch.name, Named.name) == ("Sketch", "mine")
    with pytest.raises(TypeError, match="keyword"):
        type("Misspelt", (Scheduler,), {}, nmae="mine")


def test_stated_parameters_are_plain_ones_that_differ_from_what_they_are_by_default():
    class Odd(Scheduler):
        def __init__(self, count=3, label=None, names=(), hidden=1, ratio=0.5):
            self.count, self.label, self.names, self.ratio = count, label, names, ratio

        def plan(self, problem):
            raise AssertionError("nobody plans with it")

    assert registry.stated_parameters(Odd()) == {}
    made = Odd(count=None, label="mine", names=["a"], hidden=2, ratio=0.75)
    assert registry.stated_parameters(made) == {"count": None, "label": "mine", "ratio": 0.75}


def test_a_problem_nobody_seeds_has_seed_0_and_the_first_runtime():
    made = random_problem(random.Random(1), 3)
    told = Problem(made.graph, made.soc, made.profile)
    assert (told.seed, told.execution) == (0, "dataflow")
    assert (told.evaluate, told.rewritten, told.floors) == (None, None, None)
