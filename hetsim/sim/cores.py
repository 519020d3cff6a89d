"""CPU cores shared by threads: kernels, conversions for other PUs, polling loops.

While a cluster has no more threads than cores everybody runs at full speed. Beyond that the
operating system time-slices: each thread gets cores / threads of a core, so a kernel and a
conversion beside it both slow down by that factor (processor sharing).
"""

from __future__ import annotations

from hetsim.sim.network.flow import Flow
from hetsim.sim.network.links import INFINITY, NOWHERE, Route
from hetsim.sim.network.network import Network


class Cores:
    """The cores of one cluster during a simulation."""

    __slots__ = ("_network", "_running", "cores", "speed", "threads")

    def __init__(self, network: Network, cores: int) -> None:
        self._network = network
        self._running: dict[Flow, float] = {}
        self.cores = cores
        self.threads = 0
        self.speed = 1.0

    def enter(self, threads: int) -> None:
        """``threads`` more threads want to run."""
        self.threads += threads
        if self.threads > self.cores:
            self._balance()

    def leave(self, threads: int) -> None:
        """``threads`` threads have ended or sleep."""
        crowded = self.threads > self.cores
        self.threads -= threads
        if crowded:
            self._balance()

    def _balance(self) -> None:
        speed = min(1.0, self.cores / self.threads) if self.threads else 1.0
        if speed == self.speed:
            return
        self.speed = speed
        for flow, rate in self._running.items():
            self._network.set_limit(flow, rate * speed)

    def work(self, seconds: float, amount: float, route: Route, delay: float = 0.0) -> Flow:
        """Work of ``seconds`` at full speed that moves ``amount`` bytes over ``route`` meanwhile.

        A flow capped at amount / seconds: alone it takes max(seconds, amount / bandwidth).
        """
        if amount <= 0.0:
            amount, route = seconds, NOWHERE
        rate = amount / seconds if seconds > 0.0 else INFINITY
        flow = self._network.transfer(amount, route, rate * self.speed, delay)
        if rate < INFINITY:
            self._running[flow] = rate
            flow.callbacks.append(self._forget)
        return flow

    def set_rate(self, flow: Flow, rate: float) -> None:
        """Changes the rate that running work reaches at full speed, in units of its amount."""
        self._running[flow] = rate
        self._network.set_limit(flow, rate * self.speed)

    def _forget(self, flow: Flow) -> None:
        del self._running[flow]
