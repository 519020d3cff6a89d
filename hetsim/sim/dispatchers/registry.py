"""Every dispatcher there is, by the name that scenarios use.

What a name may be is that of every :class:`~hetsim.catalogue.Catalogue`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hetsim.catalogue import Catalogue, parameter_texts
from hetsim.errors import DispatcherError
from hetsim.sim.dispatch import Dispatcher

GROUP = "hetsim.dispatchers"
"""Entry-point group of further dispatchers."""

DEFAULT = "priority"

BUILT_IN: Mapping[str, str] = {
    "fifo": "hetsim.sim.dispatchers.fifo:Fifo",
    "priority": "hetsim.sim.dispatchers.priority:Priority",
    "edf": "hetsim.sim.dispatchers.edf:EDF",
    "least_laxity": "hetsim.sim.dispatchers.least_laxity:LeastLaxity",
    "slots": "hetsim.sim.dispatchers.slots:Slots",
    "met": "hetsim.sim.dispatchers.met:MET",
    "eft": "hetsim.sim.dispatchers.eft:EFT",
    "etf": "hetsim.sim.dispatchers.etf:ETF",
    "heft": "hetsim.sim.dispatchers.heft:HEFT",
    "replan": "hetsim.sim.dispatchers.replan:Replan",
}
"""Module and class of every dispatcher that ships with hetsim."""

DISPATCHERS = Catalogue("dispatcher", GROUP, Dispatcher, BUILT_IN, DispatcherError)  # type: ignore[type-abstract]
"""Every dispatcher there is."""

dispatcher_names, find_dispatcher = DISPATCHERS.names, DISPATCHERS.find


def create_dispatcher(
    name: str, parameters: Mapping[str, object] | None = None, overhead_s: float = 0.0
) -> Dispatcher:
    """A fresh dispatcher: ``name`` is a known name, or ``path/to/file.py:ClassName``.

    ``overhead_s`` seconds of a host thread are charged for each of its decisions.

    Raises:
        DispatcherError: unknown name, a file that cannot be loaded, a parameter that it does not
            have, lacks, or rejects.
    """
    made = DISPATCHERS.create(name, parameters)
    made.overhead_s = overhead_s
    return made


@dataclass(frozen=True)
class DispatcherInfo:
    """A row of ``hetsim list dispatchers``. ``parameters`` maps names to defaults, as text."""

    name: str
    places: bool
    optimises: str
    ignores: str
    source: str
    parameters: Mapping[str, str]
    origin: str


def list_dispatchers() -> list[DispatcherInfo]:
    """A row for each of :func:`dispatcher_names`.

    Raises:
        DispatcherError: an installed dispatcher cannot be loaded.
    """
    return [describe(find_dispatcher(n), n, DISPATCHERS.origin(n)) for n in dispatcher_names()]


def describe(cls: type[Dispatcher], name: str, origin: str) -> DispatcherInfo:
    """The row of one class."""
    optimises, ignores, source = (getattr(cls, f) for f in ("optimises", "ignores", "source"))
    return DispatcherInfo(
        name, cls.places, optimises, ignores, source, parameter_texts(cls), origin
    )
