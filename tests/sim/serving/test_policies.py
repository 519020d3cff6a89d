"""What becomes of inferences that wait: queues, lateness, frames in flight, triggers, overload."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from hetsim.errors import ConfigError, Location
from hetsim.sim.dispatchers.priority import Priority
from hetsim.sim.serving.served import DONE, DROPPED, OPEN, Served
from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.service import Stream
from tests.sim.samples import FAST, MS, NPU, lower, make_graph, make_soc
from tests.sim.serving.samples import chain, rows, served, stream

FOUR = {"s": chain(2, 2)}
"""A network of 4 ms in two partitions on one unit."""


def every_3_ms(count: int = 5, **fields: Any) -> Served:
    """Arrivals at 0, 3, 6, ... ms of inferences of 4 ms."""
    return served(stream("s", "periodic", period="3 ms", count=count, **fields), programs=FOUR)


def fates(found: Served) -> list[tuple[float, float, int]]:
    """(start, finish, status) in ms by arrival."""
    return [row[1:] for row in rows(found, "s")]


def test_without_a_bound_everybody_waits_for_those_before() -> None:
    assert fates(every_3_ms()) == [(4 * i, 4 * i + 4, DONE) for i in range(5)]


def test_the_one_that_arrives_at_a_full_queue_is_given_up() -> None:
    found = every_3_ms(queue=1, count=6)
    # 3, 6 and 9 find nobody waiting; 12 begins as the one before ends.
    assert fates(found)[:3] == [(0, 4, DONE), (4, 8, DONE), (8, 12, DONE)]
    found = every_3_ms(queue=0)
    assert fates(found) == [
        (0, 4, DONE), (3, 3, DROPPED), (6, 10, DONE), (9, 9, DROPPED), (12, 16, DONE)
    ]  # fmt: skip
    assert found.end_s == pytest.approx(16 * MS)


def test_or_the_oldest_of_those_that_wait() -> None:
    two = {"queue": 1, "period": "1.5 ms", "count": 5}
    newest = served(stream("s", "periodic", **two), programs=FOUR)
    oldest = served(stream("s", "periodic", when_full="oldest", **two), programs=FOUR)
    assert fates(newest) == [
        (0, 4, DONE), (4, 8, DONE), (3, 3, DROPPED), (8, 12, DONE), (6, 6, DROPPED)
    ]  # fmt: skip
    assert fates(oldest) == [
        (0, 4, DONE), (3, 3, DROPPED), (4, 8, DONE), (6, 6, DROPPED), (8, 12, DONE)
    ]  # fmt: skip


def test_who_is_too_late_to_begin_is_given_up_at_the_deadline() -> None:
    found = every_3_ms(late="drop", deadline_s=3.5 * MS, count=6)
    # The k-th could begin at 4 k and arrived at 3 k: the fourth waits until 12.5, and so on.
    assert fates(found) == [
        (0, 4, DONE), (4, 8, DONE), (8, 12, DONE), (12, 16, DONE), (15.5, 15.5, DROPPED),
        (16, 20, DONE),
    ]  # fmt: skip
    assert fates(every_3_ms(deadline_s=3.5 * MS)) == fates(every_3_ms())
    # Who must begin at once does so where the unit is free.
    assert fates(every_3_ms(late="drop", deadline_s=0.0)) == fates(every_3_ms(queue=0))


def test_a_deadline_may_count_from_the_release() -> None:
    options = {"period": "10 ms", "jitter": "4 ms", "count": 20, "deadline_s": 3 * MS}
    plain = served(stream("s", "periodic", late="drop", **options), programs=FOUR)
    assert {status for _, _, status in fates(plain)} == {DONE}
    found = served(
        stream("s", "periodic", late="drop", deadline_from="release", **options), programs=FOUR
    )
    for k, (arrival, start, _, status) in enumerate(rows(found, "s")):
        assert (status == DONE) == (arrival <= 10 * k + 3)
        assert start == arrival
    assert DROPPED in {status for _, _, status in fates(found)}


def two_units() -> tuple[Any, dict[str, Any]]:
    """A network of 4 ms on the CPU and then 4 ms on the NPU."""
    soc = make_soc({"npu": NPU}, memory=FAST)
    graph = make_graph(("a", ["x"], 4.0), ("b", ["a"], 4.0))
    return soc, {"s": lower(graph, soc, [("cpu", "a"), ("npu", "b")])}


def test_frames_in_flight_overlap_as_far_as_they_may() -> None:
    soc, programs = two_units()
    at_once: dict[str, Any] = {"period": "1 ms", "count": 4}
    free = served(stream("s", "periodic", **at_once), programs=programs, soc=soc)
    one = served(stream("s", "periodic", in_flight=1, **at_once), programs=programs, soc=soc)
    # Pipelined: one ends every 4 ms; alone: every 8 ms.
    assert [finish for _, finish, _ in fates(free)] == pytest.approx([8, 12, 16, 20], rel=1e-6)
    assert [finish for _, finish, _ in fates(one)] == pytest.approx([8, 16, 24, 32], rel=1e-6)
    assert [start for start, _, _ in fates(one)] == pytest.approx([0, 8, 16, 24], rel=1e-6)


def test_a_stream_enters_and_leaves() -> None:
    found = every_3_ms(count=100, start_s=0.01, until_s=0.019)
    assert [row[0] for row in rows(found, "s")] == [10, 13, 16]
    ends = served(stream("s", "periodic", period="3 ms"), programs=FOUR, duration_s=0.006)
    assert [row[0] for row in rows(ends, "s")] == [0, 3]


def test_what_was_given_up_triggers_nothing_and_sends_its_client_back() -> None:
    programs = {**FOUR, "after": chain(1)}
    found = served(
        stream("s", "periodic", period="3 ms", count=3, queue=0),
        stream("after", "after", stream="s", delay="1 ms"), programs=programs,
    )  # fmt: skip
    assert [row[0] for row in rows(found, "after")] == [5, 11]
    # Two clients and no room to wait: the second asks again every 3 ms until the unit is free.
    found = served(
        stream("s", "closed", clients=2, think="3 ms", queue=0), programs=FOUR, duration_s=0.011
    )
    assert rows(found, "s") == [
        (0, 0, 0, DROPPED), (0, 0, 4, DONE), (3, 3, 3, DROPPED), (6, 6, 10, DONE),
        (7, 7, 7, DROPPED), (10, 10, 14, DONE),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="asks again at that moment, for ever"):
        served(stream("s", "closed", clients=2, queue=0), programs=FOUR, duration_s=0.011)


def test_a_deadline_can_span_a_chain() -> None:
    programs = {**FOUR, "after": chain(1)}
    found = served(
        stream("s", "periodic", period="10 ms", count=2),
        stream("after", "after", stream="s", delay="1 ms", late="drop", deadline_from="release",
               deadline_s=4.5 * MS),
        programs=programs,
    )  # fmt: skip
    assert [row[3] for row in rows(found, "after")] == [DROPPED, DROPPED]


@pytest.mark.parametrize("preempts", [False, True])
def test_who_waits_behind_another_stream_can_be_given_up(preempts: bool) -> None:
    programs = {"urgent": chain(5, 5), "slow": chain(2, 2)}
    found = served(
        stream("urgent", "periodic", period="12 ms", count=3, priority=1),
        stream("slow", "periodic", period="3 ms", count=10, queue=1, when_full="oldest"),
        programs=programs, dispatcher=Priority(preempts),
    )  # fmt: skip
    slow = rows(found, "slow")
    assert len(slow) == 10
    began = [row for row in slow if row[3] == DONE]
    # While the urgent one runs, 10 of every 12 ms, only the newest frame stays.
    assert 2 <= len(began) < 10
    assert all(row[1] == row[2] for row in slow if row[3] == DROPPED)
    assert found.unit_busy_s["cpu"] == pytest.approx((3 * 10 + 4 * len(began)) * MS)


class Own(Arrivals):
    """Somebody's process that tells ``moments``, or one such after each end of ``stream``."""

    kind: Literal["own"] = "own"
    moments: list[Any]
    stream: str | None = None

    def follows(self, own):
        return () if self.stream is None else (self.stream,)

    def times(self, random):
        for moment in self.moments if self.stream is None else ():
            yield 1.0 / moment if moment == 0 else moment

    def caused(self, finish, random, *, done=True):
        return self.moments


@pytest.mark.parametrize(
    ("moments", "follows", "told"),
    [
        ([0.001, 0.0005], None, "tell an arrival at 0.0005 s, and the earliest can be at 0.001 s"),
        ([-1.0], None, "tell an arrival at -1.0 s, and the earliest can be at 0.0 s"),
        ([float("nan")], None, "tell an arrival at nan s"),
        (["soon"], None, "raised TypeError"),
        ([0], None, "raised ZeroDivisionError"),
        ([0.001], "s", "tell an arrival at 0.001 s, and the earliest can be at 0.004 s"),
    ],
)
def test_arrivals_of_others_that_cannot_be_are_told(moments, follows, told) -> None:
    there = Location("mine.yaml", 3)
    own = Stream("mine", "network", Own(moments=moments, stream=follows), where=there)
    streams = [stream("s", "periodic", period="3 ms", count=1), own]
    with pytest.raises(ConfigError, match=f"stream 'mine': arrivals 'own' {told}") as caught:
        served(*streams, programs={**FOUR, "mine": FOUR["s"]})
    where = caught.value.where
    assert where is not None
    assert where.file == (__file__ if "ZeroDivision" in told else "mine.yaml")


def test_an_overload_stops_the_run_and_keeps_what_happened() -> None:
    found = served(
        stream("s", "periodic", period="1 ms"), programs=FOUR, duration_s=10.0, backlog=6
    )
    # Arrivals at 0 .. 7 ms; one has ended at 4, one has begun then, and six wait.
    assert found.stopped == (
        "overloaded: 6 inferences of 's' wait at 0.007 s; 1143 arrived per second and 142.9 ended,"
        " with cpu busy 86% of the time"
    )
    assert fates(found) == [(0, 4, DONE), (4, 7, OPEN), *[(7, 7, OPEN)] * 6]
    assert found.end_s == pytest.approx(7 * MS)
    # The second waited from 1 to 4, the others from 2 to 7 until now.
    assert found.by_stream.ready_s / MS == pytest.approx([3 + 5 + 4 + 3 + 2 + 1])
    assert found.by_stream.blocked_s.ravel() / MS == pytest.approx([18])


def test_an_overload_counts_those_who_may_not_yet_begin() -> None:
    # All five ask at once, and one of them begins.
    found = served(
        stream("s", "closed", clients=5, think="1 ms", in_flight=1), programs=FOUR, backlog=4
    )
    assert found.stopped == ("overloaded: 4 inferences of 's' wait at 0 s; 5 arrived and 0 ended")
    assert fates(found) == [(0, 0, OPEN)] * 5


def test_giving_up_a_frame_that_may_not_yet_begin_makes_no_room() -> None:
    soc, programs = two_units()
    # 0 is in flight until 8; of 1, 2 and 3 ms only one may wait: those given up let nobody in.
    found = served(
        stream("s", "periodic", period="1 ms", count=4, in_flight=1, queue=1),
        programs=programs, soc=soc,
    )  # fmt: skip
    assert [status for *_, status in fates(found)] == [DONE, DONE, DROPPED, DROPPED]
    assert fates(found)[1][0] == pytest.approx(8, rel=1e-6)
