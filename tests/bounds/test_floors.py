"""What an operator takes at least, from the floors of the kernels it may be part of: by hand."""

from __future__ import annotations

import math

import pytest

from hetsim.bounds.floors import NEVER, Least, divided
from hetsim.bounds.kernels import Kernels
from hetsim.cost.reach import Reach
from tests.schedulers.fakes import chain, make_soc

GRAPH = chain("Conv", "Relu", "Conv")
NPU = make_soc(npu_fuse=["Conv-Relu"]).by_name["npu"]
ALONE = {(0,): Least(5.0, (), 0.5, 3.0), (1,): Least(2.0, (), 0.25, 4.0), (2,): Least(5.0)}


def floors(kernels, tails=(0.0, 1.0, 0.0)):
    return divided(GRAPH, NPU, kernels.get, tails.__getitem__)


def test_without_fused_kernels_floors_are_those_of_the_kernels():
    assert floors(ALONE) == list(ALONE.values())


def test_a_fused_kernel_is_shared_out_between_its_head_and_what_its_tail_adds():
    head, tail, last = floors({**ALONE, (0, 1): Least(5.5, ((0, 4.0),), 0.75, 2.0)})
    assert head.alone == 4.5  # 5.5 less the tail's 1.0, which is less than 5.0 alone
    assert head.beside == ((0, 3.0),)
    assert tail == Least(2.0, ((0, 1.0),), 0.25, 2.0)
    assert (head.delay, head.drag) == (0.75, 2.0)  # the longest, and the least of its kernels
    assert last == ALONE[(2,)]


def test_a_slow_fused_kernel_lowers_nothing_but_the_tail():
    head, tail, _ = floors({**ALONE, (0, 1): Least(9.0, (), 0.0, 9.0)})
    assert (head.alone, head.drag) == (5.0, 3.0)
    assert tail == Least(2.0, ((0, 1.0),), 0.25, 4.0)


def test_what_only_ever_runs_behind_another_has_no_delay_of_its_own():
    known = {(0,): ALONE[(0,)], (2,): ALONE[(2,)], (0, 1): Least(6.0, (), 0.5, 7.0)}
    _, tail, _ = floors(known)
    assert tail == Least(math.inf, ((0, 1.0),), 0.0, 7.0)
    assert tail.least == 1.0


def test_a_neighbour_counts_as_far_as_it_makes_an_operator_quicker():
    """What tails add is taken off there, too, and nothing takes less than no time."""
    near = {**ALONE, (2,): Least(5.0, ((0, 5.0), (1, 4.5)))}
    assert floors(near)[2] == Least(5.0, ((1, 4.5),))
    for warm, left in ((1.25, 0.25), (0.75, 0.0)):
        head, _, _ = floors({**ALONE, (0, 1): Least(5.5, ((0, warm),))})
        assert head.beside == ((0, left),)
    _, tail, _ = floors({**ALONE, (0, 1): Least(5.5)}, tails=(0.0, 2.0, 0.0))
    assert tail.beside == ()


def test_what_cannot_run_never_does():
    assert floors({(0,): ALONE[(0,)], (2,): Least(math.inf)})[1:] == [NEVER, NEVER]
    assert NEVER.least == math.inf


def test_a_tail_that_takes_longer_than_all_leaves_the_head_nothing_below_zero():
    head, _, _ = floors({**ALONE, (0, 1): Least(5.5)}, tails=(0.0, 9.0, 0.0))
    assert head.alone == 0.0


@pytest.mark.parametrize(("known", "told"), [(3.0, 3.0), (None, 0.0), (math.inf, 0.0), (0.0, 0.0)])
def test_a_tail_adds_what_the_costs_say_it_takes_at_least(known, told):
    class Costs:
        def floor(self, graph, op, pu):
            assert (graph, op, pu) == (GRAPH, 1, NPU)
            return known

    kernels = Kernels(GRAPH, Costs(), NPU, None, 0, Reach.of(NPU, 1), lambda kernel, pu: 0.0)
    assert kernels.tail(1) == told
