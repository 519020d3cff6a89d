"""Once nothing is left in fractions, a window's program proves the least of all choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from math import inf

import pytest

from hetsim.bounds.floors import NOTHING, Least
from hetsim.bounds.narrowing import narrowed
from hetsim.bounds.program import Program
from hetsim.bounds.running import Forking
from hetsim.bounds.stages import stages_of
from tests.bounds.labelled import Window, network, random_floors
from tests.bounds.test_stages import floors_of

FORKING = Forking(5.0, 2.0)
NETWORKS = {
    "branches": network((), (0,), (0,), (1, 2), outputs=(1,)),
    "open": network((), (), (0, 1), (0,)),
    "fork": network((), (0,), (0,)),
    "known": network((), (0,), (0, 1), (1, 2), (0, 3)),
    "two results": network((), (0,), (0,), (1, 2), results=2),
    "wide": network((), (0,), (0,), (0, 1), (0,), (1, 2, 3, 4)),
    "long": network((), (0,), (0,), (2,), (3, 0), (1, 4), (5, 0), outputs=(1,)),
    "beyond": network((), (0,), (0,), (1, 2), (1, 3)),
}


def settled(program: Program, fixed: Mapping[int, float]) -> float:
    """The program's bound, split until all shares are decided."""
    found = program.solve(fixed)
    if found.prices is not None:  # which prove the same without a solver
        assert program.proves(found.prices, fixed) == pytest.approx(found.bound, rel=1e-9)
    halves = None if found.values is None else program.split(found.values)
    if halves is None:
        return found.bound
    return min(settled(program, dict(fixed) | dict.fromkeys(half, 0.0)) for half in halves)


ALONE = [*range(1, 20, 2), *range(23, 48, 4)]
"""Seeds that leave each operator one unit, so that adding up is quick."""
SEVERAL = (0, 4, 8, 12, 24, 26, 30, 34)


@pytest.mark.parametrize(
    ("name", "seed"),
    [*product(NETWORKS, ALONE), *product(("branches", "open", "two results"), SEVERAL),
     ("known", 4)],
)  # fmt: skip
def test_a_window_takes_what_its_best_labels_take(name: str, seed: int) -> None:
    graph = NETWORKS[name]
    floors = random_floors(graph, seed, 3 if seed % 4 == 3 else 2, seed // 3 % 3)
    forking, together = ((None, True), (FORKING, True), (FORKING, False))[seed % 3]
    for stage in stages_of(graph, floors):
        program = Program(graph, floors, stage, forking, together)
        ends = [floors.feasible(op) for op in (*stage.before, *stage.after)]
        for pus in list(product(*ends))[:: 1 + seed % 3]:
            entry = dict(zip(stage.before, pus, strict=False))
            leave = dict(zip(stage.after, pus[len(stage.before) :], strict=True))
            if any(entry.get(op, pu) != pu for op, pu in leave.items()):
                continue
            expected = Window(graph, floors, stage, entry, leave).least(forking, together)
            found = settled(program, program.decided(entry, leave))
            assert found == pytest.approx(expected, rel=1e-7), (stage, entry, leave)


LONG = Least(999.0)
ONE, TWO = [1.0, inf], [inf, 1.0]
VERY_LONG = {
    "toll": {"toll": lambda *way: LONG if way == ("t0", 0, 1) else NOTHING},
    "back": {"toll": lambda *way: LONG if way == ("t1", 1, None) else NOTHING},
    "handing": {"handing": lambda *way: LONG if way == ("t0", 0) else NOTHING},
    "leave": {"leave": ((999.0, 0.0), (0.0, 0.0), (0.0, 0.0))},
    "wait": {"leave": ((0.0, 999.0),) * 3},
}


@pytest.mark.parametrize("what", VERY_LONG)
def test_a_plan_is_possible_however_long_one_thing_takes(what: str) -> None:
    """One unit after the other: two calls, two kernels of a second, and 999 s for one thing."""
    floors = replace(floors_of(ONE, TWO, ONE, toll=0.0), **VERY_LONG[what])
    seconds, _ = narrowed(network((), (0,), ()), floors, None)
    assert seconds == pytest.approx(0.5 + 1 + 0.5 + 1 + 999)


@pytest.mark.parametrize("slow", [Least(999.0), Least(inf, ((0, 999.0),))])
def test_a_plan_is_possible_however_long_a_kernel_takes(slow: Least) -> None:
    floors = floors_of(ONE, [slow, inf], ONE, toll=0.0)
    seconds, _ = narrowed(network((), (0,), ()), floors, None)
    assert seconds == pytest.approx(0.5 + 1 + 999 + 1)


def test_where_no_choice_fits_no_plan_is_possible() -> None:
    """The second runs on unit 1 only beside the first, which does not run there."""
    floors = floors_of(ONE, [inf, Least(inf, ((0, 1.0),))], ONE, toll=0.0)
    assert narrowed(network((), (0,), ()), floors, None)[0] == inf
