"""A chain of cost models: who is asked, in which order, and what is said when nobody knows."""

from __future__ import annotations

import pytest

from hetsim.cost.chain import CostChain, CostModel
from hetsim.cost.reach import Reach
from hetsim.cost.work import NOWHERE, Kernel, Phase, Residency, Work
from hetsim.errors import InfeasibleError
from tests.sim.samples import make_graph, make_soc

GRAPH = make_graph(("a", ["x"], 1.0), ("b", ["a"], 1.0), ("c", ["b"], 1.0))
KERNELS = [Kernel.of(GRAPH, (op,)) for op in GRAPH.operators]
PU = make_soc().by_name["cpu"]
REACH = Reach.of(PU, 1)
KEPT = Residency(frozenset("a"))


class Oracle(CostModel):
    """Knows the operators named: each takes ``seconds`` and at least half of it."""

    def __init__(self, seconds: float, known: str, caches: bool = False) -> None:
        self.seconds, self.known, self.caches = seconds, known, caches

    def work(self, graph, kernel, pu, residency=NOWHERE):
        if kernel.name not in self.known:
            return None
        moved = 0 if residency == KEPT else 4
        return Work(0.0, self.seconds, (Phase("run", self.seconds, moved),))

    def floor(self, graph, op, pu):
        return self.seconds / 2 if graph.operators[op].name in self.known else None

    def quickest(self, graph, kernel, pu, residency, reach):
        assert kernel.name in self.known  # that of who answers, nobody else's
        return self.seconds / 2 + (0.0 if residency == KEPT else reach.nearest + 1.0)

    def transfer(self, graph, op, pu):
        return self.seconds / 4 if graph.operators[op].name in self.known else None

    def notes(self):
        return [f"knows {self.known}"]


CHAIN = CostChain([Oracle(8.0, "a"), Oracle(16.0, "ab")])


def test_the_first_who_knows_answers_every_question() -> None:
    for at, seconds in ((0, 8.0), (1, 16.0)):
        work = CHAIN.work(GRAPH, KERNELS[at], PU)
        assert work is not None
        assert (work.compute_s, work.load_bytes) == (seconds, 4)
        kept = CHAIN.work(GRAPH, KERNELS[at], PU, KEPT)
        assert kept is not None
        assert kept.load_bytes == 0
        assert CHAIN.floor(GRAPH, at, PU) == seconds / 2
        assert CHAIN.transfer(GRAPH, at, PU) == seconds / 4
        assert CHAIN.quickest(GRAPH, KERNELS[at], PU, KEPT, REACH) == seconds / 2
        assert CHAIN.quickest(GRAPH, KERNELS[at], PU, NOWHERE, REACH) == seconds / 2 + 1.0


def test_what_nobody_knows_is_an_error_and_no_bound() -> None:
    with pytest.raises(InfeasibleError, match="no cost model knows Relu on cpu"):
        CHAIN.work(GRAPH, KERNELS[2], PU)
    assert CHAIN.floor(GRAPH, 2, PU) is None
    assert CHAIN.transfer(GRAPH, 2, PU) is None
    assert CHAIN.quickest(GRAPH, KERNELS[2], PU, NOWHERE, REACH) is None
    # A chain of one is no exception.
    assert CostChain([Oracle(8.0, "a")]).quickest(GRAPH, KERNELS[1], PU, NOWHERE, REACH) is None


def test_one_that_caches_is_enough_and_all_notes_are_told() -> None:
    assert not CHAIN.caches
    assert CostChain([Oracle(1.0, "a"), Oracle(1.0, "b", caches=True)]).caches
    assert CHAIN.notes() == ["knows a", "knows ab"]


def test_a_model_need_not_know_more_than_work_and_floors() -> None:
    class Plain(CostModel):
        def work(self, graph, kernel, pu, residency=NOWHERE):
            return Work(0.0, 1.0, (Phase("run", 1.0),))

        def floor(self, graph, op, pu):
            return 1.0

    plain = Plain()
    assert plain.quickest(GRAPH, KERNELS[0], PU, NOWHERE, REACH) is None
    assert plain.transfer(GRAPH, 0, PU) is None
    assert (plain.notes(), plain.caches) == ([], False)
