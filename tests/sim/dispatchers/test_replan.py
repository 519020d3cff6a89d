"""A dispatcher that asks for new plans as networks come and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import pytest

from hetsim.errors import DispatcherError
from hetsim.lower.program import Program
from hetsim.sim.dispatchers.registry import create_dispatcher
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.sim.task import tasks_of
from hetsim.sim.trace import Trace
from tests.sim.samples import FAST, MS, NPU, lower, make_graph, make_soc

SOC = make_soc({"one": NPU, "two": NPU}, memory=FAST)


def program(unit: str) -> Program:
    return lower(make_graph(("a", ["x"], 4.0)), SOC, [(unit, "a")])


ONE, TWO = program("one"), program("two")


class Asked:
    """A planner: alone a network gets unit one; beside another the second one gets unit two."""

    def __init__(self) -> None:
        self.sets: list[list[int]] = []

    def __call__(self, streams: Sequence[int], way: str) -> tuple[Mapping[int, Program], float]:
        assert way == "spatial"
        self.sets.append(list(streams))
        return {s: ONE if i == 0 else TWO for i, s in enumerate(streams)}, 3 * MS


def run(**parameters: object) -> tuple[list[list[int]], Trace]:
    """Stream 0 at 0, 1, 20 and 21 ms, stream 1 half a millisecond after each."""
    made = create_dispatcher("replan", parameters)
    made.planner = planner = Asked()
    work = [Inference(ONE, (t + s / 2) * MS, 0, s) for t in (0, 1, 20, 21) for s in (0, 1)]
    return planner.sets, execute(SOC, work, dispatcher=made)


def units(trace: Trace) -> str:
    """The unit of each inference."""
    return "".join("h12"[row.pu] for row in sorted(trace.tasks, key=lambda row: row.inference))


def test_each_set_of_networks_is_planned_once_and_what_arrives_goes_by_its_plan() -> None:
    asked, trace = run()
    assert asked == [[0], [0, 1]]
    assert units(trace) == "12121212"
    assert trace.finished[1] == pytest.approx(4.5 * MS)


def test_a_network_is_there_until_its_last_inference_has_ended() -> None:
    # Stream 0 twice until 8 ms, stream 1 from 9 ms; beside one another from 20 ms; stream 0 again
    # after all have gone.
    made = create_dispatcher("replan", {})
    made.planner = asked = Asked()
    arrivals = [(0, 0), (1, 0), (9, 1), (20, 0), (21, 0), (25, 1), (60, 0)]
    work = [Inference(ONE, ms * MS, 0, stream) for ms, stream in arrivals]
    trace = execute(SOC, work, dispatcher=made)
    assert asked.sets == [[0], [1], [0, 1]]
    # The fourth and fifth are alone; the sixth comes while the fifth goes on until 28 ms.
    assert units(trace) == "1111121"


def test_what_is_given_up_is_there_no_more() -> None:
    made = create_dispatcher("replan", {})
    made.planner = asked = Asked()
    made.begin(SimpleNamespace(units=3))  # type: ignore[arg-type]  # planning takes no time
    first, second = Inference(ONE, stream=0), Inference(ONE, stream=1)
    assert made.program(first) is ONE
    tasks = tasks_of(ONE, 0, stream=0)
    made.add(tasks, first)
    made.withdraw(tasks)
    assert made.program(second) is ONE  # alone: beside stream 0 it would be TWO
    assert asked.sets == [[0], [1]]


def test_planning_takes_a_thread_and_plans_are_in_effect_when_it_has_ended() -> None:
    asked, trace = run(planning_us=2000.0)
    assert asked == [[0], [0, 1]]
    # The first plan is there at 2 ms, the second, behind it, at 4: too late for the first four.
    assert units(trace) == "11111212"
    thinking = [(s.start, s.end) for s in trace.spans if s.name == "decide"]
    assert [t / MS for span in thinking for t in span] == pytest.approx([0, 2, 2, 4])


def test_measured_planning_is_charged_by_its_factor() -> None:
    _, trace = run(planning_us="measured", factor=0.5)
    ends = [s.end / MS for s in trace.spans if s.name == "decide"]
    assert ends == pytest.approx([1.5, 3.0])


def test_without_a_planner_it_says_so() -> None:
    with pytest.raises(DispatcherError, match="nobody can plan here"):
        execute(SOC, ONE, dispatcher=create_dispatcher("replan"))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"planning_us": -1.0}, "no time is below zero"),
        ({"factor": 2.0}, "factor has no effect"),
        ({"planning_us": "measured", "factor": 0.0}, "more than zero"),
        ({"planning_us": "mesured"}, "a number or one of 'measured'"),
    ],
)
def test_parameters_are_checked(parameters: dict[str, object], words: str) -> None:
    with pytest.raises(DispatcherError, match=words):
        create_dispatcher("replan", parameters)
