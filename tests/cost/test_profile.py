"""What a profile answers that knows single operators only."""

from __future__ import annotations

from hetsim.cost.profile import INFEASIBLE, Profile

TIMES = {0: (1.0, 4.0), 1: (2.0, 0.5), 2: (INFEASIBLE, 3.0)}


class Single(Profile):
    """Seconds of ``TIMES``; a crossing takes 0.25 s."""

    def time(self, op, pu):
        return TIMES[op][pu]

    def group_time(self, ops, pu):
        return INFEASIBLE

    def chain_time(self, ops, pu):
        return sum(TIMES[op][pu] for op in ops)

    def copy(self, op):
        return 0.0

    def transfer(self, op, pu):
        return 0.0

    def crossing(self, tensor, source, target):
        return 0.0 if source == target else 0.25

    def call(self):
        return 0.0


def test_partitions_that_start_together_end_with_the_longest():
    profile = Single()
    assert profile.concurrent_time([(0, [0, 1]), (1, [2])]) == 3.0
    assert profile.concurrent_time([(0, [0]), (1, [2])]) == 3.0
    assert profile.concurrent_time([(0, [2]), (1, [1])]) == INFEASIBLE
    assert profile.concurrent_time([]) == 0.0


def test_the_reader_pays_for_a_tensor_that_changes_sides():
    assert Single().handover("t", 0, 1) == (0.0, 0.25)
    assert Single().handover("t", 1, 1) == (0.0, 0.0)
