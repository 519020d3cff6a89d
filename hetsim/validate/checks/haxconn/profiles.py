"""GoogLeNet's measured times as profiles: ten groups of layers on the GPU, the whole on a DLA.

A group is no kernel, and a profile holds kernels: those of a group keep the proportions that the
model gives them, and their sum is what was measured. The groups' times were taken by a profiler,
between whose readings the GPU waits; so their sum is made that of the whole network, undisturbed.
"""

from __future__ import annotations

from collections.abc import Iterator

from hetsim.cost.measured.fit import alone_s
from hetsim.cost.measured.keys import group_key
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.errors import ConfigError, Location
from hetsim.lower.program import Launch
from hetsim.validate.checks.haxconn.corun import Xavier
from hetsim.validate.checks.haxconn.networks import network
from hetsim.validate.checks.haxconn.pairs import DLA, GPU, Engine
from hetsim.validate.checks.haxconn.table import TABLE, Measured

NETWORK = "googlenet"


def profiles(measured: Measured) -> dict[str, ProfileTable]:
    """By unit."""
    gpu, whole = measured.gpu_ms, measured.whole_ms
    scale = whole.googlenet_gpu / sum(gpu)
    groups = zip(measured.groups, (ms * scale for ms in gpu), strict=True)
    everything = (0, len(network(NETWORK).operators))
    xavier = Xavier()
    return {
        GPU: _profile(xavier, GPU, list(groups)),
        DLA: _profile(xavier, DLA, [(everything, whole.googlenet_dla)]),
    }


def _profile(
    xavier: Xavier, unit: str, groups: list[tuple[tuple[int, int], float]]
) -> ProfileTable:
    return ProfileTable.of(
        _entries(xavier, unit, groups),
        name=f"haxconn-{NETWORK}-{unit}",
        device=f"{unit} of a Jetson AGX Xavier",
        source="github.com/ismetdagli/HaX-CoNN at 87f5f25, output_expected",
        scope="kernel",
    )


def _entries(
    xavier: Xavier, unit: str, groups: list[tuple[tuple[int, int], float]]
) -> Iterator[Entry]:
    """One for each kernel on ``unit``, in milliseconds of its group."""
    graph = network(NETWORK)
    place = {op.name: i for i, op in enumerate(graph.operators)}
    pu = xavier.soc.by_name[unit]
    program = xavier.program(Engine(NETWORK, unit))
    launches = [launch for job in program.jobs if job.pu == pu.index for launch in job.launches]

    def seconds(launch: Launch) -> float:
        return alone_s(launch.work, pu.home)

    for (first, last), ms in groups:
        mine = [launch for launch in launches if first <= place[launch.operators[0]] <= last]
        if not mine:
            raise ConfigError(
                f"no kernel of {NETWORK} begins in layers {first} to {last}",
                where=Location(TABLE),
                hint=f"it has layers 0 to {len(place) - 1}, and a group at least one convolution",
            )
        scale = ms * 1e-3 / sum(map(seconds, mine))
        for launch in mine:
            operators = [graph.operators[place[name]] for name in launch.operators]
            yield Entry(group_key(graph, operators), seconds(launch) * scale)
