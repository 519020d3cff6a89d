"""Running a plan on this machine: its partitions opened by an engine on pinned workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hetsim.errors import ConfigError, Location
from hetsim.host.cut import Cutter, Slice
from hetsim.host.engines.base import Engine, How
from hetsim.host.machine import Machine
from hetsim.host.network import Feeds
from hetsim.host.workers import Body, Piece, Team
from hetsim.plan.model import Plan
from hetsim.soc.model import SoC


def cores_of(soc: SoC, machine: Machine) -> dict[str, tuple[int, ...]]:
    """The cores of each PU: those of the machine dealt out in the SoC's order.

    Raises:
        ConfigError: a PU that is no CPU worker, or more cores than this machine has.
    """
    for pu in soc.pus:
        if not pu.spec.thread_cores:
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


class BoundPlan:
    """A plan with its partitions cut out and a buffer for every tensor that passes between them.

    Buffers are made once, as a deployed runtime would: no partition allocates what it returns.
    """

    def __init__(
        self,
        plan: Plan,
        cutter: Cutter,
        cores: Mapping[str, Sequence[int]],
        feeds: Feeds,
        engine: Engine,
        *,
        quantised: bool = False,
    ) -> None:
        """Cuts ``plan``; raises ``WorkloadError`` for a partition that cannot be cut out."""
        self._slices = cutter.slices(plan)
        self._model = plan.model
        self._cores = cores
        self._engine, self._quantised = engine, quantised
        self._pus = [pu for pu in cores if any(part.pu == pu for part in self._slices)]
        self.values = {name: np.array(array) for name, array in feeds.items()}
        for part in self._slices:
            made = {name: cutter.empty(name) for name in part.outputs}
            self.values |= made

    def team(self) -> Team:
        """Workers that run the plan again and again; enter the team before running it."""
        cpus = [self._cores[pu] for pu in self._pus]
        return Team(cpus, self._pieces, len(self._slices))

    def composed(self, own_s: Sequence[float]) -> float | None:
        """The plan's latency if nobody disturbed it: pieces of ``own_s`` seconds in its order.

        Each waits for what it reads and for its worker, and nothing else takes time. ``None`` when
        the time of a piece's own thread does not tell: a worker has several, or the engine its own.
        """
        if self._engine.own_threads or any(len(self._cores[pu]) > 1 for pu in self._pus):
            return None
        ended = [0.0] * len(self._slices)
        free = dict.fromkeys(self._pus, 0.0)
        for position, part in enumerate(self._slices):
            start = max([free[part.pu], *(ended[need] for need in part.needs)])
            ended[position] = free[part.pu] = start + own_s[position]
        return max(ended)

    def _pieces(self, worker: int) -> list[Piece]:
        return [
            Piece(position, part.needs, self._body(part))
            for position, part in enumerate(self._slices)
            if part.pu == self._pus[worker]
        ]

    def _body(self, part: Slice) -> Body:
        threads = len(self._cores[part.pu])
        name = f"{self._model}/{part.name}"
        how = How(name, threads, self._quantised)
        return self._engine.piece(part.model, how, part.inputs, part.outputs, self.values)
