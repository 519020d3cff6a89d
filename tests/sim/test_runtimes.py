"""The registry of runtimes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from hetsim.errors import ConfigError
from hetsim.sim.runtimes import registry
from hetsim.sim.runtimes.dataflow import Dataflow
from hetsim.sim.runtimes.registry import find_runtime, runtime_names
from hetsim.sim.simulate import execute
from tests.sim.samples import FAST, lower, make_graph, make_soc


class Backwards(Dataflow):
    """A runtime from outside."""


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Makes entry points known for one test."""

    def known(**points: str) -> None:
        found = [EntryPoint(name, value, registry.GROUP) for name, value in points.items()]
        known = {registry.GROUP: found}
        monkeypatch.setattr("hetsim.plugins.entry_points", lambda group: known.get(group, []))
        registry._runtimes.cache_clear()

    yield known
    registry._runtimes.cache_clear()


def test_built_in_runtimes_come_first() -> None:
    assert runtime_names()[:3] == ("dataflow", "preemptive", "barrier")


def test_a_runtime_from_outside_can_be_asked_for(install) -> None:
    install(backwards=f"{__name__}:Backwards")
    assert runtime_names() == ("dataflow", "preemptive", "barrier", "backwards")
    assert find_runtime("backwards") is Backwards
    soc = make_soc(memory=FAST)
    program = lower(make_graph(("a", ["x"], 1.0)), soc, [("cpu", "a")])
    assert execute(soc, program, execution="backwards").makespan_s == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"x": "no.such:Thing"}, "cannot be loaded"),
        ({"x": "hetsim.sim.source:Source"}, "is not a subclass"),
        ({"barrier": "hetsim.sim.runtimes.barrier:Barrier"}, "already in use"),
    ],
)
def test_faulty_entry_points_say_who_they_are(install, points, message: str) -> None:
    install(**points)
    with pytest.raises(ConfigError, match=f"runtime.*{message}"):
        find_runtime("dataflow")
