"""Who goes first on a unit that the plan has chosen: orders by hand, and what theory promises."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from math import lcm

import pytest

from hetsim.lower.program import Program
from hetsim.sim.dispatchers.registry import create_dispatcher
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.soc.model import SoC
from tests.sim.samples import FAST, MS, NPU, lower, make_graph, make_soc

LAUNCH = 0.25
"""Milliseconds of each launch of the periodic tasks."""


@cache
def soc() -> SoC:
    return make_soc({"npu": NPU}, memory=FAST)


@cache
def chain(launches: int, each_ms: float = LAUNCH) -> Program:
    """One partition of equal launches."""
    names = [f"n{i}" for i in range(launches)]
    graph = make_graph(*((n, [f"n{i - 1}" if i else "x"], each_ms) for i, n in enumerate(names)))
    return lower(graph, soc(), [("cpu", " ".join(names))])


def ends(work: Sequence[Inference], name: str, **parameters: object) -> list[float]:
    """When each inference ended, ms."""
    made = create_dispatcher(name, parameters)
    return [t / MS for t in execute(soc(), work, trace=False, dispatcher=made).finished]


def order(work: Sequence[Inference], name: str) -> list[int]:
    """The numbers of the inferences in the order of their ends."""
    found = ends(work, name)
    return sorted(range(len(found)), key=lambda i: found[i])


def test_each_goes_by_what_it_says() -> None:
    # The first occupies the unit while the others arrive.
    work = [
        Inference(chain(4), 0.0, 0, deadline=99 * MS),
        Inference(chain(8), 0.1 * MS, 1, deadline=20 * MS),  # laxity + now at 18
        Inference(chain(16), 0.2 * MS, 0, deadline=21 * MS),  # at 17
        Inference(chain(1), 0.3 * MS, 2, deadline=19 * MS),  # at 18.75
        Inference(chain(1), 0.4 * MS, 2),
    ]
    assert order(work, "fifo") == [0, 1, 2, 3, 4]
    assert order(work, "priority") == [0, 3, 4, 1, 2]
    assert order(work, "edf") == [0, 3, 1, 2, 4]
    assert order(work, "least_laxity") == [0, 2, 1, 3, 4]


def test_only_the_preemptive_ones_go_between_launches() -> None:
    work = [
        Inference(chain(8), 0.0, 0, deadline=9 * MS),
        Inference(chain(1), 0.3 * MS, 1, deadline=1 * MS),
    ]
    for name in ("priority", "edf", "least_laxity"):
        assert ends(work, name) == pytest.approx([2.0, 2.25])
        assert ends(work, name, preemptive=True) == pytest.approx([2.25, 0.75])


def test_laxity_of_what_runs_grows_with_what_it_has_done() -> None:
    # Latest start of the long one: 3 - 2 = 1 at first, 1.75 after three launches. The other one's
    # is 2 - 0.5 = 1.5: it has to wait for three launches, and would wait for none otherwise.
    work = [Inference(chain(8), deadline=3 * MS), Inference(chain(2), 0.1 * MS, deadline=2 * MS)]
    assert ends(work, "least_laxity", preemptive=True) == pytest.approx([2.5, 1.25])


def test_laxity_counts_the_rest_of_the_path_on_other_units() -> None:
    # Both have one millisecond on the CPU, and the second one ten more on the NPU behind it.
    short = lower(make_graph(("a", ["x"], 1.0)), soc(), [("cpu", "a")])
    long = make_graph(("b", ["x"], 1.0), ("c", ["b"], 10.0))
    two = lower(long, soc(), [("cpu", "b"), ("npu", "c")])
    work = [
        Inference(chain(1)), Inference(short, 0.1 * MS, deadline=15 * MS),
        Inference(two, 0.1 * MS, deadline=16 * MS),
    ]  # fmt: skip
    assert order(work, "edf") == [0, 1, 2]
    assert ends(work, "least_laxity")[1] == pytest.approx(2.25)


def periodic(seed: int, share: float) -> list[tuple[int, int]]:
    """Period and launches of tasks that ask for about ``share`` of a unit, at most that."""
    drawn = random.Random(seed)
    periods = [drawn.choice((4, 5, 8, 10)) for _ in range(4)]
    cuts = sorted(drawn.random() for _ in range(3))
    shares = [b - a for a, b in zip([0.0, *cuts], [*cuts, 1.0], strict=True)]
    return [(p, max(1, int(share * s * p / LAUNCH))) for p, s in zip(periods, shares, strict=True)]


def lateness(tasks: Sequence[tuple[int, int]], name: str) -> float:
    """How late, in ms, the latest of all inferences is over two rounds of all periods."""
    horizon = 2 * lcm(*(period for period, _ in tasks))
    work = [
        Inference(chain(n), k * period * MS, deadline=(k + 1) * period * MS)
        for period, n in tasks
        for k in range(horizon // period)
    ]
    found = ends(work, name, preemptive=True)
    return max(end - i.deadline / MS for i, end in zip(work, found, strict=True))


def used(tasks: Sequence[tuple[int, int]]) -> float:
    return sum(n * LAUNCH / period for period, n in tasks)


@pytest.mark.parametrize("seed", range(6))
def test_edf_is_late_by_one_launch_at_most_while_the_unit_suffices(seed: int) -> None:
    # Liu and Layland's theorem 7, deadlines moved by what a launch can hold up: then the demand
    # until t is no more than t, the launch included.
    tasks = periodic(seed, 1.0)
    assert 0.75 < used(tasks) <= 1.0
    assert lateness(tasks, "edf") <= LAUNCH + 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_nobody_keeps_deadlines_when_the_unit_does_not_suffice(seed: int) -> None:
    tasks = [(period, n + 1) for period, n in periodic(seed, 1.1)]
    excess = used(tasks) - 1.0
    assert excess > 0.05
    for name in ("edf", "least_laxity"):
        # What is left over after two rounds is done after the last deadline.
        horizon = 2 * lcm(*(period for period, _ in tasks))
        assert lateness(tasks, name) >= excess * horizon - 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_least_laxity_keeps_what_edf_keeps(seed: int) -> None:
    tasks = periodic(seed, 0.85)
    assert lateness(tasks, "edf") <= 1e-6
    assert lateness(tasks, "least_laxity") <= 1e-6


def test_fixed_priorities_respond_as_the_recurrence_says() -> None:
    # Periods 5, 8, 20; 1, 2 and 3.25 ms: R = 3.25 + ceil(R / 5) + 2 ceil(R / 8) = 7.25.
    programs = [(5, 4, 2), (8, 8, 1), (20, 13, 0)]
    work = [
        Inference(chain(n), k * period * MS, priority)
        for period, n, priority in programs
        for k in range(20 // period + 1)
    ]
    found = ends(work, "priority", preemptive=True)
    assert found[-2] == pytest.approx(7.25)
