"""Runtimes by the name that scenarios use for ``execution``.

A new runtime is one subclass of :class:`~hetsim.sim.runtimes.base.Runtime`, registered under the
entry-point group ``hetsim.runtimes`` (name = what scenarios say, value = the class).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points

from hetsim.errors import ConfigError
from hetsim.sim.runtimes.barrier import Barrier
from hetsim.sim.runtimes.base import Runtime
from hetsim.sim.runtimes.dataflow import Dataflow, Preemptive

GROUP = "hetsim.runtimes"
"""Entry-point group of further runtimes."""

BUILT_IN: Mapping[str, type[Runtime]] = {
    "dataflow": Dataflow,
    "preemptive": Preemptive,
    "barrier": Barrier,
}


@cache
def _runtimes() -> dict[str, type[Runtime]]:
    found = dict(BUILT_IN)
    for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        source = f"runtime {point.name!r} of {point.value!r}"
        try:
            runtime = point.load()
        except Exception as error:
            raise ConfigError(f"{source} cannot be loaded: {error}") from error
        if not (isinstance(runtime, type) and issubclass(runtime, Runtime)):
            raise ConfigError(f"{source} is not a subclass of hetsim.sim.runtimes.base.Runtime")
        if point.name in found:
            raise ConfigError(f"{source} takes a name that is already in use")
        found[point.name] = runtime
    return found


class _Registry(Mapping[str, type[Runtime]]):
    """Looks entry points up on first use, so that importing it loads nobody's code.

    Raises:
        ConfigError: an entry point fails to load, is no ``Runtime``, or takes a built-in name.
    """

    def __getitem__(self, name: str) -> type[Runtime]:
        return _runtimes()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_runtimes())

    def __len__(self) -> int:
        return len(_runtimes())


RUNTIMES: Mapping[str, type[Runtime]] = _Registry()
"""The built-in ones, then entry points in alphabetical order."""


def runtime_names() -> tuple[str, ...]:
    """What a scenario's ``execution`` may say."""
    return tuple(RUNTIMES)
