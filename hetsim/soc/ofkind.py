"""Entries of a description whose fields depend on their ``kind``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from hetsim.names import suggest
from hetsim.soc.fields import Spec, located

Base = TypeVar("Base", bound=Spec)


@dataclass(frozen=True)
class OfItsKind(Generic[Base]):
    """The pydantic annotation of an entry that is validated by the class its ``kind`` names.

    ``kinds`` gives the classes by kind when they are asked for; all are subclasses of ``base``,
    which speaks of an entry that names none. ``what`` is what messages call the kinds, ``title``
    one entry, ``about`` a line for the JSON Schema.
    """

    base: type[Base]
    kinds: Callable[[], Mapping[str, type[Base]]]
    what: str
    title: str
    about: str

    def schema_for(self, data: object) -> type[Base]:
        """The class that the ``kind`` in ``data`` names; the common one when it does not."""
        kind = data.get("kind") if isinstance(data, dict) else None
        return self.kinds().get(kind, self.base) if isinstance(kind, str) else self.base

    def parse(self, value: object) -> Base:
        """Validates with the class of the kind; a pydantic error when nobody knows it."""
        if isinstance(value, self.base):
            return value
        if not isinstance(value, dict):
            fields = "a mapping of fields was expected, a mapping with a 'kind'"
            raise ValueError(f"{value!r} stands where {fields}")
        if "kind" not in value:
            message = f"field 'kind' is missing: one of {', '.join(self.kinds())}"
            raise located(self.title, (), message, value)
        schema = self.schema_for(value)
        if schema is self.base and isinstance(value["kind"], str):
            message = (
                f"unknown {self.what} {value['kind']!r}; {suggest(value['kind'], self.kinds())}"
            )
            raise located(self.title, ("kind",), message, value["kind"])
        return schema.model_validate(value)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "oneOf": [handler(kind.__pydantic_core_schema__) for kind in self.kinds().values()],
            "description": self.about,
        }
