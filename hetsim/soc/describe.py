"""From a SoC back to the description it came from: plain data that loads to an equal SoC.

What was changed on the command line is in it, what the file left out is not. Quantities are written
with units and as many digits as it takes to lose nothing on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel

from hetsim.errors import ConfigError
from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec
from hetsim.units import format_quantity, parse_quantity
from hetsim.validation import validate
from hetsim.yamlio import Document

_UNITS = {
    "size": "B",
    "bandwidth": "B/s",
    "time": "s",
    "frequency": "Hz",
    "power": "W",
    "energy": "J",
    "width": "B",
}


def describe_soc(soc: SoC) -> dict[str, Any]:
    """The description of ``soc`` as plain data (text, numbers, lists and mappings)."""
    return described(soc.spec)


def soc_of(description: Mapping[str, Any], source: str) -> SoC:
    """The SoC of :func:`describe_soc`; ``source`` is what errors call its file.

    Raises:
        ConfigError: it is not the description of a SoC, or of one with a kind of processing unit
            that is not installed.
    """
    document = Document(source, dict(description), {}, {})
    return SoC.from_spec(validate(SoCSpec, document), source=source)


def document_of(soc: SoC) -> Document:
    """The description of ``soc`` as if it had just been read, for whoever changes it further."""
    return Document(soc.source or soc.name, describe_soc(soc), {}, {})


def described(model: BaseModel, digits: int | None = None) -> dict[str, Any]:
    """What a file would say of ``model``: the fields that were set, quantities with units.

    They have as many digits as it takes to lose nothing, or ``digits`` for people.

    Raises:
        ConfigError: a value that no description can hold.
    """
    fields = type(model).model_fields
    return {
        field.alias or name: _plain(
            getattr(model, name), _quantity((field.annotation, *field.metadata)), digits
        )
        for name, field in fields.items()
        if name in model.model_fields_set
    }


def _plain(value: object, dimension: str | None, digits: int | None) -> Any:
    if isinstance(value, BaseModel):
        return described(value, digits)
    if isinstance(value, Mapping):
        return {key: _plain(part, dimension, digits) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, dimension, digits) for part in value]
    if isinstance(value, float) and dimension is not None:
        if digits is not None:
            return format_quantity(value, dimension, digits)
        tidy = format_quantity(value, dimension, 12)
        exact = parse_quantity(tidy, dimension) == value
        return tidy if exact else f"{value!r} {_UNITS[dimension]}"
    if value is None or isinstance(value, str | int | float):
        return value
    raise ConfigError(f"a SoC description cannot hold a {type(value).__name__}")


def _quantity(parts: tuple[Any, ...]) -> str | None:
    """The dimension of the quantity that an annotation speaks of somewhere, if it does."""
    for part in parts:
        dimension = getattr(part, "dimension", None)
        if isinstance(dimension, str):
            return dimension
        found = _quantity(get_args(part))
        if found is not None:
            return found
    return None
