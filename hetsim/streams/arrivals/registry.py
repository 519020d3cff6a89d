"""Every arrival process there is, by the ``kind`` that scenarios say."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from hetsim.names import suggest
from hetsim.plugins import registered
from hetsim.soc.fields import located
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


class OfItsKind:
    """The pydantic annotation of ``arrivals``: validated by the class that its kind names."""

    @staticmethod
    def schema_for(data: object) -> type[Arrivals]:
        """The class that the ``kind`` in ``data`` names; the common one when it does not."""
        kind = data.get("kind") if isinstance(data, dict) else None
        return arrival_kinds().get(kind, Arrivals) if isinstance(kind, str) else Arrivals

    @staticmethod
    def parse(value: object) -> Arrivals:
        """A pydantic error when nobody knows its kind, or it does not say one."""
        if isinstance(value, Arrivals):
            return value
        kind = value.get("kind") if isinstance(value, dict) else None
        known = arrival_kinds()
        if not isinstance(kind, str) or kind not in known:
            names = ", ".join(known)
            if not isinstance(value, dict):
                raise ValueError(f"arrivals are a mapping with a 'kind': {names}")
            message = (
                f"unknown arrivals {kind!r}; {suggest(kind, known)}"
                if isinstance(kind, str)
                else f"arrivals need a 'kind': {names}"
            )
            raise located("arrivals", ("kind",), message, kind)
        return known[kind].model_validate(value)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "oneOf": [handler(kind.__pydantic_core_schema__) for kind in arrival_kinds().values()],
            "description": "when inferences arrive; its fields depend on 'kind'",
        }
