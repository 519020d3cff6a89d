"""Words of the scenario language that only streams need."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from hetsim.errors import UnitError
from hetsim.soc.fields import Quantity
from hetsim.units import UNITS, parse_quantity


class _Period:
    """The annotation of a time above zero that may also be said as a frequency."""

    dimension = "time"
    _time = Quantity(dimension)

    def parse(self, value: object) -> float:
        """Seconds; ``ValueError`` when it is neither."""
        if isinstance(value, str) and value.strip().endswith(tuple(UNITS["frequency"])):
            try:
                hz = parse_quantity(value, "frequency")
            except UnitError as error:
                raise ValueError(f"{error.message}; {error.hint}") from None
            if hz <= 0:
                raise ValueError(f"{value!r} must be more than zero")
            return 1.0 / hz
        return self._time.parse(value)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.parse, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        said = Quantity("frequency").__get_pydantic_json_schema__(schema, handler)
        return {"anyOf": [self._time.__get_pydantic_json_schema__(schema, handler), said]}


Period = Annotated[float, _Period()]
"""Seconds, in files ``33.3 ms`` or ``30 Hz``."""
