"""When inferences arrive: every process beside its own rate, spacing and order."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from hetsim.bounds.response.curves import Curve
from hetsim.errors import ConfigError, Location
from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.arrivals.registry import OF_ITS_KIND

HERE = Location("scenario.yaml", 3)


def arrivals(kind: str, **fields: object) -> Arrivals:
    return OF_ITS_KIND.parse({"kind": kind, **fields})


def times(process: Arrivals, count: int, seed: int = 1) -> list[float]:
    return list(islice(process.times(np.random.default_rng(seed)), count))


OPEN = [
    arrivals("periodic", period="30 Hz", jitter="10 ms", offset="5 ms"),
    arrivals("periodic", period="1 ms", jitter="5 ms"),
    arrivals("poisson", period="20 ms"),
    arrivals("bursts", period="100 ms", size=4, gap="5 ms"),
    arrivals("bursts", period="100 ms", size=4, gap="5 ms", between="exponential"),
    arrivals("on_off", period="1 ms", active="20 ms", silent="60 ms"),
]
named = pytest.mark.parametrize("process", OPEN, ids=lambda p: f"{p.kind}-{len(repr(p))}")


@named
def test_arrivals_never_go_back_and_come_at_their_rate(process):
    found = np.array(times(process, 40_000))
    assert found[0] >= 0.0
    assert (np.diff(found) >= 0.0).all()
    # 40,000 arrivals, in 500 independent stretches at the least: 5 % is more than 4 sigma of the
    # burstiest of these.
    assert len(found) / found[-1] == pytest.approx(process.rate, rel=0.08)


@named
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9, 21])
def test_no_arrivals_are_closer_than_theory_is_told(process, count):
    found = np.array(times(process, 5_000))
    assert (found[count:] - found[:-count]).min() >= process.separation_s(count) - 1e-9


def test_spacing_is_told_as_large_as_it_is():
    burst = arrivals("bursts", period="100 ms", size=4, gap="5 ms")
    found = np.array(times(burst, 100))
    for count in range(1, 20):
        least = (found[count:] - found[:-count]).min()
        assert burst.separation_s(count) == pytest.approx(least)
    assert arrivals("periodic", period="10 ms", jitter="4 ms").separation_s(3) == pytest.approx(
        26e-3
    )


def test_a_burst_longer_than_its_period_is_refused():
    with pytest.raises(ValueError, match=r"4 arrivals 0.03 s apart take longer than the period"):
        arrivals("bursts", period="100 ms", size=4, gap="30 ms")


def test_an_interrupted_process_is_burstier_than_poisson():
    def variance_to_mean(process: Arrivals) -> float:
        counts = np.histogram(times(process, 40_000), bins=np.arange(0.0, 40.0, 0.05))[0]
        return counts.var() / counts.mean()

    assert variance_to_mean(arrivals("poisson", period="1 ms")) == pytest.approx(1.0, abs=0.2)
    assert variance_to_mean(OPEN[-1]) > 5.0


def test_jitter_delays_and_the_release_stays():
    process = arrivals("periodic", period="10 ms", jitter="4 ms", offset="1 ms")
    for k, time in enumerate(times(process, 100)):
        due = process.release(k, time)
        assert due == pytest.approx(1e-3 + k * 10e-3)
        assert due <= time <= due + 4e-3


def test_a_closed_loop_asks_again_after_every_answer():
    process = arrivals("closed", clients=3, think="2 ms")
    random = np.random.default_rng(1)
    assert times(process, 9) == [0.0, 0.0, 0.0]
    assert process.follows("own") == ("own",)
    assert list(process.caused(1.0, random)) == [1.002]
    assert list(process.caused(1.0, random, done=False)) == [1.002]
    drawn = arrivals("closed", think="2 ms", distribution="exponential")
    thought = [next(iter(drawn.caused(0.0, random))) for _ in range(4_000)]
    assert np.mean(thought) == pytest.approx(2e-3, rel=0.07)


def test_what_comes_after_a_result_is_drawn_each_for_itself():
    process = arrivals("after", stream="detector", probability=0.25, each=4, delay="1 ms")
    random = np.random.default_rng(1)
    counts = [len(list(process.caused(1.0, random))) for _ in range(4_000)]
    assert np.mean(counts) == pytest.approx(process.caused_per_end, rel=0.06)
    assert set(counts) == {0, 1, 2, 3, 4}
    assert not list(process.caused(1.0, random, done=False))
    certain = arrivals("after", stream="detector", each=2, delay="1 ms")
    assert list(certain.caused(1.0, random)) == [1.001, 1.001]


def test_every_kind_is_in_the_schema():
    schema = TypeAdapter(OPEN[0].__class__).json_schema()
    assert schema["properties"]["kind"]["const"] == "periodic"


@pytest.fixture
def trace(tmp_path: Path):
    def read(text: str, **fields: object) -> Arrivals:
        (tmp_path / "t.csv").write_text(text, encoding="utf-8")
        return arrivals("trace", file="t.csv", **fields).ready(tmp_path, HERE)

    return read


def test_a_trace_tells_its_unit_in_the_heading_or_beside_it(trace):
    assert times(trace("frame,arrival_ms\n0,1.5\n1,1.5\n2,40\n"), 9) == [1.5e-3, 1.5e-3, 40e-3]
    assert times(trace("1\n\n2\n3\n", unit="s"), 9) == [1.0, 2.0, 3.0]
    assert times(trace("t_us,e_us\n1,2\n", column="e_us"), 9) == [2e-6]
    assert times(trace("when\n5\n", unit="ms"), 9) == [5e-3]
    assert times(trace("t_ms\n5,\n6, ,\n"), 9) == [5e-3, 6e-3]


def test_a_trace_starts_anew(trace):
    process = trace("t_ms\n1\n4\n5\n", repeat="10 ms")
    assert times(process, 7) == pytest.approx([1e-3, 4e-3, 5e-3, 11e-3, 14e-3, 15e-3, 21e-3])
    assert process.rate == pytest.approx(300.0)
    found = np.array(times(process, 60))
    for count in range(1, 9):
        least = (found[count:] - found[:-count]).min()
        assert process.separation_s(count) == pytest.approx(least)


@pytest.mark.parametrize(
    ("text", "fields", "line", "message"),
    [
        ("t_ms\n1\n5\n4\n", {}, 4, "an arrival at 4, and the one above it is later: 5"),
        ("t_ms\n1\n\n-5\n", {}, 4, "an arrival at -5"),
        ("t_ms\n1\nsoon\n", {}, 3, "'soon' is not a time of arrival"),
        ("t_ms\n1\nnan\n", {}, 3, "an arrival at nan"),
        ("t_ms,what\n1,a\n,b\n", {}, 3, "'' is not a time of arrival"),
        ("t_ms\n1,5\n", {}, 2, "it has 2 cells, and the first line has 1"),
        ("t_ms\n", {}, None, "it holds no arrival"),
        ("", {}, None, "the file is empty"),
        ("1\n2\n", {}, 1, "nothing tells the unit of these times"),
        ("t\n2\n", {}, 1, "nothing tells the unit of column 't'"),
        ("1,2\n", {"unit": "s"}, 1, "it has 2 columns and no heading"),
        ("a_ms,b_ms\n1,2\n", {}, 1, "several columns end with a unit of time: a_ms, b_ms"),
        ("t_ms\n1\n", {"unit": "s"}, 1, "column 't_ms' is in ms, and 'unit' says s"),
        ("t_ms\n1\n", {"column": "s_ms"}, 1, "it has no column 's_ms'"),
    ],
)
def test_what_is_wrong_with_a_trace_is_told_with_its_line(trace, text, fields, line, message):
    with pytest.raises(ConfigError) as told:
        trace(text, **fields)
    assert message in told.value.message
    assert told.value.where.file.endswith("t.csv")
    assert told.value.where.line == line


def test_a_trace_longer_than_its_repetition_is_refused(trace):
    with pytest.raises(ConfigError, match=r"to start anew after 0.004 s.*\n.*repeat: 0.005 s"):
        trace("t_ms\n1\n5\n", repeat="4 ms")


def test_a_trace_that_is_not_there_is_told_where_it_was_asked_for(tmp_path):
    with pytest.raises(ConfigError, match=r"scenario.yaml:3: trace .* does not exist"):
        arrivals("trace", file="nowhere.csv").ready(tmp_path, HERE)


def test_a_trace_that_ends_asks_for_nothing_in_the_long_run(trace):
    curve = Curve(trace("t_ms\n0\n1\n1\n9\n").separation_s)
    assert [curve.within(round(ms * 1e9)) for ms in (0, 1, 8, 9, 10**6)] == [2, 3, 3, 4, 4]
    assert curve.load(10**9) < 1e-9
