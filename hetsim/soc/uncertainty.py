"""How sure a unit's description is: standard deviations of ln(measured / simulated).

What a kernel really takes is the simulated time times ``exp(e)``, where ``e`` is a sum of normal
deviates: one that all kernels of the network on the unit share, one that those of an operator class
share, and one of the kernel's own, the same for equal kernels. They come from measurements that the
calibration has not seen (:mod:`hetsim.calibrate.spread`); how they are carried through a plan is in
:mod:`hetsim.analysis.ranges`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from hetsim.names import suggest
from hetsim.soc.fields import Spec, located
from hetsim.soc.kindnames import Kind
from hetsim.workload.graph import DTYPE_BYTES

DEFAULT = "default"
"""The class of all kinds, and the data type of all tensors, that are not listed."""

LEVEL = 0.9
"""The share of measured times that a range is to hold."""

MOST = 3.0
"""Who is off by a factor of 20 as a rule knows nothing."""

Deviation = Annotated[float, Field(ge=0, le=MOST)]


class Spread(Spec):
    """Standard deviations of ln(measured / simulated); 0.1 is about ten percent."""

    unit: Deviation = Field(default=0.0, description="common to all kernels of a network here")
    classes: dict[Kind, Deviation] = Field(
        default_factory=dict,
        description="common to an operator class, by kind as 'efficiency' is; 'default' holds for"
        " all kinds not listed",
    )
    kernel: Deviation = Field(default=0.0, description="of each kernel alone")

    @model_validator(mode="after")
    def _is_unsure(self) -> Spread:
        if not self.unit and not self.kernel and not any(self.classes.values()):
            message = "claims that simulated times are exact; leave it out where nothing is known"
            raise located("uncertainty", (), message, None)
        return self

    def of(self, kind_path: Sequence[str]) -> tuple[str, float]:
        """The class of an operator (most specific key first) and what is common to that class."""
        for name in (*kind_path, DEFAULT):
            if name in self.classes:
                return name, self.classes[name]
        return DEFAULT, 0.0


def _known(table: dict[str, Spread]) -> dict[str, Spread]:
    for name in table:
        if name != DEFAULT and name not in DTYPE_BYTES:
            message = f"no data type is called {name!r}; {suggest(name, (DEFAULT, *DTYPE_BYTES))}"
            raise located("uncertainty", (name, "[key]"), message, name)
    return table


Uncertainty = Annotated[dict[str, Spread], AfterValidator(_known)]
"""By the data type in which the unit keeps a kernel's tensors; ``default`` for all others."""


def spread_of(uncertainty: Mapping[str, Spread], dtype: str) -> Spread | None:
    """What is known of kernels whose tensors the unit keeps as ``dtype``; ``None`` if nothing."""
    return uncertainty.get(dtype) or uncertainty.get(DEFAULT)
