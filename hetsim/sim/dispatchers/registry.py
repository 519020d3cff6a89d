"""Every dispatcher there is, by the name that scenarios use."""

from __future__ import annotations

from functools import cache

from hetsim.errors import ConfigError
from hetsim.names import suggest
from hetsim.plugins import registered
from hetsim.sim.dispatch import Dispatcher

GROUP = "hetsim.dispatchers"
"""Entry-point group of further dispatchers."""

BUILT_IN = {"priority": "hetsim.sim.dispatch:PlanOrder"}


@cache
def dispatchers() -> dict[str, type[Dispatcher]]:
    """Classes by name: the built-in ones, then entry points in alphabetical order.

    Raises:
        ConfigError: an entry point fails to load, is no ``Dispatcher``, or takes a name in use.
    """
    return registered(GROUP, Dispatcher, BUILT_IN, "dispatcher")  # type: ignore[type-abstract]


def find_dispatcher(name: str) -> type[Dispatcher]:
    """The dispatcher called ``name``.

    Raises:
        ConfigError: there is none.
    """
    found = dispatchers()
    if name not in found:
        raise ConfigError(f"unknown dispatcher {name!r}", hint=suggest(name, found))
    return found[name]
