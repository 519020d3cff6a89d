"""How sure a unit is, as SoC files say it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hetsim.errors import ConfigError
from hetsim.soc.describe import describe_soc, soc_of
from hetsim.soc.loader import load_soc
from hetsim.soc.model import SoC
from hetsim.soc.uncertainty import spread_of

SOC = Path(__file__).parents[2] / "socs/edge-dual.yaml"


def unsure(tmp_path: Path, said: str) -> SoC:
    said = rf"\1\n    uncertainty: {said}"
    text = re.sub(r"(\n    kind: cpu_cluster)", said, SOC.read_text(), count=1)
    path = tmp_path / "unsure.yaml"
    path.write_text(text)
    return load_soc(path)


def test_a_class_is_found_by_variant_kind_and_default(tmp_path: Path) -> None:
    said = "{float16: {unit: 0.1}, default: {classes: {default: 0.2, Conv: 0.3}, kernel: 0.4}}"
    soc = unsure(tmp_path, said)
    table = next(iter(soc.spec.pus.values())).uncertainty
    half, other = spread_of(table, "float16"), spread_of(table, "int8")
    assert half is not None
    assert (half.unit, half.of(("Relu",))) == (0.1, ("default", 0.0))
    assert other is not None
    assert other.of(("Conv.depthwise", "Conv")) == ("Conv", 0.3)
    assert other.of(("Relu",)) == ("default", 0.2)
    assert spread_of({}, "int8") is None
    assert soc_of(describe_soc(soc), "again").spec == soc.spec


@pytest.mark.parametrize(
    ("said", "place", "message"),
    [
        ("{float17: {unit: 0.1}}", ":19", "did you mean 'float16'"),
        ("{default: {}}", ":28", "exact"),
        ("{default: {unit: 4}}", ":35", "less than or equal to 3"),
        ("{default: {classes: {Con: 0.1}}}", ":39", "did you mean 'Conv'"),
    ],
)
def test_nonsense_is_refused_where_it_stands(
    tmp_path: Path, said: str, place: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        unsure(tmp_path, said)
    assert place in str(caught.value)
