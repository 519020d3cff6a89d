"""Kinds of processing units that other packages add."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from hetsim.errors import ConfigError
from hetsim.soc import kinds as registry
from hetsim.soc.loader import load_soc, soc_json_schema
from hetsim.soc.schema import PUSpec


class DSPSpec(PUSpec):
    """A kind of somebody else's."""

    kind: Literal["dsp"]
    lanes: int


class Point:
    """An entry point."""

    value = "somewhere:DSPSpec"

    def __init__(self, name: str, result: object) -> None:
        self.name = name
        self.result = result

    def load(self) -> object:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    def add(*points: Point) -> None:
        monkeypatch.setattr(registry, "entry_points", lambda group: list(points))
        registry.kinds.cache_clear()

    yield add
    monkeypatch.undo()
    registry.kinds.cache_clear()


SOC = """\
hetsim: soc/1
name: with-dsp
memory:
  dram: {bandwidth: 8 GB/s, capacity: 1 GiB}
pus:
  cpu:
    kind: cpu_cluster
    cores: 1
    path: [dram]
    operating_points: {on: {clock: 1 GHz}}
    macs_per_cycle: {float32: 4}
    element_ops_per_cycle: {float32: 4}
    efficiency: {default: 0.5}
  dsp:
    kind: dsp
    path: [dram]
    operating_points: {on: {clock: 1 GHz}}
    lanes: 8
runtime: {host: cpu}
"""


def test_an_installed_kind_is_validated_by_its_own_schema(tmp_path: Path, install) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "soc.yaml"
    file.write_text(SOC, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"soc\.yaml:15:11: pus\.dsp\.kind: unknown kind 'dsp'"):
        load_soc(file)
    install(Point("dsp", DSPSpec))
    spec = load_soc(file).by_name["dsp"].spec
    assert isinstance(spec, DSPSpec)
    assert spec.lanes == 8
    assert "lanes" in str(soc_json_schema())
    with pytest.raises(ConfigError, match="did you mean 'lanes'"):
        load_soc(file, {"dsp.lane": 4})


@pytest.mark.parametrize(
    ("point", "says"),
    [
        (Point("dsp", ImportError("no module")), "cannot be loaded: no module"),
        (Point("dsp", int), "not a subclass"),
        (Point("npu", DSPSpec), "already in use"),
    ],
)
def test_a_broken_kind_names_itself(install, point: Point, says: str) -> None:  # type: ignore[no-untyped-def]
    install(point)
    with pytest.raises(ConfigError, match=says) as caught:
        registry.kinds()
    assert "somewhere:DSPSpec" in str(caught.value)
