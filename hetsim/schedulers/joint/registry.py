"""Every way to plan several networks, by the name that scenarios use."""

from __future__ import annotations

from functools import cache

from hetsim.errors import ConfigError
from hetsim.names import suggest
from hetsim.plugins import registered
from hetsim.schedulers.joint.base import JointScheduler

GROUP = "hetsim.joint_schedulers"
"""Entry-point group of further ways."""

DEFAULT = "each"

BUILT_IN = {
    "each": "hetsim.schedulers.joint.each:Each",
    "union": "hetsim.schedulers.joint.together:Together",
    "spatial": "hetsim.schedulers.joint.spatial:Spatial",
    "cuts": "hetsim.schedulers.joint.cuts:Cuts",
}


@cache
def joint_schedulers() -> dict[str, type[JointScheduler]]:
    """Classes by name: the built-in ones, then entry points in alphabetical order.

    Raises:
        ConfigError: an entry point fails to load, is no ``JointScheduler``, or takes a name in use.
    """
    return registered(GROUP, JointScheduler, BUILT_IN, "joint scheduler")  # type: ignore[type-abstract]


def find_joint_scheduler(name: str) -> JointScheduler:
    """The way called ``name``.

    Raises:
        ConfigError: there is none.
    """
    found = joint_schedulers()
    if name not in found:
        raise ConfigError(f"unknown joint scheduler {name!r}", hint=suggest(name, found))
    return found[name]()
