"""Every way to plan several networks, by the name that scenarios use.

What a name may be is that of every :class:`~hetsim.catalogue.Catalogue`.
"""

from __future__ import annotations

from collections.abc import Mapping

from hetsim.catalogue import Catalogue
from hetsim.errors import SchedulerError
from hetsim.schedulers.joint.base import JointScheduler

GROUP = "hetsim.joint_schedulers"
"""Entry-point group of further ways."""

DEFAULT = "each"

BUILT_IN: Mapping[str, str] = {
    "each": "hetsim.schedulers.joint.each:Each",
    "union": "hetsim.schedulers.joint.together:Together",
    "spatial": "hetsim.schedulers.joint.spatial:Spatial",
    "cuts": "hetsim.schedulers.joint.cuts:Cuts",
    "pipeline": "hetsim.schedulers.joint.pipeline:Pipeline",
}
"""Module and class of every way that ships with hetsim."""

JOINT_SCHEDULERS = Catalogue(
    "joint scheduler",
    GROUP,
    JointScheduler,  # type: ignore[type-abstract]
    BUILT_IN,
    SchedulerError,
)
"""Every way there is."""


def create_joint_scheduler(name: str) -> JointScheduler:
    """A fresh one: ``name`` is a known name, or ``path/to/file.py:ClassName``.

    Raises:
        SchedulerError: there is none, or it cannot be loaded.
    """
    return JOINT_SCHEDULERS.create(name)
