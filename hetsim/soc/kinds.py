"""The kinds of processing units and the schema class of each.

A new kind is one file: a subclass of :class:`~hetsim.soc.pu.PUSpec` with ``kind:
Literal["its_name"]``, and the :class:`~hetsim.cost.pu.PUModel` that it names. Its package declares
it under the entry-point group ``hetsim.pu_kinds`` (name = kind, value = the subclass).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from hetsim.names import suggest
from hetsim.plugins import registered
from hetsim.soc.fields import located
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


class OfItsKind:
    """The pydantic annotation of an entry of ``pus``: validated by the schema its kind names."""

    @staticmethod
    def schema_for(data: object) -> type[PUSpec]:
        """The schema class that the ``kind`` in ``data`` names; the common one when it does not."""
        kind = data.get("kind") if isinstance(data, dict) else None
        return kinds().get(kind, PUSpec) if isinstance(kind, str) else PUSpec

    @classmethod
    def parse(cls, value: object) -> PUSpec:
        """Validates with the schema of the kind; a pydantic error when nobody knows it."""
        if isinstance(value, PUSpec):
            return value
        schema = cls.schema_for(value)
        if schema is PUSpec and isinstance(value, dict) and isinstance(value.get("kind"), str):
            message = f"unknown kind {value['kind']!r}; {suggest(value['kind'], kinds())}"
            raise located("a processing unit", ("kind",), message, value["kind"])
        return schema.model_validate(value)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "oneOf": [handler(spec.__pydantic_core_schema__) for spec in kinds().values()],
            "description": "a processing unit; its fields depend on 'kind'",
        }
