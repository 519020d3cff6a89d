"""What every time is made of: no model may hand out negative or endless seconds or bytes."""

from __future__ import annotations

import math

import pytest

from hetsim.cost.work import Phase, TileRun, Work
from hetsim.errors import HetsimError

PHASE = Phase("compute", 1e-3, 100, 10, 1e-3)


@pytest.mark.parametrize("bad", [-1, -1e-9, math.nan, math.inf])
@pytest.mark.parametrize(
    "field", ["dispatch_s", "compute_s", "seconds", "load_bytes", "tile", "spread"]
)
def test_no_work_has_negative_or_endless_amounts(field, bad):
    phase = {"seconds": Phase("compute", bad), "load_bytes": Phase("compute", 0.0, bad)}
    tiles = (TileRun(1, 0, bad, 0),) if field == "tile" else ()
    given = {"dispatch_s": 0.0, "compute_s": 0.0} | ({field: bad} if field.endswith("_s") else {})
    given |= {"spread": bad} if field == "spread" else {}
    with pytest.raises(HetsimError, match="negative or infinite"):
        Work(**given, phases=(phase.get(field, PHASE),), tiles=tiles)


def test_what_is_possible_is_left_alone():
    assert Work(0.0, 1e-3, (PHASE,)).load_bytes == 100


def test_what_is_not_said_is_nothing():
    """No weights, no memory on chip and no clock that anything hangs on."""
    work = Work(0.0, 1e-3, (PHASE,))
    amounts = (work.weight_bytes, work.first_weights, work.free_weights, work.tail_load)
    assert (*amounts, work.on_chip_bytes, work.clock_hz) == (0, 0, 0, 0, 0, 0.0)
    assert (work.overlapped, work.tiles, work.spread) == (False, (), None)
