"""Runtimes by the name that scenarios use for ``execution``.

A new runtime is one subclass of :class:`~hetsim.sim.runtimes.base.Runtime`, registered under the
entry-point group ``hetsim.runtimes`` (name = what scenarios say, value = the class). Names are
known without importing any of them, so that option lists cost nothing.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hetsim.errors import ConfigError
from hetsim.names import suggest
from hetsim.plugins import installed, registered

if TYPE_CHECKING:
    from hetsim.sim.runtimes.base import Runtime

GROUP = "hetsim.runtimes"
"""Entry-point group of further runtimes."""

BUILT_IN = {
    "dataflow": "hetsim.sim.runtimes.dataflow:Dataflow",
    "preemptive": "hetsim.sim.runtimes.dataflow:Preemptive",
    "barrier": "hetsim.sim.runtimes.barrier:Barrier",
}

DEFAULT = "dataflow"
"""What scenarios that say nothing mean."""


def runtime_names() -> tuple[str, ...]:
    """What a scenario's ``execution`` may say; nothing is imported."""
    return (*BUILT_IN, *(point.name for point in installed(GROUP)))


def find_runtime(name: str) -> type[Runtime]:
    """The runtime called ``name``.

    Raises:
        ConfigError: there is none, or an entry point fails to load, is no ``Runtime``, or takes a
            name in use.
    """
    found = _runtimes()
    if name not in found:
        raise ConfigError(f"unknown execution {name!r}", hint=suggest(name, found))
    return found[name]


@cache
def _runtimes() -> dict[str, type[Runtime]]:
    from hetsim.sim.runtimes.base import Runtime

    return registered(GROUP, Runtime, BUILT_IN, "runtime")  # type: ignore[type-abstract]
