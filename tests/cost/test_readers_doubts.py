"""What is doubtful about any foreign profile: its unit, its step, what it lacks, whose it is."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from hetsim.cost.measured.readers.base import Findings, Request, entry, finish, listed, one_device
from hetsim.cost.measured.table import Doubt, Entry, ProfileTable
from hetsim.errors import ConfigError, Location
from tests.cost.samples import graph_of, matmul, table
from tests.sim.samples import make_graph

MS = 1e-3


def finished(*entries: Entry, **request: object) -> ProfileTable:
    return finish(table(list(entries)), replace(Request(()), **request))


def told(*entries: Entry, **request: object) -> dict[str, str]:
    return {doubt.kind: doubt.message for doubt in finished(*entries, **request).doubts}


def times(*seconds: float) -> list[Entry]:
    return [Entry(f"K{i}[] float32", s) for i, s in enumerate(seconds)]


def test_a_list_ends_after_six_with_how_many_more() -> None:
    assert listed("abcdef") == "a, b, c, d, e, f"
    assert listed("abcdefgh") == "a, b, c, d, e, f and 2 more"


def test_a_single_figure_is_one_sample() -> None:
    where = Location("f", 3)
    assert entry("K[] int8", 2.0, where, ["n:a"]) == Entry("K[] int8", 2.0, None, 1, ("n:a",))
    assert entry("K[] int8", 2.0, where).where == where


def test_what_there_is_none_of_is_no_doubt() -> None:
    findings, where = Findings(), Location("f", 3)
    findings.several("lost", "rows are lost", [], where)
    assert findings.doubts == []
    findings.several("lost", "rows are lost", ["a", "b"], where)
    assert findings.doubts == [Doubt("lost", "2 rows are lost: a, b", where)]


@pytest.mark.parametrize(
    ("seconds", "doubtful"), [(0.9e-8, True), (1e-8, False), (100.0, False), (101.0, True)]
)
def test_a_median_beyond_any_kernel_is_doubtful(seconds: float, doubtful: bool) -> None:
    found = told(*times(seconds, math.inf, math.inf), Entry("T[] float32", None, transfer_s=1.0))
    assert ("unit doubtful" in found) is doubtful
    if doubtful:
        assert found["unit doubtful"] == f"the median time is {seconds:.3g} s; is the unit right?"


def test_a_rate_beyond_any_device_is_doubtful() -> None:
    """1,000 x 1,000 x 1,000 products are 1e15 a second in exactly a microsecond."""
    op = matmul(1000, 1000, 1000)
    graph, key = graph_of(op), "MatMul[b1 m1000 k1000 n1000] int8"
    assert "unit doubtful" not in told(Entry(key, 1e-6), graphs=(graph,))
    assert "unit doubtful" not in told(Entry(key, math.inf), *times(1e-6), graphs=(graph,))
    assert told(Entry(key, 0.9e-6), graphs=(graph,))["unit doubtful"] == (
        "1 operators would exceed 1e+15 multiply-accumulates/s: m; is the unit right?"
    )


def test_operators_without_a_time_are_named_for_each_network() -> None:
    graph = make_graph(("a", ["x"], 1.0), ("b", ["a", "x"], 1.0))
    one = Entry("Relu[1x250000>1x250000] float32", 1e-4)
    assert told(one, graphs=(graph,)) == {
        "missing operators": "1 of 2 operators of by hand have no time of their own and fall back"
        " to the model: b"
    }
    other = Entry("Relu[1x250000|1x250000>1x250000] float32", 1e-4)
    assert told(one, other, graphs=(graph,)) == {}


def test_a_table_without_times_is_refused_with_its_first_doubts() -> None:
    empty = table([])
    with pytest.raises(ConfigError, match=r"^s: no time could be used$"):
        finish(empty, Request(()))
    doubtful = replace(empty, doubts=tuple(Doubt("k", f"doubt {i}") for i in range(8)))
    with pytest.raises(ConfigError, match=r"(?s)used\n    doubt 0\n.*\n    doubt 5$"):
        finish(doubtful, Request(()))


@pytest.mark.parametrize(
    ("seconds", "unit"),
    [
        ((1 * MS, 2 * MS, 3 * MS, 4 * MS, 5 * MS), "ms"),
        ((1.0, 2.0, 3.0, 4.0, 5.0), "s"),
        ((1 * MS, 2.0, 3.0, 4.0, 5.0), "ms"),
        ((1 * MS, 2 * MS, 3 * MS, 4 * MS), None),  # four may be whole by chance
        ((1 * MS, 2 * MS, 3 * MS, 4 * MS, math.inf), None),
        ((1 * MS, 2 * MS, 3 * MS, 4 * MS, 5.5 * MS), None),
        ((1e-10, 2 * MS, 3 * MS, 4 * MS, 5 * MS), None),  # nearly none is not one
    ],
)
def test_times_are_coarse_where_five_or_more_are_whole(
    seconds: tuple[float, ...], unit: str | None
) -> None:
    found = told(*times(*seconds)).get("coarse times")
    assert found is None if unit is None else found.startswith(f"all times are whole {unit}, read")


def test_whole_milliseconds_are_intervals_where_nothing_better_is_known() -> None:
    """Quartiles of a millisecond around n are a quarter away, of 0 to 1.5 at 3/8 and 9/8."""
    known, never = Entry("A[] float32", 3 * MS, 1e-5), Entry("B[] float32", math.inf)
    copied = Entry("C[] float32", None, transfer_s=1e-4)
    both = Entry("D[] float32", MS, seen=("n:d",), transfer_s=1e-4)
    given = [*times(1 * MS, 2 * MS, 7 * MS), known, never, copied, both]
    kept = finished(*given)
    long = [Entry("K1[] float32", 2 * MS, 0.25 * MS), Entry("K2[] float32", 7 * MS, 0.25 * MS)]
    rest = [known, never, copied]
    middle = pytest.approx(0.75 * MS), pytest.approx(0.375 * MS)
    assert list(kept.entries.values()) == [
        Entry("K0[] float32", *middle), *long, *rest, replace(both, seconds=middle[0],
                                                              spread_s=middle[1]),
    ]  # fmt: skip
    assert kept.doubts[0].message == (
        "all times are whole ms, read as intervals; 2 are below 1.5 ms and taken as 0.75 ms:"
        " K0[] float32, n:d"
    )
    # Left out is the time, not what was measured beside it.
    dropped = finished(*given, censored="drop")
    assert list(dropped.entries.values()) == [*long, *rest, replace(both, seconds=None)]
    none = finished(*times(*(n * MS for n in (2, 3, 4, 5, 6))))
    assert none.doubts[0].message == (
        "all times are whole ms, read as intervals; 0 are below 1.5 ms"
    )


def test_files_that_name_no_device_are_of_the_one_that_the_user_names() -> None:
    def read(device: str | None) -> ProfileTable:
        request = Request((Path("a/one.csv"), Path("two.csv")), device=device)
        [found] = one_device(
            times(1e-4), request, Findings(), tool="tool", what="report", left="the rest"
        )
        return found

    named, nameless = read("board"), read(None)
    assert (named.name, named.device, named.scope, named.doubts) == ("board", "board", "kernel", ())
    assert (named.source, named.remarks) == ("report one.csv, two.csv", ("the rest",))
    assert (nameless.name, nameless.device) == ("tool", "tool")
    assert [doubt.kind for doubt in nameless.doubts] == ["unknown device"]
