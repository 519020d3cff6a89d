"""What bringing a result needs of what units share, where its maker may be on several: by hand."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from hetsim.bounds.floors import NOTHING, Least, Resource
from hetsim.bounds.narrowing import narrowed
from tests.bounds.labelled import network
from tests.bounds.test_stages import floors_of

GRAPH = network((), (0,), (0,), ())
"""The first may run on units 0 and 1, its readers on 2 and 3; the last is for itself, so that
nothing cuts."""


@pytest.mark.parametrize(
    ("first", "tolls", "expected"),
    [
        # As dear from either unit: the least that any maker needs counts, for each reader.
        ((1.0, 1.0), (50.0, 50.0), 2 * 40.0),
        # Unit 0 is too slow, so that all that unit 1 needs counts, and no more.
        ((900.0, 1.0), (40.0, 50.0), 2 * 50.0),
        ((1.0, 900.0), (40.0, 50.0), 2 * 40.0),
        # What takes no time needs nothing.
        ((900.0, 1.0), (40.0, 0.0), 0.5 + 1 + 0.5 + 1),
    ],
)
def test_what_readers_bring_adds_up_on_what_they_share(
    first: tuple[float, float], tolls: tuple[float, float], expected: float
) -> None:
    amounts = dict(enumerate((40.0, 50.0)))
    floors = floors_of([*first, inf, inf], [inf, inf, 1, inf], [inf, inf, inf, 1], [1, *[inf] * 3])
    shared = Resource(
        1.0, ((NOTHING,) * 4,) * 4, ((0.0,) * 4,) * 4,
        lambda t, a, b: amounts.get(a, 0.0) if t == "t0" and b in (2, 3) else 0.0,
        lambda t, a: 0.0,
    )  # fmt: skip
    way = dict(enumerate(tolls))
    found = replace(
        floors, resources=(shared,),
        toll=lambda t, a, b: Least(way.get(a, 0.0)) if t == "t0" and b in (2, 3) else NOTHING,
    )  # fmt: skip
    assert narrowed(GRAPH, found, None)[0] == pytest.approx(expected, rel=1e-7)
