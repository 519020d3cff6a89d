"""The kinds of processing units and the schema class of each.

A new kind is one file: a subclass of :class:`~hetsim.soc.pu.PUSpec` with ``kind:
Literal["its_name"]``, and the :class:`~hetsim.cost.pu.PUModel` that it names. Its package declares
it under the entry-point group ``hetsim.pu_kinds`` (name = kind, value = the subclass).
"""

from __future__ import annotations

from functools import cache

from hetsim.plugins import registered
from hetsim.soc.ofkind import OfItsKind
from hetsim.soc.pu import PUSpec

GROUP = "hetsim.pu_kinds"
"""Entry-point group of further kinds."""

BUILT_IN = {
    "cpu_cluster": "hetsim.soc.cpu:CPUClusterSpec",
    "npu": "hetsim.soc.npu:NPUSpec",
    "gpu": "hetsim.soc.gpu:GPUSpec",
    "dsp": "hetsim.soc.dsp:DSPSpec",
    "mobile_npu": "hetsim.soc.mobile_npu:MobileNPUSpec",
    "accelerator": "hetsim.soc.accelerator:AcceleratorSpec",
}


@cache
def kinds() -> dict[str, type[PUSpec]]:
    """Schema classes by kind: the built-in ones, then entry points in alphabetical order.

    Raises:
        ConfigError: an entry point fails to load, is no ``PUSpec``, or takes a name in use.
    """
    return registered(GROUP, PUSpec, BUILT_IN, "processing unit kind")


OF_ITS_KIND = OfItsKind(
    PUSpec, kinds, "kind", "a processing unit", "a processing unit; its fields depend on 'kind'"
)
"""The pydantic annotation of an entry of ``pus``."""
