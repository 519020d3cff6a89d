"""What an NPU takes at the very least, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cost.samples import elements, quickest, unit

FIELDS = {
    "array": {"batch": 1, "block_in": 8, "block_out": 8},
    "dtypes": {"int8": 1.0},
    "vector_lanes": 1000,
    "sram": "1 MiB",
    "dma": {"bandwidth": "100 GB/s", "setup": "200 ns"},
    "dispatch": "1 us",
}


@pytest.mark.parametrize(("constants", "moved"), [(0, 1500), (4000, 5500)])
def test_element_wise_work_takes_as_long_as_all_it_moves(constants: int, moved: int) -> None:
    """Inputs, constants and results at 4 GB/s, beside a setup of 200 ns at 300 ns for each end."""
    npu = unit("npu", **FIELDS)
    op = replace(elements(1000), weights=(("int8", constants),) if constants else ())
    ends = 2 * 500e-9 + 1e-9  # and a nanosecond of arithmetic
    assert quickest(npu, op) == pytest.approx(1e-6 + max(ends, moved / 4e9))
    once = unit("npu", **FIELDS, double_buffer=False)
    assert quickest(once, op) == pytest.approx(1e-6 + 1e-9 + moved / 4e9)
