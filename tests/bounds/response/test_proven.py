"""What is proven of streams that others cause, and why nothing is proven of some."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hetsim.bounds.response.streams import Worst, WorstCase
from hetsim.lower.program import Program, State
from hetsim.sim.dispatchers.priority import Priority
from hetsim.soc.model import SoC
from hetsim.streams.arrivals.after import After
from hetsim.streams.service import Stream
from hetsim.validate.checks.response import periodic
from tests.sim.samples import CLUSTER, FAST, MS, NPU, lower, make_graph, make_soc

SOC = make_soc(memory=FAST)
CURVE = {"own": ["0.25 GB/s"], "external": ["0.25 GB/s"], "kept": [[0.5]]}
SOON = "nothing bounds how many inferences arrive at once"


def takes(ms: float, soc: SoC = SOC, unit: str = "cpu") -> Program:
    return lower(make_graph(("a", ["x"], ms)), soc, [(unit, "a")])


def every(name: str, period_ms: float, priority: int = 0, in_flight: int | None = None) -> Stream:
    return Stream(name, "m", periodic(period_ms * MS), priority=priority, in_flight=in_flight)


def after(name: str, stream: str, priority: int = 0, kind: type[After] = After, each: int = 1,
          in_flight: int | None = None) -> Stream:  # fmt: skip
    arrivals = kind(kind="after", stream=stream, each=each)
    return Stream(name, "m", arrivals, priority=priority, in_flight=in_flight)


def worst(*served: tuple[Stream, Program], soc: SoC = SOC, **options: Any) -> dict[str, Worst]:
    programs = {s.name: p for s, p in served}
    return WorstCase(soc, [s for s, _ in served], programs, Priority(), **options).worst()


def ms(found: dict[str, Worst]) -> list[float]:
    return [pytest.approx((w.seconds or 0.0) / MS) for w in found.values()]


class OfTwo(After):
    """Arrivals after ends of either of two streams."""

    def follows(self, own: str) -> tuple[str, ...]:
        return (self.stream, "other")


class Unknown(After):
    """Nobody knows how many an end causes."""

    @property
    def most_per_end(self) -> int | None:  # type: ignore[override]
        return None


def test_each_end_causes_as_many_as_are_said() -> None:
    """Frames of 4 ms each 20 ms, and three crops of 1 ms after each: all three wait for a frame."""
    frames, crops = (every("frames", 20, 1), takes(4)), (after("crops", "frames", each=3), takes(1))
    assert ms(worst(frames, crops)) == [4 + 1, 3 + 4]
    first = (after("crops", "frames", priority=2, each=3), takes(1))
    assert ms(worst(frames, first)) == [4 + 3, 3 + 4]
    # After a crop comes something else, as often.
    last = (after("last", "crops", each=2), takes(0.5))
    assert ms(worst(frames, crops, last))[2] == 3 + 4 + 6 * 0.5


def test_what_is_not_known_of_causes_bounds_nothing() -> None:
    frames, other = (every("frames", 20, 1), takes(4)), (every("other", 40, 1), takes(1))
    for kind in (OfTwo, Unknown):
        found = worst(frames, other, (after("crops", "frames", kind=kind), takes(1)))
        assert found["crops"].why == SOON
        assert (found["frames"].why, found["other"].why) == ("", "")
    circle = worst((after("a", "b"), takes(1)), (after("b", "a"), takes(1)))
    assert {w.why for w in circle.values()} == {SOON}


def test_whoever_may_come_at_any_rate_goes_before_equals() -> None:
    crops = (after("crops", "frames", kind=Unknown, priority=1), takes(1))
    frames = (every("frames", 20, 1), takes(4))
    assert worst(frames, crops)["frames"].why == (
        "nothing bounds how many inferences of 'crops' go before"
    )
    assert worst((every("frames", 20, 2), takes(4)), crops)["frames"].why == ""


def test_what_states_carry_is_proven_on_one_unit_unless_it_grows() -> None:
    kept = replace(takes(4), states=(State("h", "dram", 8),))
    assert ms(worst((every("s", 20), kept))) == [4]
    grown = replace(kept, states=(State("h", "dram", 8, grow_bytes=1),))
    assert "the state of 's' grows" in worst((every("s", 20), grown))["s"].why
    soc = make_soc({"big": CLUSTER}, memory=FAST)
    there = (every("there", 20), takes(1, soc, "big"))
    found = worst((every("s", 20), kept), there, soc=soc)
    assert "inferences of 's' wait for one another's state" in found["s"].why
    assert found["there"].why == found["s"].why


def several(**options: Any) -> Worst:
    """Of one of two units of which each has its own stream."""
    fidelity = options.pop("fidelity", "fluid")
    soc = make_soc({"big": CLUSTER} | options.pop("pus", {}), **options)
    here, there = (every("here", 20), takes(1, soc)), (every("there", 20), takes(1, soc, "big"))
    return worst(here, there, soc=soc, fidelity=fidelity)["here"]


def dram(*efficiency: float) -> dict[str, Any]:
    said = {"bandwidth": "1 GB/s", "capacity": "1 GiB", "efficiency": list(efficiency)}
    return {"dram": said}


def test_several_units_have_reasons_of_their_own() -> None:
    assert several().why == ""
    assert several(fidelity="tile").why.startswith("with several units at work the proof is of")
    rising = several(memory=dram(0.5, 1.0)).why
    assert rising == "dram carries several transfers better than one"
    assert several(memory=dram(0.5, 0.5)).why == ""
    assert several(memory=dram(1.0, 0.5)).why == ""
    curve = {"big": CLUSTER | {"slowdown": CURVE}}
    assert several(pus=curve).why.startswith("what big loses to others by its table of slowdowns")
    lone = make_soc(memory=dram(0.5, 1.0))
    assert ms(worst((every("here", 20), takes(1, lone)), soc=lone)) == [4]
    assert ms(worst((every("here", 20), takes(1)), fidelity="tile")) == [1]


def test_the_host_is_in_the_company_wherever_its_own_path_leads() -> None:
    """Nothing runs on the host; what it does for both NPUs crosses a link that may starve it."""
    path = {"path": ["bus", "dram"]}
    soc = make_soc(
        {"cpu": path, "n1": NPU, "n2": NPU}, memory=FAST,
        links={"bus": {"bandwidth": "1 GB/s", "arbitration": "fifo"}},
    )  # fmt: skip
    one, two = ((every(unit, 20), takes(1, soc, unit)) for unit in ("n1", "n2"))
    assert worst(one, two, soc=soc)["n1"].why.startswith("bus shares by fifo")
    assert ms(worst(one, soc=soc)) == [1]


def test_a_stream_that_holds_back_holds_all_to_the_first_argument() -> None:
    """On one unit equals go in turn, unless one of them is held back until others have ended."""
    graph = make_graph(("a", ["x"], 14.0), ("b", ["a"], 10.0))
    long = (every("long", 100), lower(graph, SOC, [("cpu", "a"), ("cpu", "b")]))
    assert ms(worst(long, (every("short", 15), takes(2))))[0] == 2 + 14 + 10
    # The second short one comes as the first part runs, and may go before the second.
    held = (every("short", 15, in_flight=1), takes(2))
    assert ms(worst(long, held))[0] == 2 + 14 + 2 + 10
