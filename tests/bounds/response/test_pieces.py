"""How long partitions take in the worst company, by hand and piece by piece."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hetsim.bounds.response.curves import TICKS
from hetsim.bounds.response.pieces import NOBODY, Company, apart, least, pieces
from hetsim.lower.program import Access, Program, State
from hetsim.soc.model import SoC
from tests.sim.samples import CLUSTER, FAST, MS, NPU, lower, make_graph, make_soc

ONE = make_graph(("a", ["x"], 0.0))
TWO = make_graph(("a", ["x"], 1.0), ("b", ["a"], 2.0))


def in_ms(ticks: tuple[int, ...] | list[int]) -> list[float]:
    return [t / TICKS / MS for t in ticks]


def weighted(cpu: float, big: float, npu: float, **runtime: str) -> SoC:
    """Three units that move over a bus of 1 GB/s by their weights; the host is the first."""
    path = {"path": ["bus", "dram"]}
    units = {"cpu": path | {"weight": cpu}, "big": CLUSTER | path | {"weight": big},
             "npu": NPU | path | {"weight": npu}}  # fmt: skip
    bus = {"bandwidth": "1 GB/s", "arbitration": "weighted"}
    return make_soc(units, memory=FAST, links={"bus": bus}, **runtime)


def beside(soc: SoC, unit: str, *others: str) -> list[float]:
    """Milliseconds of 2 MB on ``unit`` while all others move as much as they can."""
    program = lower(ONE, soc, [(unit, "a")])
    company = Company.of([program, *(lower(ONE, soc, [(other, "a")]) for other in others)])
    (part,) = pieces(soc, program, company)
    assert part.unit == soc.by_name[unit].index
    return in_ms(part.ticks)


def test_nobody_gets_less_than_its_weight_among_all_who_can_be_there() -> None:
    assert beside(weighted(1, 3, 1), "cpu", "big") == pytest.approx([0, 2 * (1 + 3)], abs=1e-6)
    assert beside(weighted(1, 3, 1), "big", "cpu") == pytest.approx([0, 2 * (3 + 1) / 3], abs=1e-6)
    # Whoever asks the host for something may have its weight, if that is more.
    assert beside(weighted(5, 1, 1), "big", "npu") == pytest.approx([0, 2 * (1 + 1)], abs=1e-6)
    asking = weighted(5, 1, 1, partition_call="1 ns")
    assert beside(asking, "big", "npu")[-1] == pytest.approx(2 * (1 + 5))
    asking = weighted(1, 1, 5, partition_call="1 ns")
    assert beside(asking, "big", "npu")[-1] == pytest.approx(2 * (1 + 5))
    assert beside(weighted(1, 1, 2), "big", "npu", "cpu") == pytest.approx(
        [0, 2 * (1 + 2 + 1)], abs=1e-6
    )
    assert beside(weighted(1, 3, 1), "cpu") == pytest.approx([0, 2], abs=1e-6)


def test_another_unit_crosses_each_link_that_it_reaches() -> None:
    path = {"path": ["bus", "dram"]}
    soc = make_soc(
        {"cpu": path, "big": CLUSTER | path, "far": CLUSTER},
        links={"bus": {"bandwidth": "1 GB/s"}}, memory=FAST,
    )  # fmt: skip
    assert beside(soc, "cpu", "big") == pytest.approx([0, 4], abs=1e-6)
    assert beside(soc, "cpu", "far") == pytest.approx([0, 2], abs=1e-6)


def company(soc: SoC, *programs: Program) -> Company:
    found = Company.of(programs)
    assert found.without(0).units == found.units - {0}
    return found


def test_threads_of_others_are_on_the_hosts_cores() -> None:
    """4 ms of four threads beside one more of another unit: at 4/5 of the speed, if it has one."""
    graph = make_graph(("a", ["x"], 4.0))

    def took(call: str = "0 s", **npu: Any) -> list[float]:
        soc = make_soc({"npu": NPU | npu}, memory=FAST, partition_call=call)
        mine, other = (lower(graph, soc, [(unit, "a")]) for unit in ("cpu", "npu"))
        return in_ms(pieces(soc, mine, company(soc, mine, other))[0].ticks)[-1:]

    assert took() == pytest.approx([4], abs=1e-6)
    assert took("1 us") == pytest.approx([5], abs=1e-6)
    assert took(host_wait="poll") == pytest.approx([5], abs=1e-6)
    # Workers of the same cluster keep their own threads there.
    soc = make_soc({"cpu": {"cores": 4, "workers": [2, 2]}}, memory=FAST)
    mine, other = (lower(graph, soc, [(unit, "a")]) for unit in ("cpu.0", "cpu.1"))
    (part,) = pieces(soc, mine, company(soc, mine, other))
    assert in_ms(part.ticks)[-1] == pytest.approx(4, abs=1e-6)


def test_who_is_at_work_and_who_asks_the_host() -> None:
    soc = make_soc({"npu": NPU}, memory=FAST)
    silent = Company.of([lower(ONE, soc, [("npu", "a")]), lower(ONE, soc, [("cpu", "a")])])
    assert silent == Company(frozenset({0, 1}), frozenset())
    called = make_soc({"npu": NPU}, memory=FAST, partition_call="1 us")
    asking = Company.of([lower(ONE, called, [("npu", "a")])])
    assert asking == Company(frozenset({1}), frozenset({1}))
    assert asking.without(1) == NOBODY
    assert asking.without(0) == asking


def test_each_partition_alone_takes_what_an_idle_soc_takes() -> None:
    soc = make_soc({"npu": NPU}, memory=FAST, partition_call="1 ms")
    program = lower(TWO, soc, [("npu", "a"), ("cpu", "b")])
    assert in_ms(least(soc, program)) == pytest.approx([1 + 1, 1 + 2], abs=1e-6)
    parts = apart(program)
    assert [(p.groups, [j.needs for j in p.jobs]) for p in parts] == [(((0,),), [()])] * 2
    state = State("h", "dram", 8)
    jobs = (replace(program.jobs[0], states=(Access("h", writes=True),)), program.jobs[1])
    kept = replace(program, states=(state,), jobs=jobs)
    assert [(p.states, p.jobs[0].states) for p in apart(kept)] == [((), ())] * 2


def test_on_one_unit_partitions_are_as_they_come_and_keep_their_state() -> None:
    """2 MB a kernel at 1 GB/s, the second for 3 ms; its state of 1 MB is read and written."""
    soc = make_soc()
    program = lower(make_graph(("a", ["x"], 1.0), ("b", ["a"], 3.0)), soc, [("cpu", "a"), ("cpu", "b")])  # noqa: E501  # fmt: skip
    first, second = pieces(soc, program, Company.of([program]))
    assert in_ms(first.ticks) == pytest.approx([0, 2], abs=1e-6)
    assert in_ms(second.ticks) == pytest.approx([0, 3], abs=1e-6)
    assert (first.restore, first.save) == ((0, 0), 0)  # nothing lies on a chip
    access = Access("h", reads=True, writes=True)
    jobs = (program.jobs[0], replace(program.jobs[1], states=(access,)))
    kept = replace(program, states=(State("h", "dram", 10**6),), jobs=jobs)
    first, second = pieces(soc, kept, Company.of([kept]))
    assert in_ms(first.ticks) == pytest.approx([0, 2], abs=1e-6)
    assert in_ms(second.ticks) == pytest.approx([0, 2 + 1 + 1], abs=1e-6)


def test_what_is_on_chip_is_put_away_and_fetched_again_over_what_others_leave() -> None:
    """Between both launches 1 MB stays on chip, which memory does not have: 1 ms at 1 GB/s."""
    soc = make_soc({"npu": NPU | {"sram": "16 MB"}})
    program = lower(TWO, soc, [("npu", "a b")])
    (part,) = pieces(soc, program, Company.of([program]))
    assert part.restore[0] == part.restore[1] == 0
    assert in_ms(part.restore[2:]) == pytest.approx([1], abs=1e-6)
    assert part.save / TICKS / MS == pytest.approx(1, abs=1e-6)
    assert part.total == sum(part.ticks)
    other = lower(ONE, soc, [("cpu", "a")])
    (slow,) = pieces(soc, program, Company.of([program, other]))
    assert in_ms(slow.restore[2:]) == pytest.approx([2], abs=1e-6)
    assert slow.save / TICKS / MS == pytest.approx(2, abs=1e-6)
    # What cannot be interrupted never has to.
    whole = make_soc({"npu": NPU | {"preemptible": False}})
    program = lower(TWO, whole, [("npu", "a b")])
    (part,) = pieces(whole, program, Company.of([program]))
    assert (len(part.ticks), part.restore, part.save) == (1, (0,), 0)
