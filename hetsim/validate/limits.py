"""The errors that are allowed: ``thresholds.yaml``, or a file of the user's in the same form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hetsim.errors import ConfigError
from hetsim.names import suggest
from hetsim.validate.measures import MEASURES, said
from hetsim.validation import validate
from hetsim.yamlio import read_yaml


class Limit(BaseModel):
    """What a figure may be: shares of one, or a count of rows."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    most: float | None = Field(default=None, description="the largest value allowed", ge=0)
    least: float | None = Field(default=None, description="the smallest value allowed", ge=0)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.most is None and self.least is None:
            raise ValueError("say 'most', 'least' or both")
        if self.most is not None and self.least is not None and self.most < self.least:
            raise ValueError(f"nothing is at least {self.least:g} and at most {self.most:g}")
        return self

    def allows(self, value: float | None) -> bool:
        """Whether ``value`` is within; what is no number never is."""
        if value is None:
            return False
        least = -float("inf") if self.least is None else self.least
        most = float("inf") if self.most is None else self.most
        return least <= value <= most

    def text(self, measure: str) -> str:
        """In words: ``median <= 15 %``."""
        least, most = (
            None if end is None else said(measure, end).replace(".0 %", " %")
            for end in (self.least, self.most)
        )
        if least is not None and most is not None:
            return f"{measure} {least.removesuffix(' %')} to {most}"
        return f"{measure} <= {most}" if least is None else f"{measure} >= {least}"


class Limits(BaseModel):
    """The file: for each check the limits of its figures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hetsim: Literal["thresholds/1"]
    checks: Mapping[str, Mapping[str, Limit]]


def shipped_limits() -> Path:
    """The file that ships with hetsim."""
    return Path(__file__).with_name("thresholds.yaml")


def read_limits(path: Path | None = None) -> Mapping[str, Mapping[str, Limit]]:
    """The limits of a file, by check and figure.

    Raises:
        ConfigError: no such file, or something in it that is no limit, with its place.
    """
    document = read_yaml(path or shipped_limits())
    limits = validate(Limits, document).checks
    for check, own in limits.items():
        for measure in own:
            if measure not in MEASURES:
                raise ConfigError(
                    f"checks.{check}: there is no figure {measure!r}",
                    where=document.where_key(("checks", check, measure)),
                    hint=suggest(measure, MEASURES),
                )
    return limits
