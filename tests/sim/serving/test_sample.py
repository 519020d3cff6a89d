"""Traces of the moments worth a look."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hetsim.sim.serving.sample import Sample
from hetsim.sim.serving.served import Served
from hetsim.sim.trace import Span
from tests.sim.serving.samples import chain, served, stream

PROGRAMS = {"short": chain(1, 1), "rare": chain(20, 20)}


def busy(trace: bool | Sample, **options: float) -> Served:
    """Short inferences, and now and then a long one in their way."""
    return served(
        stream("short", "periodic", period="5 ms", count=300),
        stream("rare", "periodic", period="400 ms", offset="123 ms", count=3, priority=1),
        programs=PROGRAMS, trace=trace, **options,
    )  # fmt: skip


def during(spans: Sequence[Span], start: float, end: float) -> set[Span]:
    return {span for span in spans if start <= span.end <= end}


@pytest.fixture(scope="module")
def both() -> tuple[Served, Served]:
    return busy(True), busy(Sample(slowest=3, random=2))


def test_of_each_window_there_is_every_row(both: tuple[Served, Served]) -> None:
    full, sampled = both
    assert len(sampled.trace.spans) < len(full.trace.spans) / 5
    assert sampled.windows
    for window in sampled.windows:
        expected = during(full.trace.spans, window.start_s, window.end_s)
        assert expected
        assert during(sampled.trace.spans, window.start_s, window.end_s) == expected
    assert set(sampled.trace.tasks) <= set(full.trace.tasks)
    assert set(sampled.trace.activities) <= set(full.trace.activities)
    assert sampled.trace.spans == sorted(sampled.trace.spans, key=lambda span: span.end)


def test_the_slowest_are_there_with_what_held_them_up(both: tuple[Served, Served]) -> None:
    full, sampled = both
    ledger = full.ledgers["short"]
    by_latency = sorted(zip(ledger.finish - ledger.arrival, ledger.number, strict=True))
    worst = {int(number) for _, number in by_latency[-3:]}
    windows = [w for w in sampled.windows if w.stream == "short" and w.why == "slowest"]
    assert {window.number for window in windows} == worst
    rare = set(full.ledgers["rare"].number.tolist())
    for window in windows:
        spans = during(sampled.trace.spans, window.start_s, window.end_s)
        assert rare & {span.inference for span in spans}


def test_sampling_changes_nothing_else(both: tuple[Served, Served]) -> None:
    full, sampled = both
    assert busy(False).trace.spans == []
    for name in PROGRAMS:
        assert (full.ledgers[name].finish == sampled.ledgers[name].finish).all()
    assert sampled.windows == busy(Sample(slowest=3, random=2)).windows


def test_what_is_remembered_is_bounded() -> None:
    found = busy(Sample(slowest=3, random=2, rows=4))
    assert len(found.trace.spans) <= 4 * 10
    for window in found.windows:
        assert window.start_s <= window.end_s
    kept = [w.end_s - w.start_s for w in found.windows if w.stream == "rare"]
    assert kept
    assert max(kept) < 40e-3  # it has forgotten how they began


def test_an_overload_shows_its_end() -> None:
    found = served(
        stream("short", "periodic", period="1 ms"), programs=PROGRAMS, trace=Sample(), backlog=50
    )
    assert found.stopped
    last = found.windows[-1]
    assert (last.why, last.number) == ("stopped", -1)
    assert last.end_s == found.end_s
