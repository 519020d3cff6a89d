"""The vocabulary of descriptions: quantities with units, names, shares, and the base class."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from hetsim.errors import UnitError
from hetsim.soc.turning import Joint
from hetsim.units import EXAMPLES, UNITS, parse_quantity
from hetsim.workload.graph import DTYPE_BYTES
from hetsim.workload.weights import PATTERNS


@dataclass(frozen=True)
class Quantity:
    """The pydantic annotation of a quantity: positive, or also zero where that has a meaning."""

    dimension: str
    zero: bool = False

    def parse(self, value: object) -> float:
        """The SI value of what the file says; ``ValueError`` when it is wrong."""
        try:
            number = parse_quantity(value, self.dimension)
        except UnitError as error:
            raise ValueError(f"{error.message}; {error.hint}") from None
        if number < 0 or (number == 0 and not self.zero):
            at_least = "zero or more" if self.zero else "more than zero"
            raise ValueError(f"{value!r} must be {at_least}")
        return number

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.parse, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        units = "|".join(re.escape(unit) for unit in UNITS[self.dimension])
        text = {
            "type": "string",
            "pattern": rf"^\s*(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?\s*({units})\s*$",
            "description": f"a {self.dimension} with its unit, like {EXAMPLES[self.dimension]!r}",
        }
        return {"anyOf": [text, {"const": 0}]} if self.zero else text


def _known_dtype(name: str) -> str:
    if name not in DTYPE_BYTES:
        raise ValueError(f"unknown data type {name!r}; known: {', '.join(DTYPE_BYTES)}")
    return name


def _known_sparsity(name: str) -> str:
    if name not in PATTERNS:
        raise ValueError(f"unknown sparsity {name!r}; known: {', '.join(PATTERNS)}")
    return name


Size = Annotated[float, Quantity("size")]
Bandwidth = Annotated[float, Quantity("bandwidth")]
Frequency = Annotated[float, Quantity("frequency")]
Width = Annotated[float, Quantity("width")]
Time = Annotated[float, Quantity("time", zero=True)]
Power = Annotated[float, Quantity("power", zero=True)]
Energy = Annotated[float, Quantity("energy", zero=True)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Dtype = Annotated[str, AfterValidator(_known_dtype)]
Sparsity = Annotated[str, AfterValidator(_known_sparsity)]
Rates = Annotated[dict[Dtype, Annotated[float, Field(gt=0)]], Field(min_length=1)]
"""Operations per cycle by data type."""
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


def one_or_many(one: str, many: str) -> Callable[[Any], str]:
    """Tells a plain value from a mapping or list, so that errors speak of the form meant."""
    return lambda value: many if isinstance(value, dict | list | BaseModel) else one


class Spec(BaseModel):
    """Base of all schema classes: frozen, no unknown fields, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def joints(self) -> tuple[Joint, ...]:
        """Fields that ``hetsim whatif`` changes together (:mod:`hetsim.soc.turning`)."""
        return ()

    def along(self, field: str, choice: object) -> Mapping[str, object] | None:
        """What other fields have to become when ``field`` becomes ``choice``.

        ``None`` where that choice would have no effect.
        """
        return {}


def located(title: str, path: tuple[str | int, ...], message: str, value: object) -> Exception:
    """A pydantic error about the part ``path`` below the model that raises it."""
    return ValidationError.from_exception_data(title, [detail(path, message, value)])


def detail(path: tuple[str | int, ...], message: str, value: object) -> InitErrorDetails:
    """One problem at ``path`` below the model that reports it, for ``from_exception_data``."""
    error = PydanticCustomError("located", "{message}", {"message": message})
    return InitErrorDetails(type=error, loc=path, input=value)
