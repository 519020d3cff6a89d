"""The barrier runtime: one inference after the other, groups forked and joined, by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from hetsim.sim.simulate import execute
from hetsim.sim.source import Completion, Inference, Source
from tests.sim.samples import CLUSTER, FAST, MS, lower, make_graph, make_soc

SOC = make_soc({"big": CLUSTER}, memory=FAST)
ONE = lower(make_graph(("a", ["x"], 2.0)), SOC, [("cpu", "a")])


class Follows(Source):
    """Streams 0 to 2 come at 0, 7 and 9 ms by themselves; 10 to 13 because the first has ended."""

    def arrivals(self) -> Iterator[Inference]:
        return (Inference(ONE, ms * MS, stream=i) for i, ms in enumerate((0, 7, 9)))

    def ended(self, completion: Completion) -> Iterable[Inference]:
        if completion.number:
            return []
        return [Inference(ONE, ms * MS, stream=10 + i) for i, ms in enumerate((20, 3, 9, 3))]


def test_what_follows_takes_its_turn_by_arrival_and_behind_what_comes_by_itself() -> None:
    done: list[Completion] = []
    trace = execute(SOC, Follows(), execution="barrier", sink=done.append)
    rows = [(d.number, d.inference.stream, d.start / MS, d.finish / MS) for d in done]
    # 11 and 13 both come at 3; 1 waits from 7, the second from 9, as 12 does, until they are done.
    assert rows == [
        pytest.approx(row) for row in (
            (0, 0, 0, 2), (1, 11, 3, 5), (2, 13, 5, 7), (3, 1, 7, 9), (4, 2, 9, 11),
            (5, 12, 11, 13), (6, 10, 20, 22),
        )
    ]  # fmt: skip
    assert trace.makespan_s == pytest.approx(22 * MS)


@pytest.mark.parametrize(
    ("create", "join", "threads", "end"),
    [
        # The second fork is a fifth thread beside the first member's four: from 1 to 2.25.
        ("1 ms", "0 ms", [("fork", "p0", 0, 1), ("fork", "p1", 1, 2.25)], 6.25),
        ("0 ms", "2 ms", [("join", "p0", 4, 6), ("join", "p1", 6, 8)], 8),
        ("0 ms", "0 ms", [], 4),
    ],
)
def test_threads_are_rows_of_the_runtime_where_they_take_time(
    create: str, join: str, threads: list[tuple[str, str, float, float]], end: float
) -> None:
    graph = make_graph(("a", ["x"], 4.0), ("b", ["y"], 4.0))
    soc = make_soc({"big": CLUSTER}, memory=FAST, thread_create=create, thread_join=join)
    both = lower(graph, soc, [("cpu", "a"), ("big", "b")], [("p0", "p1")])
    trace = execute(soc, both, execution="barrier")
    rows = [
        (span.kind, span.partition, round(span.start / MS, 6), round(span.end / MS, 6))
        for span in trace.spans
        if span.lane == "runtime"
    ]
    assert rows == threads
    assert trace.makespan_s == pytest.approx(end * MS)
