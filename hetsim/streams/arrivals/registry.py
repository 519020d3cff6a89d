"""Every arrival process there is, by the ``kind`` that scenarios say."""

from __future__ import annotations

from functools import cache

from hetsim.plugins import registered
from hetsim.soc.ofkind import OfItsKind
from hetsim.streams.arrivals.base import Arrivals

GROUP = "hetsim.arrivals"
"""Entry-point group of further processes."""

BUILT_IN = {
    "periodic": "hetsim.streams.arrivals.periodic:Periodic",
    "poisson": "hetsim.streams.arrivals.poisson:Poisson",
    "bursts": "hetsim.streams.arrivals.bursts:Bursts",
    "on_off": "hetsim.streams.arrivals.on_off:OnOff",
    "trace": "hetsim.streams.arrivals.trace:Trace",
    "closed": "hetsim.streams.arrivals.closed:Closed",
    "after": "hetsim.streams.arrivals.after:After",
}


@cache
def arrival_kinds() -> dict[str, type[Arrivals]]:
    """Classes by kind: the built-in ones, then entry points in alphabetical order.

    Raises:
        ConfigError: an entry point fails to load, is no ``Arrivals``, or takes a name in use.
    """
    return registered(GROUP, Arrivals, BUILT_IN, "arrival process")


OF_ITS_KIND = OfItsKind(
    Arrivals, arrival_kinds, "arrivals", "arrivals",
    "when inferences arrive; its fields depend on 'kind'",
)  # fmt: skip
"""The pydantic annotation of ``arrivals``."""
