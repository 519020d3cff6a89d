"""Upward ranks where handing over costs, by hand."""

from __future__ import annotations

import pytest

from hetsim.runs.case import Case
from hetsim.schedulers.list.heft import upward_ranks
from hetsim.schedulers.units import Units
from hetsim.sim.dispatchers.ranks import UpwardRanks
from hetsim.sim.expected import Expected
from hetsim.soc.model import SoC
from tests.sim.dispatchers.test_placing import open_program
from tests.sim.samples import CLUSTER, FAST, MS, make_graph, make_soc


def copying(*clocks_ghz: float) -> SoC:
    """Units of so many GHz; the second has all copied in and out, 1 MB in a millisecond."""
    units = {
        f"u{i}": CLUSTER
        | {"operating_points": {"n": {"clock": f"{ghz} GHz"}}}
        | ({"crossing": {"copy": "1 GB/s"}} if i == 1 else {})
        for i, ghz in enumerate(clocks_ghz)
    }
    return make_soc({"cpu": {"exclude": ["Relu"]}, **units}, memory=FAST)


def test_a_rank_is_mean_times_and_mean_handovers_along_the_costliest_way() -> None:
    # 1 and 2 GHz: mean times are 3/4 of those at 1 GHz. Either way between the two a copy of 1 MB.
    soc = copying(1, 2)
    graph = make_graph(("a", ["x"], 4), ("b", ["a"], 8), ("c", ["a"], 2), ("d", ["b", "c"], 4))
    program = open_program(graph, soc)
    ranks = UpwardRanks(Expected(soc))
    found = [ranks.of(program, i) / MS for i in range(4)]
    assert found == pytest.approx([3 + 1 + 6 + 1 + 3, 6 + 1 + 3, 1.5 + 1 + 3, 3])
    levels = UpwardRanks(Expected(soc), handover=False)
    found = [levels.of(program, i) / MS for i in range(4)]
    assert found == pytest.approx([3 + 6 + 3, 6 + 3, 1.5 + 3, 3])


@pytest.mark.parametrize("copiers", [(), (1,), (1, 2)])
def test_ranks_are_those_of_heft_where_every_unit_can_run_everything(copiers: tuple[int]) -> None:
    """HEFT's mean handover is over all units, that of the dispatcher over those that can run it."""
    units = {
        f"u{i}": CLUSTER | ({"crossing": {"copy": "1 GB/s"}} if i in copiers else {})
        for i in range(3)
    }
    soc = make_soc({"cpu": units.pop("u0"), **units}, memory=FAST)
    graph = make_graph(("a", ["x"], 4), ("b", ["a"], 8), ("c", ["a"], 2), ("d", ["b", "c"], 4))
    program = open_program(graph, soc)
    ranks = UpwardRanks(Expected(soc))
    static = upward_ranks(Units(Case(graph, soc).problem()))
    assert [ranks.of(program, i) for i in range(4)] == pytest.approx(static)
