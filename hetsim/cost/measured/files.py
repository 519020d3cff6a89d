"""Profile files: measured times as YAML that a person can read and edit.

.. code-block:: yaml

    hetsim: profile/1
    name: board-npu
    device: NPU of the board, 333 MHz
    source: vendor profiler 2.1
    scope: kernel                  # or partition: call and crossings are in the times
    entries:
    - operators: Relu[1x64x56x56>1x64x56x56] float32
      time_us: 35.2
      transfer_us: 410             # copying its inputs, measured apart
    - operators: Softmax[1x1000>1x1000 axis=1] float32
      time_us: cannot run
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, field_validator, model_validator

from hetsim.cost.measured.keys import kinds_of
from hetsim.cost.measured.table import CANNOT_RUN, Entry, ProfileTable, Scope
from hetsim.soc.fields import Spec
from hetsim.validation import json_schema, validate
from hetsim.yamlio import Document, parse_yaml, read_yaml

FORMAT = "profile/1"
_CANNOT = "cannot run"

Microseconds = Annotated[float, Field(gt=0, le=1e15)]


class EntrySpec(Spec):
    """One measured operator or fused group."""

    operators: str = Field(description="key of the operator; a group's are joined by ' + '")
    time_us: Microseconds | Literal["cannot run"] | None = Field(
        default=None,
        description="median, microseconds; may be left out where transfer_us is known",
    )
    transfer_us: Annotated[float, Field(ge=0, le=1e15)] | None = Field(
        default=None,
        description="median of copying its inputs to the device, microseconds, measured apart"
        " from time_us",
    )
    spread_us: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="half the distance between the quartiles"
    )
    samples: Annotated[int, Field(ge=1)] = Field(default=1, description="repetitions measured")
    seen: list[str] = Field(default_factory=list, description="operators that were measured")

    @field_validator("operators")
    @classmethod
    def _is_key(cls, value: str) -> str:
        kinds_of(value)
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.time_us is None and self.transfer_us is None:
            raise ValueError("neither time_us nor transfer_us is given")
        return self


class ProfileSpec(Spec):
    """A profile as written in its file."""

    hetsim: Literal["profile/1"] = Field(description="format of this file")
    name: str = Field(min_length=1)
    device: str = Field(description="what was measured")
    source: str = Field(description="what measured it, and when")
    scope: Literal["kernel", "partition"] = Field(
        description="kernel: one launch; partition: with its call and the crossings of its tensors"
    )
    remarks: list[str] = Field(default_factory=list)
    entries: list[EntrySpec] = Field(min_length=1)


def read_profile(path: str | Path) -> ProfileTable:
    """Reads a profile file; repeats that disagree are told in ``doubts``.

    Raises:
        ConfigError: it cannot be read or is not a profile; lists every problem with its line.
    """
    return _table(read_yaml(path))


def parse_profile(text: str, file: str = "profile") -> ProfileTable:
    """Reads a profile from YAML text; ``file`` is what errors will say."""
    return _table(parse_yaml(text, file))


def profile_json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of profile files."""
    return json_schema(ProfileSpec, "hetsim profile")


def _table(document: Document) -> ProfileTable:
    spec = validate(ProfileSpec, document)
    scope: Scope = spec.scope
    entries = [
        Entry(
            entry.operators,
            CANNOT_RUN if isinstance(entry.time_us, str) else _seconds(entry.time_us),
            _seconds(entry.spread_us),
            entry.samples,
            tuple(entry.seen),
            document.where(("entries", i)),
            _seconds(entry.transfer_us),
        )
        for i, entry in enumerate(spec.entries)
    ]
    return ProfileTable.of(
        entries,
        name=spec.name,
        device=spec.device,
        source=spec.source,
        scope=scope,
        remarks=spec.remarks,
    )


def dump_profile(table: ProfileTable) -> str:
    """``table`` as YAML text, which :func:`read_profile` reads back."""
    data: dict[str, Any] = {
        "hetsim": FORMAT,
        "name": table.name,
        "device": table.device,
        "source": table.source,
        "scope": table.scope,
    }
    if table.remarks:
        data["remarks"] = list(table.remarks)
    data["entries"] = [_entry(entry) for entry in table.entries.values()]
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000)


def _entry(entry: Entry) -> dict[str, Any]:
    written: dict[str, Any] = {"operators": entry.key}
    for name, seconds in (
        ("time_us", entry.seconds), ("spread_us", entry.spread_s), ("transfer_us", entry.transfer_s)
    ):  # fmt: skip
        if seconds is not None:
            written[name] = microseconds(seconds)
    if entry.samples > 1:
        written["samples"] = entry.samples
    if entry.seen:
        written["seen"] = list(entry.seen)
    return written


def _seconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds * 1e-6


def microseconds(seconds: float) -> float | str:
    """A time for a file: microseconds to a picosecond, or the words for "cannot run"."""
    return _CANNOT if math.isinf(seconds) else float(f"{seconds * 1e6:.9g}")
