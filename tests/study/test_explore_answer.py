"""What an exploration says: the cheapest that meets the limits, its distances, its neighbours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.study.axes import parse_axis
from hetsim.study.explore.answer import answer, details, headline, obstacles, price_of
from hetsim.study.explore.objectives import parse_constraint
from hetsim.study.explore.report import front_table, to_dict
from hetsim.study.explore.result import Design, Exploration
from tests.study.samples import loaded

LATE = parse_constraint("latency_ms <= 33")
LARGE = parse_constraint("area <= 5")


@pytest.fixture
def found(tmp_path):
    scenario = loaded(tmp_path)

    def explored(measured, objectives=("latency_ms", "area"), limits=(LATE,)):
        """An exploration whose designs have these latencies (ms) and areas (mm²)."""
        designs = []
        for number, (latency, area) in enumerate(measured):
            measures = {"latency_ms": latency, "area": area}
            missed = {str(limit): limit.violation(measures) for limit in limits}
            designs.append(Design(number, {"bus.clock": f"{number} MHz"}, measures, missed))
        axes = (parse_axis("bus.clock=0MHz..9MHz"),)
        return Exploration(scenario, axes, tuple(objectives), tuple(limits), "tpe", tuple(designs))

    return explored


def test_the_headline_is_the_cheapest_that_meets_the_limit_not_the_fastest(found):
    study = found([(22.0, 6.8), (32.34, 5.0), (30.0, 5.5), (44.0, 4.0), (34.1, 4.9)])
    assert headline(study) == (
        "Of 5 designs, design 001 has the least area of those with latency ≤ 33 ms: 5 mm²,"
        " latency 32.34 ms (2.0% below the limit)."
    )
    assert details(study) == [
        "Design 001: bus.clock = 1 MHz.",
        # 30 ms is 7.2 % less than 32.34, 5.5 is 10 % more than 5.
        "The next one up, design 002, has 7.2% less latency for 10.0% more area.",
        "Without latency ≤ 33 ms, area 4 mm² would do (design 003, latency 44 ms).",
    ]
    assert [str(row[0]) for row in front_table(study).rows] == ["001", "002", "000"]
    assert to_dict(study)["answer"] == {
        "price": "area", "design": 1, "next": 2, "without": {"latency_ms <= 33": 3},
    }  # fmt: skip


def test_the_price_is_what_has_no_limit_of_its_own(found):
    assert price_of(found([], limits=(LATE,))) == "area"
    assert price_of(found([], limits=(LARGE,))) == "latency_ms"
    assert price_of(found([], limits=())) == "area"
    assert price_of(found([], objectives=("latency_ms", "energy_mj"))) == "energy_mj"
    assert price_of(found([], objectives=("latency_ms",))) == "latency_ms"


def test_a_limit_that_costs_nothing_is_not_blamed(found):
    study = found([(20.0, 3.0), (40.0, 4.0)])
    assert answer(study).without == {}
    assert len(details(study)) == 1


def test_each_limit_is_priced_with_the_others_in_force(found):
    slow = parse_constraint("latency_ms >= 20")
    study = found([(25.0, 5.0), (40.0, 3.0), (10.0, 4.0), (50.0, 1.0)], limits=(LATE, slow))
    assert {k: d.number for k, d in answer(study).without.items()} == {
        "latency_ms <= 33": 3, "latency_ms >= 20": 2,
    }  # fmt: skip
    told = headline(study)
    assert "latency 25 ms (24.2% below the limit, 25.0% above the limit)" in told, told


def test_without_limits_the_ends_of_the_front_are_told(found):
    text = headline(found([(22.0, 6.0), (44.0, 4.0), (50.0, 5.0), (30.0, 5.0)], limits=()))
    assert text.startswith(
        "3 of 4 designs are better than all others in something: from area 4 mm² with latency"
        " 44 ms (design 001) to area 6 mm² with latency 22 ms (design 000)."
    )


def test_one_objective_without_limits_is_the_least(found):
    text = headline(found([(22.0, 6.0), (21.0, 7.0)], objectives=("latency_ms",), limits=()))
    assert text == "Of 2 designs, design 001 has the least latency: 21 ms."


def test_what_is_in_the_way_names_the_limit_and_the_distance(found):
    study = found([(34.1, 9.0), (66.0, 4.0), (20.0, 6.0)], limits=(LATE, LARGE))
    assert obstacles(study) == (
        "latency ≤ 33 ms: 2 of 3 designs miss it; the closest, design 000, has 34.1 ms"
        " (3.3% above the limit). area ≤ 5 mm²: 2 of 3 designs miss it; the closest, design 002,"
        " has 6 mm² (20.0% above the limit)"
    )
    # The nearest is the one whose worst miss is least: 20 %, not 80 % or 100 %.
    said = (
        "None of 3 designs will do; the nearest is design 002, area 6 mm² (20.0% above the limit)."
    )
    assert headline(study) == said
    assert details(study) == ["Design 002: bus.clock = 2 MHz.", f"{obstacles(study)}."]


def test_a_design_that_was_tried_twice_counts_once(found):
    study = found([(34.1, 9.0), (20.0, 6.0)])
    twice = replace(study, designs=(*study.designs, *(replace(d, number=7) for d in study.designs)))
    assert headline(twice) == headline(study)
    assert obstacles(twice) == obstacles(study)
    assert twice.killed() == {"latency_ms <= 33": 1, "cannot run": 0}


def test_a_limit_missed_by_far_is_told_in_times():
    told = {value: LATE.distance(value) for value in (33.0, 65.0, 82.5, 33e3)}
    assert told == {
        33.0: "", 65.0: "97.0% above the limit", 82.5: "2.5 times the limit",
        33e3: "1,000 times the limit",
    }  # fmt: skip


def test_limits_are_said_in_words_and_units():
    told = {
        "latency_ms <= 33": "latency ≤ 33 ms", "energy_mj <= 1.5": "energy ≤ 1.5 mJ",
        "gap <= 0.04": "gap ≤ 4.0%", "area >= 2": "area ≥ 2 mm²", "cost <= 3": "cost ≤ 3",
    }  # fmt: skip
    assert {text: parse_constraint(text).words for text in told} == told
