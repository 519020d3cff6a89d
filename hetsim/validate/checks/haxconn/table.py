"""The measured table as its user brings it, checked before anything is simulated."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hetsim.validate.checks.haxconn.pairs import PAIRS, POLICIES
from hetsim.validate.tables import Tables
from hetsim.validation import validate
from hetsim.yamlio import read_yaml

TABLE = "measured_contention.json"

Milliseconds = Annotated[float, Field(gt=0)]
Positive = Annotated[int, Field(gt=0)]
Group = Annotated[str, Field(pattern=r"^\d+-\d+$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Whole(_Part):
    """GoogLeNet alone, all of it on a unit, milliseconds."""

    googlenet_gpu: Milliseconds
    googlenet_dla: Milliseconds


class Convolution(_Part):
    """One that repeats, and the memory controller's largest utilisation meanwhile."""

    input_nchw: tuple[Positive, Positive, Positive, Positive]
    out_channels: Positive
    kernel: Positive
    pad: Annotated[int, Field(ge=0)]
    memory_controller_utilisation: Annotated[float, Field(gt=0, le=1)]


class Measured(_Part):
    """What is read of the table; it has more.

    ``gpu_ms`` has a time for each of ``googlenet_layer_groups`` (``"0-9"``: first and last layer,
    which are this graph's operators).
    """

    googlenet_layer_groups: list[Group] = Field(min_length=1)
    gpu_ms: list[Milliseconds]
    whole_ms: Whole
    two_dnn_ms: dict[str, dict[str, Milliseconds]]
    conv_memory_utilisation: list[Convolution]
    orin_two_dnn_contended_mean_ms: dict[str, list[Milliseconds]] = {}

    @model_validator(mode="after")
    def _is_whole(self) -> Measured:
        times, groups = len(self.gpu_ms), len(self.googlenet_layer_groups)
        if times != groups:
            raise ValueError(
                f"{times} times in 'gpu_ms' for {groups} groups in 'googlenet_layer_groups'"
            )
        for pair in PAIRS:
            for policy in POLICIES:
                if policy not in self.two_dnn_ms.get(pair, {}):
                    raise ValueError(f"'two_dnn_ms' says nothing of {pair!r} under {policy!r}")
        return self

    @property
    def groups(self) -> list[tuple[int, int]]:
        """First and last layer of each group."""
        ends = (text.split("-") for text in self.googlenet_layer_groups)
        return [(int(first), int(last)) for first, last in ends]

    def pair_s(self, pair: str, policy: str) -> float:
        """Seconds of a pair under a policy."""
        return self.two_dnn_ms[pair][policy] * 1e-3


def read_measured(tables: Tables) -> Measured:
    """The table.

    Raises:
        UnavailableError: it is not there.
        ConfigError: it is not what it should be, with file, line and column.
    """
    return validate(Measured, read_yaml(tables.path(TABLE)))
