"""The kinds of processing units and the schema class of each.

A new kind is one subclass of :class:`~hetsim.soc.pu.PUSpec` with ``kind: Literal["its_name"]``,
registered under the entry-point group ``hetsim.pu_kinds`` (name = kind, value = the class). How
long work takes on it is the business of :mod:`hetsim.cost`.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from hetsim.errors import ConfigError
from hetsim.soc.accelerator import AcceleratorSpec
from hetsim.soc.cpu import CPUClusterSpec
from hetsim.soc.npu import NPUSpec
from hetsim.soc.pu import PUSpec

GROUP = "hetsim.pu_kinds"
"""Entry-point group of further kinds."""

BUILT_IN: dict[str, type[PUSpec]] = {
    "cpu_cluster": CPUClusterSpec,
    "npu": NPUSpec,
    "accelerator": AcceleratorSpec,
}


@cache
def kinds() -> dict[str, type[PUSpec]]:
    """Schema classes by kind: the built-in ones, then entry points in alphabetical order.

    Raises:
        ConfigError: an entry point fails to load, is no ``PUSpec``, or takes a built-in name.
    """
    found = dict(BUILT_IN)
    for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        source = f"processing unit kind {point.name!r} of {point.value!r}"
        try:
            schema = point.load()
        except Exception as error:
            raise ConfigError(f"{source} cannot be loaded: {error}") from error
        if not (isinstance(schema, type) and issubclass(schema, PUSpec)):
            raise ConfigError(f"{source} is not a subclass of hetsim.soc.pu.PUSpec")
        if point.name in found:
            raise ConfigError(f"{source} takes a name that is already in use")
        found[point.name] = schema
    return found
