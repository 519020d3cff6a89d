"""What a scenario says of streams: the schema of ``streams:`` and ``serve:``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from hetsim.soc.fields import Count, Quantity, Spec, Time, located
from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.arrivals.registry import OF_ITS_KIND

Text = Annotated[str, Field(min_length=1)]


def _form(value: Any) -> str:
    return "name" if isinstance(value, str) else "fields"


class StreamSpec(Spec):
    """A network that is asked for again and again."""

    name: Text | None = Field(default=None, description="what reports call it; default its model")
    model: Text = Field(description="the label of one of the scenario's models")
    arrivals: Annotated[Arrivals, OF_ITS_KIND]
    priority: int = Field(default=0, description="the larger the more urgent")
    deadline: Annotated[float, Quantity("time")] | None = Field(
        default=None, description="of each inference"
    )
    deadline_from: Literal["arrival", "release"] = Field(
        default="arrival",
        description="what the deadline counts from; the release is before the jitter, and of what"
        " comes after another stream's result that of what this began with",
    )
    late: Literal["run", "drop"] = Field(
        default="run", description="what is done when a deadline passes before its inference began"
    )
    queue: int | None = Field(
        default=None, ge=0, description="inferences that may wait; default any number"
    )
    when_full: Literal["newest", "oldest"] = Field(
        default="newest", description="which one is given up when one more arrives than may wait"
    )
    in_flight: Count | None = Field(
        default=None,
        description="inferences that may have begun and not ended, 1: each waits for the one"
        " before; default any number",
    )
    count: int | None = Field(default=None, ge=1, description="inferences at most")
    start: Time = Field(default=0.0, description="when it enters; arrivals count from here")
    until: Annotated[float, Quantity("time")] | None = Field(
        default=None, description="when it leaves: nothing arrives from then on"
    )
    scheduler: Text | None = Field(
        default=None, description="who plans it; default: each of the scenario's schedulers"
    )
    plan: Text | None = Field(
        default=None, description="a plan file, relative to the scenario file, in place of a"
        " scheduler",
    )  # fmt: skip

    @model_validator(mode="after")
    def _all_matter(self) -> StreamSpec:
        if self.until is not None and self.until <= self.start:
            raise located("stream", ("until",), "it leaves before it enters", self.until)
        if self.plan is not None and self.scheduler is not None:
            message = "has no effect: 'plan' says what is run"
            raise located("stream", ("scheduler",), message, self.scheduler)
        absent = {"deadline": self.deadline, "queue": self.queue or None}
        for key, needed in (("deadline_from", "deadline"), ("late", "deadline"),
                            ("when_full", "queue")):  # fmt: skip
            if key in self.model_fields_set and absent[needed] is None:
                message = f"has no effect: {needed!r} is absent or 0"
                raise located("stream", (key,), message, getattr(self, key))
        return self


class DispatcherSpec(Spec):
    """A dispatcher with its parameters."""

    name: Text = Field(description="a registered dispatcher, or FILE.py:CLASS")
    label: Text | None = Field(default=None, description="what reports call it; default its name")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="passed to the dispatcher by keyword"
    )
    overhead: Time = Field(
        default=0.0, description="time of a host thread before each partition that it hands out"
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
    dispatchers: list[DispatcherEntry] = Field(
        default=["priority"], min_length=1, description="who decides what is next on each unit"
    )
    preemption_cost: Time = Field(
        default=0.0,
        description="time of a unit for taking it from a partition between launches",
    )
    backlog: Count = Field(
        default=10_000,
        description="the run is stopped as overloaded when so many inferences of a stream wait",
    )
    plans: list[Text] = Field(
        default=["each"], min_length=1,
        description="how the networks are planned, each way compared: registered joint schedulers",
    )  # fmt: skip
