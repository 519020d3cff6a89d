"""Running a plan on this machine: its partitions as ONNX Runtime sessions on pinned workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hetsim.errors import ConfigError, Location
from hetsim.host.cut import Cutter, Slice
from hetsim.host.machine import Machine
from hetsim.host.network import Feeds
from hetsim.host.session import open_session, runtime
from hetsim.host.workers import Body, Piece, Team, Values
from hetsim.plan.model import Plan
from hetsim.soc.model import SoC


def cores_of(soc: SoC, machine: Machine) -> dict[str, tuple[int, ...]]:
    """The cores of each PU: those of the machine dealt out in the SoC's order.

    Raises:
        ConfigError: a PU that is no CPU worker, or more cores than this machine has.
    """
    for pu in soc.pus:
        if pu.kind != "cpu_cluster":
            raise ConfigError(
                f"{pu.name} of {soc.name} is a {pu.kind}: only CPU workers can run for real here",
                where=Location(soc.source),
                hint="describe this machine with: hetsim profile --measure onnxruntime",
            )
    free = list(machine.cpus)
    dealt: dict[str, tuple[int, ...]] = {}
    for pu in soc.pus:
        if pu.cores > len(free):
            raise ConfigError(
                f"{soc.name} has {sum(p.cores for p in soc.pus)} cores and this process may use"
                f" {len(machine.cpus)}",
                where=Location(soc.source),
            )
        dealt[pu.name] = tuple(free[: pu.cores])
        del free[: pu.cores]
    return dealt


def team_of(
    plan: Plan, cutter: Cutter, cores: Mapping[str, Sequence[int]], *, level: str = "basic"
) -> Team:
    """Workers that run ``plan``; enter the team before running it.

    Raises:
        WorkloadError: a partition that cannot be cut out.
    """
    slices = cutter.slices(plan)
    used = [pu for pu in cores if any(part.pu == pu for part in slices)]

    def make(worker: int) -> list[Piece]:
        pu = used[worker]
        return [
            Piece(position, part.needs, _body(part, plan.model, len(cores[pu]), level))
            for position, part in enumerate(slices)
            if part.pu == pu
        ]

    return Team([cores[pu] for pu in used], make, len(slices))


def _body(part: Slice, model: str, threads: int, level: str) -> Body:
    session = open_session(part.model, f"{model}/{part.name}", threads=threads, level=level)
    outputs, inputs = list(part.outputs), part.inputs

    def body(values: Values) -> Values:
        made = session.run_with_ort_values(outputs, {name: values[name] for name in inputs})
        return dict(zip(outputs, made, strict=True))

    return body


def as_values(feeds: Feeds) -> Values:
    """Arrays as tensors of ONNX Runtime."""
    value: Any = runtime().OrtValue
    return {name: value.ortvalue_from_numpy(array) for name, array in feeds.items()}
