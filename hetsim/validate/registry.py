"""Checks by name.

A new one is a subclass of :class:`~hetsim.validate.base.Check`, registered under the entry-point
group ``hetsim.checks`` (name = what ``hetsim validate NAME`` says, value = the class).
"""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.errors import ConfigError, Location
from hetsim.names import suggest
from hetsim.plugins import registered
from hetsim.validate.base import Check

GROUP = "hetsim.checks"
"""Entry-point group of further checks."""

BUILT_IN = {
    "simgrid": "hetsim.validate.checks.simgrid.check:SimGridFlows",
    "scale-sim": "hetsim.validate.checks.scalesim:ScaleSimCycles",
    "tiles": "hetsim.validate.checks.tiles:TilesAgainstFluid",
    "xrbench": "hetsim.validate.checks.xrbench:VRGamingSchedule",
    "xrbench-score": "hetsim.validate.checks.xrbench:VRGamingScores",
    "queues": "hetsim.validate.checks.queues:WaitingTimes",
    "response": "hetsim.validate.checks.response:ResponseTimes",
    "ranges": "hetsim.validate.checks.ranges:RangesAgain",
    "ethos-u": "hetsim.validate.checks.ethos:EthosLayers",
    "convolutions": "hetsim.validate.checks.convolutions:MeasuredConvolutions",
    "networks": "hetsim.validate.checks.networks:MeasuredNetworks",
    "vpu": "hetsim.validate.checks.vpunn:ArrayCycles",
    "npu-dma": "hetsim.validate.checks.vpunn:TransferCycles",
    "intel-npu": "hetsim.validate.checks.intelnpu:IntelNPUNetworks",
    "zoo": "hetsim.validate.checks.zoo:PublishedWork",
    "tiny": "hetsim.validate.checks.tiny:TinyLatency",
    "tiny-energy": "hetsim.validate.checks.tiny:TinyEnergy",
    "network-ranges": "hetsim.validate.checks.networkranges:NetworkRanges",
    "haxconn": "hetsim.validate.checks.haxconn.check:CoRunningPairs",
    "haxconn-memory": "hetsim.validate.checks.haxconn.check:MemoryDemand",
    "host": "hetsim.validate.checks.host:ThisHost",
}
"""In the order of the table: mechanisms, operators, whole networks, this machine."""


def checks() -> dict[str, type[Check]]:
    """Every check there is, those of installed packages last.

    Raises:
        ConfigError: an entry point fails to load, is no ``Check``, or takes a name in use.
    """
    return registered(GROUP, Check, BUILT_IN, "check")  # type: ignore[type-abstract]


def find_checks(
    names: Sequence[str], *, host: bool = False, quick: bool = False
) -> dict[str, Check]:
    """The checks of these names; all without any, those of this machine only with ``host``.

    ``quick`` leaves out slow ones that are not named.

    Raises:
        ConfigError: no such check.
    """
    known = checks()
    for name in names:
        if name not in known:
            raise ConfigError(
                f"there is no check {name!r}", where=Location("CHECK"), hint=suggest(name, known)
            )
    asked = list(names) or [
        n for n, check in known.items() if not check.on_host and not (quick and check.slow)
    ]
    if host:
        asked += [n for n, check in known.items() if check.on_host]
    return {name: check() for name, check in known.items() if name in asked}
