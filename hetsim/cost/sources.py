"""The cost model of a SoC: what its units' files know, else first principles."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.chain import CostChain, CostModel
from hetsim.cost.source import CostSource
from hetsim.plugins import registered
from hetsim.soc.model import SoC
from hetsim.soc.pu import COST_SOURCES

BUILT_IN = {
    "measured": "hetsim.cost.measured.source:MeasuredSource",
    "learned": "hetsim.cost.learned.source:LearnedSource",
}


@cache
def sources() -> tuple[CostSource, ...]:
    """All sources in the order in which they are asked.

    Raises:
        ConfigError: an entry point fails to load, is no ``CostSource``, or takes a name in use.
    """
    found = registered(COST_SOURCES, CostSource, BUILT_IN, "cost source")  # type: ignore[type-abstract]
    made = (source(name) for name, source in found.items())
    return tuple(sorted(made, key=lambda source: (source.order, source.name)))


def cost_model(soc: SoC) -> CostModel:
    """The chain of the sources that the SoC's units name files for, the analytical model behind.

    Raises:
        ConfigError: a file that is named and cannot be read.
    """
    behind: CostModel = AnalyticalModel()
    for source in reversed(sources()):
        if files := source.files(soc):
            behind = CostChain([source.model(soc, files, behind), behind])
    return behind


def cost_files(soc: SoC) -> list[Path]:
    """The files on which the costs of the SoC's units depend.

    Raises:
        ConfigError: one is not there.
    """
    return [path for source in sources() for path in source.reads(source.files(soc))]


def cost_doubts(soc: SoC) -> list[str]:
    """What reading these files turned up, for the report."""
    return [doubt for source in sources() for doubt in source.doubts(source.files(soc))]
