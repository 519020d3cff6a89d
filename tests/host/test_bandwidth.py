"""The memory's bandwidth on a machine that others use as well."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hetsim.errors import ResultsError
from hetsim.host import bandwidth
from hetsim.host.clock import Sample
from hetsim.host.machine import this_machine


def measured(monkeypatch, samples):
    """The bandwidth that a stopwatch with these samples finds, on one thread."""
    shown = iter(samples)
    monkeypatch.setattr(bandwidth, "LARGEST", 1 << 20)
    monkeypatch.setattr(bandwidth, "Stopwatch", lambda: SimpleNamespace(stop=lambda: next(shown)))
    return bandwidth.measure_bandwidth(this_machine(), 1, repeats=3)


def test_a_repeat_of_which_others_took_everything_says_nothing(monkeypatch):
    found = measured(monkeypatch, [Sample(1e-3), Sample(1e-3, 1e-3), Sample(1e-3)] * 2)
    assert found.array_bytes == 1 << 20
    assert found.copy == pytest.approx(2 * (1 << 20) / 1e-3)
    assert found.triad == pytest.approx(5 * (1 << 20) / 1e-3)


def test_a_machine_that_others_take_wholly_is_told(monkeypatch):
    with pytest.raises(ResultsError, match="others take all of this machine's time"):
        measured(monkeypatch, [Sample(1e-3, 1e-3)] * 6)
