"""What a sampler remembers of what it hears: moments, windows and forgetting, by hand."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from hetsim.cost.work import Step
from hetsim.lower.program import Program
from hetsim.sim.recorder import Recorder
from hetsim.sim.serving.sample import Sample, Sampler, Window
from hetsim.sim.source import Completion, Inference

NOTHING = Program("nothing", (), ())
UNIT: Any = None


class Heard(Recorder):
    """The calls that are replayed, by method, with what came with them."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        for name in ("task", "host", "wait", "preempted", "phase", "tile", "tiled"):
            setattr(self, name, partial(self._hear, name))

    def _hear(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, *arguments))

    @property
    def names(self) -> list[str]:
        """Of waits: what they were called."""
        return [name for kind, _, _, name, *_ in self.calls if kind == "wait"]


def at(sampler: Sampler, end: float, name: str) -> None:
    """Something happens that ends at ``end``."""
    sampler.wait("lane", "kind", name, end - 0.5, end, UNIT)


def ends(sampler: Sampler, number: int, arrival: float, finish: float, stream: int = 0) -> None:
    inference = Inference(NOTHING, arrival, stream=stream)
    sampler.ended(Completion(number, inference, arrival, finish))


def replayed(sampler: Sampler) -> tuple[list[str], tuple[Window, ...]]:
    heard = Heard()
    windows = sampler.replay(heard)
    return heard.names, windows


def one(slowest: int = 1, random: int = 0, **options: int) -> Sampler:
    return Sampler(Sample(slowest, random, **options), ["s"], 0)


def test_every_kind_of_row_is_told_again_as_it_was() -> None:
    sampler, heard = one(), Heard()
    step, task, flow, launch, phase = Step("call", "call", 1.0), *(object() for _ in range(4))
    said: list[tuple[Any, ...]] = [
        ("task", task, UNIT, 1.0, 2.0),
        ("host", "cpu", step, 1.0, 2.0, flow, task),
        ("wait", "cpu", "poll", "npu", 1.0, 2.0, task),
        ("preempted", UNIT, 1.0, 2.0, task),
        ("phase", UNIT, launch, phase, 0.25, 1.0, 2.0, flow, task),
        ("tile", UNIT, launch, "load", 3, 1.0, 2.0, 64, task),
        ("tiled", UNIT, launch, 1.0, 2.0, 0.5, 0.25, 0.125, task),
    ]
    sampler.arrived(0, 1.5)  # after all of these began, and before they ended
    for name, *arguments in said:
        getattr(sampler, name)(*arguments)
    ends(sampler, 0, 1.5, 2.0)
    assert sampler.replay(heard) == (Window("s", 0, "slowest", 1.5, 2.0),)
    assert heard.calls == said


def test_a_window_is_from_arrival_to_end_and_both_moments_are_in_it() -> None:
    sampler = one()
    sampler.arrived(0, 0.0)
    at(sampler, 1.0, "before")
    at(sampler, 2.0, "at its arrival")
    sampler.arrived(1, 2.0)
    at(sampler, 3.0, "meanwhile")
    at(sampler, 4.0, "at its end")
    ends(sampler, 1, 2.0, 4.0)
    at(sampler, 4.5, "after")
    assert replayed(sampler) == (
        ["at its arrival", "meanwhile", "at its end"], (Window("s", 1, "slowest", 2.0, 4.0),)
    )  # fmt: skip


def test_what_ended_as_the_oldest_that_is_left_arrived_is_still_remembered() -> None:
    sampler = one(slowest=2)
    sampler.arrived(0, 0.0)
    at(sampler, 1.0, "early")
    at(sampler, 2.0, "at its arrival")
    sampler.arrived(1, 2.0)
    ends(sampler, 0, 0.0, 2.0)  # "early" is forgotten now, and kept in the window of 0
    at(sampler, 6.0, "late")
    ends(sampler, 1, 2.0, 6.0)
    names, windows = replayed(sampler)
    assert names == ["early", "at its arrival", "late"]
    assert [window.number for window in windows] == [0, 1]


def test_what_happened_before_all_that_are_open_is_forgotten() -> None:
    sampler = one(slowest=0)
    for k in range(3):
        sampler.arrived(k, float(k))
        at(sampler, k + 0.75, f"row {k}")
    ends(sampler, 1, 1.0, 3.0)
    ends(sampler, 0, 0.0, 3.0)
    sampler.gave_up(2)  # then nobody is open
    sampler.arrived(3, 3.5)
    at(sampler, 4.0, "last")
    # An overload shows all that is remembered: what happened since the oldest of then.
    sampler.stopped(5.0)
    names, windows = replayed(sampler)
    assert names == ["row 2", "last"]
    assert windows == (Window("", -1, "stopped", 2.75, 5.0),)


def test_an_end_that_leaves_nobody_forgets_all_that_was_before_it() -> None:
    sampler = one(slowest=0)
    sampler.arrived(0, 0.0)
    at(sampler, 1.0, "before")
    at(sampler, 2.0, "with it")
    ends(sampler, 0, 0.0, 2.0)
    sampler.stopped(7.0)
    assert replayed(sampler) == (["with it"], (Window("", -1, "stopped", 2.0, 7.0),))
    silent = one()
    silent.stopped(7.0)  # before anything had happened
    assert replayed(silent) == ([], (Window("", -1, "stopped", 7.0, 7.0),))


def latencies(sampler: Sampler, *seconds: float) -> tuple[Window, ...]:
    """Inferences that come every ten seconds and take so long."""
    for number, latency in enumerate(seconds):
        sampler.arrived(number, 10.0 * number)
        at(sampler, 10.0 * number + latency, f"row {number}")
        ends(sampler, number, 10.0 * number, 10.0 * number + latency)
    return sampler.replay(Recorder())


def test_the_slowest_are_kept_and_of_equals_the_first() -> None:
    for said, expected in (
        ((1, 5, 3, 4, 2), [1, 3]),
        ((5, 4, 3, 2, 1), [0, 1]),
        ((2, 2, 2), [0, 1]),
        ((2, 3, 2, 3, 3), [1, 3]),
        ((1,), [0]),
    ):
        windows = latencies(one(slowest=2), *said)
        assert [window.number for window in windows] == expected
        assert {(w.stream, w.why) for w in windows} == {("s", "slowest")}
        assert all(w.end_s - w.start_s == said[w.number] for w in windows)


def test_of_equals_the_one_that_ended_first_stays() -> None:
    sampler = one(slowest=1)
    for number in range(2):
        sampler.arrived(number, number / 2)
    for number in (1, 0):  # the one that came last overtook the other
        ends(sampler, number, number / 2, number / 2 + 3.0)
    assert [window.number for window in sampler.replay(Recorder())] == [1]


def test_none_are_kept_where_none_are_wanted() -> None:
    assert latencies(one(slowest=0, random=0), 1, 5, 3) == ()


def test_every_inference_has_the_same_chance() -> None:
    """Of six inferences two are kept: in 600 runs each about 200 times, s = 11.5."""
    count = [0] * 6
    for seed in range(600):
        sampler = Sampler(Sample(0, 2), ["s"], seed)
        for number in range(6):
            sampler.arrived(number, float(number))
            ends(sampler, number, float(number), number + 0.5)
        windows = sampler.replay(Recorder())
        assert len(windows) == 2
        assert {window.why for window in windows} == {"random"}
        for window in windows:
            count[window.number] += 1
    assert max(abs(times - 200) for times in count) < 3 * 11.5, count


def test_streams_draw_and_are_ranked_apart_and_a_seed_repeats() -> None:
    def kept(names: list[str], seed: int) -> list[tuple[str, int]]:
        sampler = Sampler(Sample(1, 1), names, seed)
        for number in range(40):
            stream = number % len(names)
            sampler.arrived(number, float(number))
            # Each takes longer than the one before, of the second stream a hundred times as long.
            ends(
                sampler, number, float(number), number + 0.001 * (number + 1) * 100**stream, stream
            )
        return [(w.why, w.number) for w in sampler.replay(Recorder())]

    found = kept(["a", "b"], 7)
    assert found == kept(["a", "b"], 7)
    assert {("slowest", 38), ("slowest", 39)} <= set(found)
    drawn = [number for why, number in found if why == "random"]
    assert sorted(number % 2 for number in drawn) == [0, 1]
    assert len({tuple(kept(["a", "b"], seed)) for seed in range(5)}) > 1


def test_an_inference_that_is_kept_twice_has_one_window_and_its_rows_once() -> None:
    sampler = one(slowest=1, random=1)
    sampler.arrived(0, 0.0)
    at(sampler, 1.0, "row")
    ends(sampler, 0, 0.0, 1.0)
    assert replayed(sampler) == (["row"], (Window("s", 0, "slowest", 0.0, 1.0),))


def test_windows_that_overlap_tell_each_row_once_and_in_its_order() -> None:
    sampler = one(slowest=3)
    for k in range(3):
        sampler.arrived(k, float(k))
        at(sampler, k + 0.5, f"row {k}")
    for k in (2, 0, 1):
        at(sampler, 4.0, f"end {k}")
        ends(sampler, k, float(k), 4.0)
    names, windows = replayed(sampler)
    assert names == ["row 0", "row 1", "row 2", "end 2", "end 0", "end 1"]
    assert [(window.number, window.start_s) for window in windows] == [(0, 0.0), (1, 1.0), (2, 2.0)]


@pytest.mark.parametrize(("rows", "begins"), [(5, 0.0), (4, 1.0), (3, 2.0), (1, 4.0)])
def test_a_window_begins_where_memory_does(rows: int, begins: float) -> None:
    sampler = one(rows=rows)
    sampler.arrived(0, 0.0)
    for k in range(4):
        at(sampler, k + 1.0, f"row {k}")
    ends(sampler, 0, 0.0, 4.0)
    names, (window,) = replayed(sampler)
    assert names == [f"row {k}" for k in range(4)][-rows:]
    # Where memory is full nobody knows whether there was one more.
    assert (window.start_s, window.end_s) == (begins, 4.0)
