"""Work at another clock, with its transfers sooner, with more to move: each number by hand."""

from __future__ import annotations

import pytest

from hetsim.cost.work import Kernel, Phase, Step, TileRun, Traffic, Work, with_traffic
from hetsim.workload.graph import Graph, Operator, Tensor

FAR = Traffic("far", 5, 2)


def test_arithmetic_takes_over_once_it_is_longer_than_what_it_runs_beside() -> None:
    phase = Phase("stream", 3.0, 10, 4, 2.0, (FAR,))
    assert phase.at(1.0) is phase
    assert phase.at(1.25) == Phase("stream", 3.0, 10, 4, 2.5, (FAR,))
    assert phase.at(2.0) == Phase("stream", 4.0, 10, 4, 4.0, (FAR,))
    assert phase.at(0.5) == Phase("stream", 2.0, 10, 4, 1.0, (FAR,))  # 1 s still sticks out


def test_quicker_transfers_shorten_a_phase_down_to_its_arithmetic() -> None:
    phase = Phase("stream", 3.0, 10, 4, 2.0)
    assert [phase.hurried(s).seconds for s in (-1.0, 0.0, 0.5, 1.5)] == [3.0, 3.0, 2.5, 2.0]
    assert phase.hurried(1.5).compute_s == 2.0


def test_cycles_stay_when_the_clock_changes() -> None:
    tiles = (TileRun(2, 5, 1.0, 3),)
    work = Work(1.0, 2.0, (Phase("stream", 2.0, 10, 6, 2.0),), tiles, clock_hz=10.0)
    slower = work.at(2.0)
    assert (work.cycles, slower.cycles) == (20.0, 20.0)
    assert (slower.compute_s, slower.clock_hz, slower.dispatch_s) == (4.0, 5.0, 1.0)
    assert slower.phases == (Phase("stream", 4.0, 10, 6, 4.0),)
    assert slower.tiles == (TileRun(2, 5, 2.0, 3),)
    assert (work.stretch(5.0), work.stretch(40.0)) == (2.0, 0.25)
    assert Work(1.0, 2.0, work.phases).stretch(5.0) == 1.0  # its times know no clock


def test_bytes_are_told_by_memory_and_all_together() -> None:
    phases = (Phase("a", 1.0, 10, 1, 0.0, (FAR,)), Phase("b", 1.0, 3, 4, 0.0, (FAR,)))
    tiles = (TileRun(3, 4, 0.0, 1, (FAR,)), TileRun(2, 1, 0.0, 0))
    work = Work(0.0, 0.0, phases, tiles)
    assert work.moves == {"": Traffic("", 13, 5), "far": Traffic("far", 10, 4)}
    assert (work.load_bytes, work.store_bytes, work.bytes) == (23, 9, 32)
    assert (phases[0].bytes, FAR.bytes) == (11, 7)
    assert [work.loaded(m, tiled=False) for m in ("", "far", "none")] == [13, 10, 0]
    assert [work.loaded(m, tiled=True) for m in ("", "far", "none")] == [14, 15, 0]
    assert tiles[0].loads == (("", 4), ("far", 5))
    assert tiles[0].stores == (("", 1), ("far", 2))


def test_what_moves_besides_joins_the_longest_phase_and_the_tiles_at_both_ends() -> None:
    phases = (Phase("load", 1.0, 8), Phase("stream", 3.0, 6, 5), Phase("store", 2.0, 0, 9))
    tiles = (TileRun(3, 4, 0.5, 2), TileRun(2, 1, 0.5, 4, (FAR,)))
    more = (Traffic("", 10, 20), Traffic("", 1, 0), Traffic("x", 3, 0), Traffic("y", 0, 4))
    work = with_traffic(Work(0.0, 2.5, phases, tiles), *more)
    assert work.phases == (
        phases[0],
        Phase("stream", 3.0, 17, 25, 0.0, (Traffic("x", 3, 0), Traffic("y", 0, 4))),
        phases[2],
    )
    assert work.tiles == (
        TileRun(1, 15, 0.5, 2, (Traffic("x", 3, 0),)),
        TileRun(2, 4, 0.5, 2),
        TileRun(1, 1, 0.5, 4, (FAR,)),
        TileRun(1, 1, 0.5, 24, (FAR, Traffic("y", 0, 4))),
    )


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((1,), [(1, 11, 22)]),
        ((2,), [(1, 11, 2), (1, 1, 22)]),
        ((3,), [(1, 11, 2), (1, 1, 2), (1, 1, 22)]),
        ((1, 1), [(1, 11, 2), (1, 1, 22)]),
        ((2, 4, 1), [(1, 11, 2), (1, 1, 2), (4, 1, 2), (1, 1, 22)]),
    ],
)
def test_the_first_and_the_last_tile_are_set_apart(
    counts: tuple[int, ...], expected: list[tuple[int, int, int]]
) -> None:
    tiles = tuple(TileRun(count, 1, 0.5, 2) for count in counts)
    work = with_traffic(Work(0.0, 0.0, (Phase("run", 1.0),), tiles), Traffic("", 10, 20))
    assert [(run.count, run.load_bytes, run.store_bytes) for run in work.tiles] == expected


def test_a_work_without_tiles_gets_none() -> None:
    work = with_traffic(Work(0.0, 0.0, (Phase("run", 1.0),)), Traffic("", 10, 20))
    assert (work.phases, work.tiles) == ((Phase("run", 1.0, 10, 20),), ())


def test_a_step_reads_what_it_does_not_write() -> None:
    assert Step("copy", "t", 1.0, 10, written=4).read == 6
    assert Step("call", "p", 1.0).read == 0


def test_a_fused_kernel_reads_from_outside_and_writes_what_is_needed_there() -> None:
    """The sum reads ``x`` a second time; ``b`` is read by the last operator, which is not fused."""
    made = [
        Operator("a", "Conv", ("x",), ("a",), macs=8, element_ops=1),
        Operator("b", "Add", ("a", "x", "z"), ("b",), macs=2, element_ops=4),
        Operator("c", "Relu", ("b",), ("c",)),
        Operator("d", "Sin", ("x",), ("d",)),
    ]
    tensors = [Tensor(name, (1, 4)) for name in "abcdxz"]
    graph = Graph.create("n", made, tensors, ["x", "z"], ["c"])
    fused = Kernel.of(graph, tuple(made[:2]))
    assert (fused.inputs, fused.outputs) == (("x", "z"), ("b",))
    assert (fused.name, fused.kinds, fused.head) == ("a+b", ("Conv", "Add"), made[0])
    assert (fused.macs, fused.element_ops) == (10, 5)
    assert Kernel.of(graph, (made[0],)).outputs == ("a",)
    assert Kernel.of(graph, (made[2],)).outputs == ("c",)  # the network's
    assert Kernel.of(graph, (made[3],)).outputs == ("d",)  # a dead end stores it, too
