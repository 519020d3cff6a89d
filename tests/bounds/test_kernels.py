"""What kernels take at least, by hand, from what a cost model that is made up says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf

import pytest

from hetsim.bounds.floors import NOTHING, Least
from hetsim.bounds.kernels import Kernels, drag
from hetsim.cost.chain import CostModel
from hetsim.cost.reach import Reach
from hetsim.cost.work import NOWHERE, Kernel, Phase, Residency, TileRun, Work
from hetsim.errors import InfeasibleError
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph, Tensor
from tests.sim.samples import ELEMENTS, NPU, make_graph, make_soc, plain_way

REACH = Reach(widest=10.0, one_way=5.0, narrowest=25.0, nearest=0.25, farthest=0.5)
AROUND = 0.125
GRAPH = make_graph(("a", ["x"], 1.0), ("b", ["x"], 1.0), ("c", ["a", "b"], 1.0))
MB = 1e6


class Said(CostModel):
    """A cost model that says what a test says: by what stays on chip."""

    def __init__(
        self,
        works: Callable[[Residency], Work | None],
        quickest: Callable[[Residency], float | None] = lambda residency: None,
        floor: float | None = None,
    ) -> None:
        self._works, self._quickest, self._floor = works, quickest, floor

    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        return self._works(residency)

    def floor(self, graph: Graph, op: int, pu: PU) -> float | None:
        return self._floor

    def quickest(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency, reach: Reach
    ) -> float | None:
        return self._quickest(residency)


def kernels(
    costs: CostModel,
    pu: PU,
    fidelity: str | None = None,
    graph: Graph = GRAPH,
    reach: Reach = REACH,
) -> Kernels:
    return Kernels(graph, costs, pu, fidelity, 1, reach, lambda kernel, pu: AROUND)


def cpu(cache: str | None = None) -> PU:
    return make_soc({"cpu": {"l2": cache} if cache else {}}).host


def npu(**options: object) -> PU:
    """Half of its memory is for tensors, of 1 MB each."""
    return make_soc({"npu": NPU | {"sram": "4 MB"} | options}).by_name["npu"]


MOVING = Phase("compute", 3.0, load_bytes=20, store_bytes=60)
STILL = Phase("compute", 2.0)


def test_phases_follow_one_another_each_as_long_as_its_work_or_its_bytes() -> None:
    work = Work(1.0, 5.0, (MOVING, STILL))
    asked = kernels(Said(lambda residency: work), cpu())
    found = asked.kernel((2,))
    # 60 bytes one way at 5 B/s take longer than 80 both ways at 10, and than 3 s of work.
    assert found.alone == AROUND + 1 + (60 / 5 + 0.25) + 2
    assert found.beside == ()  # no cache
    assert found.delay == 1 + 0.5
    # One more thread than cores takes a fifth; the first phase has 3.2 s to move its bytes.
    assert found.drag == pytest.approx(1 - 4 / 5 * 3.2 / 3)
    assert asked.moved((2,)) == Least(80.0)
    assert asked.busy((2,)) == Least(5.0)
    assert (asked.moved((0,)), asked.busy((0,))) == (None, None)
    assert asked.leave() == [0.0, 0.0, 0.0]
    assert asked.stored() == [0.0, 0.0, 0.0]


def test_what_does_nothing_is_not_what_drags_least() -> None:
    nothing = Phase("compute", 0.0)
    short = Phase("compute", 0.5)
    asked = kernels(Said(lambda residency: Work(0.0, 0.0, (short, nothing))), cpu())
    assert asked.kernel((0,)).drag == pytest.approx(1 / 5)
    free = kernels(Said(lambda residency: Work(0.0, 0.0, (nothing,))), cpu())
    assert free.kernel((0,)) == Least(AROUND)
    copies = Phase("copy", 0.0, load_bytes=1)
    asked = kernels(Said(lambda residency: Work(0.0, 0.0, (STILL, copies))), cpu())
    assert asked.kernel((0,)).drag == 0.0


def test_a_cache_may_hold_what_either_maker_left_there() -> None:
    def works(residency: Residency) -> Work | None:
        if residency.inputs == {"a"}:
            return Work(1.0, 1.5, (Phase("compute", 1.5, load_bytes=5),))
        if residency.inputs == {"b"}:
            return Work(1.0, 4.0, (Phase("compute", 4.0, load_bytes=10),))
        assert residency == NOWHERE
        return Work(1.0, 5.0, (MOVING, STILL))

    asked = kernels(Said(works), cpu("1 MB"))
    found = asked.kernel((2,))
    assert found.beside == ((0, AROUND + 1 + 1.5 + 0.25), (1, AROUND + 1 + 4 + 0.25))
    assert asked.moved((2,)) == Least(80.0, ((0, 5.0), (1, 10.0)))
    assert asked.busy((2,)) == Least(1.5)
    assert kernels(Said(works), cpu("0.99 MB")).kernel((2,)).beside == ()
    assert kernels(Said(works), cpu("1 MB")).kernel((0,)).beside == ()  # an input of the network


def test_what_the_costs_rule_out_has_no_floor() -> None:
    def works(residency: Residency) -> Work | None:
        raise InfeasibleError("no")

    assert kernels(Said(works), cpu()).kernel((0,)) is None
    assert kernels(Said(lambda residency: None), cpu()).kernel((0,)) is None
    assert kernels(Said(works), npu()).kernel((0,)) is None
    only = kernels(Said(lambda r: None if r.inputs else Work(0.0, 1.0, (STILL,))), cpu("1 MB"))
    assert only.kernel((2,)).beside == ()
    soc = make_soc({"npu": NPU | {"operators": {"Conv": {}}}})
    free = kernels(Said(lambda residency: Work(0.0, 1.0, (STILL,))), soc.by_name["npu"])
    assert free.kernel((0,)) is None


TILES = (TileRun(1, 10, 2.0, 0), TileRun(3, 4, 1.0, 8), TileRun(1, 0, 0.5, 20))
"""22 bytes in, 44 out, 5.5 s of arithmetic."""


@pytest.mark.parametrize(("fidelity", "tiled"), [("fluid", False), ("tile", True), (None, None)])
def test_tiles_overlap_all_but_the_first_load_and_the_last_store(
    fidelity: str | None, tiled: bool | None
) -> None:
    phase = Phase("compute", 6.0, load_bytes=22, store_bytes=44)
    pu = make_soc({"npu": NPU | {"sram": {"input": "1 MB", "weight": "1 MB", "accumulator": "1 MB"},
                   "dma": {"bandwidth": "1 GB/s", "setup": "0.5 s"}}}).by_name["npu"]  # fmt: skip
    work = Work(1.0, 5.5, (phase,), tiles=TILES, overlapped=True)
    fluid = 1 + 44 / 5 + 0.25
    beside = 1 + (0.5 + 0.25 + 10 / 5) + 5.5 + (0.5 + 0.25 + 20 / 5)
    expected = {False: fluid, True: beside, None: min(fluid, beside)}[tiled]
    assert kernels(Said(lambda r: work), pu, fidelity).kernel((0,)).alone == AROUND + expected
    # One after the other: a setup for each load and each store, if there is one.
    apart = replace(work, overlapped=False)
    turns = 1 + 5.5 + 8 * (0.5 + 0.25) + 66 / 5
    expected = {False: fluid, True: turns, None: min(fluid, turns)}[tiled]
    found = kernels(Said(lambda r: apart), pu, fidelity).kernel((0,)).alone
    assert found == pytest.approx(AROUND + expected)
    # With very many bytes, only those count.
    heavy = (TileRun(1, 10, 2.0, 0), TileRun(10, 40, 1.0, 80), TileRun(1, 0, 0.5, 20))
    much = replace(work, tiles=heavy)
    expected = 1 + max((10 + 400 + 820) / 10, 820 / 5)
    found = kernels(Said(lambda r: much), pu, "tile").kernel((0,)).alone
    assert found == AROUND + expected


def test_engines_hurry_as_far_as_a_cache_feeds_them() -> None:
    """Half a second for 4 bytes at 8 B/s; from a cache of 16 B/s a quarter less of it."""
    pu = replace(cpu(), home=plain_way(8.0), cached=plain_way(16.0))
    phase = Phase("compute", 3.0, load_bytes=4, compute_s=1.0)
    asked = Said(lambda residency: Work(0.0, 1.0, (phase,), tiles=TILES))
    assert kernels(asked, pu, "fluid").kernel((0,)).alone == AROUND + 2.75 + 0.25
    plain = Said(lambda residency: Work(0.0, 1.0, (phase,)))
    assert kernels(plain, pu, "fluid").kernel((0,)).alone == AROUND + 3 + 0.25
    uncached = replace(pu, cached=None)
    assert kernels(asked, uncached, "fluid").kernel((0,)).alone == AROUND + 3 + 0.25


def names(residency: Residency) -> str:
    return "".join(sorted(residency.inputs)) + ">" + "".join(sorted(residency.outputs))


INNER = make_graph(("a", ["x"], 1.0), ("b", ["x"], 1.0), ("c", ["a", "b"], 1.0), ("d", ["c"], 1.0))
"""c reads and writes three megabytes, of which two may stay on chip."""


def test_on_chip_every_choice_that_fits_is_looked_at() -> None:
    seconds = {">": 9.0, ">c": 7.0, "a>": 6.0, "b>": 5.0, "a>c": 3.0, "b>c": 4.5, "ab>": 2.0}
    moved = {name: 10 * s for name, s in seconds.items()}
    asked = []

    def works(residency: Residency) -> Work:
        asked.append(residency)
        return Work(0.0, 0.0, (Phase("compute", 0.0, load_bytes=round(moved[names(residency)])),))

    def quickest(residency: Residency) -> float:
        return seconds[names(residency)]

    wide = replace(REACH, widest=1e9)
    known = kernels(Said(works, quickest), npu(), graph=INNER, reach=wide)
    assert known.kernel((2,)) == Least(AROUND + 7, ((0, AROUND + 2), (1, AROUND + 2)))
    assert known.moved((2,)) == Least(MB, ((0, MB), (1, MB)))  # one of three does not fit
    assert known.leave()[2] == 0.0  # with both inputs at hand storing the result costs no more
    assert {names(r) for r in asked} == seconds.keys()
    assert {names(r): r.reserved_bytes for r in asked} == {
        name: MB * (len(name) - 1) for name in seconds
    }


def test_on_chip_neighbours_leave_and_what_is_lost_in_between() -> None:
    """One megabyte in, one out, both of which fit."""
    graph = make_graph(("a", ["x"], 1.0), ("c", ["a"], 1.0), ("d", ["c"], 1.0))
    seconds = {">": 9.0, ">c": 7.0, "a>": 6.0, "a>c": 5.0}
    moved = {">": 90, ">c": 40, "a>": 60, "a>c": 30}

    def works(residency: Residency) -> Work:
        return Work(0.0, 0.0, (Phase("compute", 0.0, load_bytes=moved[names(residency)]),))

    said = Said(works, lambda residency: seconds[names(residency)])
    known = kernels(said, npu(interrupt_latency="0.25 s"), graph=graph)
    assert known.kernel((1,)) == Least(AROUND + 7, ((0, AROUND + 5),))
    assert known.moved((1,)) == Least(40.0, ((0, 30.0),))
    assert known.busy((1,)) == NOTHING
    # Storing takes 9 - 7 more, or 6 - 5 beside the maker of its input; and 50 or 30 bytes.
    assert known.leave() == [0.25, 0.25 + 1, 0.25]
    assert known.stored() == [0.0, 30.0, 0.0]
    # Whatever its time, a kernel that may not run with its input at hand is not beside its maker.
    alone = Said(works, lambda r: inf if r.inputs else seconds[names(r)])
    known = kernels(alone, npu(), graph=graph)
    assert known.kernel((1,)) == Least(AROUND + 7)
    assert known.leave() == [0.0, 2.0, 0.0]
    # A cost model that does not know is taken at the floors of the operators, and for no bytes.
    dark = kernels(Said(works, floor=0.75), npu(), graph=graph)
    assert dark.kernel((1,)) == Least(AROUND + 0.75, ((0, AROUND + 0.75),))
    assert dark.moved((1,)) == Least(0.0, ((0, 0.0),))
    assert dark.stored() == [0.0, 0.0, 0.0]


def test_what_cannot_stay_on_chip_crosses_the_memory_path() -> None:
    """Three tensors of 1 MB where two fit; with little room none may stay, and all cross."""
    still = Said(lambda residency: Work(0.0, 0.0, (STILL,)), lambda residency: 0.0)
    for sram, crossing in (("4 MB", 1.0), ("1 MB", 2.5), ("6 MB", 0.0), ("8 MB", 0.0)):
        reach = replace(REACH, widest=MB)
        known = kernels(still, npu(sram=sram), graph=INNER, reach=reach)
        assert known.kernel((2,)).least == AROUND + crossing
        assert known.moved((2,)).least == crossing * MB
    # Constants of another megabyte come on top, for nothing brings them early.
    heavy = [replace(op, weights=(("float32", ELEMENTS),)) for op in INNER.operators]
    graph = Graph.create("net", heavy, INNER.tensors.values(), INNER.inputs, INNER.outputs)
    known = kernels(still, npu(), graph=graph, reach=replace(REACH, widest=MB))
    assert known.kernel((2,)).least == AROUND + 2.0


def test_of_very_many_tensors_all_of_one_kind_may_stay() -> None:
    """Of one megabyte each, m3 of a quarter: that is the least that all can take."""
    makers = [(f"m{i}", ["x"], 1.0) for i in range(6)]
    graph = make_graph(*makers, ("c", [name for name, _, _ in makers], 1.0), ("d", ["c"], 1.0))
    tensors = graph.tensors | {"m3": Tensor("m3", (ELEMENTS // 4,))}
    graph = Graph.create("net", graph.operators, tensors.values(), graph.inputs, graph.outputs)
    asked = []

    def quickest(residency: Residency) -> float:
        asked.append(residency)
        return 1e9

    known = kernels(Said(lambda r: Work(0.0, 0.0, (STILL,)), quickest), npu(), graph=graph)
    known.kernel((6,))
    everything, result = frozenset(f"m{i}" for i in range(6)), frozenset(["c"])
    assert asked == [
        NOWHERE, Residency(everything, frozenset(), 250_000),
        Residency(frozenset(), result, 250_000), Residency(everything, result, 250_000),
    ]  # fmt: skip
    asked.clear()
    fewer = make_graph(*makers[:5], ("c", [f"m{i}" for i in range(5)], 1.0), ("d", ["c"], 1.0))
    known = kernels(Said(lambda r: Work(0.0, 0.0, (STILL,)), quickest), npu(), graph=fewer)
    known.kernel((5,))
    assert len(asked) == 1 + 6 + 15  # of six tensors none, one, or two, which fit


def test_one_more_thread_than_cores_slows_what_binds() -> None:
    assert drag(2.0, 0.0, 4, 1) == pytest.approx(1 / 5)
    assert drag(2.0, 0.0, 4, 2) == pytest.approx(1 / 6)  # two together a third
    assert drag(2.0, 2.2, 4, 1) == pytest.approx(1 - 4 / 5 * 1.1)
    assert drag(2.0, 2.5, 4, 1) == pytest.approx(0.0)
    assert drag(2.0, 9.0, 4, 1) == 0.0
    assert drag(2.0, 2.2, 4, 3) == pytest.approx(1 - 4 / 5 * 1.1)  # the first costs least
    assert drag(0.0, 1.0, 4, 1) == 0.0
    assert drag(0.5, 0.0, 4, 0) == 0.0
