"""How joint schedulers divide: units dealt to networks, stages to units, by hand."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from hetsim.schedulers.joint.pipeline import Pipeline, _Row
from hetsim.schedulers.joint.spatial import MOST_DIVISIONS, _Tried
from hetsim.testing.problems import random_problem
from tests.schedulers.fakes import make_graph, make_problem, make_soc


class Shared(_Tried):
    """An inference takes a second over the number of its units, the host counted."""

    def planned(self, stream: int, division: tuple[int, ...]) -> tuple[None, float]:
        return None, 1.0 / (1 + division.count(stream))


def tried(units: int) -> Shared:
    pus = [SimpleNamespace(name=f"u{i}") for i in range(units + 1)]
    problem: Any = SimpleNamespace(
        rates={"a": 1.0, "b": 1.0},
        soc=SimpleNamespace(host=pus[0], pus=pus),
        streams=[SimpleNamespace(name="a"), SimpleNamespace(name="b")],
    )
    return Shared(problem)


def test_few_divisions_are_all_tried() -> None:
    every = list(tried(8).divisions())
    assert len(set(every)) == len(every) == MOST_DIVISIONS


def test_many_units_are_dealt_from_the_first_network_until_loads_are_even() -> None:
    """All begin with the first: four of nine go to the second, a fifth would gain nothing."""
    shared = tried(9)
    (dealt,) = shared.divisions()
    assert dealt == (1, 1, 1, 1, 0, 0, 0, 0, 0)
    assert shared.merit(dealt) == pytest.approx((1 / 5, 1 / 5 + 1 / 6))


@pytest.mark.parametrize("seed", range(3))
def test_a_unit_has_the_load_of_its_stage(seed: int) -> None:
    row = _Row(random_problem(random.Random(seed), 6, npus=2))
    size = len(row.chains)
    middle = size // 2
    loads = row.loads(((1, middle), (0, size)))
    expected = [0.0] * len(row.problem.soc.pus)
    expected[1] = sum(row.seconds[i][1] for i in range(middle))
    expected[0] = sum(row.seconds[i][0] for i in range(middle, size))
    assert loads == pytest.approx(expected)
    assert min(loads[:2]) > 0.0


def first_asked(monkeypatch: pytest.MonkeyPatch, rates: dict[str, float]) -> str:
    """Which network is given its stages first: a takes 1 s at best, 9 at worst; b 2 or 3."""
    soc = make_soc(npus=1)
    seconds = {"a": [9.0, 1.0], "b": [2.0, 3.0]}
    problems = {
        name: make_problem(make_graph({name: []}), soc, {name: took})
        for name, took in seconds.items()
    }
    joint: Any = SimpleNamespace(
        streams=[SimpleNamespace(name=name) for name in rates],
        rates=rates, problem=problems.__getitem__, soc=soc,
    )  # fmt: skip
    asked: list[str] = []
    original = _Row.stages

    def spied(self: _Row, others: Any, rate: float) -> Any:
        asked.append(self.problem.graph.operators[0].name)
        return original(self, others, rate)

    monkeypatch.setattr(_Row, "stages", spied)
    Pipeline().plan(joint)
    return asked[0]


def test_the_network_with_the_most_work_a_second_is_placed_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert first_asked(monkeypatch, {"a": 1.0, "b": 1.0}) == "b"
    assert first_asked(monkeypatch, {"b": 1.0, "a": 2.5}) == "a"
