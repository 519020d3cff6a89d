"""What traffic crosses: buses, ports, and the memory at the end of every path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from hetsim.soc.fields import (
    Bandwidth,
    Count,
    Energy,
    Fraction,
    Frequency,
    Name,
    Size,
    Spec,
    Time,
    Width,
    located,
    one_or_many,
)
from hetsim.soc.turning import Joint, Turned


class MemorySpec(Spec):
    """A memory: the last link of every path, and where tensors live between partitions."""

    bandwidth: Bandwidth = Field(description="peak bandwidth")
    efficiency: Annotated[
        Annotated[Fraction, Tag("one share")]
        | Annotated[list[Fraction], Field(min_length=1), Tag("list of shares")],
        Discriminator(one_or_many("one share", "list of shares")),
    ] = Field(
        default=1.0,
        description="share of the peak that is reached; a list gives it for 1, 2, 3, ... concurrent"
        " transfers (row-buffer interference), the last value holding beyond",
    )
    latency: Time = Field(default=0.0, description="first-access latency added to every transfer")
    capacity: Size = Field(description="size; weights and live tensors must fit")
    energy_per_byte: Energy = Field(default=0.0, description="energy of moving one byte")
    channels: Count = Field(
        default=1, description="channels among which 'bandwidth' is divided, side by side"
    )
    interleave: Size | None = Field(
        default=None,
        description="bytes that follow one another in a channel before the next one's turn: a"
        " transfer of less than all channels' turn does not use all of them",
    )

    @model_validator(mode="after")
    def _channels_take_turns(self) -> MemorySpec:
        if (self.channels > 1) != (self.interleave is not None):
            message = "several channels and 'interleave' need each other"
            raise located("memory", ("channels",), message, self.channels)
        return self

    def joints(self) -> tuple[Joint, ...]:
        """A single channel takes no turns; how long those of several would be nobody knows."""
        return (Joint("channels", ("channels",), str(self.channels), self._with_channels),)

    def _with_channels(self, factor: float) -> Turned | None:
        new = max(1, int(self.channels * factor))
        if self.interleave is None or new == self.channels:
            return None
        values: dict[str, object] = {"channels": new}
        if new == 1:
            values["interleave"] = None
        return Turned(str(new), values, new / self.channels)


Arbitration = Literal["max_min_fair", "weighted", "priority", "fifo"]


class CacheSpec(Spec):
    """What a link remembers of the tensors that crossed it: a system cache before a memory.

    Such caches hold some megabytes in phones, and keep what the system chooses, by master: a unit
    that is not among ``units`` passes it by.
    """

    capacity: Size = Field(description="bytes of tensors and weights that it keeps")
    units: list[Name] | None = Field(
        default=None,
        min_length=1,
        description="whose tensors it keeps: entries of 'pus' whose path crosses it; all of them"
        " when absent",
    )


class LinkSpec(Spec):
    """A bus, a port, or a link between dies: ``bandwidth``, or ``width`` and ``clock``.

    Of a full-duplex link the bandwidth is that of each direction. A link between dies loses a
    share of it to headers, checks and credits (``efficiency``). Published energies are near half a
    picojoule a bit: 0.56 of the interposer link of TSMC and Arm (IEEE JSSC 55(4), 2020), and what
    UCIe 1.0 (2022) aims at for standard packages.
    """

    bandwidth: Bandwidth | None = None
    width: Width | None = None
    clock: Frequency | None = None
    arbitration: Arbitration = Field(
        default="max_min_fair", description="how concurrent transfers share the link"
    )
    latency: Time = Field(default=0.0, description="added to every transfer")
    duplex: Literal["half", "full"] = Field(
        default="half",
        description="'full': the bandwidth is that of each direction, and reading and writing do"
        " not disturb each other",
    )
    backwards: list[Name] = Field(
        default_factory=list,
        description="memories on the near side of a full-duplex link: what reads from them shares"
        " wires with what writes to the others",
    )
    efficiency: Fraction = Field(
        default=1.0, description="share of the bandwidth that carries payload (flits, protocol)"
    )
    energy_per_byte: Energy = Field(default=0.0, description="energy of moving one byte")
    cache: CacheSpec | None = Field(
        default=None, description="what it keeps of what crosses it: then it is a system cache"
    )

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> LinkSpec:
        pair = self.width is not None and self.clock is not None
        if (self.bandwidth is None) != pair or (not pair and (self.width or self.clock)):
            raise ValueError("give either 'bandwidth', or both 'width' and 'clock'")
        return self

    @property
    def bytes_per_second(self) -> float:
        """The link's bandwidth in B/s."""
        if self.bandwidth is not None:
            return float(self.bandwidth)
        assert self.width is not None
        assert self.clock is not None
        return float(self.width * self.clock)

    @property
    def directions(self) -> int:
        """How many transfers can have all of the bandwidth at once: two if full-duplex."""
        return 2 if self.duplex == "full" else 1

    def along(self, field: str, choice: object) -> Mapping[str, object] | None:
        """Where everything shares the wires there is no near side."""
        return {"backwards": []} if (field, choice) == ("duplex", "half") else {}
