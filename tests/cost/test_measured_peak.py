"""Times that nobody can have measured are refused, and only those."""

from __future__ import annotations

import math

import pytest

from hetsim.cost.measured.files import dump_profile
from hetsim.cost.measured.keys import nests_of
from hetsim.cost.measured.peak import refuse_impossible
from hetsim.cost.measured.table import Entry
from hetsim.errors import ConfigError
from hetsim.runs.case import Case
from hetsim.soc.loader import load_soc
from hetsim.workload.zoo import load_model
from tests.cost.samples import table

GRAPH = load_model("squeezenet")


RELU = "Relu[1x8>1x8] float32"


LAYER = "Conv[n1 c64 h56 w56 o64 k{0} s{1} d1x1 g1 y56x56] float32"


@pytest.mark.parametrize(
    ("soc", "cluster", "key", "peak"),
    [
        # A core of 1.2 GHz, four products a cycle; by F(4x4, 3x3) a quarter of them is enough.
        ("zcu102-vta", "cpu", LAYER.format("1x1", "1x1"), 4.8e9),
        ("zcu102-vta", "cpu", LAYER.format("3x3", "1x1"), 4 * 4.8e9),
        ("zcu102-vta", "cpu", LAYER.format("3x3", "2x2"), 4.8e9),
        # A worker of four such cores, none of them held up by another.
        ("zcu102-vta-4t", "cpu", LAYER.format("1x1", "1x1"), 4 * 4.8e9),
        # 256 products a cycle at 333 MHz, the effective rate being lower.
        ("zcu102-vta", "npu", LAYER.format("3x3", "1x1"), 256 * 333e6),
    ],
)
def test_a_time_is_refused_exactly_above_the_peak(soc, cluster, key, peak):
    """By hand: more products a second than the description has multipliers times clock."""
    machine = load_soc(soc)
    [(nest, _)] = nests_of(key)
    least = nest.macs / peak
    refuse_impossible(table([Entry(key, least * 1.001)]), cluster, machine)
    with pytest.raises(ConfigError, match=f"more than the peak of {cluster}") as caught:
        refuse_impossible(table([Entry(key, least * 0.99)]), cluster, machine)
    assert f"{peak / 1e9:.4g} GMAC/s" in caught.value.message
    # What rounding left may have been as long as the end of its interval.
    refuse_impossible(table([Entry(key, least * 0.99, spread_s=least)]), cluster, machine)
    refuse_impossible(table([Entry(key, math.inf), Entry(RELU, 1e-12)]), cluster, machine)


def test_of_several_workers_the_largest_says_what_is_possible() -> None:
    """Three of four cores at 1.2 GHz, four products a cycle each."""
    changes = {"cpu.workers": [1, 3]}
    machine, key = load_soc("zcu102-vta", changes), LAYER.format("1x1", "1x1")
    [(nest, _)] = nests_of(key)
    least = nest.macs / (3 * 4.8e9)
    refuse_impossible(table([Entry(key, least * 1.001)]), "cpu", machine)
    with pytest.raises(
        ConfigError, match=r"more than the peak of cpu, 14\.4 GMAC/s\n  is the unit right"
    ):
        refuse_impossible(table([Entry(key, least * 0.999)]), "cpu", machine)
    refuse_impossible(table([Entry(key, least)]), "cpu", machine)  # exactly the peak is possible


def test_a_wrong_unit_is_told_where_the_profile_is_attached(tmp_path):
    key = LAYER.format("3x3", "1x1")
    entries = [Entry(RELU, 1e-3), Entry(key, 72e-6), Entry(f"{key} + {RELU}", 73e-6)]
    path = tmp_path / "p.yaml"
    path.write_text(dump_profile(table(entries)))
    soc = load_soc("zcu102-vta", {"pus.cpu.profile": str(path)})
    with pytest.raises(ConfigError) as caught:
        Case(GRAPH, soc).check()
    assert str(caught.value) == (
        f"{path}:9:3: {key}: 72 us are 1606 GMAC/s, more than the peak of cpu, 19.2 GMAC/s"
        " (1 more entries are too fast)\n  is the unit right? 72 ms would be 1.606 GMAC/s"
    )
