"""Proven worst cases of streams hold in simulation, and are reached where they can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hetsim.bounds.response.curves import TICKS
from hetsim.bounds.response.pieces import Company, pieces
from hetsim.bounds.response.streams import Worst, WorstCase
from hetsim.lower.program import Program
from hetsim.sim.dispatch import Dispatcher
from hetsim.sim.dispatchers.edf import EDF
from hetsim.sim.dispatchers.fifo import Fifo
from hetsim.sim.dispatchers.priority import Priority
from hetsim.sim.serving.serve import serve
from hetsim.soc.model import SoC
from hetsim.streams.arrivals.after import After
from hetsim.streams.arrivals.bursts import Bursts
from hetsim.streams.arrivals.poisson import Poisson
from hetsim.streams.service import Stream
from hetsim.validate.checks.response import SETS, critical, nearest, periodic, random_streams
from tests.sim.samples import CLUSTER, FAST, MS, NPU, lower, make_graph, make_soc


def stream(name: str, period_ms: float, priority: int = 0, offset_ms: float = 0.0) -> Stream:
    arrivals = periodic(period_ms * MS, offset_ms * MS)
    return Stream(name, "m", arrivals, priority=priority, count=20)


def case(
    soc: SoC, dispatcher: Dispatcher, *served: tuple[Stream, Program], **options: Any
) -> WorstCase:
    streams = [s for s, _ in served]
    return WorstCase(soc, streams, {s.name: p for s, p in served}, dispatcher, **options)


def in_ms(worst: dict[str, Worst]) -> list[float | None]:
    return [None if w.seconds is None else pytest.approx(w.seconds / MS) for w in worst.values()]


def longest(made: WorstCase, **dispatcher: Any) -> list[float]:
    """Simulated, ms."""
    served = serve(
        made.soc, made.streams, made.programs, preemption_cost_s=made.preemption_cost_s,
        dispatcher=type(made.dispatcher)(**dispatcher),
    )  # fmt: skip
    return [float((book.finish - book.arrival).max()) / MS for book in served.ledgers.values()]


@pytest.mark.parametrize("seed", range(0, SETS, 40))
def test_no_simulated_response_exceeds_the_proven_one_and_one_comes_near(seed: int) -> None:
    row = nearest(seed)
    assert row.reference <= row.high
    assert row.error < 1e-5


def test_the_critical_instant_is_what_makes_it_near() -> None:
    """All at once but with the blocking launch too late, nothing comes near the middle's bound."""
    made = random_streams(1)
    aim = next(i for i, s in enumerate(made.streams) if s.priority == 1)
    name = made.streams[aim].name
    proven = made.worst()[name]
    assert critical(made, aim).longest(0.4)[name] == pytest.approx(proven, rel=1e-5)
    assert made.longest(0.05)[name] < 0.99 * proven


def three(unit: str = "cpu", **npu: object) -> tuple[SoC, Program, Program]:
    """Three launches of 4 ms in one partition on ``unit``, and one launch of 1 ms."""
    soc = make_soc({"npu": NPU | npu}, memory=FAST)
    long = lower(make_graph(("a", ["x"], 4.0), ("b", ["a"], 4.0), ("c", ["b"], 4.0)), soc,
                 [(unit, "a b c")])  # fmt: skip
    return soc, long, lower(make_graph(("u", ["y"], 1.0)), soc, [(unit, "u")])


def test_pieces_are_what_passes_between_moments_at_which_a_unit_can_be_given_up() -> None:
    soc, long, _ = three()
    (part,) = pieces(soc, long, Company.of([long]))
    assert [t / TICKS / MS for t in part.ticks] == pytest.approx([0, 4, 4, 4], abs=1e-6)
    soc = make_soc(memory=FAST, partition_call="3 ms")
    called = lower(make_graph(("a", ["x"], 4.0)), soc, [("cpu", "a")])
    (part,) = pieces(soc, called, Company.of([called]))
    assert [t / TICKS / MS for t in part.ticks] == pytest.approx([3, 4], abs=1e-6)


@pytest.mark.parametrize("unit", ["cpu", "npu"])
def test_an_urgent_stream_waits_for_one_launch_or_for_all(unit: str) -> None:
    soc, long, urgent = three(unit)
    served = (stream("long", 50), long), (stream("urgent", 20, 1, offset_ms=0.001), urgent)
    to_its_end = case(soc, Priority(), *served)
    assert in_ms(to_its_end.worst()) == [13, 13]
    between = case(soc, Priority(preemptive=True), *served)
    assert in_ms(between.worst()) == [13, 5]
    assert longest(between, preemptive=True) == pytest.approx([13, 5], rel=1e-3)
    assert longest(to_its_end) == pytest.approx([12, 13], rel=1e-3)  # it comes too late to be first


def test_what_cannot_be_interrupted_is_one_piece() -> None:
    soc, long, urgent = three("npu", preemptible=False)
    (part,) = pieces(soc, long, Company.of([long]))
    assert [t / TICKS / MS for t in part.ticks] == [pytest.approx(12, rel=1e-3)]
    served = (stream("long", 50), long), (stream("urgent", 20, 1, offset_ms=0.001), urgent)
    made = case(soc, Priority(preemptive=True), *served)
    assert in_ms(made.worst()) == [pytest.approx(13, rel=1e-3)] * 2
    observed = longest(made, preemptive=True)
    assert observed == pytest.approx([12, 13], rel=1e-3)
    assert all(seen <= told.seconds / MS for seen, told in
               zip(observed, made.worst().values(), strict=True))  # fmt: skip


def test_taking_a_unit_away_costs_whoever_waits_for_it() -> None:
    soc, long, urgent = three()
    served = (stream("long", 50), long), (stream("urgent", 20, 1, offset_ms=1.0), urgent)
    made = case(soc, Priority(preemptive=True), *served, preemption_cost_s=0.5 * MS)
    assert in_ms(made.worst()) == [13.5, 5.5]
    assert longest(made, preemptive=True) == pytest.approx([13.5, 4.5], rel=1e-3)


def test_an_urgent_stream_waits_while_the_unit_is_taken_for_another() -> None:
    """From 4 to 10 the unit is taken for the middle one, until 16 for the urgent one, which is done
    at 17: it came when the first of these had just begun."""
    soc, long, urgent = three()
    made = case(
        soc, Priority(preemptive=True), (stream("long", 200), long),
        (stream("middle", 200, 1, offset_ms=1), urgent),
        (stream("urgent", 200, 2, offset_ms=4.0001), urgent), preemption_cost_s=6 * MS,
    )  # fmt: skip
    assert in_ms(made.worst())[2] == 6 + 6 + 1
    assert longest(made, preemptive=True)[2] == pytest.approx(13, rel=1e-4)


def test_fifo_serves_everybody_in_turn() -> None:
    soc, long, urgent = three()
    made = case(soc, Fifo(), (stream("long", 50), long), (stream("other", 20, 9), urgent))
    assert in_ms(made.worst()) == [13, 13]


TWO = {"big": CLUSTER}


def apart(soc: SoC) -> tuple[Program, Program]:
    """One operator of no arithmetic and 2 MB on each of two clusters."""
    graph = make_graph(("a", ["x"], 0.0))
    return lower(graph, soc, [("cpu", "a")]), lower(graph, soc, [("big", "a")])


def test_streams_on_two_units_take_each_others_bandwidth() -> None:
    soc = make_soc(TWO)
    one, two = apart(soc)
    made = case(soc, Priority(), (stream("one", 10), one), (stream("two", 10), two))
    assert in_ms(made.worst()) == [4, 4]
    assert longest(made) == pytest.approx([4, 4])
    alone = case(soc, Priority(), (stream("one", 10), one))
    assert in_ms(alone.worst()) == [2]


def test_a_chain_is_delayed_on_each_unit_by_who_is_there() -> None:
    soc = make_soc(TWO, memory=FAST)
    graph = make_graph(("a", ["x"], 2.0), ("b", ["a"], 3.0))
    chain = lower(graph, soc, [("cpu", "a"), ("big", "b")])
    here = lower(make_graph(("u", ["y"], 1.0)), soc, [("cpu", "u")])
    there = lower(make_graph(("v", ["z"], 1.5)), soc, [("big", "v")])
    made = case(
        soc, Priority(), (stream("chain", 20), chain), (stream("here", 40, 1), here),
        (stream("there", 40, 1, offset_ms=3), there),
    )  # fmt: skip
    assert in_ms(made.worst()) == [1 + 2 + 1.5 + 3, 1 + 2, 1.5 + 3]
    assert longest(made)[0] == pytest.approx(7.5, rel=1e-3)


def test_inferences_that_go_to_and_fro_are_as_if_one_after_the_other() -> None:
    """Each of six partitions behind all others there would be far more than everybody's work."""
    soc = make_soc(TWO, memory=FAST)
    graph = make_graph(("o0", ["x"], 1.0), *((f"o{i}", [f"o{i - 1}"], 1.0) for i in range(1, 6)))
    fro = lower(graph, soc, [(("cpu", "big")[i % 2], f"o{i}") for i in range(6)])
    made = case(soc, Priority(), (stream("one", 40), fro), (stream("two", 50, 1), fro))
    assert in_ms(made.worst()) == [12, 12]  # behind a piece at each of its six: no less
    seen = longest(made)
    assert max(seen) <= 12
    assert min(seen) >= 6
    alone = case(soc, Priority(), (stream("one", 40), fro))
    assert in_ms(alone.worst()) == [6]


def test_frames_that_are_held_back_wait_for_those_in_flight() -> None:
    soc = make_soc(TWO, memory=FAST)
    graph = make_graph(("a", ["x"], 2.0), ("b", ["a"], 3.0))
    chain = lower(graph, soc, [("cpu", "a"), ("big", "b")])
    burst = Bursts.model_validate({"kind": "bursts", "size": 3, "period": "40 ms"})
    one = replace(stream("one", 1), arrivals=burst, in_flight=1)
    made = case(soc, Priority(), (one, chain))
    assert in_ms(made.worst()) == [15]
    assert longest(made) == pytest.approx([15])
    free = replace(made, streams=[replace(one, in_flight=None)])
    assert longest(free) == pytest.approx([2 + 3 * 3])
    assert free.worst()["one"].seconds == pytest.approx(15 * MS)


def test_calls_of_one_unit_may_crowd_the_cores_of_another() -> None:
    """Four threads compute beside a fifth that calls the other unit: at 4/5 of the speed."""
    soc = make_soc(TWO, memory=FAST, partition_call="1 ms")
    one = lower(make_graph(("a", ["x"], 4.0)), soc, [("cpu", "a")])
    two = lower(make_graph(("a", ["x"], 4.0)), soc, [("big", "a")])
    made = case(soc, Priority(), (stream("one", 20), one), (stream("two", 20, offset_ms=1), two))
    assert in_ms(made.worst()) == [1 + 5, 1.25 + 4]
    assert longest(made)[0] == pytest.approx(5 + 0.25, rel=1e-3)


def test_what_is_late_on_one_unit_comes_close_together_on_the_next() -> None:
    """The chain's first part waits for 8 ms once, so two of its second parts come within 3 ms."""
    soc = make_soc(TWO, memory=FAST)
    graph = make_graph(("a", ["x"], 1.0), ("b", ["a"], 3.0))
    chain = lower(graph, soc, [("cpu", "a"), ("big", "b")])
    first = lower(make_graph(("u", ["y"], 8.0)), soc, [("cpu", "u")])
    last = lower(make_graph(("v", ["z"], 4.0)), soc, [("big", "v")])
    made = case(
        soc, Priority(), (stream("first", 400, 2), first), (stream("chain", 10, 1), chain),
        (stream("last", 400, offset_ms=9.0001), last),
    )  # fmt: skip
    assert in_ms(made.worst())[2] == 3 + 3 + 4
    assert longest(made)[2] == pytest.approx(10, rel=1e-4)


def test_what_a_stream_causes_comes_as_spread_as_its_ends() -> None:
    """A tracker after each frame, behind something urgent that delays some of the frames."""
    soc, long, urgent = three()
    frames, tracks = stream("frames", 40, 1), stream("tracks", 1)
    tracks = replace(tracks, arrivals=After(kind="after", stream="frames", each=2))
    other = stream("other", 23, 2, offset_ms=1)
    made = case(soc, Priority(), (frames, long), (tracks, urgent), (other, urgent))
    # A frame waits for a tracker, then for the other stream; trackers for both, and for a frame.
    worst = in_ms(made.worst())
    assert worst[0] == 1 + 1 + 12
    assert worst[1] == 1 + 12 + 2
    seen = longest(made)
    assert seen[0] <= 14
    assert seen[1] <= 15
    last = replace(other, arrivals=After(kind="after", stream="tracks"))
    chained = replace(made, streams=(frames, made.streams[1], last))
    found = chained.worst()
    assert {w.why for w in found.values()} == {""}
    for name, ms in zip(found, longest(chained), strict=True):
        assert ms * MS <= found[name].seconds * (1 + 1e-9)


def test_what_spreads_without_end_leaves_others_their_bounds() -> None:
    """Each frame causes a tracker of 12 ms that goes before frames: the later they end, the more of
    them come at once. More urgent ones wait for a tracker, then for one another, 1 ms each."""
    soc, long, urgent = three()
    frames, tracks = stream("frames", 20, 1), stream("tracks", 1, 2)
    tracks = replace(tracks, arrivals=After(kind="after", stream="frames"))
    steady, next_ = stream("steady", 100, 3), stream("next", 1, 3)
    next_ = replace(next_, arrivals=After(kind="after", stream="steady"))
    found = case(
        soc, Priority(), (frames, urgent), (tracks, long), (steady, urgent), (next_, urgent)
    ).worst()
    assert in_ms(found) == [None, None, 12 + 2, 12 + 2]
    assert found["frames"].why == "nothing bounds how many inferences of 'tracks' go before"
    assert found["tracks"].why == "nothing bounds how many inferences arrive at once"


def test_what_is_not_proven_says_why() -> None:
    soc, long, urgent = three()
    slow, quick = (stream("long", 50), long), (stream("urgent", 20, 1), urgent)

    def why(*served: tuple[Stream, Program], dispatcher: Dispatcher | None = None) -> list[str]:
        return [w.why for w in case(soc, dispatcher or Priority(), *served).worst().values()]

    assert why(slow, quick) == ["", ""]
    assert "not for edf" in why(slow, quick, dispatcher=EDF())[0]
    requests = Poisson.model_validate({"kind": "poisson", "period": "50 ms"})
    anybody = replace(slow[0], arrivals=requests)
    assert "how many inferences arrive at once" in why((anybody, long), quick)[0]
    assert why((anybody, long), quick)[1] == ""  # it is more urgent
    first = replace(anybody, priority=2)
    assert "of 'long' go before" in why((first, long), quick)[1]
    much = replace(slow[0], arrivals=periodic(12.5 * MS))
    assert "more arrives than a unit gets done" in why((much, long), quick)[0]
    deciding = Priority()
    deciding.overhead_s = 1e-6
    assert "decisions" in why(slow, quick, dispatcher=deciding)[0]


@pytest.mark.parametrize(
    ("link", "word"), [({"arbitration": "fifo"}, "fifo"), ({"arbitration": "priority"}, "priority")]
)
def test_links_on_which_somebody_may_starve_prove_nothing(link: dict[str, str], word: str) -> None:
    path = {"path": ["bus", "dram"]}
    soc = make_soc(
        {"cpu": path, "big": CLUSTER | path}, links={"bus": {"bandwidth": "1 GB/s"} | link}
    )
    one, two = apart(soc)
    worst = case(soc, Priority(), (stream("one", 10), one), (stream("two", 10), two)).worst()
    assert {w.seconds for w in worst.values()} == {None}
    assert word in worst["one"].why


def test_a_burst_comes_as_a_burst() -> None:
    soc, _, urgent = three()
    arrivals = Bursts.model_validate({"kind": "bursts", "size": 3, "gap": "0 s", "period": "20 ms"})
    made = case(soc, Priority(), (replace(stream("b", 1), arrivals=arrivals), urgent))
    assert in_ms(made.worst()) == [3]
