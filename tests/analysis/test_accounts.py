"""Bytes, seconds, joules and rates told kernel by kernel add up to what the run took."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings

from hetsim.analysis.energy import energy, energy_apart
from hetsim.analysis.launches import OperatorRow, operator_rows
from hetsim.analysis.ran import Ran
from hetsim.analysis.residents import on_chip, residents
from tests.analysis.samples import runs

many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
ROUNDING = 1e-9
"""Times are differences of moments, which floats round."""


@pytest.mark.slow
@many
@given(runs)
def test_the_accounts_of_any_run_add_up(run: Ran) -> None:
    rows = operator_rows("any", run)
    _bytes_add_up(run)
    _times_add_up(run, rows)
    _joules_add_up(run, rows)
    _no_point_above_the_roof(run, rows)
    _chip_is_as_full_as_kernels_say(run)


def _bytes_add_up(run: Ran) -> None:
    carried = {name: usage.bytes for name, usage in run.trace.links.items()}
    assert {name: sum(found.values()) for name, found in run.classes.items()} == carried


def _times_add_up(run: Ran, rows: tuple[OperatorRow, ...]) -> None:
    for row in rows:
        assert math.isclose(sum(row.times.values()), row.seconds, rel_tol=1e-6, abs_tol=1e-12), row
        assert min(row.times.values()) >= 0.0


def _joules_add_up(run: Ran, rows: tuple[OperatorRow, ...]) -> None:
    total = energy(run.trace, run.soc)
    apart = energy_apart(run, [(row.pu, row.energy_j) for row in rows])
    assert min(apart.values(), default=0.0) >= 0.0
    found = math.fsum((*(row.energy_j for row in rows), *apart.values()))
    # With kernels alone there is nothing that takes what rounding left.
    assert found == total if apart else math.isclose(found, total or 0.0, rel_tol=1e-13)


def _no_point_above_the_roof(run: Ran, rows: tuple[OperatorRow, ...]) -> None:
    for row in rows:
        if row.ceiling is not None and row.seconds > 0.0:
            assert row.rate <= row.ceiling * (1 + ROUNDING), row


def _chip_is_as_full_as_kernels_say(run: Ran) -> None:
    there = residents(run)
    for job in run.jobs:
        pu = run.soc.pus[job.job.pu]
        for part in job.launches:
            if part.at[1] > part.at[0] and pu.spec.on_chip_memory:
                middle = sum(part.at) / 2
                held = sum(
                    row.bytes for row in there
                    if row.memory == on_chip(pu) and row.start_s <= middle < row.end_s
                )  # fmt: skip
                assert held == part.launch.work.on_chip_bytes
