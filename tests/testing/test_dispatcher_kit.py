"""The kit of dispatchers passes a sound one and catches broken ones."""

from __future__ import annotations

import pytest

from hetsim.testing import DispatcherKit

TEXT = '''
import itertools

from hetsim.sim.dispatchers.eft import EFT
from hetsim.sim.dispatchers.planned import Planned

STARTED = itertools.count()


class Sound(Planned):
    optimises = ignores = source = "whatever"

    def rank(self, task, inference):
        return inference.deadline


class Silent(Sound):
    source = "not stated"


class Opaque(Sound):
    def __init__(self):
        super().__init__()
        self.key = lambda task: 0


class Throws(Sound):
    """Goes by how many there were before it."""

    def begin(self, view):
        super().begin(view)
        self.sign = (-1) ** next(STARTED)

    def rank(self, task, inference):
        return self.sign * inference.arrival


class Sleeps(Sound):
    """Does not say what a finished task lets begin."""

    def finished(self, task):
        return list(super().finished(task))[1:]


class Clings(EFT):
    """Hands out what was given up as if nothing were."""

    def withdraw(self, tasks):
        return ()

    def finished(self, task):
        return () if task.withdrawn else super().finished(task)
'''


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_sound_dispatcher_passes(file):
    DispatcherKit.of(name=f"{file}:Sound", socs=["edge-mcu"], inferences=6).check()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "test", "says"),
    [
        ("Silent", "its_row_is_complete", "source is 'not stated'"),
        ("Opaque", "it_survives_pickling", "pickle"),
        ("Throws", "the_same_arrivals_have_the_same_end", "another schedule the second time"),
        (
            "Sleeps",
            "every_partition_runs_once_when_its_inputs_are_there",
            "has left .* partitions that could run",
        ),
    ],
)
def test_a_broken_dispatcher_is_caught(file, name, test, says):
    kit = DispatcherKit.of(name=f"{file}:{name}")
    with pytest.raises(Exception, match=says):
        getattr(kit(), f"test_{test}")()


def test_whoever_keeps_what_was_given_up_is_passed_over(file):
    # That is allowed: the engine skips it.
    kit = DispatcherKit.of(name=f"{file}:Clings", socs=["edge-mcu"])
    kit().test_what_is_given_up_is_not_run_and_nothing_waits_for_it()
