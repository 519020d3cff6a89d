"""What a scenario says of streams: the schema of ``streams:`` and ``serve:``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from hetsim.soc.fields import Quantity, Spec
from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.arrivals.registry import OfItsKind

Text = Annotated[str, Field(min_length=1)]


def _form(value: Any) -> str:
    return "name" if isinstance(value, str) else "fields"


class StreamSpec(Spec):
    """A network that is asked for again and again."""

    name: Text | None = Field(default=None, description="what reports call it; default its model")
    model: Text = Field(description="the label of one of the scenario's models")
    arrivals: Annotated[Arrivals, OfItsKind()]
    priority: int = Field(default=0, description="the larger the more urgent")
    deadline: Annotated[float, Quantity("time")] | None = Field(
        default=None, description="of each inference, from its arrival on"
    )
    count: int | None = Field(default=None, ge=1, description="inferences at most")
    scheduler: Text | None = Field(
        default=None, description="who plans it; default: each of the scenario's schedulers"
    )


class DispatcherSpec(Spec):
    """A dispatcher with its parameters."""

    name: Text = Field(description="a registered dispatcher")
    label: Text | None = Field(default=None, description="what reports call it; default its name")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="passed to the dispatcher by keyword"
    )


DispatcherEntry = Annotated[
    Annotated[Text, Tag("name")] | Annotated[DispatcherSpec, Tag("fields")], Discriminator(_form)
]


class ServeSpec(Spec):
    """How long streams are simulated, and who decides what runs next."""

    duration: Annotated[float, Quantity("time")] | None = Field(
        default=None, description="nothing arrives after it; what has arrived is run to its end"
    )
    warm_up: Annotated[float, Quantity("time", zero=True)] | Literal["mser"] = Field(
        default=0.0, description="arrivals before it are left out of all statistics"
    )
    dispatchers: list[DispatcherEntry] = Field(default=["priority"], min_length=1)
