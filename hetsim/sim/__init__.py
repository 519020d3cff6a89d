"""The simulator: programs run on links, cores and units over simulated time.

Imports programs (:mod:`hetsim.lower`), SoCs and what stands under them; never schedulers.
The two names below are public, so that anyone can check the physics of bare transfers. They are
imported on first use: reading a trace must not import the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hetsim.sim.network.bare import Flow as Flow
    from hetsim.sim.network.bare import simulate_flows as simulate_flows

__all__ = ["Flow", "simulate_flows"]


if not TYPE_CHECKING:  # type checkers read the imports above; the rest happens on first use

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from hetsim.sim.network import bare

        return getattr(bare, name)
